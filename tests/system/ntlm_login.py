"""Part of 62-ntlm-login.sh:  ntlm_login.py [POLICY RIGHT-BINDING WRONG-BINDING], of extended protection."""
import base64
import os
import subprocess
import sys

import lab
import wire

TARGETS = os.environ['T_plain'], os.environ['T_http']
PEER = os.path.join(os.environ['OBJ'], 'ntlm-peer')


class Client:
    """Our own initiator; `words` is raw NTLM when empty, or spnego=1."""

    def __init__(self, user, *words, password=lab.PASSWORD):
        self.scheme = 'Negotiate' if 'spnego=1' in words else 'NTLM'
        command = [PEER, 'initiate', f'user={user}', f'password={password}', *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self, token=''):
        self.process.stdin.write(token + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def token(self, reply):
        """What the server sent."""
        lines = [value.split()[1] for value in reply.all('www-authenticate') if value.startswith(self.scheme + ' ')]
        return lines[0] if lines else None

    def lead(self, channel, method, target):
        """All but the last token, which comes back as the value of Authorization."""
        word, answer = self.answer()
        while True:
            channel.request(method, target, 0, auth=f'{self.scheme} {answer}')
            reply = channel.reply()
            lab.same(reply.status, 401, 'a challenge')
            word, answer = self.answer(self.token(reply))
            if b'NTLMSSP\0\2' in base64.b64decode(self.token(reply)):
                return f'{self.scheme} {answer}'

    def finish(self, reply):
        if self.scheme == 'Negotiate':
            lab.same(self.answer(self.token(reply) or '-')[0], 'AF', 'the last token of SPNEGO')

    def login(self, channel, method='RPC_IN_DATA', target=TARGETS[0], status=200):
        auth = self.lead(channel, method, target)
        channel.request(method, target, 0, auth=auth)
        reply = channel.reply()
        lab.same(reply.status, status, f'{self.scheme} {method}')
        if status == 200:
            self.finish(reply)
        self.close()
        return auth

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        lab.same(self.process.wait(), 0, 'exit code of the client')


WAYS = (), ('spnego=1',), ('spnego=1', 'kerberos_first=1')

if len(sys.argv) > 1:
    policy, right, wrong = sys.argv[1:]
    lab.step(f'extended protection, {policy}')
    for words in WAYS:
        for binding, status in ((right, 200), (wrong, 401), (None, 200 if policy == 'allow' else 401)):
            with lab.channel(tls=True) as channel:
                more = (f'binding64={binding}',) if binding else ()
                Client(lab.USER, *words, *more).login(channel, status=status)
    lab.done()
    sys.exit()

lab.step('two logins on one connection, none needed in between; a token is good once; another principal is refused')
lines = lab.Lines()
for words in WAYS:
    for tls in False, True:
        with lab.channel(tls=tls) as channel:
            auth = Client(lab.USER, *words).login(channel)
            channel.request('RPC_IN_DATA', TARGETS[0], 0)
            lab.same(channel.reply().status, 200, 'without Authorization')
            channel.request('RPC_IN_DATA', TARGETS[0], 0, auth=auth)
            lab.same(channel.reply().status, 401, 'the last token again')
            Client(lab.USER, *words).login(channel, 'RPC_OUT_DATA')
            Client('other', *words).login(channel, status=401)
            Client(lab.USER, *words, password='wrong').login(channel, status=401)
            channel.request('RPC_IN_DATA', TARGETS[0], 0, auth=lab.OTHER_AUTH)
            lab.same(channel.reply().status, 401, 'another principal with Basic')
lab.check(lines.wait('another principal on an authenticated connection'), 'the log gives the reason')

lab.step('behind a front nothing is remembered and neither scheme is offered')
with lab.channel() as channel:
    Client(lab.USER).login(channel)
    channel.request('RPC_IN_DATA', TARGETS[0], 0, headers=[('Via', '1.1 front')])
    reply = channel.reply()
    lab.same(reply.status, 401, 'nothing remembered')
    lab.same([value.split()[0] for value in reply.all('www-authenticate')], ['Basic'], 'offered')

for target in TARGETS:
    for words in WAYS:
        lab.step(f'{target}, {" ".join(words) or "raw"}: a tunnel of channels whose requests carry the last token')
        cookies = [os.urandom(16) for _ in range(4)]
        with lab.channel() as out, lab.channel() as channel_in:
            client = Client(lab.USER, *words)
            out.request('RPC_OUT_DATA', target, 76, auth=client.lead(out, 'RPC_OUT_DATA', target))
            out.send(wire.conn_a1(cookies[0], cookies[1], 65536))
            auth = Client(lab.USER, *words).lead(channel_in, 'RPC_IN_DATA', target)
            channel_in.request('RPC_IN_DATA', target, 1 << 30, auth=auth)
            channel_in.send(wire.conn_b1(cookies[0], cookies[2], cookies[3]))
            reply = out.reply(body=False)
            lab.same((reply.status, reply.reason), (200, 'Success'), 'the OUT channel')
            client.finish(reply)
            client.close()
lab.done()

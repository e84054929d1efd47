"""NTLM over HTTP as Windows speaks it: our own initiator (ntlm-peer) on connections of the lab."""
import base64
import os
import subprocess

import lab

PEER = os.path.join(os.environ['OBJ'], 'ntlm-peer')
WAYS = (), ('spnego=1',), ('spnego=1', 'kerberos_first=1')


class Client:
    """Our own initiator; `words` is raw NTLM when empty, or spnego=1."""

    def __init__(self, user, *words, password=lab.PASSWORD):
        self.words = f'user={user}', *words
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

    def login(self, channel, method='RPC_IN_DATA', target=None, status=200):
        target = target or os.environ['T_plain']
        auth = self.lead(channel, method, target)
        channel.request(method, target, 0, auth=auth)
        reply = channel.reply()
        lab.same(reply.status, status, f'{" ".join(self.words)} {method}')
        if status == 200:
            self.finish(reply)
        self.close()
        return auth

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        lab.same(self.process.wait(), 0, 'exit code of the client')

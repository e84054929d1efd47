"""Part of 62-ntlm-login.sh:  ntlm_login.py [POLICY RIGHT-BINDING WRONG-BINDING], of extended protection."""
import os
import sys

import lab
import wire
from ntlm_client import Client, WAYS

TARGETS = os.environ['T_plain'], os.environ['T_http']


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

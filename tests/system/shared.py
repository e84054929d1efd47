"""Part of 56-shared.sh."""
import os
import socket

import lab
import rpch_client
from ntlm_client import Client

FRONT, TARGET = os.environ['LAB_FRONT'], os.environ['T_plain']
lines = lab.Lines()


def ask(channel, auth=None):
    channel.request('RPC_IN_DATA', TARGET, 0, auth=auth)
    return channel.reply()


clients = [rpch_client.Channel(FRONT, False) for _ in range(3)]
one, other, nobody = clients

lab.step('who says nothing is nobody, although others have just logged in on the same connection')
for _ in range(10):
    lab.same(ask(one, lab.AUTH).status, 200, 'one user')
    lab.same(ask(nobody).status, 401, 'nobody')
    lab.same(ask(other, lab.OTHER_AUTH).status, 200, 'the other user')
    lab.same(ask(nobody).status, 401, 'nobody')
lab.same(ask(nobody, rpch_client.basic(lab.USER, 'wrong')).status, 401, 'a wrong password')

lab.step('it was one connection')
address, port = lab.PLAIN.rsplit(':', 1)
with open('/proc/net/tcp', encoding='ascii') as file:
    wanted = f'{socket.inet_aton(address)[::-1].hex().upper()}:{int(port):04X}'
    established = [line for line in file if line.split()[1] == wanted and line.split()[3] == '01']
lab.same(len(established), 1, 'connections of haproxy to the daemon')

lab.step('nothing is offered that logs a connection in, and nothing of the kind taken')
lab.same([value.split()[0] for value in ask(nobody).all('www-authenticate')], ['Basic'], 'offered')
for words, scheme in ((), 'NTLM'), (('spnego=1',), 'Negotiate'):
    client = Client(lab.USER, *words)
    word, token = client.answer()
    reply = ask(one, f'{scheme} {token}')
    lab.same((reply.status, [value.split()[0] for value in reply.all('www-authenticate')]), (401, ['Basic']), scheme)
    client.close()
why = 'scheme not offered on the connection of a front, which users share'
lab.check(lab.soon(lambda: len(lines.holding('refused', why)) == 2), 'the log does not say why')

lab.step('tunnels of both users at once')
for auth, user in (lab.AUTH, lab.USER), (lab.OTHER_AUTH, 'other'):
    with rpch_client.Channel(FRONT, False) as channel:
        channel.request('RPC_IN_DATA', TARGET, 1 << 30, auth=auth)
        lab.check(lines.wait('info channel', 'method=RPC_IN_DATA', f'user={user} '), f'the channel of {user} is not his: {lines.holding("info channel")}')
for channel in clients:
    channel.close()
lab.done()

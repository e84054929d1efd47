"""Part of 37-real-clients.sh.

    real_clients.py VECTORS HOP     the folder of what real clients sent; the endpoint of the test server, tcp or http
"""
import os
import re
import struct
import sys

import lab
import rpch_client
import wire

VECTORS, HOP = sys.argv[1:]
ECHO = wire.rts(wire.ECHO)
OFFERED = ['Basic realm="rpctunnel", charset="UTF-8"']


def vector(name):
    """{method: [('head' | 'pdu', bytes) | ('wait', what)]}, in the order in which the client opened its connections."""
    found, head = {}, b''
    with open(os.path.join(VECTORS, name)) as file:
        for line in file.read().splitlines():
            kind, _, rest = line.partition(' ')
            if kind == '=':
                steps = found.setdefault(rest, [])
            elif kind == '>' and rest:
                head += rest.encode() + b'\r\n'
            elif kind == '>':
                steps.append(('head', head + b'\r\n'))
                head = b''
            elif kind == 'pdu':
                steps.append(('pdu', bytes.fromhex(rest)))
            elif kind == '<':
                steps.append(('wait', rest))
    return found


def field(head, name):
    found = re.search(rb'(?im)^%s: *([^\r]*)' % name.encode(), head)
    return found and found[1].decode()


def with_basic(head):
    """The same head with our credentials, whatever the client had in their place."""
    line = f'Authorization: {lab.AUTH}'.encode()
    if field(head, 'Authorization'):
        return re.sub(rb'(?im)^Authorization: [^\r]*', line, head)
    return head[:-2] + line + b'\r\n\r\n'


def challenged(channel, text, head):
    """A 401 with exactly what is offered; it ends the connection when the client would have to send its body for nothing: an
    IN channel's, or one that it has announced with Expect. impacket expects 100 Continue for no body at all, and reads
    over one."""
    length, expects = int(field(head, 'Content-Length')), field(head, 'Expect')
    endless = length > 76 or (expects and length > 0)
    reply = channel.reply()
    if reply.status == 100 and expects and length == 0:
        reply = channel.reply()
    lab.same(str(reply), 'HTTP/1.1 401 Unauthorized', text)
    lab.same(reply.all('www-authenticate'), OFFERED, f'{text}: schemes')
    lab.same(reply.get('content-length'), '0', f'{text}: Content-Length')
    lab.same((reply.get('connection') or '').lower() == 'close', bool(endless), f'{text}: the connection is closed')
    if b' HTTP/1.0\r\n' in head and not endless:
        lab.same((reply.get('connection') or '').lower(), 'keep-alive', f'{text}: an HTTP/1.0 client is told that it may go on')
    return endless


class Replay:
    """One client's connections, step by step."""

    def __init__(self, name, basic):
        self.name, self.basic = name, basic
        self.steps = {method: list(steps) for method, steps in vector(name).items()}
        self.channels = {method: lab.channel() for method in self.steps}
        self.sent = []   # heads

    def heads(self, method):
        """Everything up to the first PDU: requests, and what the client waits for after each of them."""
        channel, steps = self.channels[method], self.steps[method]
        while steps and steps[0][0] != 'pdu':
            kind, what = steps.pop(0)
            text = f'{self.name}, {method}: {what}'
            if kind == 'head':
                self.sent.append(with_basic(what) if self.basic and steps[0] != ('wait', '401') else what)
                channel.send(self.sent[-1])
            elif what == '401':
                challenged(channel, text, self.sent[-1])
            elif what == 'echo':
                reply = channel.reply()
                lab.same((reply.status, reply.reason, reply.body), (200, 'Success', ECHO), text)
                lab.same(reply.get('content-type'), 'application/rpc', text)
            elif what == '100':
                reply = channel.reply()
                lab.same(str(reply), 'HTTP/1.1 100 Continue', text)
                lab.same(bytes(channel.buffer), b'', f'{text}: bytes behind 100 Continue, which impacket throws away')

    def first(self, method):
        self.channels[method].send(self.steps[method].pop(0)[1])

    def pdu(self):
        channel = self.channels['RPC_OUT_DATA']
        head = channel.take(16)
        return head + channel.take(wire.Header(head).length - 16)

    def through(self):
        """200, A3, C2, and then each RPC PDU of the client: the server must get its bytes, and every PDU from the server comes
        without an RTS PDU in between."""
        reply = self.channels['RPC_OUT_DATA'].reply(body=False)
        lab.same(str(reply), 'HTTP/1.1 200 Success', self.name)
        lab.same([wire.name(self.pdu()), wire.name(self.pdu())], ['CONN/A3', 'CONN/C2'], self.name)
        events, pdus = lab.Events(), [pdu for kind, pdu in self.steps['RPC_IN_DATA'] if kind == 'pdu']
        for pdu in pdus:
            self.channels['RPC_IN_DATA'].send(pdu)
            if pdu[2] != wire.AUTH3:
                answer = self.pdu()
                lab.check(answer[2] in (wire.BIND_ACK, wire.ALTER_RESP, wire.RESPONSE, wire.FAULT), f'{self.name}: answered {answer.hex()}')
        lab.same([one['hex'] for one in events.events('pdu')], [pdu.hex() for pdu in pdus], f'{self.name}: what the server got')

    def close(self):
        lines = lab.Lines()
        for channel in self.channels.values():
            channel.close()
        lab.check(lines.wait('closed', 'channel=in') and lines.wait('closed', 'channel=out'), f'{self.name}: the tunnel stays')


def pdu_of(name, method):
    return next(what for kind, what in vector(name)[method] if kind == 'pdu')


def numbers(pdu):
    return [struct.unpack('<I', value)[0] if len(value) == 4 else value for _, value in wire.commands(pdu)]


# In which order each client takes its steps: `in` and `out` are everything before the first PDU.
ORDERS = {
    'impacket': ('in', 'out', 'A1', 'B1'),   # waits for 100 Continue on both
    'samba': ('in', 'out', 'A1', 'B1'),      # opens both connections first and waits for nothing
    'wine': ('in', 'out', 'B1', 'A1'),       # an echo request on each
    'freerdp': ('in', 'out', 'B1', 'A1'),    # a 401 on each
}


def run(name, basic):
    replay, events, lines = Replay(name, basic), lab.Events(), lab.Lines()
    try:
        for what in ORDERS[name.split('-')[0]]:
            method = 'RPC_IN_DATA' if what in ('in', 'B1') else 'RPC_OUT_DATA'
            (replay.heads if what in ('in', 'out') else replay.first)(method)
        replay.through()
    except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
        lab.check(False, f'{name}: {error!r}')
        lab.done()
    if HOP == 'http':
        a1, b1 = numbers(pdu_of(name, 'RPC_OUT_DATA')), numbers(pdu_of(name, 'RPC_IN_DATA'))
        a2, b2 = (numbers(bytes.fromhex(events.events('rts', name=pdu)[0]['hex'])) for pdu in ('CONN/A2', 'CONN/B2'))
        lab.same(a2[1:3], a1[1:3], f'{name}: cookies in CONN/A2')
        lab.same([b2[1], b2[2], b2[5]], [b1[1], b1[2], b1[5]], f'{name}: cookies and group in CONN/B2')
    return replay, lines


lab.same(lab.AUTH, field(vector('impacket-basic.txt')['RPC_IN_DATA'][0][1], 'Authorization'), 'the credentials of the vectors are those of the lab')
names = sorted(os.listdir(VECTORS))
lab.same(len(names), 8, 'vectors')
for name in (name for name in names if name.endswith('-basic.txt')):
    lab.step(f'{name}: as captured')
    replay, _ = run(name, False)
    lab.same(b''.join(replay.sent), b''.join(what for steps in vector(name).values() for kind, what in steps if kind == 'head'), f'{name}: heads')
    replay.close()

for name in (name for name in names if not name.endswith('-basic.txt')):
    lab.step(f'{name}: every head as captured is challenged')
    for method, steps in vector(name).items():
        channel = lab.channel()
        for head in (what for kind, what in steps if kind == 'head'):
            length = field(head, 'Content-Length')
            channel.send(head)
            if length == '76' and not field(head, 'Expect'):
                channel.send(pdu_of(name, method))
            if challenged(channel, f'{name}, {method}, Content-Length {length}', head):
                lab.check(channel.closed(5), f'{name}, {method}: closed with RST')
                channel = lab.channel()
        channel.close()

for name in (name for name in names if name.endswith('-ntlm.txt')):
    lab.step(f'{name}: challenged as captured, then Basic on the same connection')
    replay, lines = run(name, True)
    if name.startswith('freerdp'):
        pragma = field(replay.sent[0], 'Pragma')
        resource, session = re.fullmatch('ResourceTypeUuid=([^,]*), SessionId=(.*)', pragma).groups()
        for method in replay.steps:
            lab.check(lines.wait(f'method={method}', f'resource={resource}', f'session={session}'), f'{name}, {method}: {pragma} is not in the log')
    replay.close()

lab.step('what is odd about each, and that the vectors have it')
for name, method, number, odd in (
        ('impacket-basic.txt', 'RPC_OUT_DATA', 0, b'\r\nExpect: 100-continue\r\n'),
        ('impacket-basic.txt', 'RPC_IN_DATA', 0, b'\r\nHost: 127.0.0.1:18091\r\n'),
        ('impacket-ntlm.txt', 'RPC_IN_DATA', 0, b'RPC_IN_DATA /rpc/rpcproxy.dll HTTP/1.1\r\n'),   # no target in the first leg
        ('impacket-ntlm.txt', 'RPC_IN_DATA', 0, b'\r\nExpect: 100-continue\r\nAccept: application/rpc\r\nPragma: No-cache\r\nContent-Length: 0\r\n'),
        ('samba-basic.txt', 'RPC_IN_DATA', 0, b' HTTP/1.0\r\n'),
        ('samba-ntlm.txt', 'RPC_IN_DATA', 0, b' HTTP/1.0\r\nAccept: application/rpc\r\nUser-Agent: MSRPC\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n'),
        ('samba-negotiate.txt', 'RPC_IN_DATA', 0, b'\r\nAuthorization: Negotiate YEgGBisGAQUFAqA'),
        ('wine-basic.txt', 'RPC_IN_DATA', 0, b'\r\nContent-Length: 0\r\n'),
        ('wine-ntlm.txt', 'RPC_IN_DATA', 2, b'\r\nContent-Length: 1073741824\r\nConnection: Keep-Alive\r\n\r\n'),   # no Authorization
        ('freerdp-ntlm.txt', 'RPC_OUT_DATA', 0, b'?localhost:3388 HTTP/1.1\r\n'),
        ('freerdp-ntlm.txt', 'RPC_IN_DATA', 0, b'\r\nPragma: ResourceTypeUuid=44e265dd-7daf-42cd-8560-3cdb6e7a2729, SessionId=')):
    heads = [what for kind, what in vector(name)[method] if kind == 'head']
    lab.check(odd in heads[number], f'{name}, {method}: head {number} is not odd: {odd}')
lab.same(rpch_client.basic(f'LAB\\{lab.USER}', lab.PASSWORD), field(vector('samba-basic.txt')['RPC_IN_DATA'][0][1], 'Authorization'), 'Samba names the domain')
for client, window in (('impacket', 262144), ('samba', 262144), ('wine', 65536), ('freerdp', 65536)):
    name = f'{client}-ntlm.txt'
    lab.same(numbers(pdu_of(name, 'RPC_OUT_DATA'))[3], window, f'{client}: window in CONN/A1')
    lab.same(numbers(pdu_of(name, 'RPC_IN_DATA'))[3:5], [1 << 30, 300000], f'{client}: lifetime and keep-alive in CONN/B1')

lab.step('Samba: HTTP/1.0 and a window of 262144: not one RTS PDU after C2, however much it sends')
replay, _ = run('samba-basic.txt', False)
for number in range(40):
    replay.channels['RPC_IN_DATA'].send(wire.request(1000 + number, wire.ECHO_CALL, bytes(4000))[0])
    lab.check(replay.pdu()[2] in (wire.RESPONSE, wire.FAULT), 'Samba: an RTS PDU after C2')
replay.close()

lab.step('Wine: an echo request ends neither the connection nor what comes after it, ten times over')
with lab.channel() as channel:
    for _ in range(10):
        channel.send(vector('wine-basic.txt')['RPC_OUT_DATA'][0][1])
        lab.same(channel.reply().body, ECHO, 'echo')
lab.done()

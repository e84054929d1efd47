"""Part of 54-ends.sh. No time limit of the daemon is as short as the waits here."""
import os
import socket
import ssl
import struct
import time

import lab
import rpch_client
import wire

TARGETS = os.environ['T_plain'], os.environ['T_http']
LIMIT = 4
PLAIN_ENDS = 'FIN', 'RST'
TLS_ENDS = *PLAIN_ENDS, 'cut record', 'close_notify', 'close_notify and FIN'


class Wire:
    """A client's socket whose cipher bytes, with TLS, are made before they are sent; it can end in every way."""

    def __init__(self, raw, tls):
        self.raw, self.tls = raw, None
        if not tls:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.came, self.made = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.made)
        self.repeat(self.tls.do_handshake)
        self.pass_on()

    def repeat(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.pass_on()
                self.came.write(self.raw.recv(65536))

    def pass_on(self, part=1.0, flags=0):
        data = self.made.read()
        data = data[:int(len(data) * part)]
        if data:
            self.raw.send(data, flags)

    def sendall(self, data, flags=0):
        if not self.tls:
            self.raw.send(data, flags)
            return
        self.tls.write(data)
        self.pass_on(flags=flags)

    def recv(self, size):
        if not self.tls:
            return self.raw.recv(size)
        while True:
            try:
                return self.tls.read(size)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b''
            except ssl.SSLWantReadError:
                data = self.raw.recv(65536)
                self.came.write(data) if data else self.came.write_eof()

    def settimeout(self, limit):
        self.raw.settimeout(limit)

    def close(self):
        self.raw.close()

    def end(self, how):
        if how == 'RST':
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            return self.raw.close()
        if how == 'cut record':
            self.tls.write(bytes(100))
            self.pass_on(0.5, socket.MSG_MORE)
        if how.startswith('close_notify'):
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            self.pass_on(flags=0 if how == 'close_notify' else socket.MSG_MORE)
        if how != 'close_notify':
            self.raw.shutdown(socket.SHUT_WR)


def new_tunnel(target, tls, **more):
    tunnel = rpch_client.Tunnel(lab.TLS if tls else lab.PLAIN, target, lab.AUTH, **more)
    for channel in tunnel.inward, tunnel.outward:
        channel.socket = Wire(channel.socket, tls)
    return tunnel


def first(tunnel, inward, part=None):
    (tunnel.request_in if inward else tunnel.request_out)()
    pdu = tunnel.b1() if inward else tunnel.a1()
    (tunnel.inward if inward else tunnel.outward).send(pdu[:part])


def closed(channel, text):
    try:
        channel.closed(LIMIT)
    except rpch_client.Slow:
        lab.check(False, f'{text}: the client is not closed')


def all_closed(events, text, connections):
    seen = lab.soon(lambda: len(events.events('close')) == len(events.events('accept')) == connections, LIMIT)
    lab.check(seen, f'{text}: {len(events.events("accept"))} connections to the server, {len(events.events("close"))} closed')


def opened(tunnel, inward):
    tunnel.open()
    tunnel.bind()


def half_of_a_pdu(tunnel, inward):
    opened(tunnel, inward)
    if inward:
        tunnel.inward.send(wire.bind(9, wire.ECHO_INTERFACE)[:20])


def waiting(tunnel, inward):
    first(tunnel, inward)
    time.sleep(0.2)   # connected


STATES = {
    'the first PDU is due': (lambda tunnel, inward: first(tunnel, inward, 0), 0),
    'half of the first PDU': (lambda tunnel, inward: first(tunnel, inward, 30), 0),
    'the other half is due': (waiting, 1),
    'opened': (opened, None),
    'opened, half of a PDU': (half_of_a_pdu, None),
}
for tls in False, True:
    for target in TARGETS:
        for name, (reach, connections) in STATES.items():
            lab.step(f'{target}, {"TLS" if tls else "plain"}: {name}')
            for inward in True, False:
                for end in TLS_ENDS if tls else PLAIN_ENDS:
                    text = f'{target}, {"TLS" if tls else "plain"}, {"IN" if inward else "OUT"}, {name}, {end}'
                    events = lab.Events()
                    tunnel = new_tunnel(target, tls)
                    reach(tunnel, inward)
                    channel, other = (tunnel.inward, tunnel.outward) if inward else (tunnel.outward, tunnel.inward)
                    channel.socket.end(end)
                    if end != 'RST':
                        closed(channel, text)
                    if connections is None:
                        closed(other, text)
                    tunnel.close()
                    all_closed(events, text, (1 if target == TARGETS[0] else 2) if connections is None else connections)

lab.step('an IN channel whose Content-Length ends with its first PDU')
for tls in False, True:
    for target in TARGETS:
        text = f'{target}, {"TLS" if tls else "plain"}'
        events, lines = lab.Events(), lab.Lines()
        with new_tunnel(target, tls, in_length=104) as tunnel:
            first(tunnel, True)
            closed(tunnel.inward, text)
            lab.check(lines.wait('channel=in', 'reason="the Content-Length of the IN channel is used up"'), f'{text}: no line')
        lab.same(len(events.events('accept')), 0, f'{text}: connections to the server')

lab.step('clients that have gone before the server is connected to')
for tls in False, True:
    for target in TARGETS:
        for inward in True, False:
            events, lines = lab.Events(), lab.Lines()
            for _ in range(10):
                tunnel = new_tunnel(target, tls)
                channel = tunnel.inward if inward else tunnel.outward
                head = channel.head('RPC_IN_DATA' if inward else 'RPC_OUT_DATA', target, tunnel.in_length if inward else 76, auth=lab.AUTH)
                channel.socket.sendall(head + (tunnel.b1() if inward else tunnel.a1()), socket.MSG_MORE)
                channel.socket.end('FIN')
                closed(channel, f'{target}, gone')
                tunnel.close()
            lab.check(lab.soon(lambda: len(lines.holding('closed by the peer')) == 10), f'{target}: a client that has gone is not noticed')
            lab.same(len(events.events('accept')), 0, f'{target}, {"TLS" if tls else "plain"}: connections for clients that have gone')

lab.step('servers that say a few bytes of something else')
for port in range(7040, 7046):
    with new_tunnel(f'test01:{port}', False) as tunnel:
        start = time.monotonic()
        first(tunnel, True)
        first(tunnel, False)
        closed(tunnel.outward, f'port {port}: OUT')
        closed(tunnel.inward, f'port {port}: IN')
lab.done()

"""Part of 36-version-1.sh; the argument is what rpc_connect says."""
import os
import socket
import struct
import subprocess
import sys
import time

import lab
import rpch_client
import wire

PING = os.environ['OBJ'] + '/rpctunnel-ping'
ME = ['-H', '1', '-P', f'{lab.USER},,{lab.PASSWORD}']
CREDENTIALS = lab.AUTH if sys.argv[1] == 'authenticated' else None
USER = lab.USER if sys.argv[1] == 'authenticated' else 'anonymous'


def target(name):
    return os.environ['T_' + name]


def pattern(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


class Connection(rpch_client.Channel):
    """RPC_CONNECT, and RPC PDUs on the same connection."""

    def __init__(self, wanted, auth=CREDENTIALS, tls=False, head=None, early=b'', **more):
        super().__init__(lab.TLS if tls else lab.PLAIN, tls, **more)
        lines = [f'RPC_CONNECT {head or "/rpc/rpcproxy.dll?" + wanted + " HTTP/1.1"}', 'Pragma: No-cache', 'User-Agent: RPC']
        self.send('\r\n'.join(lines + [f'Authorization: {auth}'] * bool(auth)).encode() + b'\r\n\r\n' + early)
        self.answer = self.reply(body=False)
        self.calls = 0

    def pdu(self):
        head = self.take(16)
        return head + self.take(wire.Header(head).length - 16)

    def bind(self):
        self.calls += 1
        self.send(wire.bind(self.calls, wire.ECHO_INTERFACE))
        return wire.Header(self.pdu()).type

    def start(self, opnum, stub=b''):
        self.calls += 1
        for part in wire.request(self.calls, opnum, stub):
            self.send(part)

    def finish(self):
        answer = bytearray()
        while True:
            pdu = self.pdu()
            header = wire.Header(pdu)
            if (header.type, header.call) != (wire.RESPONSE, self.calls):
                raise wire.Broken(f'type {header.type}, call {header.call}: {pdu[:40].hex()}')
            answer += pdu[24:]
            if header.flags & wire.LAST:
                return bytes(answer)

    def call(self, opnum, stub=b''):
        self.start(opnum, stub)
        return self.finish()


def ping(wanted, *arguments, way=None):
    server, port = wanted.rsplit(':', 1)
    way = way or ['--v1', '-o', f'RpcProxy={lab.PLAIN}']
    done = subprocess.run([PING, *way, '-s', server, '-e', port, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30)
    done.text = done.stdout + done.stderr
    return done


def expect(text, done, code, *words):
    lab.same(done.returncode, code, f'{text}: exit code\n{done.text}')
    for word in words:
        lab.check(word in done.text, f'{text}: says nothing of {word!r}\n{done.text}')


def refused(text, connection, status, reason=None):
    lab.same(connection.answer.status, status, text)
    lab.check(reason is None or str(connection.answer) == reason, f'{text}: {connection.answer}')
    connection.close()


def close_event(events, name):
    return lab.soon(lambda: events.events('close', endpoint=name))


def admitted():
    lab.step('rpctunnel-ping: real calls')
    me = ME if CREDENTIALS else []
    for wanted in (os.environ['SAMBA'], target('plain'), target('http'), target('late_banner'), target('big')):
        expect(wanted, ping(wanted, *me), 0, 'RPC_CONNECT          ok', '200 OK', 'SUCCESS')
    expect('1000 calls', ping(target('http'), *me, '-i', '1000'), 0, '1000 of 1000 calls')
    lines = lab.Lines()
    expect('JSON', ping(target('plain'), *me, '--json'), 0, '"step": "rpc_connect", "status": "ok"', '"http_status": 200')
    opened = lines.wait(' opened ', 'channel=connect', f'user={USER}', f'target={target("plain")}', 'server="ncacn_ip_tcp ')
    lab.check(opened, 'no line of the begin')
    lab.check(lines.wait(' closed ', 'channel=connect', 'bytes_in=', 'bytes_out=', 'reason="client: closed by the peer"'), 'no line of the end')

    lab.step('rpctunnel-ping: what does not work, and why')
    began = time.monotonic()
    expect('no banner', ping(target('no_banner'), *me), 6, '1722 (0x6ba)', 'greet with ncacn_http/1.0')
    lab.check(time.monotonic() - began > 0.9, 'the banner was not awaited')
    expect('dead server', ping(target('close_accept'), *me), 6, '1722 (0x6ba)')
    expect('denied target', ping('test01:22', *me), 6, 'ValidPorts')
    expect('server that ends', ping(target('close_request'), *me), 8, '1726 (0x6be)', 'during the call')
    expect('RTS PDU', ping(target('rts'), *me), 8)
    expect('TLS listener', ping(target('plain'), *me, way=['--v1', '-o', f'RpcProxy={lab.TLS}']), 8, 'does not serve version 1')

    lab.step('both forms of the target, HTTP/1.0 and 1.1, early PDUs')
    bind = wire.bind(1, wire.ECHO_INTERFACE)
    for name in ('http', 'late_banner', 'plain'):
        for head in (f'/rpc/rpcproxy.dll?{target(name)} HTTP/1.1', f'/?{target(name)} HTTP/1.0', f'{target(name)} HTTP/1.1'):
            with Connection(None, head=head, early=bind) as connection:
                lab.same(str(connection.answer), 'HTTP/1.1 200 OK', head)
                lab.same(connection.answer.headers, [], f'{head}: header lines')
                lab.same(wire.Header(connection.pdu()).type, wire.BIND_ACK, f'{head}: answer to the early bind')

    lab.step('refused: other targets, framed bodies, TLS')
    lines = lab.Lines()
    refused('not on the allowlist', Connection('test01:593'), 503, 'HTTP/1.0 503 RPC Error: 6ba')
    refused('no port', Connection(None, head='test01 HTTP/1.1'), 503, 'HTTP/1.0 503 RPC Error: 6aa')
    lab.check(lines.wait(' refused ', 'method=RPC_CONNECT', f'user={USER}', 'rule="default (deny)"'), 'no line of the refusal')
    for field in ('Content-Length: 100', 'Transfer-Encoding: chunked'):
        refused(field, Connection(None, head=f'{target("plain")} HTTP/1.1\r\n{field}'), 400)
    refused('TLS', Connection(target('plain'), tls=True), 405)
    with lab.channel() as version2:
        version2.request('RPC_IN_DATA', target('plain'), 1 << 30)
        lab.check(version2.reply().status in (401, 403), 'version 2 without credentials')


def spliced():
    lab.step('more than 256 KiB each way, byte for byte')
    for name, size in (('plain', 4 << 20), ('http', 4 << 20), ('split', 300 * 1024), ('slow', 300 * 1024)):
        with Connection(target(name), limit=20) as connection:
            lab.same(connection.bind(), wire.BIND_ACK, f'{name}: bind')
            big = os.urandom(size)
            lab.check(connection.call(wire.ECHO_CALL, big) == big, f'{name}: {size} bytes there and back')

    lab.step('a client that reads slowly: bounded memory, nothing lost')
    for name in ('plain', 'http'):
        with Connection(target(name), receive_buffer=8192) as connection:
            connection.bind()
            memory = lab.memory()
            connection.start(wire.SOURCE_CALL, struct.pack('<II', 24 << 20, 5000))
            time.sleep(1)
            lab.check(lab.memory() - memory < lab.SLACK, f'{name}: memory grew by {lab.memory() - memory} KiB')
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            lab.check(connection.finish() == pattern(24 << 20), f'{name}: what was read slowly')

    lab.step('an end on either side ends both')
    for name in ('plain', 'http'):
        for how in ('close', 'reset'):
            events = lab.Events()
            connection = Connection(target(name))
            connection.bind()
            getattr(connection, how)()
            lab.check(close_event(events, name), f'{name}: the server is left open after {how}')
        events = lab.Events()
        with Connection(target(name)) as connection:
            connection.bind()
            connection.start(wire.SOURCE_CALL, struct.pack('<II', 400 * 1024, 5000))
            connection.start(wire.CLOSE_CALL)
            connection.calls -= 1
            lab.check(connection.finish() == pattern(400 * 1024), f'{name}: the last words before the close')
            lab.check(connection.closed(5), f'{name}: closed with a reset')

    lab.step('what is no RPC PDU ends both')
    for name in ('plain', 'http'):
        for bytes_ in (wire.ping(), b'GET / HTTP/1.1\r\n\r\n', wire.conn_a1(os.urandom(16), os.urandom(16), 65536)):
            events, lines = lab.Events(), lab.Lines()
            with Connection(target(name)) as connection:
                connection.bind()
                connection.send(bytes_)
                lab.check(connection.closed(5), f'{name}: {bytes_[:8]!r}: closed with a reset')
                lab.same(connection.tail, b'', f'{name}: {bytes_[:8]!r}: no answer')
            lab.check(close_event(events, name), f'{name}: {bytes_[:8]!r}: the server is left open')
            lab.same(events.violations(), [], f'{name}: {bytes_[:8]!r}: what the server saw')
            lab.check(lines.wait(' closed ', 'channel=connect', 'reason="client: '), f'{name}: {bytes_[:8]!r}: no line')
    with Connection(target('rts')) as connection:
        lab.same(connection.bind(), wire.BIND_ACK, 'server that sends an RTS PDU: bind')
        lab.check(connection.closed(5), 'server that sends an RTS PDU: closed with a reset')
        lab.same(connection.tail, b'', 'server that sends an RTS PDU: what reached the client')


def stopped():
    lab.step('SIGTERM ends it in order')
    connection = Connection(target('http'))
    connection.bind()
    os.kill(lab.PID, 15)
    lab.check(connection.closed(5), 'closed with a reset')


def authenticated():
    lab.step('without the right password nobody gets in')
    with Connection(target('plain'), auth=None) as connection:
        lab.same(connection.answer.status, 401, 'no credentials')
        connection.send(b'RPC_CONNECT %s HTTP/1.1\r\nAuthorization: %s\r\n\r\n' % (target('plain').encode(), lab.AUTH.encode()))
        connection.answer = connection.reply(body=False)
        lab.same(connection.answer.status, 200, 'credentials on the same connection')
        lab.same(connection.bind(), wire.BIND_ACK, 'bind')
    wrong = rpch_client.basic(lab.USER, 'wrong')
    refused('wrong password', Connection(target('plain'), auth=wrong), 401)
    expect('no credentials', ping(target('plain')), 4, 'offers Basic')
    expect('wrong password', ping(target('plain'), '-H1', '-P', f'{lab.USER},,wrong'), 4, '5 (0x5)')

    lab.step('rpctunnel-ping without a proxy')
    direct = [f'{os.environ["SERVER"]}:{os.environ["P_" + name]}' for name in ('http', 'no_banner', 'rts', 'close_accept')]
    expect('direct', ping(direct[0], way=['--direct']), 0, 'banner               ok', 'without a proxy')
    expect('1000 calls', ping(direct[0], '-i', '1000', way=['--direct']), 0, '1000 of 1000 calls')
    expect('no banner', ping(direct[1], '--timeout=1', way=['--direct']), 6, 'does not greet', '1722 (0x6ba)')
    expect('RTS PDU', ping(direct[2], way=['--direct']), 8, 'RTS PDU in version 1')
    expect('closed at once', ping(direct[3], way=['--direct']), 6, 'does not greet')
    expect('nothing there', ping(os.environ['SERVER'] + ':1', way=['--direct']), 2, '1722 (0x6ba)')
    lab.check(not lab.Events().events('violation'), 'the server complains')


def off():
    lab.step('off: a method like any other')
    refused('path', Connection(target('plain'), auth=lab.AUTH), 405)
    refused('other path', Connection(None, auth=lab.AUTH, head=f'/?{target("plain")} HTTP/1.1\r\nHost: x'), 404)
    expect('rpctunnel-ping', ping(target('plain'), *ME), 8, 'does not serve RPC_CONNECT', 'rpc_connect')


for part in {'authenticated': [authenticated, admitted, spliced, stopped], 'anonymous': [admitted, stopped], 'no': [off]}[sys.argv[1]]:
    part()
lab.done()

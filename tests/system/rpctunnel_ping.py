"""Part of 34-rpctunnel-ping.sh."""
import json
import os
import pty
import re
import struct
import threading
import time

import lab
import wire
from pinging import PING, Listener, expect, ping

ME = ['-P', f'{lab.USER},,{lab.PASSWORD}', '-H', 'Basic']


# --- The daemon

def through(target, *more, proxy=None):
    server, port = target.rsplit(':', 1)
    return ping('-o', f'RpcProxy={proxy or lab.PLAIN}', '-s', server, '-e', port, *ME, *more)


lab.step('real calls through the daemon')
for name in 'plain', 'http':
    expect(name, through(os.environ['T_' + name], '-v2'), 0, 'SUCCESS', 'remote management', 'is_server_listening  ok')
expect('big-endian', through(os.environ['T_big']), 0, 'SUCCESS')
tls = ['--ca-file', os.environ['LAB_DIR'] + '/cert.pem']
expect('TLS', through(os.environ['T_plain'], '-F1', '-B', 'msstd:proxy.test', *tls, proxy=lab.TLS), 0, 'TLS1.3', 'SUCCESS')
for name in 'plain', 'http':
    expect('3000 calls', through(os.environ['T_' + name], '-i3000'), 0, '3000 of 3000 calls')
done = through(os.environ['T_plain'], '--json')
expect('JSON', done, 0)
steps = [json.loads(line) for line in done.stdout.decode().splitlines()]
lab.same([step['step'] for step in steps],
         ['resolve', 'in-connect', 'in-schemes', 'out-connect', 'in-request', 'out-request', 'out-conn-a3', 'out-conn-c2', 'rpc-bind',
          'rpc-is_server_listening', 'rpc-inq_if_ids', 'verdict'], 'the steps in JSON')

lab.step('the proxy alone')
expect('echo', ping('-o', f'RpcProxy={lab.PLAIN}', '-E', '-i2', *ME), 0, 'IN  echo 4', 'OUT echo 0', 'SUCCESS')

lab.step('what the daemon refuses')
wrong = ['-P', f'{lab.USER},,wrong', '-H1']
for more in (), ('-F2',):
    expect('wrong password', ping('-o', f'RpcProxy={lab.PLAIN}', '-s', 'test01', '-e', '7001', *wrong, *more), 4, '5 (0x5)')
expect('no credentials', ping('-o', f'RpcProxy={lab.PLAIN}', '-s', 'test01', '-e', '7001'), 4, 'offers Basic')
some = ['-P', f'{lab.USER},,{lab.PASSWORD}', '-s', 'test01', '-e', '7001']
expect('no scheme named, and the password would be readable', ping('-o', f'RpcProxy={lab.PLAIN}', *some), 4, 'could read the password', '-H Basic')
expect('no scheme named', ping('-o', f'RpcProxy={lab.TLS}', '-F1', '--insecure', *some), 0, 'offers Basic; Basic is used', 'SUCCESS')
expect('another scheme', ping('-o', f'RpcProxy={lab.PLAIN}', '-H', '2', *some), 4, 'does not offer NTLM; it offers Basic', 'Give -H Basic')
expect('another scheme at once', ping('-o', f'RpcProxy={lab.PLAIN}', '-H', '2', '-F2', *some), 4, 'does not offer NTLM here; it offers Basic')
expect('denied target', through('test01:22'), 6, '1722 (0x6ba)', 'ValidPorts')
expect('dead server', through('test01:7998'), 6, '1722 (0x6ba)')
expect('unknown mailbox', through('11111111-2222-4333-8444-555555555555@lab.example:6001'), 5, 'MailboxGuidWithDomainNotFound')
expect('bind_nak', through(os.environ['T_nak']), 7, 'The whole path works')
expect('server that ends', through(os.environ['T_closing']), 8, '1726 (0x6be)')
expect('server without a word', through(os.environ['T_mute'], '--timeout=2'), 8, '1728 (0x6c0)')
expect('unknown authority', through(os.environ['T_plain'], '-F1', proxy=lab.TLS), 3, 'cannot be verified')
expect('not verified', through(os.environ['T_plain'], '-F1', '--insecure', proxy=lab.TLS), 0, 'not verified')
expect('other subject', through(os.environ['T_plain'], '-F1', '-B', 'other.test', *tls, proxy=lab.TLS), 3, 'does not name')
expect('plain to TLS', through(os.environ['T_plain'], proxy=lab.TLS), 8, 'add -F 1')
expect('TLS to plain', through(os.environ['T_plain'], '-F1'), 3)
expect('no such name', ping('-o', 'RpcProxy=no-such-host.invalid', '-E'), 2, '1722 (0x6ba)')
expect('nothing there', ping('-o', 'RpcProxy=127.0.0.1:1', '-E'), 2, '1722 (0x6ba)')

lab.step('passwords: from a descriptor, from a terminal, and not left in the arguments')
named = ['-o', f'RpcProxy={lab.PLAIN}', '-E', '-H1', '-P']
reader, writer = os.pipe()
os.write(writer, (lab.PASSWORD + '\n').encode())
os.close(writer)
expect('descriptor', ping(*named, f'{lab.USER},', '--password-fd', str(reader), pass_fds=[reader]), 0, 'SUCCESS')
os.close(reader)
pid, terminal = pty.fork()
if pid == 0:
    os.execv(PING, [PING, *named, f'{lab.USER},,*'])
shown = b''
while b'Password of' not in shown:
    shown += os.read(terminal, 4096)
os.write(terminal, (lab.PASSWORD + '\n').encode())
try:
    while True:
        shown += os.read(terminal, 4096)
except OSError:
    pass
lab.same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, f'password from a terminal\n{shown.decode()}')
lab.check(lab.PASSWORD.encode() not in shown, 'the terminal echoed the password')
os.close(terminal)


# --- A proxy that is none of ours, and wicked

class Proxy:
    """Speaks RPC over HTTP well, but for what `knobs` name."""

    def __init__(self, **knobs):
        self.knobs = knobs
        self.requests = threading.Condition()
        self.rpc = []
        self.address = Listener(self.connection).address

    def connection(self, conn):
        data = b''
        while True:
            while b'\r\n\r\n' not in data:
                more = conn.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b'\r\n\r\n')
            length = int(re.search(rb'Content-Length: (\d+)', head)[1])
            if length <= 16:
                while len(data) < length:
                    data += conn.recv(65536)
                data = data[length:]
                anonymous = b'Authorization' not in head
                conn.sendall(self.knobs.get('question' if anonymous else 'echo', ECHOED))
                if anonymous and self.knobs.get('question_closes'):
                    return
            elif head.startswith(b'RPC_IN_DATA'):
                return self.inward(conn, data)
            else:
                while len(data) < length:
                    data += conn.recv(65536)
                return self.outward(conn)

    def inward(self, conn, data):
        if 'in_answer' in self.knobs:
            conn.sendall(self.knobs['in_answer'])
        while True:
            while len(data) >= 10 and len(data) >= struct.unpack_from('<H', data, 8)[0]:
                length, = struct.unpack_from('<H', data, 8)
                with self.requests:
                    if data[2] != wire.RTS:
                        self.rpc.append(data[:length])
                        self.requests.notify_all()
                data = data[length:]
            more = conn.recv(65536)
            if not more:
                return
            data += more

    def outward(self, conn):
        knobs = self.knobs
        send = conn.sendall
        if knobs.get('chunked'):
            send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
            send = lambda data: [conn.sendall(b'%x;x=1\r\n%s\r\n' % (len(data[at:at + 7]), data[at:at + 7])) for at in range(0, len(data), 7)]
        else:
            send(knobs.get('out_answer', b'HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 1073741824\r\n\r\n'))
        for part in knobs.get('opening', [A3, C2]):
            send(part)
        for number in range(1000):
            with self.requests:
                self.requests.wait_for(lambda: len(self.rpc) > number or knobs.get('end'), 30)
            if number < len(self.rpc):
                call, = struct.unpack_from('<I', self.rpc[number], 12)
                if self.rpc[number][2] == wire.BIND:
                    answers = knobs.get('bind', lambda c: [bind_ack(c)])(call)
                else:
                    opnum, = struct.unpack_from('<H', self.rpc[number], 22)
                    answers = knobs.get(f'op{opnum}', LISTENING if opnum == 2 else INTERFACES)(call)
                for answer in answers:
                    send(answer)
                if not answers:
                    break
        if knobs.get('hang'):
            time.sleep(30)


def bind_ack(call, result=0, reason=0, order='<'):
    syntax = wire.NDR if order == '<' else bytes.fromhex('8a885d041ceb11c99fe808002b10486000020000')
    return wire.rpc(wire.BIND_ACK, call, struct.pack(order + 'HHIH4sBBHHH', 4088, 4088, 7, 0, b'', 1, 0, 0, result, reason)[:10] + bytes(2) +
                    struct.pack(order + 'BBHHH', 1, 0, 0, result, reason) + (syntax if result == 0 else bytes(20)), order=order)


def response(call, stub, flags=3, order='<'):
    return wire.rpc(wire.RESPONSE, call, struct.pack(order + 'IHBB', len(stub), 0, 0, 0) + stub, flags, order)


def fault(call, status):
    return wire.rpc(wire.FAULT, call, struct.pack('<IHBBII', 0, 0, 0, 0, status, 0))


def LISTENING(call):
    return [response(call, struct.pack('<II', 0, 1))]


def INTERFACES(call):
    return [response(call, struct.pack('<IIII', 1, 1, 1, 2) + wire.MGMT + bytes(4))]


def noise():
    return b''.join(struct.pack('<I', 2654435761 * n & 0xffffffff) for n in range(20000))


ECHO = wire.rts(wire.ECHO)
ECHOED = b'HTTP/1.1 200 Success\r\nContent-Length: 20\r\n\r\n' + ECHO
BASIC = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n'
A3 = wire.rts(0, wire.timeout(120000))
C2 = wire.rts(0, wire.version(), wire.window(65536), wire.timeout(120000))
HANG = {'hang': True}


def first_response(call, size):
    """Fragments without end."""
    return [response(call, bytes(4000), 1)] + [response(call, bytes(4000), 0)] * (size // 4000)


rows = [
    # what                         knobs                                                                       exit, words
    ('a good proxy',               {},                                                                          0, ['SUCCESS']),
    ('re-chunked',                 {'chunked': True},                                                           0, ['SUCCESS']),
    ('a byte at a time',           {'opening': [bytes([b]) for b in A3 + C2]},                                  0, ['SUCCESS']),
    ('pings in between',           {'opening': [wire.ping() + A3 + wire.ping() * 50 + C2 + wire.ping()]},       0, ['SUCCESS']),
    ('200 on IN',                  {'in_answer': b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'},              0, ['SUCCESS', 'IN channel with 200']),
    ('a timeout out of range',     {'opening': [wire.rts(0, wire.timeout(1)), C2]},                             0, ['warning', 'SUCCESS']),
    ('a fragmented answer',        {'op2': lambda c: [response(c, bytes(4), 1), response(c, b'\1\0', 0), response(c, b'\0\0', 2)]}, 0, ['SUCCESS']),
    ('a big-endian server',        {'bind': lambda c: [bind_ack(c, order='>')],
                                    'op2': lambda c: [response(c, struct.pack('>II', 0, 1), order='>')]},       0, ['SUCCESS']),
    ('interfaces denied',          {'op0': lambda c: [fault(c, 5)]},                                            0, ['refuses to list', 'SUCCESS']),
    ('interfaces that lie',        {'op0': lambda c: [response(c, b'\xff' * 64)]},                              0, ['malformed', 'SUCCESS']),
    ('401 that closes',            {'question': BASIC + b'Connection: close\r\n\r\n', 'question_closes': True}, 0, ['NTLM could not work', 'SUCCESS']),
    ('no authentication wanted',   {'question': ECHOED},                                                        0, ['demands no authentication']),
    ('NTLM only',                  {'question': BASIC.replace(b'Basic', b'NTLM,') + b'\r\n'},                   4, ['offers NTLM']),
    ('escape sequences',           {'question': b'HTTP/1.1 403 \x1b[31mred\x07\r\n\r\n'},                       4, ['\\x1b[31mred\\x07']),
    ('an ordinary web server',     {'question': b'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc'},     8, ['no RPC proxy']),
    ('a redirect',                 {'question': b'HTTP/1.1 302 x\r\nLocation: https://z.test/\r\n\r\n'},        8, ['https://z.test/']),
    ('a gateway without a back',   {'question': b'HTTP/1.1 502 x\r\n\r\n'},                                     6, ['gateway']),
    ('IN refused',                 {'in_answer': b'HTTP/1.0 503 RPC Error: 6bb\r\n\r\n', 'opening': [], **HANG}, 6, ['1723 (0x6bb)', 'IN answer']),
    ('OUT refused',                {'out_answer': b'HTTP/1.0 503 RPC Error: 6ba, EEInfo: AAAA\r\n\r\n'},        6, ['1722 (0x6ba)']),
    ('OUT denied',                 {'out_answer': b'HTTP/1.0 503 RPC Error: 5\r\n\r\n'},                        7, ['5 (0x5)']),
    ('a number of its own',        {'out_answer': b'HTTP/1.1 503 RPC Error: c0021009\r\n\r\n'},                 6, ['0xc0021009']),
    ('never an answer',            {'out_answer': b'', 'opening': [], **HANG},                                  8, ['answers neither', '1728 (0x6c0)']),
    ('no CONN/A3',                 {'opening': [], **HANG},                                                     8, ['first PDU does not come']),
    ('no CONN/C2',                 {'opening': [A3], **HANG},                                                   8, ['do not meet']),
    ('half of a PDU',              {'opening': [A3, C2[:30]], **HANG},                                          8, ['do not meet']),
    ('no bind_ack',                {'bind': lambda c: [], **HANG},                                              8, ['does not answer']),
    ('no response',                {'op2': lambda c: [], **HANG},                                               8, ['does not answer']),
    ('closed without an answer',   {'out_answer': b'', 'opening': [], 'end': True},                             8, ['without an HTTP answer']),
    ('closed after CONN/A3',       {'opening': [A3], 'end': True},                                              8, ['before the tunnel was open']),
    ('closed during the call',     {'op2': lambda c: []},                                                       8, ['1726 (0x6be)']),
    ('noise for HTTP',             {'out_answer': noise(), 'opening': []},                                      8, ['not HTTP/1']),
    ('a head without end',         {'out_answer': b'HTTP/1.1 200 ' + b'a' * 100000},                            8, ['head too long']),
    ('interim answers only',       {'out_answer': b'HTTP/1.1 100 Continue\r\n\r\n' * 1000, **HANG, 'opening': []}, 8, ['answers neither']),
    ('noise for PDUs',             {'opening': [noise()]},                                                      8, ['broke the protocol']),
    ('HTML for PDUs',              {'opening': [b'<html>' * 100]},                                              8, ['broke the protocol']),
    ('fragment length 15',         {'opening': [A3[:8] + b'\x0f\0' + A3[10:]]},                                 8, ['length below 16']),
    ('CONN/C2 first',              {'opening': [C2, A3]},                                                       8, ['not CONN/A3']),
    ('CONN/A3 twice',              {'opening': [A3, A3]},                                                       8, ['not followed by CONN/C2']),
    ('window of 8191',             {'opening': [A3, wire.rts(0, wire.version(), wire.window(8191), wire.timeout(120000))]}, 8, ['broke the protocol']),
    ('an RPC PDU before CONN/C2',  {'opening': [A3, response(1, b'')]},                                         8, ['before CONN/C2']),
    ('an answer to nothing',       {'opening': [A3, C2 + response(1, b'')]},                                    8, ['broke the protocol']),
    ('an RTS PDU of a server',     {'opening': [A3, C2, wire.conn_b3(65536)]},                                  8, ['broke the protocol']),
    ('acks of what was not sent',  {'bind': lambda c: [wire.flow_ack_to(wire.TO_SERVER, 99, 65536, bytes(16))]}, 8, ['may not send']),
    ('bad chunks',                 {'out_answer': b'HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz'},   8, ['chunked']),
    ('another call id',            {'bind': lambda c: [bind_ack(c + 1)]},                                       8, ['another call']),
    ('a request as an answer',     {'bind': lambda c: [wire.rpc(wire.REQUEST, c, bytes(8))]},                   8, ['may not send']),
    ('a short bind_ack',           {'bind': lambda c: [wire.rpc(wire.BIND_ACK, c, bytes(9))]},                  8, ['malformed bind_ack']),
    ('a short answer',             {'op2': lambda c: [response(c, bytes(7))]},                                  8, ['1783']),
    ('2 MB of fragments',          {'op2': lambda c: first_response(c, 2_000_000)},                             8, ['too long']),
    ('bind_nak',                   {'bind': lambda c: [wire.rpc(wire.BIND_NAK, c, struct.pack('<HB', 0, 0))]},  7, ['The whole path works', '5 (0x5)']),
    ('fault 5',                    {'op2': lambda c: [fault(c, 5)]},                                            7, ['The whole path works', '5 (0x5)']),
    ('unknown interface',          {'bind': lambda c: [bind_ack(c, 2, 1)]},                                     7, ['1717 (0x6b5)']),
    ('fault unknown interface',    {'op2': lambda c: [fault(c, 0x1c010003)]},                                   7, ['1717 (0x6b5)']),
    ('not listening',              {'op2': lambda c: [response(c, bytes(8))]},                                  6, ['not listening']),
]
lab.step(f'{len(rows)} foreign proxies and servers')
for text, knobs, code, words in rows:
    knobs = {'question': BASIC + b'\r\n', **knobs}
    done = ping('-o', f'RpcProxy={Proxy(**knobs).address}', '-s', 'exch01', '-e', '6001', '--timeout=1', *ME)
    expect(text, done, code, *words)
    lab.check(done.seconds < 4, f'{text}: took {done.seconds:.1f} s')

lab.step('foreign proxies, echo only')
for text, answer, code, words in [
    ('good', ECHOED, 0, ['SUCCESS']),
    ('HTTP/1.0', ECHOED.replace(b'1.1', b'1.0').replace(b'\r\n\r\n', b'\r\nConnection: Keep-Alive\r\n\r\n'), 0, ['SUCCESS']),
    ('19 bytes', ECHOED.replace(b': 20', b': 19')[:-1], 8, ['no echo PDU']),
    ('a Ping', ECHOED.replace(ECHO, wire.ping()), 8, ['no echo PDU']),
    ('a web page', b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>', 8, ['no echo PDU']),
    ('a long page', b'HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n' + bytes(200000), 8, ['no echo PDU']),
    ('half a page', b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n' + ECHO[:9], 8, ['no echo PDU']),
    ('405', b'HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n', 8, ['method']),
]:
    expect(f'echo: {text}', ping('-o', f'RpcProxy={Proxy(question=BASIC + bytes([13, 10]), echo=answer).address}', '-E', '--timeout=1', *ME), code, *words)
lab.done()

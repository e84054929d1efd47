"""A small RPC-over-HTTP client that can do everything right, and everything wrong. Sockets and bytes only.

Channel is one HTTP connection, Tunnel the two of a virtual connection. Every wait has a time limit; what the peer does
wrong raises wire.Broken, a closed connection raises Gone.
"""
import base64
import os
import select
import socket
import ssl
import struct
import time
from collections import deque

import wire

PATH = '/rpc/rpcproxy.dll'


class Gone(Exception):
    """The connection was closed (reset: by RST)."""

    def __init__(self, text, reset=False):
        super().__init__(text)
        self.reset = reset


class Slow(Exception):
    """Nothing came within the time limit."""


class Reply:
    def __init__(self, head):
        lines = head.decode('latin-1').split('\r\n')
        self.version, code, self.reason = (lines[0].split(' ', 2) + [''])[:3]
        self.status = int(code)
        self.headers = [(key.lower(), value.strip()) for key, _, value in (line.partition(':') for line in lines[1:] if line)]
        self.body = b''

    def get(self, name):
        return next((value for key, value in self.headers if key == name.lower()), None)

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def __str__(self):
        return f'{self.version} {self.status} {self.reason}'


def basic(user, password):
    return 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()


class Channel:
    """One connection to the proxy."""
    sources = None    # an iterator of addresses that connections come from

    def __init__(self, address, tls=False, limit=10.0, receive_buffer=None, tickets=None):
        host, port = address.rsplit(':', 1)
        self.limit = limit
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(limit)
        if self.sources:
            self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)   # IP_BIND_ADDRESS_NO_PORT: the port need not be free for others
            self.socket.bind((next(self.sources), 0))
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = '%s:%d' % self.socket.getsockname()
        self.ends = f'{self.local} {host}'
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if tls is not True:
                context.maximum_version = tls
            self.socket = context.wrap_socket(self.socket)
        self.buffer = bytearray()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionError, ssl.SSLError) as error:
            raise Gone(f'write: {error}', reset=True) from None
        except (TimeoutError, socket.timeout):
            raise Slow('write') from None

    def fill(self, limit=None):
        """Reads what there is, at least one byte."""
        self.socket.settimeout(self.limit if limit is None else max(limit, 0.001))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
            raise Slow(f'no byte within {self.limit if limit is None else limit} s') from None
        except (ConnectionError, ssl.SSLError) as error:
            raise Gone(f'read: {error}', reset=isinstance(error, ConnectionResetError)) from None
        finally:
            self.socket.settimeout(self.limit)
        if not data:
            raise Gone('end of stream')
        self.buffer += data

    def take(self, size):
        deadline = time.monotonic() + self.limit
        while len(self.buffer) < size:
            self.fill(deadline - time.monotonic())
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def head(self, method, target, length=None, auth=None, version='1.1', headers=(), path=PATH):
        lines = [f'{method} {path}{"?" + target if target is not None else ""} HTTP/{version}', 'Host: proxy.test',
                 'Accept: application/rpc', 'User-Agent: MSRPC', 'Cache-Control: no-cache', 'Connection: Keep-Alive',
                 'Pragma: No-cache']
        if length is not None:
            lines.append(f'Content-Length: {length}')
        if auth:
            lines.append(f'Authorization: {auth}')
        lines += [f'{key}: {value}' for key, value in headers]
        return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1')

    def request(self, method, target, length=None, **more):
        self.send(self.head(method, target, length, **more))

    def reply(self, body=True, limit=None):
        """The next response; its body too unless it is a tunnel's (200 with more than 64 KiB)."""
        deadline = time.monotonic() + (self.limit if limit is None else limit)
        while b'\r\n\r\n' not in self.buffer:
            self.fill(deadline - time.monotonic())
        head, _, rest = bytes(self.buffer).partition(b'\r\n\r\n')
        self.buffer[:] = rest
        reply = Reply(head)
        size = int(reply.get('content-length') or 0)
        if body and reply.status != 100 and size <= 65536:
            reply.body = self.take(size)
        return reply

    def closed(self, limit=10.0):
        """Waits for the peer's close. True = orderly, False = RST. Bytes that still come are in .tail."""
        self.tail = bytearray(self.buffer)
        deadline = time.monotonic() + limit
        try:
            while True:
                self.buffer.clear()
                self.fill(deadline - time.monotonic())
                self.tail += self.buffer
        except Gone as gone:
            return not gone.reset

    def reset(self):
        """Closes with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tunnel:
    """A virtual connection. open() does all steps; the steps can be taken one by one too."""

    def __init__(self, address, target, auth, tls=False, window=65536, version='1.1', acks=True, limit=10.0,
                 in_length=1 << 30, headers=(), receive_buffer=None, expect=False, out_target=None, out_auth=None, honours=True, out_address=None):
        self.target, self.auth, self.version, self.headers = target, auth, version, list(headers)
        self.out_target, self.out_auth = out_target or target, out_auth or auth
        self.window, self.acks, self.in_length, self.expect = window, acks, in_length, expect
        self.honours = honours         # looks at the window of the proxy before it sends
        self.vc, self.in_cookie, self.out_cookie, self.group = (os.urandom(16) for _ in range(4))
        self.inward = Channel(address, tls, limit)
        self.outward = Channel(out_address or address, tls, limit, receive_buffer)
        self.limit = limit
        self.pdus = deque()            # RPC PDUs not yet looked at
        self.rts = []                  # names of RTS PDUs after C2, in order
        self.received = self.advertised = 0
        self.sent = self.acked = 0     # RPC bytes on IN; of those, acknowledged by the proxy
        self.last_ack = None
        self.calls = 0
        self.ack_count = 0             # acknowledgements this client sent
        self.hold_acks = False

    # --- establishment ---------------------------------------------------

    def request_in(self):
        extra = self.headers + ([('Expect', '100-continue')] if self.expect else [])
        self.inward.request('RPC_IN_DATA', self.target, self.in_length, auth=self.auth, version=self.version, headers=extra)
        if self.expect:
            assert self.inward.reply().status == 100

    def request_out(self):
        extra = self.headers + ([('Expect', '100-continue')] if self.expect else [])
        self.outward.request('RPC_OUT_DATA', self.out_target, 76, auth=self.out_auth, version=self.version, headers=extra)
        if self.expect:
            assert self.outward.reply().status == 100

    def a1(self):
        return wire.conn_a1(self.vc, self.out_cookie, self.window)

    def b1(self):
        return wire.conn_b1(self.vc, self.in_cookie, self.group, self.in_length)

    def read_a3(self):
        self.answer = self.outward.reply(body=False)
        if self.answer.status != 200:
            size = int(self.answer.get('content-length') or 0)
            self.answer.body = self.outward.take(size)
            raise wire.Broken(f'OUT was answered {self.answer}')
        self.a3 = self.out_pdu()
        if wire.name(self.a3) != 'CONN/A3':
            raise wire.Broken(f'expected CONN/A3: {self.a3.hex()}')
        self.a3_timeout, = struct.unpack('<I', wire.commands(self.a3)[0][1])

    def read_c2(self):
        self.c2 = self.out_pdu()
        while wire.name(self.c2) == 'Ping':
            self.c2 = self.out_pdu()
        if wire.name(self.c2) != 'CONN/C2':
            raise wire.Broken(f'expected CONN/C2: {self.c2.hex()}')
        parts = wire.commands(self.c2)
        self.in_window, self.c2_timeout = (struct.unpack('<I', parts[n][1])[0] for n in (1, 2))
        self.advertised = self.window

    def open(self):
        self.request_in()
        self.request_out()
        self.outward.send(self.a1())
        self.inward.send(self.b1())
        self.read_a3()
        self.read_c2()
        return self

    # --- PDUs --------------------------------------------------------------

    def out_pdu(self):
        head = self.outward.take(16)
        header = wire.Header(head)
        return head + self.outward.take(header.length - 16)

    def next(self, limit=None):
        """The next RPC PDU. RTS PDUs on the way are noted in .rts and acted on; ours are acknowledged."""
        before = self.outward.limit
        self.outward.limit = before if limit is None else limit
        try:
            while not self.pdus:
                self.sort(self.out_pdu())
        finally:
            self.outward.limit = before
        return self.pdus.popleft()

    def sort(self, pdu):
        header = wire.Header(pdu)
        if header.type == wire.RTS:
            name = wire.name(pdu)
            self.rts.append(name)
            if name == 'FlowControlAckWithDestination':
                (_, where), (_, ack) = wire.commands(pdu)
                received, available = struct.unpack('<II', ack[:8])
                if where != wire.u32(wire.TO_CLIENT) or ack[8:] != self.in_cookie:
                    raise wire.Broken(f'acknowledgement for someone else: {pdu.hex()}')
                if received > self.sent or available > self.in_window:
                    raise wire.Broken(f'acknowledged {received} of {self.sent}, window {available} of {self.in_window}')
                self.acked, self.last_ack = received, (received, available)
                self.ack_room = available
            elif name != 'Ping':
                raise wire.Broken(f'unexpected {name}: {pdu.hex()}')
            return
        self.pdus.append(pdu)
        self.received += len(pdu)
        self.advertised -= len(pdu)
        if self.advertised < 0:
            self.overran = max(getattr(self, 'overran', 0), -self.advertised)
        if self.acks and not self.hold_acks and self.advertised < self.window // 2:
            self.acknowledge()

    def acknowledge(self):
        self.inward.send(wire.flow_ack_to(wire.TO_OUTBOUND, self.received, self.window, self.out_cookie))
        self.advertised = self.window
        self.ack_count += 1

    def pump(self):
        """Takes whole PDUs that are there, without waiting."""
        while True:
            while len(self.outward.buffer) >= 16 and len(self.outward.buffer) >= wire.Header(self.outward.buffer).length:
                self.sort(self.out_pdu())
            waiting = getattr(self.outward.socket, 'pending', lambda: 0)()
            if not waiting and not select.select([self.outward.socket], [], [], 0)[0]:
                return
            self.outward.fill()

    def send(self, pdu):
        """Sends one RPC PDU, as a client that honours the proxy's window unless it is told not to."""
        deadline = time.monotonic() + self.limit
        while self.honours and self.room() < len(pdu):
            if time.monotonic() > deadline:
                raise Slow(f'window stays used up: sent {self.sent}, acknowledged {self.last_ack}')
            select.select([self.outward.socket], [], [], 0.2)
            self.pump()
        self.send_unasked(pdu)

    def room(self):
        if self.last_ack is None:
            return self.in_window - self.sent
        received, available = self.last_ack
        return available - (self.sent - received)

    def send_unasked(self, pdu):
        self.inward.send(pdu)
        self.sent += len(pdu)

    # --- calls -------------------------------------------------------------

    def bind(self, interface=wire.ECHO_INTERFACE, limit=None):
        self.calls += 1
        self.send(wire.bind(self.calls, interface))
        return wire.Header(self.next(limit)).type

    def start(self, opnum, stub=b'', send=None, context=0):
        self.calls += 1
        for part in wire.request(self.calls, opnum, stub, context=context):
            (send or self.send)(part)
            self.pump()
        return self.calls

    def finish(self, call, limit=None):
        answer = bytearray()
        while True:
            pdu = self.next(limit)
            header = wire.Header(pdu)
            if header.type == wire.FAULT:
                raise wire.Broken('fault %#x' % struct.unpack_from(header.order + 'I', pdu, 24))
            if header.type != wire.RESPONSE or header.call != call:
                raise wire.Broken(f'type {header.type}, call {header.call} instead of the response to {call}')
            answer += pdu[24:]
            if header.flags & wire.LAST:
                return bytes(answer)

    def call(self, opnum, stub=b'', limit=None):
        return self.finish(self.start(opnum, stub), limit)

    def echo(self, stub=b'hello', limit=None):
        answer = self.call(wire.ECHO_CALL, stub, limit)
        if answer != stub:
            raise wire.Broken(f'echo came back changed: {answer[:40].hex()}')

    def close(self):
        self.inward.close()
        self.outward.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

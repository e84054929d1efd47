"""Bytes of RTS and DCE/RPC PDUs, built and taken apart without any line of the project under test."""
import struct

REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESP, AUTH3, RTS = 0, 2, 3, 11, 12, 13, 14, 15, 16, 20
FIRST, LAST = 1, 2
PING, OTHER, RECYCLE, IN_CHANNEL, OUT_CHANNEL, EOF, ECHO = 1, 2, 4, 8, 16, 32, 64
TO_CLIENT, TO_INBOUND, TO_SERVER, TO_OUTBOUND = range(4)

WINDOW, ACK, TIMEOUT, COOKIE, LIFETIME, KEEPALIVE, VERSION, EMPTY, PADDING, NEGATIVE_ANCE, ANCE, ADDRESS, GROUP, \
    DESTINATION, PING_TRAFFIC = range(15)

NDR = bytes.fromhex('045d888aeb1cc9119fe808002b10486002000000')
MGMT = bytes.fromhex('80bda8af8a7dc911bef408002b10298901000000')
ECHO_INTERFACE = bytes.fromhex('6d7563682d74756e6e656c2d6563686f01000000')

ECHO_CALL, SOURCE_CALL, SINK_CALL, SLEEP_CALL, CLOSE_CALL = 100, 101, 102, 103, 104


def u32(value):
    return struct.pack('<I', value)


def rts(flags, *commands):
    body = struct.pack('<HH', flags, len(commands)) + b''.join(commands)
    return struct.pack('<BBBB4sHHI', 5, 0, RTS, FIRST | LAST, b'\x10\0\0\0', 16 + len(body), 0, 0) + body


def version(value=1): return u32(VERSION) + u32(value)
def cookie(value): return u32(COOKIE) + value
def window(value): return u32(WINDOW) + u32(value)
def timeout(value): return u32(TIMEOUT) + u32(value)
def lifetime(value): return u32(LIFETIME) + u32(value)
def keepalive(value): return u32(KEEPALIVE) + u32(value)
def group(value): return u32(GROUP) + value
def destination(value): return u32(DESTINATION) + u32(value)
def ack(received, available, channel): return u32(ACK) + u32(received) + u32(available) + channel


def conn_a1(vc, out, size): return rts(0, version(), cookie(vc), cookie(out), window(size))


def conn_b1(vc, inward, association, life=1 << 30, alive=300000):
    return rts(0, version(), cookie(vc), cookie(inward), lifetime(life), keepalive(alive), group(association))


def conn_b3(size): return rts(0, window(size), version())
def conn_c1(size, limit): return rts(0, version(), window(size), timeout(limit))
def ping(): return rts(PING)
def flow_ack(received, available, channel): return rts(OTHER, ack(received, available, channel))


def flow_ack_to(where, received, available, channel):
    return rts(OTHER, destination(where), ack(received, available, channel))


class Broken(Exception):
    """The peer sent what no PDU looks like."""


class Header:
    def __init__(self, data):
        self.vers, self.minor, self.type, self.flags = data[:4]
        self.order = '<' if data[4] & 0xf0 else '>'
        self.length, self.auth_length, self.call = struct.unpack(self.order + 'HHI', data[8:16])
        if self.vers != 5 or self.minor not in (0, 1) or self.length < 16:
            raise Broken(f'not a PDU header: {data[:16].hex()}')


SIZES = {WINDOW: 4, ACK: 24, TIMEOUT: 4, COOKIE: 16, LIFETIME: 4, KEEPALIVE: 4, VERSION: 4, EMPTY: 0, NEGATIVE_ANCE: 0,
         ANCE: 0, GROUP: 16, DESTINATION: 4, PING_TRAFFIC: 4}


def commands(pdu):
    """[(type, value bytes)] of an RTS PDU."""
    count, = struct.unpack_from('<H', pdu, 18)
    at, found = 20, []
    for _ in range(count):
        kind, = struct.unpack_from('<I', pdu, at)
        at += 4
        if kind == ADDRESS:
            size = 16 + (16 if struct.unpack_from('<I', pdu, at)[0] else 4)
        elif kind == PADDING:
            size = 4 + struct.unpack_from('<I', pdu, at)[0]
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            raise Broken(f'command {kind}')
        found.append((kind, pdu[at:at + size]))
        at += size
    if at != len(pdu):
        raise Broken(f'RTS commands end at {at} of {len(pdu)}')
    return found


def name(pdu):
    """The PDU's name in MS-RPCH, as far as its shape tells it."""
    flags, = struct.unpack_from('<H', pdu, 16)
    kinds = tuple(kind for kind, _ in commands(pdu))
    return {
        (0, (VERSION, COOKIE, COOKIE, WINDOW)): 'CONN/A1',
        (OUT_CHANNEL, (VERSION, COOKIE, COOKIE, LIFETIME, WINDOW)): 'CONN/A2',
        (0, (TIMEOUT,)): 'CONN/A3',
        (0, (VERSION, COOKIE, COOKIE, LIFETIME, KEEPALIVE, GROUP)): 'CONN/B1',
        (IN_CHANNEL, (VERSION, COOKIE, COOKIE, WINDOW, TIMEOUT, GROUP, ADDRESS)): 'CONN/B2',
        (0, (WINDOW, VERSION)): 'CONN/B3',
        (0, (VERSION, WINDOW, TIMEOUT)): 'CONN/C2',
        (PING, ()): 'Ping',
        (ECHO, ()): 'Echo',
        (OTHER, (KEEPALIVE,)): 'Keep-Alive',
        (OTHER, (PING_TRAFFIC,)): 'PingTrafficSentNotify',
        (OTHER, (ACK,)): 'FlowControlAck',
        (OTHER, (DESTINATION, ACK)): 'FlowControlAckWithDestination',
    }.get((flags, kinds), f'RTS flags={flags:#x} commands={kinds}')


def rpc(kind, call, body, flags=FIRST | LAST, order='<'):
    drep = b'\x10\0\0\0' if order == '<' else b'\0\0\0\0'
    return struct.pack(order + 'BBBB4sHHI', 5, 0, kind, flags, drep, 16 + len(body), 0, call) + body


def bind(call, interface, fragment=4088, context=0):
    return rpc(BIND, call, struct.pack('<HHIBBHHBB', fragment, fragment, 0, 1, 0, 0, context, 1, 0) + interface + NDR)


def request(call, opnum, stub, fragment=4088, context=0):
    """One request as a list of fragments."""
    room = fragment - 24
    parts = [stub[at:at + room] for at in range(0, len(stub), room)] or [b'']
    return [rpc(REQUEST, call, struct.pack('<IHH', len(stub), context, opnum) + part,
                (FIRST if number == 0 else 0) | (LAST if number == len(parts) - 1 else 0))
            for number, part in enumerate(parts)]

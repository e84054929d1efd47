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

ECHO_CALL, SOURCE_CALL, SINK_CALL, SLEEP_CALL, CLOSE_CALL, PIPE_CALL, RECYCLE_CALL, SAY_CALL, SUM_CALL = range(100, 109)


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


# Recycling, MS-RPCH 2.2.4.10 to .45. PDUs that look alike share one builder.

def in_a1(vc, predecessor, successor): return rts(RECYCLE, version(), cookie(vc), cookie(predecessor), cookie(successor))


def in_r1_a2(vc, predecessor, successor, size=65536, limit=120000):
    return rts(RECYCLE | IN_CHANNEL, version(), cookie(vc), cookie(predecessor), cookie(successor), window(size), timeout(limit))


def in_r1_a3(size, limit): return rts(0, destination(TO_CLIENT), version(), window(size), timeout(limit))
def successor(value): return rts(0, cookie(value))   # IN_R1/A5, A6, IN_R2/A2, A5, OUT_R2/A4
def in_r1_b1(): return rts(0, u32(EMPTY))
def in_r1_b2(size): return rts(0, window(size))
def in_r2_a3(): return rts(0, destination(TO_CLIENT))
def out_a1(): return rts(RECYCLE, destination(TO_CLIENT))


def out_a3(vc, predecessor, successor, size=65536):
    return rts(RECYCLE, version(), cookie(vc), cookie(predecessor), cookie(successor), window(size))


def out_r1_a4(vc, predecessor, successor, life=1 << 30, size=65536, limit=120000):
    return rts(RECYCLE | OUT_CHANNEL, version(), cookie(vc), cookie(predecessor), cookie(successor), lifetime(life), window(size),
               timeout(limit))


def out_r1_a5(limit): return rts(OUT_CHANNEL, destination(TO_CLIENT), version(), timeout(limit))
def out_r1_a7(value): return rts(OUT_CHANNEL, destination(TO_SERVER), cookie(value))
def established(): return rts(0, u32(ANCE))          # OUT_R1/A9, A10, A11, OUT_R2/B1
def out_r2_a5(): return rts(0, destination(TO_CLIENT), u32(ANCE))
def out_r2_a7(value): return rts(OUT_CHANNEL, destination(TO_SERVER), cookie(value), version())
def refused(): return rts(0, u32(NEGATIVE_ANCE))     # OUT_R2/B2
def out_r2_b3(): return rts(EOF, u32(ANCE))
def out_r2_c1(): return rts(PING, u32(EMPTY))


def pattern(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


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
    """The PDU's name in MS-RPCH, as far as its shape tells it: of PDUs that look alike it is the first."""
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
        (RECYCLE, (VERSION, COOKIE, COOKIE, COOKIE)): 'IN_R1/A1',
        (RECYCLE | IN_CHANNEL, (VERSION, COOKIE, COOKIE, COOKIE, WINDOW, TIMEOUT)): 'IN_R1/A2',
        (0, (DESTINATION, VERSION, WINDOW, TIMEOUT)): 'IN_R1/A3',
        (0, (COOKIE,)): 'IN_R1/A5',
        (0, (EMPTY,)): 'IN_R1/B1',
        (0, (WINDOW,)): 'IN_R1/B2',
        (0, (DESTINATION,)): 'IN_R2/A3',
        (RECYCLE, (DESTINATION,)): 'OUT_R1/A1',
        (RECYCLE, (VERSION, COOKIE, COOKIE, COOKIE, WINDOW)): 'OUT_R1/A3',
        (RECYCLE | OUT_CHANNEL, (VERSION, COOKIE, COOKIE, COOKIE, LIFETIME, WINDOW, TIMEOUT)): 'OUT_R1/A4',
        (OUT_CHANNEL, (DESTINATION, VERSION, TIMEOUT)): 'OUT_R1/A5',
        (OUT_CHANNEL, (DESTINATION, COOKIE)): 'OUT_R1/A7',
        (0, (ANCE,)): 'OUT_R1/A9',
        (0, (NEGATIVE_ANCE,)): 'OUT_R2/B2',
        (0, (DESTINATION, ANCE)): 'OUT_R2/A5',
        (OUT_CHANNEL, (DESTINATION, COOKIE, VERSION)): 'OUT_R2/A7',
        (EOF, (ANCE,)): 'OUT_R2/B3',
        (PING, (EMPTY,)): 'OUT_R2/C1',
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

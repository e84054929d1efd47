#!/usr/bin/python3
"""A Remote Desktop Gateway's RPC server (MS-TSGU), as far as a client needs it to send its first bytes to a desktop.

    gateway_server.py ADDRESS BYTES

One line `ready PORT`. It answers bind with an NTLM challenge, whose answer it does not judge, and the calls up to the receive pipe.
On the client's first bytes for the desktop that pipe brings BYTES of one packet of 65,535, a second later its rest, and then ends. What happens is told on
standard output, a word a line: bind, auth3, tunnel, authorized, channel, pipe, data, sent.
"""
import socket
import struct
import sys
import threading
import time

import wire

CREATE_TUNNEL, AUTHORIZE_TUNNEL, MAKE_TUNNEL_CALL, CREATE_CHANNEL, SETUP_PIPE, SEND_TO_SERVER = 1, 2, 3, 4, 8, 9
QUARENC_RESPONSE, VERSIONCAPS, RESPONSE, QUARREQUEST = 0x4552, 0x5643, 0x5052, 0x5152   # MS-TSGU 2.2.5.3
TRANSPORT = 0x5452
NTLM, INTEGRITY, SIGNATURE = 10, 5, 16
CONTEXT = struct.pack('<I', 0) + bytes(range(16))
LARGEST = 4088


def words(*values):
    return struct.pack(f'<{len(values)}I', *values)


def pair(number, text):
    data = text.encode('utf-16-le')
    return struct.pack('<HH', number, len(data)) + data


def challenge():
    info = pair(2, 'LAB') + pair(1, 'GATEWAY') + struct.pack('<HHQ', 7, 8, 0x01d97e755b9b1be2) + bytes(4)
    return b'NTLMSSP\0' + struct.pack('<IHHIIQQHHI', 2, 0, 0, 56, 0xe28a8235, 0x1122334455667788, 0, len(info), len(info), 56) + \
        bytes.fromhex('060100000000000f') + info


def with_trailer(kind, call, body, token, flags=wire.FIRST | wire.LAST):
    """A PDU with a verifier behind it."""
    pad = -(16 + len(body)) % 4
    pdu = bytearray(wire.rpc(kind, call, body + bytes(pad) + struct.pack('<BBBBI', NTLM, INTEGRITY, pad, 0, 0) + token, flags))
    struct.pack_into('<H', pdu, 10, len(token))
    return bytes(pdu)


class Session:
    def __init__(self, conn, size):
        self.conn, self.size, self.gate = conn, size, threading.Lock()
        self.pipe_call, self.sent = None, False

    def send(self, pdu):
        with self.gate:
            self.conn.sendall(pdu)

    def respond(self, call, stub, flags=wire.FIRST | wire.LAST):
        self.send(with_trailer(wire.RESPONSE, call, words(len(stub)) + struct.pack('<HBB', 0, 0, 0) + stub, bytes(SIGNATURE), flags))

    def take(self, pdu):
        header = wire.Header(pdu)
        if header.type == wire.BIND:
            return self.bind(header, pdu)
        if header.type == wire.AUTH3:
            return say('auth3')
        opnum, = struct.unpack_from('<H', pdu, 22)
        if opnum == CREATE_TUNNEL:
            say('tunnel')
            caps = struct.pack('<HHIIHHHH', TRANSPORT, VERSIONCAPS, 0x2000c, 1, 1, 1, 0, 0) + words(1, 1, 1, 2)
            self.respond(header.call, words(0x20000, QUARENC_RESPONSE, QUARENC_RESPONSE, 0x20004, 0, 0, 0) + bytes(16) + words(0x20008) +
                         caps + CONTEXT + words(1, 0))
        elif opnum == AUTHORIZE_TUNNEL:
            say('authorized')
            self.respond(header.call, words(0x20000, RESPONSE, RESPONSE, 0x20004, QUARREQUEST, 0, 0x20008, 0, *[0] * 8, 0, 0))
        elif opnum == CREATE_CHANNEL:
            say('channel')
            self.respond(header.call, CONTEXT + words(1, 0))
        elif opnum == SETUP_PIPE:
            say('pipe')
            self.pipe_call = header.call
        elif opnum == SEND_TO_SERVER:
            self.respond(header.call, words(0))
            if not self.sent:
                self.sent = True
                say('data')
                self.pour()

    def bind(self, header, pdu):
        say('bind')
        count, port = pdu[24], b'3388\0'
        body = struct.pack('<HHIH', LARGEST, LARGEST, 0x1234, len(port)) + port
        body += bytes(-len(body) % 4) + struct.pack('<BBH', count, 0, 0)
        body += struct.pack('<HH', 0, 0) + wire.NDR + (struct.pack('<HH', 3, 3) + bytes(20)) * (count - 1)
        self.send(with_trailer(wire.BIND_ACK, header.call, body, challenge()))

    def pour(self):
        """A TPKT packet."""
        data = bytes.fromhex('0300ffff') + bytes(65531)
        for at in range(0, self.size, 2000):
            self.respond(self.pipe_call, data[at:min(at + 2000, self.size)], 0 if at else wire.FIRST)
        say('sent')
        time.sleep(1)
        self.respond(self.pipe_call, data[self.size:], 0)
        self.respond(self.pipe_call, words(0), wire.LAST)


def say(word):
    print(word, flush=True)


def serve(conn, size):
    data, session = b'', Session(conn, size)
    with conn:
        while True:
            while len(data) < 16 or len(data) < wire.Header(data).length:
                more = conn.recv(65536)
                if not more:
                    return
                data += more
            length = wire.Header(data).length
            session.take(data[:length])
            data = data[length:]


def main():
    listener = socket.create_server((sys.argv[1], 0))
    say(f'ready {listener.getsockname()[1]}')
    while True:
        threading.Thread(target=serve, args=[listener.accept()[0], int(sys.argv[2])], daemon=True).start()


if __name__ == '__main__':
    main()

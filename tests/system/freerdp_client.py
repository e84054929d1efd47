"""A client that does on the wire what FreeRDP's gateway code does (libfreerdp/core/gateway: rpc_client.c, rts.c), and gives up
where that gives up. In place of NTLM it ends with Basic, but still in two requests a connection.

What it is particular about: CONN/A3 and CONN/C2 in this order and nothing between C2 and the bind_ack; each RTS PDU in its one
state; OUT channels recycled in the R2 shape only (A3, then C1 before A7), never IN; no fragment above 4088 bytes; the predecessor
dropped at B3; after the first recycling no answer but those of its receive pipe and those of 4 bytes, because it takes itself
to be waiting for CONN/A3 again. It acknowledges below half of its window, counts responses only, answers a Ping with a Ping, and
sends nothing else of its own accord."""
import os
import re
import select
import struct
import zlib

import lab
import rpch_client
import wire

TARGET = 'localhost:3388'
NTLM = 'NTLM TlRMTVNTUAABAAAAt4II4gAAAAAAAAAAAAAAAAAAAAAGAbEdAAAADw=='
WINDOW, LARGEST, CONNECT_LIMIT = 65536, 4088, 5


class GaveUp(Exception):
    """FreeRDP would end the session here."""


class OutChannel:
    """One OUT channel: its connection, its cookie, its state, what was received on it."""

    def __init__(self, channel, state):
        self.channel, self.state, self.cookie = channel, state, os.urandom(16)
        self.received, self.window = 0, WINDOW

    def read(self):
        """Reads what is there without waiting for more. False at the end of the stream."""
        try:
            while self.channel.socket.pending() or select.select([self.channel.socket], [], [], 0)[0]:
                self.channel.fill(0)
        except rpch_client.Slow:
            pass   # a TLS record without application data
        except rpch_client.Gone:
            return False
        return True

    def pdu(self):
        """The next whole PDU, or None."""
        buffer = self.channel.buffer
        if len(buffer) < 16:
            return None
        length = wire.Header(buffer).length
        if length > LARGEST:
            raise GaveUp(f'invalid fragment size: {length}')
        return self.channel.take(length) if len(buffer) >= length else None


class FreeRdp:
    def __init__(self, address=None, successors=None):
        self.address = address or lab.TLS
        self.successors = successors or self.address   # where the next OUT channels go
        self.vc, self.in_cookie, self.group = (os.urandom(16) for _ in range(3))
        session = re.sub('(.{8})(.{4})(.{4})(.{4})', r'\1-\2-\3-\4-', self.vc.hex())
        self.pragma = f'ResourceTypeUuid=44e265dd-7daf-42cd-8560-3cdb6e7a2729, SessionId={session}'
        self.state = 'OUT_CHANNEL_WAIT'
        self.negotiated = False        # the bind is over
        self.recycled = 0
        self.acks = self.pings = 0
        self.call = 2
        self.pipe_call, self.pipe, self.piped, self.pipe_ended = None, wire.pattern(1 << 20), 0, False
        self.waiting = {}              # calls of 4 bytes: what their answer must be
        self.answered = 0
        self.next = None               # the non-default OUT channel

    # --- HTTP ---------------------------------------------------------------

    def connect(self, address):
        try:
            return rpch_client.Channel(address, True, limit=CONNECT_LIMIT)
        except OSError as error:
            raise GaveUp(f'connect: {error}') from None

    def request(self, channel, method, length, authorization):
        channel.send('\r\n'.join((
            f'{method} /rpc/rpcproxy.dll?{TARGET} HTTP/1.1', 'Cache-Control: no-cache', f'Pragma: {self.pragma}', 'Accept: application/rpc',
            'User-Agent: MSRPC', 'Host: 127.0.0.1', 'Connection: Keep-Alive', f'Content-Length: {length}',
            f'Authorization: {authorization}', '', '')).encode())

    def security(self, channel, method):
        """The first leg."""
        self.request(channel, method, 0, NTLM)

    def challenged(self, channel):
        reply = channel.reply()
        if reply.status != 401:
            raise GaveUp(f'{reply} instead of a challenge')

    # --- establishment -------------------------------------------------------

    def open(self, bind, auth3):
        """Up to the bind_ack. `bind` and `auth3` are the PDUs of the real client."""
        self.inward, self.out = self.connect(self.address), OutChannel(self.connect(self.address), 'OPENED')
        self.security(self.inward, 'RPC_IN_DATA')
        self.security(self.out.channel, 'RPC_OUT_DATA')
        self.challenged(self.inward)
        self.request(self.inward, 'RPC_IN_DATA', 1 << 30, lab.AUTH)
        self.inward.send(wire.conn_b1(self.vc, self.in_cookie, self.group, 1 << 30, 300000))
        self.challenged(self.out.channel)
        self.request(self.out.channel, 'RPC_OUT_DATA', 76, lab.AUTH)
        self.out.channel.send(wire.conn_a1(self.vc, self.out.cookie, WINDOW))
        self.bind_pdu, self.auth3_pdu = bind, auth3
        lab.soon(lambda: self.turn() or self.negotiated)
        if not self.negotiated:
            raise GaveUp('no bind_ack')
        return self

    # --- what comes ----------------------------------------------------------

    def turn(self, wait=0.0):
        """One round of its event loop."""
        sockets = [one.socket for one in (self.inward, self.out.channel, self.next and self.next.channel) if one]
        if wait and not any(one.pending() for one in sockets):
            select.select(sockets, [], [], wait)
        self.default_out()
        if self.next:
            self.other_out()
        if select.select([self.inward.socket], [], [], 0)[0]:
            self.inward_answer()

    def inward_answer(self):
        try:
            self.inward.reply(limit=1)   # read and dropped
        except (rpch_client.Gone, rpch_client.Slow):
            raise GaveUp('the IN channel is closed') from None

    def default_out(self):
        open_ = self.out.read()
        if self.state == 'OUT_CHANNEL_WAIT' and b'\r\n\r\n' in self.out.channel.buffer:
            reply = self.out.channel.reply(body=False)
            if reply.status != 200:
                raise GaveUp(f'error! {reply}')
            self.state = 'WAIT_A3W'
        while self.state != 'OUT_CHANNEL_WAIT':
            pdu = self.out.pdu()
            if not pdu:
                break
            self.fragment(pdu)
            if self.out.state == 'RECYCLED':
                self.switch()
                return self.default_out()   # its answer may be here already
        if not open_ and not self.pipe_ended:
            raise GaveUp('the OUT channel is closed')

    def switch(self):
        self.out.channel.close()
        self.out, self.next = self.next, None
        self.out.state, self.state = 'OPENED', 'OUT_CHANNEL_WAIT'
        self.recycled += 1

    def other_out(self):
        """The successor: nothing but the challenge may come before it is the default channel."""
        self.next.read()
        if not self.next.channel.buffer or self.next.state == 'B3W':
            return
        if self.next.state != 'SECURITY':
            raise GaveUp(f'unexpected message on the successor: {bytes(self.next.channel.buffer[:40])}')
        self.challenged(self.next.channel)
        self.request(self.next.channel, 'RPC_OUT_DATA', 120, lab.AUTH)
        self.next.channel.send(wire.out_a3(self.vc, self.out.cookie, self.next.cookie, WINDOW))
        self.next.state = 'A6W'

    def fragment(self, pdu):
        header = wire.Header(pdu)
        if header.type == wire.RESPONSE:
            self.response(header, pdu)
        elif header.type == wire.RTS and self.negotiated:
            self.rts(pdu)
        elif header.type in (wire.RTS, wire.BIND_ACK, wire.ALTER_RESP):
            self.establish(header, pdu)
        else:
            raise GaveUp(f'unexpected RPC PDU type {header.type}')

    def establish(self, header, pdu):
        name = wire.name(pdu) if header.type == wire.RTS else 'bind_ack'
        if self.state == 'WAIT_A3W' and name == 'CONN/A3':
            self.state = 'WAIT_C2'
        elif self.state == 'WAIT_C2' and name == 'CONN/C2':
            self.state = 'OPENED'
            self.inward.send(self.bind_pdu)
        elif self.state == 'OPENED' and name == 'bind_ack' and not self.negotiated:
            self.negotiated = True
            self.inward.send(self.auth3_pdu)
        else:
            raise GaveUp(f'{self.state}, unexpected {name}')

    def response(self, header, pdu):
        self.out.received += len(pdu)
        self.out.window -= len(pdu)
        if self.out.window < WINDOW // 2:
            self.inward.send(wire.flow_ack_to(wire.TO_OUTBOUND, self.out.received, WINDOW, self.out.cookie))
            self.out.window = WINDOW
            self.acks += 1
        stub = pdu[24:]
        if len(stub) == 4 and header.call == self.pipe_call and header.flags & wire.LAST:
            self.pipe_ended = True
        elif len(stub) == 4 and header.call != self.pipe_call:
            lab.same(stub, self.waiting.pop(header.call, None), f'answer to call {header.call}')
            self.answered += 1
        elif header.call == self.pipe_call:
            at = self.piped % 256
            lab.check(stub == self.pipe[at:at + len(stub)], f'the receive pipe has changed at {self.piped}')
            self.piped += len(stub)
        elif self.state != 'OPENED':
            raise GaveUp(f'{self.state}: an answer of {len(stub)} bytes where it expects CONN/A3')

    def rts(self, pdu):
        name = wire.name(pdu)
        if name in ('FlowControlAck', 'FlowControlAckWithDestination'):
            return
        if name == 'Ping':
            self.inward.send(wire.ping())
            self.pings += 1
        elif name == 'OUT_R1/A1' and self.out.state == 'OPENED':   # A2
            self.next = OutChannel(self.connect(self.successors), 'SECURITY')
            self.security(self.next.channel, 'RPC_OUT_DATA')
            self.out.state = 'A6W'
        elif name == 'OUT_R2/A5' and self.out.state == 'A6W':      # A6
            self.next.channel.send(wire.out_r2_c1())
            self.inward.send(wire.out_r2_a7(self.next.cookie))
            self.out.state = self.next.state = 'B3W'
        elif name == 'OUT_R2/B3' and self.out.state == 'B3W':
            self.out.state = 'RECYCLED'
        else:
            raise GaveUp(f'error parsing RTS PDU {name} in state {self.out.state}')

    # --- what it does --------------------------------------------------------

    def begin(self, opnum, stub):
        """One request, as TsProxySendToServer: it does not look at the window and does not wait."""
        self.call += 1
        for part in wire.request(self.call, opnum, stub):
            self.inward.send(part)
        return self.call

    def receive(self, size):
        """TsProxySetupReceivePipe: `size` bytes will come."""
        self.pipe_call = self.begin(wire.PIPE_CALL, struct.pack('<II', size, LARGEST))

    def send(self, stub):
        self.waiting[self.begin(wire.SUM_CALL, stub)] = struct.pack('<I', zlib.crc32(stub))

    def close(self):
        for one in (self.inward, self.out.channel, self.next and self.next.channel):
            if one:
                one.close()

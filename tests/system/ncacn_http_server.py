#!/usr/bin/python3
"""A DCE/RPC server for the tests: the server role of MS-RPCH (ncacn_http) and plain ncacn_ip_tcp.

    ncacn_http_server.py [--address A] [--log FILE] NAME=MODE[,KNOB...] ...

Every NAME gets a listener of its own on port 0; one line `ready NAME=PORT ...` tells the ports. What it saw goes to FILE
as JSON, one event a line. It serves the management interface (inq_if_ids, is_server_listening) and, on any other
interface, the calls ECHO (the stub back), SOURCE (N bytes in fragments of M), SINK (length and CRC of the stub), SLEEP
(N milliseconds), CLOSE (closes the connection without an answer), SUM (the CRC of the stub alone), PIPE (as SOURCE, but other calls are answered meanwhile, and
a last fragment of 4 bytes ends it), and in front of ncacn_http RECYCLE (the server asks for a new OUT channel) and SAY (writes
the stub on one of its legs: 0 IN, 1 OUT, 2 and 3 the other ones while these are recycled).

A client of version 1, or without a proxy, is known by its first PDU and served on its one connection.

Modes: http (ncacn_http), tcp (ncacn_ip_tcp), bridge=HOST:PORT (ncacn_http in front of a real server on plain TCP).
Knobs: no_banner, late_banner, split (the first 64 bytes of a PDU in pieces of 1..7), big_endian (answers in that byte order), rpc_on_in (an RPC
PDU on the IN leg after the bind), wrong_cookie (each FlowControlAck is preceded by one for an unknown channel), never_ack,
bind_nak, record (every RPC PDU goes to the log), late_bind=MS, late_open=MS (C1, B3), mute (no C1, B3), slow (reads 64 KiB a
second), rts (an RTS PDU to a client of version 1, after the bind), window=N, close=accept|a2|b2|opened|bind|request.
"""
import argparse
import asyncio
import json
import os
import struct
import sys
import time
import zlib

import wire
from server_recycling import Recycling

BANNER = b'ncacn_http/1.0'


class Log:
    def __init__(self, path):
        self.file = open(path, 'a', buffering=1) if path else None
        self.start = time.monotonic()

    def __call__(self, event, **fields):
        if self.file:
            self.file.write(json.dumps({'t': round(time.monotonic() - self.start, 4), 'event': event, **fields}) + '\n')


class Closed(Exception):
    """This end has decided to close."""


class Leg:
    """One TCP connection: PDUs in, PDUs out."""
    count = 0

    def __init__(self, endpoint, reader, writer):
        Leg.count += 1
        self.number, self.endpoint, self.reader, self.writer = Leg.count, endpoint, reader, writer
        self.buffer = bytearray()
        self.role = '?'
        self.vc = None
        self.pending = None            # a PDU that was read to see what the leg is
        self.bytes_in = self.bytes_out = self.pdus_in = self.pdus_out = 0
        self.gate = asyncio.Lock()

    def log(self, event, **fields):
        self.endpoint.log(event, endpoint=self.endpoint.name, conn=self.number, leg=self.role, **fields)

    async def fill(self, size):
        while len(self.buffer) < size:
            if 'slow' in self.endpoint.knobs and self.role in ('in', 'v1'):
                await asyncio.sleep(1 / 16)
                data = await self.reader.read(4096)
            else:
                data = await self.reader.read(65536)
            if not data:
                if self.buffer:
                    self.log('violation', what='end of stream inside a PDU', bytes=len(self.buffer))
                raise EOFError
            self.buffer += data

    async def read(self):
        await self.fill(16)
        header = wire.Header(self.buffer)
        await self.fill(header.length)
        pdu = bytes(self.buffer[:header.length])
        del self.buffer[:header.length]
        self.pdus_in += 1
        self.bytes_in += len(pdu)
        if header.type == wire.RTS:
            self.log('rts', way='in', name=wire.name(pdu), hex=pdu.hex())
        return header, pdu

    async def write(self, pdu):
        if self.writer is None:
            raise ConnectionError(32, 'leg is closed')
        if pdu[2] == wire.RTS and pdu[:2] == b'\5\0':
            self.log('rts', way='out', name=wire.name(pdu), hex=pdu.hex())
        self.pdus_out += 1
        self.bytes_out += len(pdu)
        async with self.gate:
            if 'split' in self.endpoint.knobs:
                at, step = 0, 1
                while at < len(pdu):
                    step = step % 7 + 1 if at < 64 else 1499
                    self.writer.write(pdu[at:at + step])
                    await self.writer.drain()
                    await asyncio.sleep(0.001 if at < 64 else 0)
                    at += step
            else:
                self.writer.write(pdu)
                await self.writer.drain()

    def close(self, why):
        if self.writer is not None:
            self.log('close', why=why, pdus_in=self.pdus_in, bytes_in=self.bytes_in, pdus_out=self.pdus_out,
                     bytes_out=self.bytes_out)
            self.writer.close()
            self.writer = None


class Calls:
    """What the RPC server answers. `send` takes whole PDUs; it may wait."""

    def __init__(self, endpoint, send):
        self.endpoint, self.send = endpoint, send
        self.vc = None
        self.order = '>' if 'big_endian' in endpoint.knobs else '<'
        self.contexts, self.stub, self.fragment = {}, bytearray(), 4088

    def answer(self, kind, call, body, flags=wire.FIRST | wire.LAST):
        return self.send(wire.rpc(kind, call, body, flags, self.order))

    async def take(self, header, pdu):
        if 'record' in self.endpoint.knobs:
            self.endpoint.log('pdu', endpoint=self.endpoint.name, hex=pdu.hex())
        if header.type in (wire.BIND, wire.ALTER):
            await self.bind(header, pdu)
        elif header.type == wire.REQUEST:
            offset = 16 + 8 + (16 if header.flags & 0x80 else 0)
            _, context, opnum = struct.unpack_from(header.order + 'IHH', pdu, 16)
            if header.flags & wire.FIRST:
                self.stub.clear()
            self.stub += pdu[offset:]
            if header.flags & wire.LAST:
                await self.call(header.call, context, opnum, bytes(self.stub))
        else:
            self.endpoint.log('other', endpoint=self.endpoint.name, type=header.type, hex=pdu.hex())

    async def bind(self, header, pdu):
        knobs = self.endpoint.knobs
        if knobs.get('close') == 'bind':
            raise Closed('bind')
        if 'late_bind' in knobs:
            await asyncio.sleep(int(knobs['late_bind']) / 1000)
        if 'bind_nak' in knobs:
            return await self.answer(wire.BIND_NAK, header.call, struct.pack(self.order + 'HBBBB', 4, 1, 5, 0, 0))
        self.fragment = min(struct.unpack_from(header.order + 'H', pdu, 18)[0], 5840)
        count, at, results = pdu[24], 28, b''
        for _ in range(count):
            context, syntaxes = struct.unpack_from(header.order + 'HB', pdu, at)
            self.contexts[context] = pdu[at + 4:at + 24]
            offered = [pdu[at + 24 + 20 * n:at + 44 + 20 * n] for n in range(syntaxes)]
            at += 24 + 20 * syntaxes
            good = wire.NDR in offered or header.order == '>'
            results += struct.pack(self.order + 'HH', 0 if good else 2, 0 if good else 2) + (wire.NDR if good else bytes(20))
        port = str(self.endpoint.port).encode() + b'\0' if header.type == wire.BIND else b''
        body = struct.pack(self.order + 'HHIH', self.fragment, self.fragment, 0x1234, len(port)) + port
        body += bytes(-(len(body)) % 4) + struct.pack('<BBH', count, 0, 0) + results
        await self.answer(wire.BIND_ACK if header.type == wire.BIND else wire.ALTER_RESP, header.call, body)

    async def call(self, call, context, opnum, stub):
        self.endpoint.log('call', endpoint=self.endpoint.name, opnum=opnum, length=len(stub))
        if self.endpoint.knobs.get('close') == 'request' or opnum == wire.CLOSE_CALL:
            raise Closed('request')
        if self.contexts.get(context) == wire.MGMT and opnum == 0:
            names = [wire.MGMT, wire.ECHO_INTERFACE]
            reply = struct.pack('<IIII', 0x20000, len(names), len(names), 0x20004)
            reply += b''.join(struct.pack('<I', 0x20008 + 4 * n) for n in range(1, len(names)))
            await self.respond(call, context, reply + b''.join(names) + bytes(4))
        elif self.contexts.get(context) == wire.MGMT and opnum == 2:
            await self.respond(call, context, struct.pack(self.order + 'II', 0, 1))
        elif opnum == wire.ECHO_CALL:
            await self.respond(call, context, stub)
        elif opnum == wire.SOURCE_CALL:
            size, fragment = struct.unpack('<II', stub[:8])
            await self.respond(call, context, wire.pattern(size), fragment)
        elif opnum == wire.SINK_CALL:
            await self.respond(call, context, struct.pack('<II', len(stub), zlib.crc32(stub)))
        elif opnum == wire.SUM_CALL:
            await self.respond(call, context, struct.pack('<I', zlib.crc32(stub)))
        elif opnum == wire.SLEEP_CALL:
            await asyncio.sleep(struct.unpack('<I', stub[:4])[0] / 1000)
            await self.respond(call, context, stub)
        elif opnum == wire.PIPE_CALL:
            asyncio.ensure_future(self.pipe(call, context, *struct.unpack('<II', stub[:8])))
        elif opnum == wire.RECYCLE_CALL and self.vc:
            await self.respond(call, context, struct.pack('<I', await self.vc.recycle_out()))
        elif opnum == wire.SAY_CALL and self.vc:
            leg = (self.vc.in_leg, self.vc.out_leg, self.vc.in_other, self.vc.out_other)[stub[0]]
            await leg.write(stub[1:])
            await self.respond(call, context, b'')
        else:
            await self.answer(wire.FAULT, call, struct.pack(self.order + 'IHBBII', 0, context, 0, 0, 0x1c010002, 0))

    async def pipe(self, call, context, size, fragment):
        room, data = fragment - 24, wire.pattern(size)
        try:
            for at in range(0, size, room):
                part = data[at:at + room]
                body = struct.pack(self.order + 'IHBB', len(part), context, 0, 0) + part
                await self.answer(wire.RESPONSE, call, body, wire.FIRST if at == 0 else 0)
                await asyncio.sleep(0)
            await self.answer(wire.RESPONSE, call, struct.pack(self.order + 'IHBBI', 4, context, 0, 0, 0), wire.LAST)
        except OSError:
            pass   # the connection has ended

    async def respond(self, call, context, stub, fragment=0):
        room = (fragment or self.fragment) - 24
        for at in range(0, max(len(stub), 1), room):
            part = stub[at:at + room]
            flags = (wire.FIRST if at == 0 else 0) | (wire.LAST if at + room >= len(stub) else 0)
            await self.answer(wire.RESPONSE, call, struct.pack(self.order + 'IHBB', len(stub) - at, context, 0, 0) + part, flags)


class VirtualConnection(Recycling):
    """The server's view: IN leg, OUT leg, a window in each direction."""

    def __init__(self, endpoint, cookie):
        super().__init__()
        self.endpoint, self.cookie, self.in_leg, self.out_leg = endpoint, cookie, None, None
        self.in_cookie = self.out_cookie = None
        self.in_window = self.endpoint.window      # ours: IN leg, the inbound proxy sends
        self.in_received = self.in_available = 0
        self.out_window = self.out_available = 0   # the outbound proxy's: OUT leg, we send
        self.out_sent = 0
        self.opened = asyncio.Event()
        self.room = asyncio.Event()
        self.proxy_window = self.proxy_timeout = 0
        self.calls = Calls(endpoint, self.send_rpc)
        self.calls.vc = self
        self.bridge = None

    async def open(self):
        knobs = self.endpoint.knobs
        if 'mute' in knobs:
            return
        if 'late_open' in knobs:
            await asyncio.sleep(int(knobs['late_open']) / 1000)
        self.in_available = self.in_advertised = self.in_window
        self.out_available = self.out_window
        await self.in_leg.write(wire.conn_b3(self.in_window))
        await self.out_leg.write(wire.conn_c1(self.proxy_window, self.proxy_timeout))
        self.endpoint.log('opened', endpoint=self.endpoint.name)
        if knobs.get('close') == 'opened':
            raise Closed('opened')
        if self.endpoint.bridge:
            self.bridge = await asyncio.open_connection(*self.endpoint.bridge)
            asyncio.ensure_future(self.bridge_back())
        self.opened.set()

    async def bridge_back(self):
        back = Leg(self.endpoint, *self.bridge)
        back.role = 'bridge'
        try:
            while True:
                _, pdu = await back.read()
                await self.send_rpc(pdu)
        except (EOFError, OSError):
            self.close('bridge closed')

    async def send_rpc(self, pdu):
        await self.recycle_when_due(len(pdu))
        while self.out_available < min(len(pdu), self.out_window) or not self.lifetime_admits(len(pdu)):
            self.room.clear()
            self.endpoint.log('blocked', endpoint=self.endpoint.name, sent=self.out_sent)
            await self.room.wait()
        self.out_sent += len(pdu)
        self.out_available -= len(pdu)
        await self.out_leg.write(pdu)

    async def received_rpc(self, header, pdu):
        knobs = self.endpoint.knobs
        self.in_received += len(pdu)
        self.in_advertised -= len(pdu)
        if self.in_advertised < 0:
            self.endpoint.log('violation', endpoint=self.endpoint.name, what='inbound proxy overran our window',
                              by=-self.in_advertised)
        if self.bridge:
            self.bridge[1].write(pdu)
            await self.bridge[1].drain()
        else:
            # The acknowledgement must not wait for the answer: the answer may itself be waiting for an acknowledgement.
            await self.inbox.put((header, pdu))
        if 'never_ack' not in knobs and self.in_advertised < self.in_window // 2:
            if 'wrong_cookie' in knobs:
                await self.in_leg.write(wire.flow_ack(self.in_received, self.in_window, os.urandom(16)))
            await self.in_leg.write(wire.flow_ack(self.in_received, self.in_window, self.in_cookie))
            self.in_advertised = self.in_window
        if header.type == wire.BIND and 'rpc_on_in' in knobs:
            await self.in_leg.write(wire.rpc(wire.RESPONSE, 1, bytes(8)))

    async def serve(self):
        self.inbox = asyncio.Queue()
        try:
            while True:
                await self.calls.take(*await self.inbox.get())
        except Closed as why:
            self.close(f'knob {why}')
        except OSError:
            self.close('lost')

    def acknowledged(self, received, available, channel, leg):
        if leg is self.out_other:
            return   # the predecessor of an OUT channel: nothing more is sent there
        if channel not in (self.out_cookie, self.former_out_cookie):
            self.endpoint.log('violation', endpoint=self.endpoint.name, what='acknowledgement for an unknown channel')
            return
        if received > self.out_sent or available > self.out_window:
            self.endpoint.log('violation', endpoint=self.endpoint.name, what='acknowledgement of what was never sent')
        self.out_available = available - (self.out_sent - received)
        self.room.set()

    def close(self, why):
        for leg in (self.in_leg, self.out_leg, self.in_other, self.out_other):
            if leg:
                leg.close(why)
        if self.bridge:
            self.bridge[1].close()
        self.endpoint.connections.pop(self.cookie, None)


class Endpoint:
    def __init__(self, text, log):
        self.name, _, rest = text.partition('=')
        mode, *knobs = rest.split(',')
        self.mode, _, bridge = mode.partition('=')
        self.bridge = tuple(bridge.rsplit(':', 1)) if bridge else None
        self.knobs = {key: value for key, _, value in (knob.partition('=') for knob in knobs)}
        self.window = int(self.knobs.get('window', 65536))
        self.log, self.connections, self.port = log, {}, 0

    async def listen(self, address):
        server = await asyncio.start_server(self.accept, address, 0, limit=65536, backlog=512)
        self.port = server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        leg = Leg(self, reader, writer)
        leg.log('accept', peer='%s:%d' % writer.get_extra_info('peername')[:2])
        why = 'peer closed'
        try:
            if self.knobs.get('close') == 'accept':
                raise Closed('accept')
            if self.mode == 'tcp':
                leg.role = 'tcp'
                await self.plain(leg)
            if 'late_banner' in self.knobs:
                asyncio.ensure_future(self.banner_later(leg))
            elif 'no_banner' not in self.knobs:
                await leg.write(BANNER)
            await self.first(leg)
            await {'in': self.inward, 'out': self.outward, 'v1': self.plain}[leg.role](leg)
        except EOFError:
            pass
        except Closed as knob:
            why = f'knob {knob}'
        except OSError as error:
            why = f'{error.strerror}'
        except wire.Broken as error:
            why = f'broken: {error}'
            leg.log('violation', what=str(error))
        leg.close(why)
        if leg.vc and not leg.vc.outlives(leg):
            leg.vc.close(why)

    async def banner_later(self, leg):
        await asyncio.sleep(0.3)
        if leg.writer:
            await leg.write(BANNER)

    async def plain(self, leg):
        """One connection, both ways: plain TCP, or version 1 of the protocol."""
        calls = Calls(self, leg.write)
        while True:
            header, pdu = leg.pending or await leg.read()
            leg.pending = None
            if header.type == wire.RTS:
                raise wire.Broken('RTS PDU among RPC PDUs')
            await calls.take(header, pdu)
            if header.type == wire.BIND and 'rts' in self.knobs:
                await leg.write(wire.ping())

    async def first(self, leg):
        """The first PDU tells which leg this is; the second leg of a cookie opens the virtual connection."""
        header, pdu = await leg.read()
        if header.type != wire.RTS:
            leg.role, leg.pending = 'v1', (header, pdu)
            return leg.log('leg', name='RPC')
        name = wire.name(pdu)
        if name in ('IN_R1/A2', 'OUT_R1/A4'):
            vc = self.connections.get(wire.commands(pdu)[1][1])
            if not vc:
                raise wire.Broken(f'{name} for a virtual connection that is not known')
            await vc.newcomer(leg, name, pdu)
            leg.vc = vc
            leg.log('leg', name=name, vc=vc.cookie.hex())
            return
        if name not in ('CONN/A2', 'CONN/B2'):
            raise wire.Broken(f'first PDU is {name}')
        values = [value for _, value in wire.commands(pdu)]
        numbers = [struct.unpack('<I', value)[0] if len(value) == 4 else 0 for value in values]
        vc = self.connections.setdefault(values[1], VirtualConnection(self, values[1]))
        leg.vc = vc
        if name == 'CONN/A2':
            leg.role = 'out'
            if vc.out_leg:
                raise wire.Broken('second CONN/A2')
            vc.out_leg, vc.out_cookie, vc.out_lifetime, vc.out_window = leg, values[2], numbers[3], numbers[4]
        else:
            leg.role = 'in'
            if vc.in_leg:
                raise wire.Broken('second CONN/B2')
            vc.in_leg, vc.in_cookie, vc.proxy_window, vc.proxy_timeout = leg, values[2], numbers[3], numbers[4]
        leg.log('leg', name=name, vc=vc.cookie.hex())
        if self.knobs.get('close') == ('a2' if leg.role == 'out' else 'b2'):
            raise Closed(self.knobs['close'])
        if vc.in_leg and vc.out_leg:
            asyncio.ensure_future(vc.serve())
            await vc.open()

    async def inward(self, leg):
        while True:
            header, pdu = await leg.read()
            if header.type != wire.RTS:
                await leg.vc.opened.wait()
                if leg is not leg.vc.in_leg:
                    raise wire.Broken('RPC PDU on another IN leg than the default one')
                await leg.vc.received_rpc(header, pdu)
                continue
            parts = wire.commands(pdu)
            where = struct.unpack('<I', parts[0][1])[0] if parts and parts[0][0] == wire.DESTINATION else wire.TO_SERVER
            if where == wire.TO_SERVER:
                await leg.vc.recycle_in(leg, pdu)
            elif where in (wire.TO_CLIENT, wire.TO_OUTBOUND):
                await leg.vc.out_leg_of(parts[-1][1]).write(pdu)
            else:
                leg.log('violation', what=f'destination {where} on the IN leg')

    async def outward(self, leg):
        while True:
            header, pdu = await leg.read()
            if header.type != wire.RTS:
                raise wire.Broken('RPC PDU on the OUT leg')
            parts = wire.commands(pdu)
            if parts and parts[0][0] == wire.ACK:
                received, available = struct.unpack('<II', parts[0][1][:8])
                leg.vc.acknowledged(received, available, parts[0][1][8:], leg)
            elif parts and parts[0][0] == wire.DESTINATION and parts[0][1] == wire.u32(wire.TO_INBOUND):
                await leg.vc.in_leg.write(pdu)
            else:
                await leg.vc.recycle_out_pdu(leg, pdu)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--address', default='127.0.0.1')
    parser.add_argument('--log')
    parser.add_argument('endpoint', nargs='+')
    options = parser.parse_args()
    log = Log(options.log)
    endpoints = [Endpoint(text, log) for text in options.endpoint]
    for endpoint in endpoints:
        await endpoint.listen(options.address)
    print('ready', *(f'{endpoint.name}={endpoint.port}' for endpoint in endpoints), flush=True)
    await asyncio.Event().wait()


if __name__ == '__main__':
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)

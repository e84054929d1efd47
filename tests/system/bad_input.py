"""Part of 40-bad-input.sh."""
import os
import struct
import time

import lab
import rpch_client
import wire

PLAIN, HTTP = os.environ['T_plain'], os.environ['T_http']
VC, CHANNEL, OTHER, GROUP = (os.urandom(16) for _ in range(4))
A1, B1 = wire.conn_a1(VC, CHANNEL, 65536), wire.conn_b1(VC, CHANNEL, GROUP)
ZERO = bytes(16)
ADDRESS = wire.u32(wire.ADDRESS) + wire.u32(0) + b'\x7f\0\0\1' + bytes(12)


def patched(pdu, at, data):
    return pdu[:at] + data + pdu[at + len(data):]


def raw_rts(flags, count, body):
    pdu = wire.rts(flags) + body
    return patched(patched(pdu, 8, struct.pack('<H', len(pdu))), 18, struct.pack('<H', count))


def header_damage(pdu):
    """The same PDU with one field of its header wrong."""
    return {
        'fragment length 0': patched(pdu, 8, b'\0\0'),
        'fragment length 15': patched(pdu, 8, b'\x0f\0'),
        'fragment length 16, no RTS header': patched(pdu, 8, b'\x10\0'),
        'fragment length 65535': patched(pdu, 8, b'\xff\xff') + bytes(65535 - len(pdu)),
        'RPC version 4': patched(pdu, 0, b'\x04'),
        'minor version 1': patched(pdu, 1, b'\x01'),
        'no first and last flag': patched(pdu, 3, b'\0'),
        'object flag': patched(pdu, 3, b'\x83'),
        'big-endian': patched(pdu, 4, b'\0'),
        'big-endian in full': patched(patched(pdu, 4, b'\0'), 8, struct.pack('>H', len(pdu))),
        'auth length 8': patched(pdu, 10, b'\x08\0'),
        'call 1': patched(pdu, 12, b'\x01'),
        'flags 0x8000': patched(pdu, 16, b'\0\x80'),
        'one command too many': patched(pdu, 18, struct.pack('<H', struct.unpack_from('<H', pdu, 18)[0] + 1)),
        'one command too few': patched(pdu, 18, struct.pack('<H', struct.unpack_from('<H', pdu, 18)[0] - 1)),
        '65535 commands': patched(pdu, 18, b'\xff\xff'),
        'no command': raw_rts(0, 0, b''),
        'command 15': raw_rts(0, 1, wire.u32(15) + bytes(4)),
        'command 0xffffffff': raw_rts(0, 1, wire.u32(0xffffffff) + bytes(4)),
        'padding longer than the PDU': raw_rts(0, 1, wire.u32(wire.PADDING) + wire.u32(0xfffffff0)),
        'address of family 2': raw_rts(0, 1, wire.u32(wire.ADDRESS) + wire.u32(2) + bytes(28)),
        'destination 4': raw_rts(2, 2, wire.destination(4) + wire.ack(0, 0, CHANNEL)),
        'cut command': patched(pdu[:-3], 8, struct.pack('<H', len(pdu) - 3)),
        'a byte after the last command': patched(pdu + b'\0', 8, struct.pack('<H', len(pdu) + 1)),
        'fragment length 4096, commands of 1': patched(wire.rts(0, wire.version()) + bytes(4068), 8, struct.pack('<H', 4096)),
    }


SERVERS_OWN = {
    'CONN/A2': wire.rts(wire.OUT_CHANNEL, wire.version(), wire.cookie(VC), wire.cookie(CHANNEL), wire.lifetime(1 << 30), wire.window(65536)),
    'CONN/A3': wire.rts(0, wire.timeout(120000)),
    'CONN/B2': wire.rts(wire.IN_CHANNEL, wire.version(), wire.cookie(VC), wire.cookie(CHANNEL), wire.window(65536), wire.timeout(120000),
                        wire.group(GROUP), ADDRESS),
    'CONN/B3': wire.conn_b3(65536),
    'CONN/C1': wire.conn_c1(65536, 120000),
    'IN_R1/A2': wire.rts(wire.RECYCLE | wire.IN_CHANNEL, wire.version(), wire.cookie(VC), wire.cookie(CHANNEL), wire.cookie(OTHER),
                         wire.window(65536), wire.timeout(120000)),
    'OUT_R1/A1': wire.rts(wire.RECYCLE, wire.destination(wire.TO_CLIENT)),
    'PingTrafficSentNotify': wire.rts(wire.OTHER, wire.u32(wire.PING_TRAFFIC) + wire.u32(2000)),
    'Echo': wire.rts(wire.ECHO),
    'FlowControlAck': wire.flow_ack(0, 65536, CHANNEL),
    'ack to the server': wire.flow_ack_to(wire.TO_SERVER, 0, 65536, CHANNEL),
    'ack to the client': wire.flow_ack_to(wire.TO_CLIENT, 0, 65536, CHANNEL),
    'ack to the inbound proxy': wire.flow_ack_to(wire.TO_INBOUND, 0, 65536, CHANNEL),
    'empty ANCE': wire.rts(0, wire.u32(wire.ANCE)),
}

FIRST_OUT = {
    **header_damage(A1), **SERVERS_OWN,
    'CONN/B1 on OUT': B1, 'Ping': wire.ping(), 'a bind': wire.bind(1, wire.ECHO_INTERFACE), 'noise': os.urandom(76), 'zeros': bytes(76),
    'HTTP': b'GET / HTTP/1.1\r\nHost: x\r\n\r\n' + bytes(60),
    'window 0': wire.conn_a1(VC, CHANNEL, 0), 'window 8191': wire.conn_a1(VC, CHANNEL, 8191), 'window 262145': wire.conn_a1(VC, CHANNEL, 262145),
    'zero virtual connection': wire.conn_a1(ZERO, CHANNEL, 65536), 'zero channel': wire.conn_a1(VC, ZERO, 65536),
}
FIRST_IN = {
    **header_damage(B1), **SERVERS_OWN,
    'CONN/A1 on IN': A1, 'Ping': wire.ping(), 'a bind': wire.bind(1, wire.ECHO_INTERFACE), 'noise': os.urandom(104), 'zeros': bytes(104),
    'HTTP': b'GET / HTTP/1.1\r\nHost: x\r\n\r\n' + bytes(80),
    'zero virtual connection': wire.conn_b1(ZERO, CHANNEL, GROUP), 'zero channel': wire.conn_b1(VC, ZERO, GROUP),
}
LATER_IN = {
    **header_damage(wire.flow_ack_to(wire.TO_OUTBOUND, 0, 65536, CHANNEL)), **SERVERS_OWN,
    'CONN/A1': A1, 'CONN/B1 again': B1,
    'RPC PDU, fragment length 15': patched(wire.rpc(wire.REQUEST, 1, bytes(40)), 8, b'\x0f\0'),
    'RPC PDU, fragment length 0': patched(wire.rpc(wire.REQUEST, 1, bytes(40)), 8, b'\0\0'),
    'RPC PDU, version 4': patched(wire.rpc(wire.REQUEST, 1, bytes(40)), 0, b'\x04'),
    'big-endian RPC PDU, fragment length 15': patched(wire.rpc(wire.REQUEST, 1, bytes(40), order='>'), 8, b'\0\x0f'),
    'noise': b'\x99' * 64,
}

live = [lab.tunnel(target).open() for target in (PLAIN, HTTP)]
for one in live:
    one.bind()


def unharmed(text):
    for one in live:
        try:
            one.echo(b'still here')
        except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
            lab.check(False, f'{text}: another tunnel is harmed: {error!r}')
            lab.done()


def closed(channel, text, limit=4):
    try:
        return lab.check(channel.closed(limit), f'{text}: RST instead of a close')
    except rpch_client.Slow:
        return lab.check(False, f'{text}: not closed after {limit} s')


def reason(lines, local, text):
    found = lines.wait(local, 'reason=', limit=2)
    lab.check(found, f'{text}: no line with the reason')
    lab.check(len(found) <= 1, f'{text}: {len(found)} lines instead of one: {found}')


for method, length, rows in (('RPC_OUT_DATA', 76, FIRST_OUT), ('RPC_IN_DATA', 1 << 30, FIRST_IN)):
    for target in (PLAIN, HTTP):
        lab.step(f'{method} {target}: {len(rows)} wrong first PDUs')
        events = lab.Events()
        for name, data in rows.items():
            text = f'{method} {target}: {name}'
            lines = lab.Lines()
            with lab.channel() as channel:
                # A PDU that is longer than the 76 bytes says so in the length of the request, as a client would.
                channel.request(method, target, max(length, len(data)), auth=lab.AUTH)
                try:
                    channel.send(data)
                except rpch_client.Gone:
                    pass   # closed while 64 KiB were being sent: as good
                if len(data) < 1000:
                    closed(channel, text)
                    lab.same(bytes(channel.tail[:200]), b'', f'{text}: an answer to a protocol error')
                else:
                    try:
                        channel.closed(4)
                    except rpch_client.Slow:
                        lab.check(False, f'{text}: not closed')
                lab.same(len(events.events('accept')), 0, f'{text}: connections to the server')
                reason(lines, channel.local, text)
        unharmed(method)

for target in (PLAIN, HTTP):
    lab.step(f'{target}: {len(LATER_IN)} wrong PDUs on IN of an open tunnel')
    for name, data in LATER_IN.items():
        text = f'{target}: {name} on IN'
        lines, events = lab.Lines(), lab.Events()
        with lab.tunnel(target).open() as tunnel:
            tunnel.bind()
            try:
                tunnel.inward.send(data)
            except rpch_client.Gone:
                pass
            closed(tunnel.outward, text)
            try:
                tunnel.inward.closed(4)
            except rpch_client.Slow:
                lab.check(False, f'{text}: IN is not closed')
            lab.check(lines.wait('reason=', limit=2), f'{text}: no line with the reason')
        lab.check(lab.soon(lambda: len(events.events('close')) == len(events.events('accept'))), f'{text}: a leg to the server stays open')
    unharmed(target)

    lab.step(f'{target}: bytes on OUT after A1; acknowledgements of what was never sent')
    for name, action in {
            'an RPC PDU on OUT': lambda t: t.outward.send(wire.rpc(wire.REQUEST, 5, bytes(40))),
            'A1 again on OUT': lambda t: t.outward.send(t.a1()),
            'ack of 2 GiB': lambda t: t.inward.send(wire.flow_ack_to(wire.TO_OUTBOUND, 1 << 31, 65536, t.out_cookie)),
            'ack of a window of 2 GiB': lambda t: t.inward.send(wire.flow_ack_to(wire.TO_OUTBOUND, 0, 1 << 31, t.out_cookie))}.items():
        text = f'{target}: {name}'
        lines = lab.Lines()
        with lab.tunnel(target).open() as tunnel:
            tunnel.bind()
            action(tunnel)
            try:
                tunnel.outward.closed(4)
            except rpch_client.Slow:
                lab.check(False, f'{text}: not closed')
            lab.check(lines.wait('reason=', limit=2), f'{text}: no line with the reason')
    with lab.tunnel(target).open() as tunnel:
        tunnel.bind()
        tunnel.inward.send(wire.flow_ack_to(wire.TO_OUTBOUND, 0, 65536, os.urandom(16)))
        tunnel.echo()   # an acknowledgement for an unknown channel is discarded in silence
    unharmed(target)

    lab.step(f'{target}: cookies of others')
    victim = lab.tunnel(target).open()
    victim.bind()
    for who, auth in (('the same user', lab.AUTH), ('another user', lab.OTHER_AUTH)):
        for side in ('OUT', 'IN'):
            text = f'{target}: {side} with a live cookie, {who}'
            lines, events = lab.Lines(), lab.Events()
            thief = lab.tunnel(target, auth=auth)
            thief.vc = victim.vc
            if side == 'OUT':
                thief.request_out()
                thief.outward.send(thief.a1())
            else:
                thief.request_in()
                thief.inward.send(thief.b1())
            channel = thief.outward if side == 'OUT' else thief.inward
            closed(channel, text, 6)
            reason(lines, channel.local, text)
            victim.echo(b'mine')
            thief.close()
    late = lab.tunnel(target)
    late.vc = victim.vc
    victim.close()
    late.request_in()
    late.inward.send(late.b1())
    closed(late.inward, f'{target}: a late IN with the cookie of a tunnel that is gone', 6)
    late.close()
    unharmed(target)

lab.step('IN and OUT of one cookie to different targets')
lines, events = lab.Lines(), lab.Events()
mixed = lab.tunnel(PLAIN, out_target=HTTP, limit=5)
try:
    mixed.open()
    lab.check(False, 'joined')
except rpch_client.Slow as slow:
    lab.check(False, f'different targets: {slow}')
except (rpch_client.Gone, wire.Broken):
    pass
lab.check(lines.wait('reason='), 'different targets: no line with the reason')
lab.check(lab.soon(lambda: events.events('accept')), 'different targets: the half that came first was not connected')
mixed.close()

lab.step('broken targets: refused at the head, nothing connected')
events = lab.Events()
for target in ('srv:06001', 'srv:6001x', 'srv:70000', 'srv:0', 'srv:-1', 'srv:+6001', 'srv: 6001', 'srv:', 'srv', ':6001', '', None, 'a@b@c:6001',
               'srv%3a6001', 'srv:6001%00', '%73rv:6001', 'srv%:6001', 'srv:6001&x=1', 'srv/x:6001', 'srv\\x:6001', 'srv:6001#x', 'srv:6001?x',
               'x' * 2000 + ':6001', 'srv\x7f:6001', 'srv\xe9:6001', 'srv\x01:6001', '*:6001', 'sr*:6001', '@b:6001', 'a@:6001',
               'zz44b1e0-e44f-4a16-9396-3a437f594f88@x.example:6001', '{ad44b1e0-e44f-4a16-9396-3a437f594f88}@x.example:6001',
               'ad44b1e0e44f4a1693963a437f594f88@x.example:6001', '[::1:6001', '::1]:6001', '[srv]:6001', 'srv:6001;srv:6001', 'srv,srv:6001',
               'srv:6001:6001', "srv';--:6001"):
    for method, length in (('RPC_IN_DATA', 1 << 30), ('RPC_OUT_DATA', 76)):
        text = f'{method} ?{target[:40]!r}' if target is not None else f'{method} without a query'
        lines = lab.Lines()
        with lab.channel() as channel:
            channel.request(method, target, length, auth=lab.AUTH)
            if length == 76:
                channel.send(A1)
            try:
                reply = channel.reply()
                lab.check(reply.status in (400, 404, 503), f'{text}: {reply}')
                if reply.status == 503:
                    lab.check(str(reply).startswith('HTTP/1.0 503 RPC Error: 6'), f'{text}: {reply}')
                closed(channel, text)
            except (rpch_client.Gone, rpch_client.Slow) as error:
                lab.check(False, f'{text}: {error!r}')
            lab.check(lines.wait(channel.local, limit=2), f'{text}: no line in the log')
unharmed('targets')

lab.step('CR, LF, NUL and blanks in the target never reach the log or the server raw')
for number, target in enumerate((b'srv\r\nX-Evil: 1\r\n:6001', b'srv\n:6001', b'srv\r:6001', b'srv\0:6001', b'srv\t:6001', b'srv :6001',
                                 b'srv:6001 HTTP/1.1\r\nHost: y\r\n\r\nGET /')):
    lines = lab.Lines()
    with lab.channel() as channel:
        channel.send(b'RPC_IN_DATA /rpc/rpcproxy.dll?' + target + b' HTTP/1.1\r\nHost: x\r\nAuthorization: ' + lab.AUTH.encode()
                     + b'\r\nContent-Length: 1073741824\r\n\r\n')
        try:
            reply = channel.reply()
            lab.check(reply.status in (400, 401, 404, 411, 501, 503, 505), f'{target}: {reply}')
        except rpch_client.Gone:
            pass
        except rpch_client.Slow:
            lab.check(False, f'{target}: no answer')
        closed(channel, f'{target}')
        lab.check(all(line.isprintable() for line in lines.all()), f'{target}: raw bytes in the log')
lab.same(len(events.events('accept')), 0, 'broken targets: connections to the server')

lab.step('huge heads: 431 or a close, at once')
for name, head in {
        'a request line of 300 KB': b'RPC_IN_DATA /rpc/rpcproxy.dll?' + b'x' * 300000 + b' HTTP/1.1\r\n\r\n',
        'a header of 300 KB': b'RPC_IN_DATA /rpc/rpcproxy.dll?x:1 HTTP/1.1\r\nX: ' + b'y' * 300000 + b'\r\n\r\n',
        '30000 headers': b'RPC_IN_DATA /rpc/rpcproxy.dll?x:1 HTTP/1.1\r\n' + b'A: b\r\n' * 30000 + b'\r\n',
        'a name of 300 KB': b'RPC_IN_DATA /rpc/rpcproxy.dll?x:1 HTTP/1.1\r\n' + b'y' * 300000 + b': 1\r\n\r\n',
        '300 KB without a line end': b'R' * 300000,
        '300 KB of CR LF': b'\r\n' * 150000,
        '600 arguments': b'RPC_IN_DATA /rpc/rpcproxy.dll?x:1' + b'&a' * 600 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
        '600 cookies': b'RPC_IN_DATA /rpc/rpcproxy.dll?x:1 HTTP/1.1\r\nHost: x\r\nCookie: ' + b'a=b; ' * 600 + b'\r\n\r\n'}.items():
    lines = lab.Lines()
    with lab.channel() as channel:
        try:
            channel.send(head)
        except rpch_client.Gone:
            pass
        try:
            reply = channel.reply(limit=4)
            lab.check(reply.status in (400, 414, 431) and not reply.body, f'{name}: {reply}, {reply.body}')
        except rpch_client.Gone:
            pass
        except rpch_client.Slow:
            lab.check(False, f'{name}: no answer, no close')
        try:
            channel.closed(6)
            lab.same(bytes(channel.tail), b'', f'{name}: a second answer')
        except rpch_client.Slow:
            lab.check(False, f'{name}: not closed')
        lab.check(lines.wait(channel.local, limit=2), f'{name}: no line in the log')
lab.check(lab.memory() < 400000, f'memory: {lab.memory()} KiB')
unharmed('heads')

lab.step('RST and close at every byte of the beginning')
before = lab.descriptors()
for target in (PLAIN, HTTP):
    for inward in (True, False):
        probe = lab.tunnel(target)
        side = probe.inward if inward else probe.outward
        method, length, pdu = ('RPC_IN_DATA', 1 << 30, probe.b1()) if inward else ('RPC_OUT_DATA', 76, probe.a1())
        data = side.head(method, target, length, auth=lab.AUTH) + pdu
        probe.close()
        cuts = list(range(0, len(data) - len(pdu), 23)) + list(range(len(data) - len(pdu), len(data) + 1, 3))
        for number, cut in enumerate(cuts):
            with lab.channel() as channel:
                channel.send(data[:cut])
                if number % 3 == 0:
                    time.sleep(0.002)
                if number % 2:
                    channel.reset()
for number in range(60):
    tunnel = lab.tunnel((PLAIN, HTTP)[number % 2])
    tunnel.open()
    tunnel.bind()
    if number % 3:
        tunnel.start(wire.SOURCE_CALL, struct.pack('<II', 1 << 20, 4000))
    (tunnel.inward if number % 4 < 2 else tunnel.outward).reset()
    tunnel.close()
unharmed('RST')
lab.check(lab.soon(lambda: lab.descriptors() <= before, limit=10), f'descriptors: {lab.descriptors()}, before {before}')

for one in live:
    one.close()
lab.done()

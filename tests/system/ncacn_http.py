"""Part of 30-ncacn-http.sh."""
import os
import struct
import time
import zlib

import lab
import rpch_client
import wire


def target(name):
    return os.environ[f'T_{name}']


def numbers(event):
    pdu = bytes.fromhex(event['hex'])
    return [value if len(value) != 4 else struct.unpack('<I', value)[0] for _, value in wire.commands(pdu)]


live = lab.tunnel(target('plain')).open()
live.bind()
mates = lab.tunnel(target('http')).open()
mates.bind()

lab.step('establishment: what the server and the client see')
events = lab.Events()
with lab.tunnel(target('http')).open() as tunnel:
    a2 = numbers(events.events('rts', name='CONN/A2')[0])
    b2 = numbers(events.events('rts', name='CONN/B2')[0])
    lab.same(a2[:4], [1, tunnel.vc, tunnel.out_cookie, 1 << 30], 'A2: version, virtual connection, OUT, lifetime')
    lab.check(8192 <= a2[4] <= 262144, f'A2: window {a2[4]}')
    lab.same(b2[:6], [1, tunnel.vc, tunnel.in_cookie, 65536, b2[4], tunnel.group], 'B2: version, virtual connection, IN, window, group')
    lab.check(120000 <= b2[4] <= 14400000, f'B2: connection timeout {b2[4]}')
    lab.same(b2[6][:8], bytes([0, 0, 0, 0, 127, 0, 0, 1]), 'B2: the client as this proxy sees it')
    lab.same(tunnel.c2.hex(), events.events('rts', name='CONN/C2')[0]['hex'], 'C2 is C1')
    lab.same(tunnel.bind(), wire.BIND_ACK, 'bind')

    lab.step('1.5 MiB each way')
    big = os.urandom(1572864)
    lab.same(tunnel.call(wire.SINK_CALL, big), struct.pack('<II', len(big), zlib.crc32(big)), 'up')
    lab.same(tunnel.call(wire.SOURCE_CALL, struct.pack('<II', len(big), 5000)), wire.pattern(len(big)), 'down')
    lab.same(tunnel.call(wire.ECHO_CALL, big), big, 'up and down')
    lab.check(tunnel.rts, 'the proxy acknowledged nothing of 3 MiB')
    lab.check(not hasattr(tunnel, 'overran'), f'the client window was overrun by {getattr(tunnel, "overran", 0)}')
    lab.check(tunnel.ack_count, 'the client had nothing to acknowledge')
lab.same(events.violations(), [], 'what the server complains about')
lab.check(lab.soon(lambda: len(events.events('close')) == 2), 'the client closed: both legs to the server are closed')

lab.step('the client holds its acknowledgements: not a byte beyond its window, for 1.5 s')
with lab.tunnel(target('http')).open() as tunnel:
    tunnel.bind()
    tunnel.hold_acks = True
    base = tunnel.received
    call = tunnel.start(wire.SOURCE_CALL, struct.pack('<II', 300000, 4000))
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        tunnel.pump()
        time.sleep(0.02)
    lab.check(tunnel.advertised >= 0, f'window overrun by {-tunnel.advertised}')
    lab.check(tunnel.advertised < 5000, f'stopped too early: {tunnel.advertised} left')
    tunnel.hold_acks = False
    tunnel.acknowledge()
    lab.same(len(tunnel.finish(call)), 300000, 'goes on after the acknowledgement')

lab.step('the server never acknowledges: not a byte beyond its window, and the proxy takes a bounded amount')
events = lab.Events()
memory = lab.memory()
tunnel = lab.tunnel(target('never_ack')).open()
tunnel.bind()
tunnel.inward.socket.settimeout(1.5)
try:
    for _ in range(4000):
        tunnel.inward.socket.sendall(wire.request(9, wire.SINK_CALL, bytes(4000))[0])
    lab.check(False, 'the proxy took 16 MB which the server does not take')
except (TimeoutError, OSError):
    pass
lab.check(lab.memory() - memory < lab.SLACK, f'memory grew by {lab.memory() - memory} KiB')
tunnel.close()
lab.same(events.violations(endpoint='never_ack'), [], 'window of the server')
lab.check(lab.soon(lambda: len(events.events('close', endpoint='never_ack')) == 2), 'both legs are closed')
got = sum(one['bytes_in'] for one in events.events('close', endpoint='never_ack', leg='in'))
lab.check(60000 < got < 65536 + 200, f'bytes on the IN leg: {got}')

for name in ('no_banner', 'late_banner', 'split', 'big_endian', 'wrong_cookie', 'small'):
    lab.step(f'server with the knob {name}')
    events = lab.Events()
    try:
        with lab.tunnel(target(name)).open() as tunnel:
            lab.same(tunnel.bind(), wire.BIND_ACK, f'{name}: bind')
            data = os.urandom(20000 if name == 'split' else 200000)
            for _ in range(2):
                lab.same(tunnel.call(wire.ECHO_CALL, data), data, f'{name}: echo')
    except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
        lab.check(False, f'{name}: {error!r}')
    lab.same(events.violations(endpoint=name), [], f'{name}: what the server complains about')

lab.step('bind_nak and fault pass through')
with lab.tunnel(target('bind_nak')).open() as tunnel:
    lab.same(tunnel.bind(), wire.BIND_NAK, 'bind')
try:
    mates.call(99)
    lab.check(False, 'no fault')
except wire.Broken as fault:
    lab.same(str(fault), 'fault 0x1c010002', 'fault')

for name in ('close_accept', 'close_a2', 'close_b2', 'close_opened', 'close_bind', 'close_request', 'rpc_on_in'):
    lab.step(f'server with the knob {name}: the client is closed, in order and soon')
    events, lines = lab.Events(), lab.Lines()
    tunnel = lab.tunnel(target(name), limit=5)
    start = time.monotonic()
    try:
        tunnel.open()
        tunnel.bind()
        if name == 'rpc_on_in':
            for _ in range(100):
                tunnel.echo()
                time.sleep(0.02)
        tunnel.echo()
        lab.check(False, f'{name}: the call was answered')
    except rpch_client.Slow as slow:
        lab.check(False, f'{name}: {slow}')
    except (rpch_client.Gone, wire.Broken):
        pass
    try:
        lab.check(tunnel.outward.closed(5), f'{name}: OUT closed without RST')
        tunnel.inward.closed(5)
    except rpch_client.Slow:
        lab.check(False, f'{name}: a channel of the client stays open')
    lab.check(time.monotonic() - start < 6, f'{name}: took {time.monotonic() - start:.1f} s')
    lab.check(lab.soon(lambda: len(events.events('accept', endpoint=name)) == len(events.events('close', endpoint=name))),
              f'{name}: a leg to the server stays open')
    lab.check(lines.wait('reason='), f'{name}: no line with a reason')
    tunnel.close()

lab.step('the client closes one channel: the other and both legs follow')
for side in ('inward', 'outward'):
    for how in ('close', 'reset'):
        events = lab.Events()
        tunnel = lab.tunnel(target('http')).open()
        tunnel.bind()
        getattr(getattr(tunnel, side), how)()
        rest = tunnel.outward if side == 'inward' else tunnel.inward
        try:
            rest.closed(5)
        except rpch_client.Slow:
            lab.check(False, f'{side} {how}: the other channel stays open')
        lab.check(lab.soon(lambda: len(events.events('close')) == 2), f'{side} {how}: a leg stays open')
        tunnel.close()

lab.step('the tunnels that were there before are unharmed')
for tunnel in (live, mates):
    tunnel.echo(os.urandom(50000))
    tunnel.close()
lab.done()

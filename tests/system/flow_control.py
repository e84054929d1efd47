"""Part of 31-flow-control.sh."""
import os
import struct
import time
import zlib

import lab
import rpch_client
import wire

KIB = 1024
NEXT_HOPS = os.environ['T_plain'], os.environ['T_http']


def source(size, fragment=4000):
    return wire.SOURCE_CALL, struct.pack('<II', size, fragment)


def attempt(text, action):
    try:
        return action()
    except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
        lab.check(False, f'{text}: {error!r}')


def sink(tunnel, size):
    stub = os.urandom(size)
    lab.same(tunnel.call(wire.SINK_CALL, stub), struct.pack('<II', size, zlib.crc32(stub)), 'sum of what was sent')


def decision_1(target):
    for version, window in (('1.1', 65536), ('1.1', 262144), ('1.0', 65536), ('1.0', 131072)):
        text = f'{target}: HTTP/{version}, window {window}: acknowledged at half of 65536'
        lab.step(text)
        with lab.tunnel(target, version=version, window=window).open() as tunnel:
            lab.same(tunnel.in_window, 65536, f'{text}: window in C2')
            tunnel.bind()
            while tunnel.sent < 31 * KIB:
                tunnel.echo(bytes(1000))
            lab.same([name for name in tunnel.rts if name != 'Ping'], [], f'{text}: acknowledged too early, at {tunnel.sent}')
            while tunnel.sent < 35 * KIB:
                tunnel.echo(bytes(1000))
            lab.check(lab.soon(lambda: (tunnel.pump(), tunnel.rts)[1], 2), f'{text}: no acknowledgement at {tunnel.sent}')
            received, available = tunnel.last_ack or (0, 0)
            lab.check(32 * KIB <= received <= tunnel.sent and available == 65536, f'{text}: acknowledged {received}, window {available}')
            big = os.urandom(600 * KIB)
            lab.same(attempt(text, lambda: tunnel.call(wire.ECHO_CALL, big)), big, f'{text}: 600 KiB both ways')
            lab.check(tunnel.rts.count('FlowControlAckWithDestination') <= tunnel.sent // (32 * KIB) + 1, f'{text}: too many acknowledgements')
            lab.same(getattr(tunnel, 'overran', 0), 0, f'{text}: overran the client window')
            lab.same(tunnel.rts.count('Ping'), 0, f'{text}: pings in the middle of traffic')


def decision_2(target):
    text = f'{target}: HTTP/1.0 and 262144: no RTS PDU after C2, no window enforced'
    lab.step(text)
    with lab.tunnel(target, version='1.0', window=262144, acks=False, honours=False).open() as tunnel:
        tunnel.bind()
        start = time.monotonic()
        attempt(text, lambda: sink(tunnel, 700 * KIB))
        for _ in range(3):
            lab.same(len(attempt(text, lambda: tunnel.call(*source(300 * KIB))) or b''), 300 * KIB, f'{text}: 300 KiB down')
        attempt(text, lambda: sink(tunnel, 100 * KIB))
        lab.check(time.monotonic() - start < 1.8, f'{text}: took {time.monotonic() - start:.1f} s')
        time.sleep(0.5)
        tunnel.pump()
        lab.same(tunnel.rts, [], f'{text}: RTS PDUs')


def decision_3_in(target):
    # 16 fragments of 4096 fill the window to the last byte; 17 of 4000 leave no room for an eighteenth.
    for fragment in (4096, 4000, 1000):
        text = f'{target}: HTTP/1.0 and 262144, but it stops when its window is used up (fragments of {fragment})'
        lab.step(text)
        with lab.tunnel(target, version='1.0', window=262144).open() as tunnel:
            tunnel.bind()
            before = tunnel.sent
            # Fill so that the window ends at a fragment border.
            tunnel.send(wire.request(500, wire.ECHO_CALL, bytes(65536 - before - 15 * fragment - 24) if fragment == 4096 else b'', 65535)[0])
            tunnel.finish(500)
            big = os.urandom(200 * KIB)
            tunnel.calls += 1

            def send():
                for part in wire.request(tunnel.calls, wire.SINK_CALL, big, fragment):
                    tunnel.send(part)
                    tunnel.pump()
                return tunnel.finish(tunnel.calls)
            start = time.monotonic()
            lab.same(attempt(text, send), struct.pack('<II', len(big), zlib.crc32(big)), f'{text}: sum')
            lab.check(time.monotonic() - start < 8, f'{text}: took {time.monotonic() - start:.1f} s')
            lab.check('FlowControlAckWithDestination' in tunnel.rts, f'{text}: never acknowledged')


def decision_3_out(target):
    text = f'{target}: a client that never acknowledges: its window, 2 s, and then on without'
    lab.step(text)
    lines = lab.Lines()
    with lab.tunnel(target, window=65536, acks=False).open() as tunnel:
        tunnel.bind()
        start = time.monotonic()
        call = tunnel.start(*source(400 * KIB))
        while time.monotonic() < start + 1.6:
            tunnel.pump()
            time.sleep(0.02)
        lab.check(0 <= tunnel.advertised < 5000, f'{text}: after 1.6 s {tunnel.advertised} of the window left')
        attempt(text, lambda: tunnel.finish(call, limit=5))
        took = time.monotonic() - start
        lab.check(1.8 < took < 4, f'{text}: took {took:.1f} s')
        start = time.monotonic()
        attempt(text, lambda: tunnel.call(*source(400 * KIB)))
        lab.check(time.monotonic() - start < 1, f'{text}: the second time took {time.monotonic() - start:.1f} s')
    lab.check(lines.wait('window'), f'{text}: no line in the log says so')
    lab.same(len(lines.holding('window')), 1, f'{text}: lines in the log that say so')


def decision_4(target):
    text = f'{target}: no RTS PDU between C2 and the first answer'
    lab.step(text)
    with lab.tunnel(target).open() as tunnel:
        tunnel.send(wire.bind(1, wire.ECHO_INTERFACE))
        for _ in range(12):
            tunnel.send_unasked(wire.rpc(wire.AUTH3, 2, bytes(4000)))   # more than half the window
        first = tunnel.out_pdu()
        lab.same(first[2], wire.BIND_ACK, f'{text}: type of the first PDU')
        lab.check(lab.soon(lambda: (tunnel.pump(), tunnel.rts)[1], 2), f'{text}: no acknowledgement afterwards either')
        tunnel.echo()


def decision_5(target):
    text = f'{target}: a client that does not read'
    lab.step(text)
    for version, window, acks in (('1.0', 262144, False), ('1.1', 65536, False), ('1.1', 262144, True)):
        with lab.tunnel(target, version=version, window=window, acks=acks, receive_buffer=8192).open() as tunnel:
            tunnel.bind()
            before = lab.memory()
            tunnel.start(*source(64 << 20, 5000))
            time.sleep(2.6)
            grown = lab.memory() - before
            lab.check(grown < lab.SLACK, f'{text}: memory grew by {grown} KiB')


for target in NEXT_HOPS:
    for decision in (decision_1, decision_2, decision_3_in, decision_3_out, decision_5):
        decision(target)
for target in (os.environ['T_late'], os.environ['T_late_http']):
    decision_4(target)
lab.done()

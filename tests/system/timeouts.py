"""Part of 32-timeouts.sh."""
import os
import re
import threading
import time

import lab
import rpch_client
import wire

PLAIN, HTTP, MUTE = (os.environ[f'T_{name}'] for name in ('plain', 'http', 'mute'))


def closes(text, channel, low, high, start=None):
    """The peer must close between low and high seconds from now."""
    start = start or time.monotonic()
    try:
        channel.closed(high + 3)
        took = time.monotonic() - start
        lab.check(low <= took <= high, f'{text}: closed after {took:.1f} s, expected {low} to {high}')
    except rpch_client.Slow:
        lab.check(False, f'{text}: still open after {high + 3} s')


def half(text, target, inward, first):
    tunnel = lab.tunnel(target)
    lines = lab.Lines()
    (tunnel.request_in if inward else tunnel.request_out)()
    channel = tunnel.inward if inward else tunnel.outward
    if first:
        channel.send(tunnel.b1() if inward else tunnel.a1())
    closes(text, channel, 1.5, 6)
    lab.check(lines.wait('reason='), f'{text}: no line with a reason')
    tunnel.close()


def slow_head(tls):
    text = f'a head that comes a byte a second, {"TLS" if tls else "plain"}'
    lines = lab.Lines()
    channel = lab.channel(tls)
    local = channel.local
    start = time.monotonic()
    try:
        for byte in channel.head('RPC_IN_DATA', PLAIN, 1 << 30, auth=lab.AUTH):
            channel.send(bytes([byte]))
            try:
                channel.closed(1)
                break
            except rpch_client.Slow:
                pass
            if time.monotonic() > start + 10:
                break
    except rpch_client.Gone:
        pass
    lab.check(2 <= time.monotonic() - start <= 6, f'{text}: {time.monotonic() - start:.1f} s')
    lab.check(lines.wait(local), f'{text}: no line')


def silent():
    channel = lab.channel()
    closes('a client that connects and says nothing', channel, 2, 7)


def idle_between():
    channel = lab.channel()
    channel.request('RPC_IN_DATA', PLAIN, 0, auth=lab.AUTH)
    channel.reply()
    closes('a client that echoes and then says nothing', channel, 2, 7)


def echo_body_missing():
    channel = lab.channel()
    channel.request('RPC_IN_DATA', PLAIN, 16, auth=lab.AUTH)
    channel.send(b'1234')
    closes('an echo whose body never ends', channel, 1, 8)


def first_pdu_partial(inward):
    tunnel = lab.tunnel(PLAIN)
    (tunnel.request_in if inward else tunnel.request_out)()
    (tunnel.inward if inward else tunnel.outward).send((tunnel.b1() if inward else tunnel.a1())[:30])
    closes('half of the first PDU', tunnel.inward if inward else tunnel.outward, 1.5, 6)


def mute():
    tunnel = lab.tunnel(MUTE)
    tunnel.request_in()
    tunnel.request_out()
    tunnel.outward.send(tunnel.a1())
    tunnel.inward.send(tunnel.b1())
    closes('a server that never sends C1: OUT', tunnel.outward, 1.5, 8)
    closes('a server that never sends C1: IN', tunnel.inward, 0, 4)


def idle_tunnel(target):
    """An idle tunnel outlives all the limits above, untouched."""
    with lab.tunnel(target).open() as tunnel:
        tunnel.bind()
        tunnel.echo()
        time.sleep(11)
        tunnel.echo(os.urandom(10000))
        # A second after the last PDU it is told how much of its window is open, once.
        lab.check(tunnel.rts in ([], ['FlowControlAckWithDestination']), f'{target}: RTS PDUs on an idle tunnel: {tunnel.rts}')


def cut(target):
    """Something in between ends the OUT connection of a silent tunnel: the log tells for how long which direction was silent."""
    lines = lab.Lines()
    with lab.tunnel(target).open() as tunnel:
        tunnel.bind()
        tunnel.echo()
        time.sleep(4)
        tunnel.inward.send(wire.ping())
        time.sleep(0.5)
        tunnel.outward.close()
        words = 'closed', 'channel=out', f'vc={tunnel.vc[:4].hex()}', 'reason="client: '
        if not lab.check(lines.wait(*words), f'{target}: no line of the end'):
            return
        silent = {key: int(value) for key, value in re.findall(r' (ms|silent_\w+)=(\d+)', lines.holding(*words)[0])}
        lab.check(4500 <= silent.get('ms', -1) < 8000 and 400 <= silent.get('silent_in_ms', -1) < 2400 and
                  2900 <= silent.get('silent_out_ms', -1) < 6000, f'{target}: {silent}')


jobs = [(half, 'IN alone, no B1', PLAIN, True, False), (half, 'OUT alone, no A1', PLAIN, False, False)]
for target in (PLAIN, HTTP):
    jobs += [(half, f'{target}: IN that never finds its mate', target, True, True),
             (half, f'{target}: OUT that never finds its mate', target, False, True), (idle_tunnel, target), (cut, target)]
jobs += [(slow_head, False), (slow_head, True), (silent,), (idle_between,), (echo_body_missing,), (first_pdu_partial, True),
         (first_pdu_partial, False), (mute,)]

lab.step(f'{len(jobs)} clients that wait, at once')
before = lab.descriptors()


def run(job, *words):
    try:
        job(*words)
    except Exception as error:   # or it would end its thread, and nobody would know
        lab.check(False, f'{job.__name__} {words}: {error!r}')


threads = [threading.Thread(target=run, args=job) for job in jobs]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
lab.check(lab.soon(lambda: lab.descriptors() <= before), f'descriptors: {lab.descriptors()}, before {before}')

lab.step('connection timeout in A3 and C2: the configured one; MinConnTimeout sets that of A3')
for pragma, wanted in ((None, 180000), ('120', 120000), ('300', 300000), ('14400', 14400000), ('1', 120000), ('99999', 14400000), ('x', 180000),
                       ('', 180000)):
    for target in (PLAIN, HTTP):
        headers = [] if pragma is None else [('Pragma', f'SessionId=abc, MinConnTimeout={pragma}')]
        with lab.tunnel(target, headers=headers).open() as tunnel:
            lab.same(tunnel.a3_timeout, wanted, f'{target}: MinConnTimeout={pragma}')
            lab.check(120000 <= tunnel.c2_timeout <= 14400000, f'C2: {tunnel.c2_timeout}')

lab.step('50 idle tunnels cost no processor time')
tunnels = [lab.tunnel(PLAIN).open() for _ in range(50)]
time.sleep(0.5)
before = lab.cpu()
time.sleep(3)
lab.check(lab.cpu() - before <= 0.05, f'{lab.cpu() - before:.2f} s of processor time in 3 s')
for tunnel in tunnels:
    tunnel.close()
lab.done()

"""Part of 39-drain.sh."""
import contextlib
import datetime
import os
import signal
import time

import lab
from recycling_client import Recycler

PLAIN, HTTP, HERE, MATE = os.environ['T_plain'], os.environ['T_http'], lab.PLAIN, os.environ['LAB_MATE']


def running():
    try:
        with open(f'/proc/{lab.PID}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


with contextlib.ExitStack() as stack:
    def opened(target, ins, outs):
        tunnel = stack.enter_context(Recycler(target, ins, out_address=outs).open())
        tunnel.bind()
        return tunnel

    split = [opened(PLAIN, MATE, HERE) for _ in range(16)]
    bound = [opened(target, HERE, HERE) for target in (PLAIN, HTTP) for _ in range(8)] + [opened(HTTP, MATE, HERE)]
    joined = [line for line in lab.settled(os.environ['LAB_MATE_LOG']) if 'joined' in line and 'channel=out' in line]
    moving = [tunnel for tunnel in split if any(tunnel.vc.hex()[:8] in line for line in joined)]
    staying = [tunnel for tunnel in split if tunnel not in moving] + bound
    lab.check(moving and len(moving) < len(split), f'{len(moving)} of {len(split)} meet on the other node')
    elsewhere = [opened(PLAIN, MATE, MATE) for _ in range(2)]
    elsewhere = [tunnel for tunnel in elsewhere if not any(tunnel.vc.hex()[:8] in line for line in lab.settled())]

    lab.step(f'drain: {len(moving)} tunnels can move, {len(staying)} cannot')
    begin = time.monotonic()
    os.kill(lab.PID, signal.SIGTERM)
    for tunnel in moving:
        tunnel.echo(os.urandom(10000))
        tunnel.step('OUT_R1/A1')
        lab.same(tunnel.recycle_out(MATE), 'OUT_R1', 'sequence')
    lab.check(time.monotonic() - begin < 4, 'the clients were asked late')

    for tunnel in staying:
        lab.check(tunnel.outward.closed(6) is not None, 'a tunnel that cannot move stays open')
    lab.check(lab.soon(lambda: not running(), 6), 'the node does not end')
    for tunnel in moving + elsewhere + [opened(PLAIN, MATE, MATE) for _ in range(4)]:
        tunnel.echo(os.urandom(3000))

with open(lab.LOG) as log:
    ends = [datetime.datetime.fromisoformat(line.split()[0][:-1]) for line in log if 'closed' in line and 'the daemon stops' in line]
    lab.same(len(ends), len(staying), 'tunnels that were ended')
    crowd = max(sum(0 <= (other - one).total_seconds() < 0.4 for other in ends) for one in ends)
    lab.check(crowd <= len(ends) / 2, f'{crowd} of {len(ends)} tunnels ended within 0.4 s')
lab.done()

"""Part of 60-many.sh."""
import os
import time
from concurrent.futures import ThreadPoolExecutor

import lab

COUNT, ROUNDS = 200, 3
TARGETS = os.environ['T_plain'], os.environ['T_http']


def start(number):
    tunnel = lab.tunnel(TARGETS[number % 2], tls=number % 4 == 3, limit=30)
    tunnel.open()
    tunnel.bind()
    return tunnel


base = lab.descriptors()
memory = []
for round_number in range(ROUNDS):
    begin = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        tunnels = list(pool.map(start, range(COUNT)))
        opened = time.monotonic() - begin
        lab.check(lab.descriptors() >= base + 2 * COUNT, f'{lab.descriptors()} descriptors for {COUNT} tunnels')
        list(pool.map(lambda tunnel: tunnel.echo(os.urandom(20000)), tunnels))
        for number, tunnel in enumerate(tunnels):
            (tunnel.inward if number % 3 == 0 else tunnel.outward).close()
    used = lab.memory()
    lab.check(lab.soon(lambda: lab.descriptors() <= base, limit=10), f'descriptors: {lab.descriptors()}, at the start {base}')
    for tunnel in tunnels:
        tunnel.close()
    memory.append(lab.memory())
    lab.step(f'round {round_number + 1}: {COUNT} tunnels in {opened:.2f} s, {used} KiB with them, {memory[-1]} KiB after')
lab.check(memory[-1] <= memory[0] + lab.SLACK, f'memory grows: {memory}')
lab.done()

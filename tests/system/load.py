"""bench-load over one daemon and over two, at full speed: every kind of recycling, in every combination of nodes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), 'bench'))
import lab
from laboratory import Failure
from nodes import Nodes, demand

LIFETIME = 128 << 10
TUNNELS, CALLS, MIB = 4, 2500, 8
KINDS = ('in_r1', 'in_r2', 'out_r1', 'out_r2')


def replaced(result, kinds):
    """Channels were replaced in these ways, and in no other."""
    for kind in KINDS:
        demand((result[kind] > 0) == (kind in kinds), f'{result[kind]} recycles of the kind {kind}, expected {" ".join(kinds)}')
    return ', '.join(f'{result[kind]} {kind}' for kind in kinds)


def calls(nodes, turns, *kinds, **more):
    result = nodes.run(turns, work='echo', tunnels=TUNNELS, pdu=500, calls=CALLS, recycle_in_every=50, **more)
    demand(result['messages'] == TUNNELS * CALLS, f'{result["messages"]} answers')
    lab.step(f'IN {turns[0]}, OUT {turns[1]}: {TUNNELS * CALLS} calls; {replaced(result, kinds)}')


def bulk(nodes, turns, *kinds, pdu=4088, **more):
    result = nodes.run(turns, work='both', tunnels=TUNNELS, pdu=pdu, mib=MIB, **more)
    for way in 'up', 'down':
        demand(result[way] >= TUNNELS * MIB << 20, f'{result[way]} bytes {way}')
    lab.step(f'IN {turns[0]}, OUT {turns[1]}: {TUNNELS * MIB} MiB each way in PDUs of {pdu}; {replaced(result, kinds)}')


try:
    lab.step('one daemon, ncacn_ip_tcp')
    with Nodes('tcp', 1, LIFETIME, 60) as nodes:
        calls(nodes, 'aa', 'in_r2', 'out_r2')
        bulk(nodes, 'aa', 'in_r2', 'out_r2')
        bulk(nodes, 'aa', 'in_r2', 'out_r2', tls='yes')
    for hop in 'http', 'tcp':
        lab.step(f'two daemons, {"ncacn_http" if hop == "http" else "ncacn_ip_tcp"}')
        with Nodes(hop, 2, LIFETIME, 60) as nodes:
            for turns in 'aa', 'ab', 'ba', 'bb':
                calls(nodes, turns, 'in_r2', 'out_r2')
            calls(nodes, ('ab', 'ba'), 'in_r1', 'out_r1')
            bulk(nodes, ('ab', 'ab'), 'in_r1', 'out_r1', tls='yes')
            bulk(nodes, ('aabb', 'bba'), *KINDS)
            bulk(nodes, ('aabb', 'bba'), *KINDS, pdu=60_000, tls='yes')
            bulk(nodes, ('aabb', 'bba'), *KINDS, window=8192)
except Failure as failure:
    lab.check(False, failure)
lab.done()

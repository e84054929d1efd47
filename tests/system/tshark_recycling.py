"""Part of 51-tshark-recycling.sh: the traffic. Says in plan.json which connection is which."""
import json
import os

import lab
import wire
from recycling_client import Recycler

PLAIN, HTTP, MATE = os.environ['T_plain'], os.environ['T_http'], os.environ['LAB_MATE']
plan = []


def opened(sequence, target=HTTP):
    tunnel = Recycler(target).open()
    tunnel.bind()
    tunnel.echo(b'first')
    plan.append({'sequence': sequence, 'vc': tunnel.vc.hex(), 'links': tunnel.links})
    return tunnel


lab.step('IN_R1: the successor comes to the other daemon')
with opened('IN_R1') as tunnel:
    lab.same(tunnel.recycle_in(MATE), 'IN_R1', 'sequence')

lab.step('IN_R2: the successor comes to the same daemon')
for name, target in (('IN_R2', HTTP), ('IN_R2 here', PLAIN)):
    with opened(name, target) as tunnel:
        lab.same(tunnel.recycle_in(), 'IN_R2', 'sequence')

lab.step('OUT_R1')
with opened('OUT_R1') as tunnel:
    tunnel.ask()
    lab.same(tunnel.recycle_out(MATE), 'OUT_R1', 'sequence')

lab.step('OUT_R2, A7 first and C1 first')
for c1_first in (False, True):
    with opened('OUT_R2, C1 first' if c1_first else 'OUT_R2') as tunnel:
        tunnel.ask()
        lab.same(tunnel.recycle_out(c1_first=c1_first), 'OUT_R2', 'sequence')

lab.step('OUT_R2 in front of ncacn_ip_tcp: the daemon is the server and asks when the lifetime of 2 MiB nears its end')
with opened('OUT_R2 here', PLAIN) as tunnel:
    while not tunnel.noted:
        tunnel.echo(bytes(60000))
    tunnel.step('OUT_R1/A1')
    lab.same(tunnel.recycle_out(), 'OUT_R2', 'sequence')

lab.step('OUT_R2 refused by the server: B2, and the predecessor goes on')
with opened('OUT_R2 refused') as tunnel:
    tunnel.ask()
    successor = tunnel.bring_out()
    tunnel.link('out', successor)
    tunnel.step('OUT_R2/A5')
    tunnel.call(wire.SAY_CALL, b'\1' + wire.refused())
    lab.check(successor.closed(5), 'the successor is closed with RST')
    lab.same(bytes(successor.tail), b'', 'bytes on the refused successor')
    tunnel.echo(b'after')

lab.step('six in a row on one virtual connection, there and back')
with opened('all') as tunnel:
    for address, ins, outs in ((MATE, 'IN_R1', 'OUT_R1'), (MATE, 'IN_R2', 'OUT_R2'), (lab.PLAIN, 'IN_R1', 'OUT_R1')):
        lab.same(tunnel.recycle_in(address), ins, 'sequence')
        tunnel.ask()
        lab.same(tunnel.recycle_out(address), outs, 'sequence')

lab.step('what is legal at any time: acknowledgements, Ping, Keep-Alive; an echo request')
with lab.channel() as channel:
    channel.request('RPC_OUT_DATA', HTTP, 0, auth=lab.AUTH)
    channel.reply()
with opened('any time') as tunnel:
    tunnel.inward.send(wire.ping() + wire.rts(wire.OTHER, wire.keepalive(120000)))
    tunnel.echo(bytes(100000))

with open(os.path.join(os.environ['LAB_DIR'], 'plan.json'), 'w') as file:
    json.dump(plan, file)
lab.done()

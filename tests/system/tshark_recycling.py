"""Part of 51-tshark-recycling.sh: the traffic. Says in plan.json which connection is which."""
import json
import os
import signal
import struct
import subprocess

import lab
import wire
from recycling_client import Recycler

PLAIN, HTTP, OURS = os.environ['T_plain'], os.environ['T_http'], 'test01:7050'
MATE, MATE_LOG = os.environ['LAB_MATE'], os.environ['LAB_MATE_LOG']
plan = []


def opened(sequence, target=HTTP, ins=None, outs=None):
    tunnel = Recycler(target, ins, out_address=outs).open()
    tunnel.bind()
    tunnel.echo(b'first')
    plan.append({'sequence': sequence, 'target': target, 'vc': tunnel.vc.hex(), 'links': tunnel.links})
    return tunnel


def ask(tunnel):
    """OUT_Rx/A2: the test server asks when it is told to; ours when 80 KiB are left of the lifetime of 1280 KiB,
    of which it keeps some for a call that is under way."""
    if tunnel.target == HTTP:
        return tunnel.ask()
    tunnel.call(wire.SOURCE_CALL, struct.pack('<II', 1190000, 5000))
    while not tunnel.noted:
        tunnel.echo(bytes(4000))
    tunnel.step('OUT_R1/A1')


for target, server in ((HTTP, 'a server that is not ours'), (OURS, 'a pairing port of ours')):
    lab.step(f'in front of {server}: IN_R1, the successor comes to the other daemon')
    with opened('IN_R1', target) as tunnel:
        lab.same(tunnel.recycle_in(MATE), 'IN_R1', 'sequence')

    lab.step('IN_R2: the successor comes to the same daemon')
    with opened('IN_R2', target) as tunnel:
        lab.same(tunnel.recycle_in(), 'IN_R2', 'sequence')

    lab.step('OUT_R1')
    with opened('OUT_R1', target) as tunnel:
        ask(tunnel)
        lab.same(tunnel.recycle_out(MATE), 'OUT_R1', 'sequence')

    lab.step('OUT_R2, A7 first and C1 first')
    for c1_first in (False, True):
        with opened('OUT_R2, C1 first' if c1_first else 'OUT_R2', target) as tunnel:
            ask(tunnel)
            lab.same(tunnel.recycle_out(c1_first=c1_first), 'OUT_R2', 'sequence')

    lab.step('six in a row on one virtual connection, there and back')
    with opened('all', target) as tunnel:
        for address, ins, outs in ((MATE, 'IN_R1', 'OUT_R1'), (MATE, 'IN_R2', 'OUT_R2'), (lab.PLAIN, 'IN_R1', 'OUT_R1')):
            lab.same(tunnel.recycle_in(address), ins, 'sequence')
            ask(tunnel)
            lab.same(tunnel.recycle_out(address), outs, 'sequence')

    lab.step('what is legal at any time: acknowledgements, Ping, Keep-Alive')
    with opened('any time', target) as tunnel:
        tunnel.inward.send(wire.ping() + wire.rts(wire.OTHER, wire.keepalive(120000)))
        tunnel.echo(bytes(100000))

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

lab.step('OUT_R2 refused by ours: A7 names another successor than A3')
with opened('OUT_R2 refused by ours', OURS) as tunnel:
    ask(tunnel)
    successor = tunnel.bring_out()
    tunnel.link('out', successor)
    tunnel.step('OUT_R2/A5')
    tunnel.inward.send(wire.out_r2_a7(os.urandom(16)))
    lab.check(tunnel.outward.closed(5) is not None, 'the tunnel goes on')

lab.step('IN_R2 and OUT_R2 where the channels meet in this daemon or in the other')
with opened('IN_R2', PLAIN) as tunnel:
    lab.same(tunnel.recycle_in(), 'IN_R2', 'sequence')
with opened('OUT_R2', PLAIN) as tunnel:
    ask(tunnel)
    lab.same(tunnel.recycle_out(), 'OUT_R2', 'sequence')

lab.step('an echo request')
with lab.channel() as channel:
    channel.request('RPC_OUT_DATA', HTTP, 0, auth=lab.AUTH)
    channel.reply()

lab.step('our own client, over both daemons')
bench = subprocess.run(
    [os.path.join(os.environ['OBJ'], 'bench-load'), '--hop', 'http', '--listen', os.environ['BENCH'], '--target', 'test01:7060',
     '--authorization', lab.AUTH, '--relay-pid', str(lab.PID), '--connect-in', ','.join((lab.PLAIN, lab.PLAIN, MATE, MATE)),
     '--connect-out', ','.join((MATE, MATE, lab.PLAIN)), '--pdu', '60000', '--calls', '80', '--recycle-in-every', '10'],
    capture_output=True, text=True)
if lab.same(bench.returncode, 0, f'bench-load: {bench.stderr}'):
    result = json.loads(bench.stdout)
    for kind in ('in_r1', 'in_r2', 'out_r1', 'out_r2'):
        lab.check(result[kind] > 0, f'bench-load: no {kind}')

lab.step('this daemon ends: it has the other one ask for a new OUT channel')
while True:   # where the channels meet is a matter of the cookie
    tunnel = opened('any time', PLAIN, MATE, lab.PLAIN)
    if any('joined' in line and 'channel=out' in line and tunnel.vc.hex()[:8] in line for line in lab.settled(MATE_LOG)):
        break
    tunnel.close()
plan[-1]['sequence'] = 'OUT_R1, a node ends'
with tunnel:
    os.kill(lab.PID, signal.SIGTERM)
    tunnel.echo(b'meanwhile')
    tunnel.step('OUT_R1/A1')
    lab.same(tunnel.recycle_out(MATE), 'OUT_R1', 'sequence')

with open(os.path.join(os.environ['LAB_DIR'], 'plan.json'), 'w') as file:
    json.dump(plan, file)
lab.done()

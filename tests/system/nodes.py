"""Part of 38-nodes.sh."""
import contextlib
import itertools
import os
import signal
import socket
import struct

import lab
import rpch_client
import wire
from recycling_client import Recycler

PLAIN, HTTP, FIXED, HERE, MATE = os.environ['T_plain'], os.environ['T_http'], 'test01:7050', lab.PLAIN, os.environ['LAB_MATE']
FIRST, SECOND = os.environ['LAB_NET'] + '.2', os.environ['LAB_NET'] + '.3'   # the nodes, for each other
NAMES = {HERE: 'first', MATE: 'second'}


def opened(target, ins, outs, **more):
    tunnel = Recycler(target, ins, out_address=outs, **more).open()
    tunnel.bind()
    return tunnel


def other(node):
    return MATE if node == HERE else HERE


def fill(tunnel):
    """Calls until the server end asks for a new OUT channel; a call is smaller than what it keeps for that time."""
    if tunnel.target == HTTP:
        return tunnel.ask()
    while not tunnel.noted:
        tunnel.echo(bytes(20000))
    tunnel.step('OUT_R1/A1')


def replace(tunnel, moves):
    """Both channels again and again, each to the node that a move names."""
    at_in, at_out = tunnel.address, tunnel.out_address
    for to_in, to_out in moves:
        lab.same(tunnel.recycle_in(to_in), 'IN_R2' if to_in == at_in else 'IN_R1', 'sequence')
        fill(tunnel)
        lab.same(tunnel.recycle_out(to_out), 'OUT_R2' if to_out == at_out else 'OUT_R1', 'sequence')
        tunnel.echo(os.urandom(5000))
        at_in, at_out = to_in, to_out


for target, (ins, outs) in itertools.product((PLAIN, HTTP, FIXED), itertools.product((HERE, MATE), repeat=2)):
    lab.step(f'{target}: IN on the {NAMES[ins]}, OUT on the {NAMES[outs]} node; then both are replaced, there and elsewhere')
    for _ in range(3 if target == PLAIN else 1):   # either node can be the one where the channels meet
        with opened(target, ins, outs) as tunnel:
            tunnel.out_address = outs
            for size in (1, 300, 20000, 60000):
                tunnel.echo(os.urandom(size))
            replace(tunnel, ((other(ins), outs), (other(ins), other(outs)), (ins, other(outs)), (ins, ins)))


# What may not join. One tunnel looks on, and its channels meet at the second node or at the first.

def proxy_header(target, user, command=0x21):
    fields = b''.join(struct.pack('>BH', kind, len(value)) + value for kind, value in ((2, target), (0xe0, user)) if value)
    return b'\r\n\r\n\0\r\nQUIT\n' + struct.pack('>BBH', command, 0, len(fields)) + fields


def b2(vc):
    return wire.rts(wire.IN_CHANNEL, wire.version(), wire.cookie(vc), wire.cookie(os.urandom(16)), wire.window(65536),
                    wire.timeout(120000), wire.group(bytes(16)), wire.u32(wire.ADDRESS) + bytes(20))


def refused(name, node, words, source, reason, port=6010):
    lines = lab.Lines(lab.LOG if node == FIRST else os.environ['LAB_MATE_LOG'])
    with socket.create_connection((node, port), 5, (source, 0)) as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(words)
        answer = b''
        with contextlib.suppress(ConnectionError):
            while data := peer.recv(100):
                answer += data
    lab.check(answer in (b'', b'ncacn_http/1.0'), f'{name}: got {answer}')
    lab.check(lines.wait('refused', 'channel=paired', reason), f'{name}: no line with "{reason}"')


lab.step('refused at a pairing port, alone')
vc, header = os.urandom(16), proxy_header(PLAIN.encode(), b'labuser')
ROWS = [   # name, words, source, reason
    ('no node', header + b2(vc), '127.0.0.1', 'none of pairing_nodes'),
    ('no header', b2(vc), SECOND, 'no PROXY header'),
    ('a malformed header', proxy_header(b'', b'', 0x11), SECOND, 'malformed PROXY header'),
    ('a target that is not allowed', proxy_header(b'elsewhere:6001', b'labuser') + b2(vc), SECOND, 'default (deny)'),
    ('no target', proxy_header(b'', b'labuser') + b2(vc), SECOND, 'target'),
    ('a target that is not paired here', proxy_header(HTTP.encode(), b'labuser') + b2(vc), SECOND, 'ncacn_ip_tcp'),
    ('an RPC PDU', header + wire.bind(1, wire.MGMT), SECOND, 'no RTS PDU'),
    ('garbage', header + bytes(20), SECOND, 'no RTS PDU'),
    ('a half RTS PDU', header + b2(vc)[:30], SECOND, 'time limit'),
    ('a successor of nothing', header + wire.in_r1_a2(vc, os.urandom(16), os.urandom(16)), SECOND, 'does not begin'),
    ('a PDU of a client', header + wire.conn_b1(vc, os.urandom(16), os.urandom(16)), SECOND, 'does not begin'),
]
with opened(PLAIN, HERE, MATE) as bystander:
    for name, words, source, reason in ROWS:
        refused(name, FIRST, words, source, reason)
        bystander.echo()
    # The channels meet where the other node's has joined.
    at = FIRST if any('joined' in line and bystander.vc.hex()[:8] in line for line in lab.settled()) else SECOND
    from_other = FIRST if at == SECOND else SECOND
    for name, user, target in (('another user', b'other', PLAIN), ('another target', b'labuser', 'test01:7003')):
        refused(name, at, proxy_header(target.encode(), user) + wire.in_r1_a2(bystander.vc, bystander.in_cookie, os.urandom(16)),
                from_other, 'another user or has another target')
        bystander.echo()
    for name, pdu in (('a second IN channel', b2(bystander.vc)),
                      ('a wrong predecessor', wire.in_r1_a2(bystander.vc, os.urandom(16), os.urandom(16))),
                      ('an OUT successor unasked', wire.out_r1_a4(bystander.vc, bystander.out_cookie, os.urandom(16)))):
        with socket.create_connection((at, 6010), 5, (from_other, 0)) as peer:
            peer.sendall(header + pdu)
            with contextlib.suppress(ConnectionError):
                lab.same(peer.recv(100) + peer.recv(100), b'ncacn_http/1.0', name)
        bystander.echo()

lab.step('a node dies: its tunnels end, the others do not notice, new ones work at once')
with contextlib.ExitStack() as stack:
    def held(target, ins, outs):
        return stack.enter_context(opened(target, ins, outs))

    here = [held(HTTP, HERE, HERE) for _ in range(4)]
    over_mate = [held(target, ins, outs) for target in (PLAIN, HTTP) for ins, outs in ((MATE, HERE), (HERE, MATE), (MATE, MATE))]
    os.kill(int(os.environ['LAB_MATE_PID']), signal.SIGKILL)
    young = [held(PLAIN, HERE, HERE) for _ in range(8)]
    for tunnel in here + young:
        tunnel.echo(os.urandom(3000))
    for tunnel in over_mate:
        lab.check(tunnel.outward.closed(5) is not None, 'a tunnel over the dead node stays open')
    open(os.path.join(os.environ['LAB_DIR'], 'mate-gone'), 'w').close()

    lab.step('it comes back: channels of tunnels that were paired without it are replaced on it')
    back = os.path.join(os.environ['LAB_DIR'], 'mate-back')
    lab.check(lab.soon(lambda: os.path.exists(back) and os.path.getsize(back), 10), 'the second node is not back')
    MATE = open(back).read().strip()
    for tunnel in young:
        lab.same(tunnel.recycle_in(MATE), 'IN_R1', 'sequence')
        fill(tunnel)
        lab.same(tunnel.recycle_out(MATE), 'OUT_R1', 'sequence')
        tunnel.echo(os.urandom(3000))
    for tunnel in here:
        tunnel.echo()
lab.done()

"""Part of 42-bad-recycling.sh: cookies that are not right, successors that may not succeed, and such that never do."""
import os
import struct

import lab
import rpch_client
import wire
from bystanders import Bystander
from recycling_states import HTTP, MATE, MATE_LOG, PLAIN, asked, ends, in_r1, in_r2, opened, out_r1, out_r1_a10, out_r2, out_r2_b3, out_r2_c1

ZERO = bytes(16)
OTHER_TARGET = {HTTP: PLAIN, PLAIN: HTTP}


class Logs:
    """Both daemons'."""

    def __init__(self):
        self.logs = lab.Lines(), lab.Lines(MATE_LOG)

    def wait(self, *words):
        return lab.soon(lambda: [line for log in self.logs for line in log.holding(*words)])


def violation(events, what, text):
    lab.check(lab.soon(lambda: [one for one in events.violations() if what in one['what']]), f'{text}: the server has not objected')


def vc(tunnel):
    return f'vc={tunnel.vc[:4].hex()}'


def recycles(tunnel, text, address=None):
    """Whatever was tried, the channels can still be replaced in order."""
    try:
        tunnel.recycle_in(address, calls=False)
        if tunnel.target == HTTP:
            tunnel.noted or tunnel.ask()
            tunnel.recycle_out(address)
        tunnel.echo(b'still mine')
    except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
        lab.check(False, f'{text}: the victim cannot recycle any more: {error!r}')


beside = [Bystander('to ncacn_ip_tcp', PLAIN, [lab.PLAIN]), Bystander('to ncacn_http over both nodes', HTTP, [MATE, lab.PLAIN])]

lab.step('a newcomer that may not succeed: refused alone, the channel it names goes on and is replaced later')
NOT_DEFAULT, USER, TARGET, COOKIE = 'names another predecessor than the default', 'belongs to another user', 'has another target', 'unusable cookie'
# state, which channel, what is wrong with it, the reason in a daemon's log, or else the server's objection
UNKNOWN = 'replace one of a virtual connection that does not exist'
NEWCOMERS = [
    (None, 'out', dict(), 'the server has not asked for a new OUT channel'),
    (asked, 'out', dict(auth=lab.OTHER_AUTH), USER),
    (asked, 'out', dict(target=OTHER_TARGET), TARGET),
    (asked, 'out', dict(predecessor=os.urandom(16)), NOT_DEFAULT),
    (asked, 'out', dict(predecessor='in_cookie'), NOT_DEFAULT),
    (asked, 'out', dict(successor='out_cookie'), COOKIE),
    (asked, 'out', dict(successor=ZERO), COOKIE),
    (out_r2, 'out', dict(), 'OUT_R2/A3 while the OUT channel is not Opened'),
    (None, 'in', dict(predecessor='out_cookie'), NOT_DEFAULT),
    (in_r2, 'in', dict(), 'IN_R2/A1 while the IN channel is not Opened'),
    # The virtual connection is not known here: R1, and the server decides. The daemon is the server of ncacn_ip_tcp.
    (None, 'in', dict(vc=os.urandom(16)), 'IN_R1/A2 for a virtual connection that is not known'),
    (asked, 'out', dict(vc=os.urandom(16)), 'OUT_R1/A4 for a virtual connection that is not known'),
    (None, 'in', dict(vc=ZERO), 'names no virtual connection'),
    (None, 'out', dict(vc=ZERO), 'names no virtual connection'),
    (None, 'in', dict(address=MATE, predecessor=os.urandom(16)), 'IN_R1/A2 with a wrong predecessor'),
    (None, 'in', dict(address=MATE, predecessor=ZERO), 'all-zero cookie'),
    (None, 'in', dict(address=MATE, successor='in_cookie'), 'the same cookie for predecessor and successor'),
    (in_r1, 'in', dict(address=MATE), 'IN_R2/A1 while the IN channel is not Opened'),
    (None, 'out', dict(address=MATE), 'OUT_R1/A4 with a wrong predecessor or in a wrong state'),
    (asked, 'out', dict(address=MATE, predecessor=os.urandom(16)), 'OUT_R1/A4 with a wrong predecessor'),
    (asked, 'out', dict(address=MATE, successor=ZERO), 'all-zero cookie'),
    (asked, 'out', dict(address=MATE, successor='out_cookie'), 'the same cookie for predecessor and successor'),
    (asked, 'out', dict(address=MATE, target=OTHER_TARGET), UNKNOWN),
]
for state, kind, wrong, reason in NEWCOMERS:
    for target in (HTTP,) if 'address' in wrong else (HTTP, PLAIN):
        text = f'{target}, {state.__name__ if state else "opened"}: {kind} {", ".join(wrong) or "too early"}'
        events, logs = lab.Events(), Logs()
        with opened(target) as victim:
            if state:
                state(victim)
            keep = victim.next_in, victim.next_out, victim.__dict__.get('next_in_cookie'), victim.__dict__.get('next_out_cookie')
            row = {key: value[target] if value is OTHER_TARGET else getattr(victim, value) if value in ('in_cookie', 'out_cookie') else value
                   for key, value in wrong.items()}
            newcomer = victim.bring_in(**row) if kind == 'in' else victim.bring_out(**row)
            ends(newcomer, text)
            # The server has closed the leg of an R1 successor: to a proxy that is a server which cannot be reached.
            unreachable = kind == 'out' and ('OUT_R1/A4' in reason or reason is UNKNOWN)
            lab.same(bytes(newcomer.tail).partition(b'\r\n')[0], b'HTTP/1.0 503 RPC Error: 6ba' if unreachable else b'', f'{text}: answer')
            if ('IN_R1/A2' in reason or 'OUT_R1/A4' in reason) and target == HTTP:
                violation(events, reason, text)
                lab.check(logs.wait('reason="server: closed by the peer"', newcomer.local), f'{text}: no line')
            else:
                if 'IN_R1/A2' in reason or 'OUT_R1/A4' in reason:
                    reason = UNKNOWN
                lab.check(logs.wait(reason, newcomer.local), f'{text}: no line with {reason}: {[line for log in logs.logs for line in log.holding(newcomer.local)]}')
            newcomer.close()
            victim.next_in, victim.next_out, victim.next_in_cookie, victim.next_out_cookie = keep
            if not victim.next_in and not victim.next_out:
                if state is not asked or target == HTTP:
                    victim.echo(b'unharmed')
                if state is asked and target == HTTP:
                    lab.same(victim.recycle_out(), 'OUT_R2', f'{text}: sequence')
                elif not state:
                    recycles(victim, text)
for one in beside:
    one.unharmed('newcomers')

lab.step('OUT on one node, an IN successor of another user, or to another target, on that node')
for wrong, reason in ((dict(auth=lab.OTHER_AUTH), USER), (dict(target=PLAIN), TARGET)):
    logs = Logs()
    with opened(HTTP) as victim:
        victim.ask()
        lab.same(victim.recycle_out(MATE), 'OUT_R1', 'sequence')
        newcomer = victim.bring_in(MATE, **wrong)
        ends(newcomer, reason)
        lab.check(logs.wait('refused', reason, newcomer.local), f'split tunnel: no line with {reason}')
        victim.next_in = None
        recycles(victim, reason, MATE)

lab.step('a wrong cookie in the steps that follow')
# state, who says what, what the server objects to, what our own server says, what ends
STEPS = [
    (in_r1, 'inward', lambda t: wire.successor(os.urandom(16)), 'IN_R1/A5 on the IN leg', None),
    (in_r1, 'inward', lambda t: wire.successor(t.in_cookie), 'IN_R1/A5 on the IN leg', None),
    (in_r1, 'inward', lambda t: wire.successor(ZERO), None, 'IN_R1/A5 with an all-zero cookie'),
    (out_r1, 'inward', lambda t: wire.out_r1_a7(os.urandom(16)), 'OUT_R1/A7 on the IN leg', None),
    (out_r1, 'inward', lambda t: wire.out_r1_a7(t.out_cookie), 'OUT_R1/A7 on the IN leg', None),
    (out_r1, 'inward', lambda t: wire.out_r2_a7(t.next_out_cookie), 'OUT_R2/A7 on the IN leg', None),
    (out_r2, 'inward', lambda t: wire.out_r2_a7(os.urandom(16)), 'OUT_R2/A8 with a wrong successor', 'names another successor than OUT_R2/A4'),
    (out_r2, 'inward', lambda t: wire.out_r2_a7(t.out_cookie), 'OUT_R2/A8 with a wrong successor', 'names another successor than OUT_R2/A4'),
    (out_r2_c1, 'inward', lambda t: wire.out_r1_a7(t.vc), 'OUT_R2/A8 with a wrong successor', 'names another successor than OUT_R2/A4'),
    (None, 'inward', lambda t: wire.successor(os.urandom(16)), 'IN_R1/B1 on the IN leg', 'that the inbound proxy may not send now'),
    (None, 'inward', lambda t: wire.out_r1_a7(os.urandom(16)), 'OUT_R1/A7 on the IN leg', 'that the inbound proxy may not send now'),
    (None, 'inward', lambda t: wire.out_r2_a7(os.urandom(16)), 'OUT_R2/A7 on the IN leg', 'that the inbound proxy may not send now'),
    (in_r2, 'inward', lambda t: wire.out_r2_a7(os.urandom(16)), 'OUT_R2/A7 on the IN leg', 'that the inbound proxy may not send now'),
]
for number, (state, channel, pdu, objection, reason) in enumerate(STEPS):
    for target in (HTTP, PLAIN):
        if target == PLAIN and (not reason or state in (in_r1, out_r1)):
            continue
        text = f'{target}, {state.__name__ if state else "opened"}: step {number}, {objection or reason}'
        events, logs = lab.Events(), Logs()
        with opened(target) as tunnel:
            if state:
                state(tunnel)
            getattr(tunnel, channel).send(pdu(tunnel))
            for one in (tunnel.inward, tunnel.outward):
                ends(one, text)
            if target == HTTP and objection:
                violation(events, objection, text)
                lab.check(logs.wait(vc(tunnel), 'reason="server: '), f'{text}: no line')
            else:
                lab.check(logs.wait(vc(tunnel), reason), f'{text}: no line with {reason}')

lab.step('IN_R2/A5 with a wrong cookie is no protocol error: the successor is dropped, the predecessor goes on')
for target in (HTTP, PLAIN):
    for cookie in ('in_cookie', 'vc', None):
        logs = Logs()
        with opened(target) as tunnel:
            in_r2(tunnel)
            tunnel.inward.send(wire.successor(getattr(tunnel, cookie) if cookie else os.urandom(16)))
            ends(tunnel.next_in, f'{target}: the successor')
            lab.check(logs.wait('successor-dropped', vc(tunnel)), f'{target}: no line')
            tunnel.echo(b'the predecessor goes on')

lab.step('what is sent on a successor of the IN channel before A5 is read after it: here, what may not come')
with opened(HTTP) as tunnel:
    logs = Logs()
    in_r2(tunnel)
    tunnel.next_in.send(wire.in_r1_b1())
    tunnel.echo(b'it is not read yet')
    tunnel.inward.send(wire.successor(tunnel.next_in_cookie))
    ends(tunnel.next_in, 'the successor')
    ends(tunnel.outward, 'OUT')
    lab.check(logs.wait(vc(tunnel), 'that the client may not send on the IN channel now'), 'no line')

lab.step('the successor is lost on the way: the predecessor goes on')
for state, kind, targets in ((out_r2, 'next_out', (HTTP,)), (out_r2_c1, 'next_out', (HTTP,)), (out_r1, 'next_out', (HTTP,)), (in_r1, 'next_in', (HTTP,))):
    for target in targets:
        for how in ('close', 'reset'):
            logs = Logs()
            with opened(target) as tunnel:
                state(tunnel)
                channel = getattr(tunnel, kind)
                getattr(channel, how)()
                lab.check(logs.wait(vc(tunnel), 'leg-lost') if state in (out_r2, out_r2_c1) else logs.wait(vc(tunnel), 'closed', 'reason="client: '),
                          f'{state.__name__}, {how}: no line')
                for _ in range(3):
                    tunnel.echo(b'the predecessor goes on')

lab.step('a successor that never completes: dropped after setup_timeout, and the predecessor goes on; where that is gone, all ends')
waiting = []
for state, ends_all, targets in ((in_r1, False, (HTTP,)), (in_r2, False, (HTTP, PLAIN)), (out_r1, False, (HTTP,)), (out_r2, False, (HTTP,)),
                                 (out_r2_c1, False, (HTTP,)), (out_r2_b3, True, (HTTP, PLAIN)), (out_r1_a10, True, (HTTP,))):
    for target in targets:
        tunnel = opened(target)
        state(tunnel)
        waiting.append((f'{target}, {state.__name__}', ends_all, tunnel))
for text, ends_all, tunnel in waiting:
    ends(tunnel.next_in or tunnel.next_out, text)
    if ends_all:
        ends(tunnel.inward, text)
    else:
        for _ in range(3):
            tunnel.echo(b'the predecessor goes on')
    tunnel.close()

for one in beside:
    one.unharmed('successors')
    one.end()
lab.done()

"""Part of 42-bad-recycling.sh."""
import lab
import rpch_client
import wire
from bystanders import Bystander
from recycling_client import Recycler
from recycling_states import HTTP, MATE, MATE_LOG, PLAIN, asked, ends, in_r1, in_r2, opened, out_r1, out_r1_a10, out_r2, out_r2_b3, out_r2_c1

NEW = bytes(range(100, 116))

# --- PDUs, all with the cookies that would be right ----------------------------


def pdus(tunnel):
    vc, in_, out = tunnel.vc, tunnel.in_cookie, tunnel.out_cookie
    next_in = tunnel.next_in_cookie if tunnel.next_in else NEW
    next_out = tunnel.next_out_cookie if tunnel.next_out else NEW
    return {
        'IN_Rx/A1': wire.in_a1(vc, in_, next_in), 'IN_R1/A2': wire.in_r1_a2(vc, in_, next_in), 'IN_R1/A3': wire.in_r1_a3(65536, 120000),
        'IN_Rx/A5': wire.successor(next_in), 'OUT_R2/A4': wire.successor(next_out), 'IN_R1/B1': wire.in_r1_b1(),
        'IN_R1/B2': wire.in_r1_b2(65536), 'IN_R2/A3': wire.in_r2_a3(), 'OUT_Rx/A1': wire.out_a1(), 'OUT_Rx/A3': wire.out_a3(vc, out, next_out),
        'OUT_R1/A4': wire.out_r1_a4(vc, out, next_out), 'OUT_R1/A5': wire.out_r1_a5(120000), 'OUT_R1/A7': wire.out_r1_a7(next_out),
        'ANCE': wire.established(), 'OUT_R2/A5': wire.out_r2_a5(), 'OUT_R2/A7': wire.out_r2_a7(next_out), 'OUT_R2/B2': wire.refused(),
        'OUT_R2/B3': wire.out_r2_b3(), 'OUT_R2/C1': wire.out_r2_c1()}


NAMES = list(pdus(Recycler(PLAIN)))

# --- places: who sends it, where, and what the log must say ---------------------

LEGS = {'leg IN': 0, 'leg OUT': 1, 'leg IN successor': 2, 'leg OUT successor': 3}
CHANNELS = {'IN': 'inward', 'OUT': 'outward', 'IN successor': 'next_in', 'OUT successor': 'next_out'}
REASONS = {'leg IN': 'that the server may not send on the IN channel now', 'leg OUT': 'that the server may not send on the OUT channel now',
           'IN': 'that the client may not send on the IN channel now', 'OUT': 'that the client may not send on the OUT channel now'}


def send(tunnel, place, pdu):
    """Has it sent; the call, if that took one."""
    if place in CHANNELS:
        return getattr(tunnel, CHANNELS[place]).send(pdu)
    tunnel.calls += 1
    tunnel.send_unasked(wire.request(tunnel.calls, wire.SAY_CALL, bytes([LEGS[place]]) + pdu)[0])
    return tunnel.calls


# What a proxy takes from whom in which state, by 3.2.3.5, 3.2.4.5 and the forwarding of 3.2.1.5.2. A5 and A7 of the client are
# the server's to judge. Everything else is refused. `ends`: what ends, the virtual connection or the successor alone.
FROM_CLIENT = {'IN_Rx/A5', 'OUT_R2/A4', 'OUT_R1/A7', 'OUT_R2/A7'}   # one cookie: look-alikes
FROM_SERVER = {'OUT_Rx/A1', 'OUT_R1/A5', 'ANCE', 'IN_R1/A3', 'IN_R2/A3'}
WAITS_FOR_B1 = {'OUT_R2/A5', 'ANCE', 'OUT_R2/B2', 'IN_R1/A3', 'IN_R2/A3'}
NOT_YET_HEAD = {'OUT_Rx/A1', 'IN_R1/A3', 'IN_R2/A3'}                # the successor's 200 is still to come
TABLE = [
    # state, place, what is taken there, what ends, in front of ncacn_ip_tcp too
    (None, 'IN', FROM_CLIENT, 'all', True),
    (None, 'OUT', set(), 'all', True),
    (None, 'leg IN', set(), 'all', False),
    (None, 'leg OUT', FROM_SERVER, 'all', False),
    (in_r2, 'IN', FROM_CLIENT, 'all', True),
    (in_r2, 'OUT', set(), 'all', True),
    (in_r2, 'leg IN', set(), 'all', False),
    (in_r2, 'leg OUT', FROM_SERVER, 'all', False),
    (in_r1, 'IN', FROM_CLIENT, 'all', False),
    (in_r1, 'leg IN', set(), 'all', False),
    (in_r1, 'IN successor', FROM_CLIENT, 'successor', False),
    (in_r1, 'leg IN successor', {'IN_R1/B2'}, 'successor', False),
    (asked, 'OUT', set(), 'all', True),
    (asked, 'leg OUT', FROM_SERVER, 'all', False),
    (out_r2, 'IN', FROM_CLIENT, 'all', True),
    (out_r2, 'OUT', set(), 'all', True),
    (out_r2, 'OUT successor', {'OUT_R2/C1'}, 'all', True),
    (out_r2, 'leg OUT', WAITS_FOR_B1, 'all', False),
    (out_r2_c1, 'OUT successor', set(), 'all', True),
    (out_r2_c1, 'leg OUT', WAITS_FOR_B1, 'all', False),
    (out_r2_b3, 'OUT successor', {'OUT_R2/C1'}, 'all', True),
    (out_r2_b3, 'leg OUT', NOT_YET_HEAD, 'all', False),
    (out_r1, 'OUT', set(), 'all', False),
    (out_r1, 'leg OUT', FROM_SERVER, 'all', False),
    (out_r1, 'OUT successor', {'ANCE'}, 'successor', False),
    (out_r1, 'leg OUT successor', NOT_YET_HEAD, 'successor', False),
    (out_r1_a10, 'OUT successor', {'ANCE'}, 'all', False),
    (out_r1_a10, 'leg OUT', NOT_YET_HEAD, 'all', False),
]


def row(target, state, place, name, what):
    text = f'{target}, {state.__name__ if state else "opened"}: {name} on {place}'
    events = lab.Events()
    with opened(target) as tunnel:
        if state:
            state(tunnel)
        lines = [lab.Lines(), lab.Lines(MATE_LOG)]
        call = send(tunnel, place, pdus(tunnel)[name])
        side = place.removesuffix(' successor')
        if what == 'all':
            for channel in (tunnel.inward, tunnel.outward):
                ends(channel, text)
        else:
            ends(tunnel.next_in or tunnel.next_out, text)
            if call:
                tunnel.finish(call)
            tunnel.echo(b'the predecessor goes on')
        vc = f'vc={tunnel.vc[:4].hex()}'
        found = lab.soon(lambda: [line for log in lines for line in log.holding('closed', vc, 'reason=')
                                  if REASONS[side] in line or 'on another request than the successor' in line])
        lab.check(found, f'{text}: the log does not say why')
        for channel in (tunnel.next_in, tunnel.next_out):
            if channel:
                channel.close()
    legs = {event['conn'] for event in events.events('leg', vc=tunnel.vc.hex())}
    lab.check(lab.soon(lambda: legs <= {event['conn'] for event in events.events('close')}), f'{text}: a leg to the server stays open')


beside = [Bystander('to ncacn_ip_tcp', PLAIN, [lab.PLAIN]), Bystander('to ncacn_http over both nodes', HTTP, [MATE, lab.PLAIN])]
count = 0
for state, place, taken, what, both in TABLE:
    for target in (HTTP, PLAIN) if both else (HTTP,):
        wrong = [name for name in NAMES if name not in taken]
        for name in wrong:
            try:
                row(target, state, place, name, what)
            except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
                lab.check(False, f'{target}, {state.__name__ if state else "opened"}: {name} on {place}: {error!r}')
        count += len(wrong)
    for one in beside:
        one.unharmed(f'{state.__name__ if state else "opened"}, {place}')
lab.step(f'{count} PDUs where they may not come: refused')
for one in beside:
    one.end()
lab.done()

"""The states of a recycling, and how a tunnel of the tests gets there: between which two PDUs it stops. For 42-bad-recycling.sh."""
import os

import lab
import rpch_client
import wire
from recycling_client import Recycler

PLAIN, HTTP, MATE, MATE_LOG = (os.environ[name] for name in ('T_plain', 'T_http', 'LAB_MATE', 'LAB_MATE_LOG'))


def opened(target, **more):
    tunnel = Recycler(target, limit=5, **more).open()
    tunnel.bind()
    return tunnel


def ends(channel, text):
    """The peer closes; orderly or not, for bytes may be left over which nobody has read."""
    try:
        channel.closed(5)
    except rpch_client.Slow:
        lab.check(False, f'{text}: still open after 5 s')


def in_r2(tunnel):
    tunnel.bring_in()
    tunnel.step('IN_R2/A3')


def in_r1(tunnel):
    tunnel.bring_in(MATE)
    tunnel.step('IN_R1/A3')


def asked(tunnel):
    if tunnel.target == HTTP:
        return tunnel.ask()
    while not tunnel.noted:   # the daemon is the server: it asks when the lifetime nears its end
        tunnel.start(wire.ECHO_CALL, bytes(16000))
        lab.soon(lambda: tunnel.pump() or tunnel.pdus or tunnel.noted)
        tunnel.pdus.clear()
    tunnel.step('OUT_R1/A1')


def out_r2(tunnel):
    asked(tunnel)
    tunnel.bring_out()
    tunnel.step('OUT_R2/A5')


def out_r2_c1(tunnel):
    out_r2(tunnel)
    tunnel.next_out.send(wire.out_r2_c1())


def out_r2_b3(tunnel):
    out_r2(tunnel)
    tunnel.inward.send(wire.out_r2_a7(tunnel.next_out_cookie))
    tunnel.step('OUT_R2/B3')


def out_r1(tunnel):
    asked(tunnel)
    tunnel.bring_out(MATE)
    tunnel.step('OUT_R1/A5')


def out_r1_a10(tunnel):
    out_r1(tunnel)
    tunnel.inward.send(wire.out_r1_a7(tunnel.next_out_cookie))
    tunnel.step('OUT_R1/A9')

"""Part of 43-freerdp.sh.

    freerdp.py VECTOR HOP     what the real FreeRDP sent (its bind and auth3 are used); tcp or http
"""
import os
import sys
import time

import lab
import wire
from freerdp_client import FreeRdp, GaveUp, OutChannel

with open(sys.argv[1]) as file:
    PDUS = [bytes.fromhex(line[4:]) for line in file.read().splitlines() if line.startswith('pdu ')]
BIND, AUTH3 = (next(pdu for pdu in PDUS if pdu[2] == kind) for kind in (wire.BIND, wire.AUTH3))
LIFETIME = 128 * 1024
SIZE = 12 << 20


def session(**more):
    return FreeRdp(**more).open(BIND, AUTH3)


def attempt(text, action):
    try:
        return action()
    except GaveUp as reason:
        lab.check(False, f'{text}: FreeRDP would give up: {reason}')
        lab.done()


def work(client, outstanding, limit=30):
    """Its event loop until the receive pipe has ended and every call is answered; so many calls are kept under way."""
    deadline = time.monotonic() + limit
    while not client.pipe_ended or client.waiting:
        while not client.pipe_ended and len(client.waiting) < outstanding:
            client.send(os.urandom(1 + client.call % 3000))
        client.turn(0.5)
        if time.monotonic() > deadline:
            raise GaveUp(f'nothing more: {client.piped} bytes received, {client.recycled} channels, {len(client.waiting)} calls open, '
                         f'{client.state}, {client.out.state}, {client.out.received} received, window {client.out.window}')


lab.step('one OUT channel is replaced while the receive pipe runs, and the tunnel lives on')
client = attempt('session', session)
client.receive(LIFETIME)
attempt('one recycling', lambda: work(client, 0))
lab.check(client.recycled >= 1, f'{client.recycled} OUT channels replaced')
client.send(b'afterwards')
attempt('a call afterwards', lambda: work(client, 0))
client.close()

for outstanding in (0, 60):
    lab.step(f'{SIZE >> 20} MiB through the receive pipe, {outstanding} calls under way on IN: many channels in a row')
    client = attempt('session', session)
    client.receive(SIZE)
    attempt('under load', lambda: work(client, outstanding))
    lab.same(client.piped, SIZE, 'bytes received')
    lab.check(client.recycled >= SIZE // LIFETIME, f'{client.recycled} OUT channels replaced')
    lab.check(client.acks > client.recycled // 2, f'{client.acks} acknowledgements')
    lab.check(not outstanding or client.answered > outstanding, f'{client.answered} calls answered meanwhile')
    lab.step(f'   {client.recycled} OUT channels replaced, {client.acks} acknowledgements, {client.answered} calls answered')
    client.close()

if sys.argv[2] == 'http':
    lab.step('a successor that lands on another node is OUT_R1: FreeRDP knows no A6 of 44 bytes and gives up; the node closes all')
    client = attempt('session', lambda: session(successors=os.environ['LAB_MATE_TLS']))
    client.receive(SIZE)
    try:
        work(client, 0)
        lab.check(False, 'it went on')
    except GaveUp as reason:
        lab.same(str(reason), 'error parsing RTS PDU OUT_R1/A5 in state A6W', 'why it gave up')
    lines = lab.Lines()
    client.close()
    lab.check(lines.wait('closed', f'vc={client.vc[:4].hex()}', 'channel=in'), 'the tunnel stays')

lab.step('what makes it give up: the imitation against itself')


class Mute:
    """A connection that takes everything and brings nothing."""

    def __init__(self):
        self.buffer, self.sent = bytearray(), []

    def send(self, data):
        self.sent.append(data)

    def close(self):
        pass


def idle(state, out_state, negotiated):
    client = FreeRdp()
    client.inward, client.out = Mute(), OutChannel(Mute(), out_state)
    client.next = OutChannel(Mute(), 'A6W') if out_state != 'OPENED' else None
    client.connect = lambda address: Mute()
    client.state, client.negotiated, client.bind_pdu, client.auth3_pdu = state, negotiated, BIND, AUTH3
    return client


COOKIE = bytes(range(16))
ACK, ACK_TO = wire.flow_ack(0, WINDOW := 65536, COOKIE), wire.flow_ack_to(wire.TO_CLIENT, 0, WINDOW, COOKIE)
A3, C2 = wire.rts(0, wire.timeout(120000)), wire.conn_c1(65536, 120000)
BIND_ACK = wire.rpc(wire.BIND_ACK, 2, bytes(44))
ANSWER = wire.rpc(wire.RESPONSE, 9, bytes(8) + b'answer')
ALL = {'A3': A3, 'C2': C2, 'bind_ack': BIND_ACK, 'Ping': wire.ping(), 'ack': ACK, 'ack to the client': ACK_TO, 'OUT A2': wire.out_a1(),
       'OUT_R1 A6': wire.out_r1_a5(120000), 'OUT_R1 A10': wire.established(), 'OUT_R2 A6': wire.out_r2_a5(), 'OUT_R2 B3': wire.out_r2_b3(),
       'IN_R1 A4': wire.in_r1_a3(65536, 120000), 'IN_R2 A4': wire.in_r2_a3(), 'fault': wire.rpc(wire.FAULT, 9, bytes(16))}
ALWAYS = ('Ping', 'ack', 'ack to the client')
for state, out_state, negotiated, takes in (
        ('WAIT_A3W', 'OPENED', False, ('A3',)),
        ('WAIT_C2', 'OPENED', False, ('C2',)),
        ('OPENED', 'OPENED', False, ('bind_ack',)),
        ('OPENED', 'OPENED', True, ALWAYS + ('OUT A2',)),
        ('WAIT_A3W', 'OPENED', True, ALWAYS + ('OUT A2',)),   # after a recycling
        ('OPENED', 'A6W', True, ALWAYS + ('OUT_R2 A6',)),
        ('OPENED', 'B3W', True, ALWAYS + ('OUT_R2 B3',))):
    for name, pdu in ALL.items():
        client = idle(state, out_state, negotiated)
        try:
            client.fragment(pdu)
            took = True
        except GaveUp:
            took = False
        lab.same(took, name in takes, f'{name} in {state}, {out_state}, {"bound" if negotiated else "not bound"}')
        lab.same(client.inward.sent == [wire.ping()], name == 'Ping' and took, f'{name} in {out_state}: answered with a Ping')
for state, gives_up in (('OPENED', False), ('WAIT_A3W', True)):
    try:
        idle(state, 'OPENED', True).fragment(ANSWER)
        lab.check(not gives_up, f'an answer of 6 bytes in {state} is taken')
    except GaveUp:
        lab.check(gives_up, f'an answer of 6 bytes in {state} is not taken')
long = idle('OPENED', 'OPENED', True)
long.out.channel.buffer += wire.rpc(wire.RESPONSE, 9, bytes(4089 - 16))
try:
    long.out.pdu()
    lab.check(False, 'a fragment of 4089 bytes is taken')
except GaveUp:
    pass
lab.done()

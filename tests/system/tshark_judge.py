"""Part of 51-tshark-recycling.sh: what tshark calls the PDUs on each connection, against the sequences of the specification.

    tshark_judge.py TOP     the project's folder, for the list of all RTS PDUs

A sequence is written as its RTS PDUs in order, `*` for one or more RPC PDUs and `~` for none or more. What is legal at any
time on a connection is left out of it."""
import json
import os
import re
import subprocess
import sys

import lab
import rts_coverage

DIR = os.environ['LAB_DIR']
# What may come at any time: from who opened the connection, and back.
ANY_TIME = {
    'in': ({'FlowControlAckWithDestination', 'Ping', 'Keep-Alive'}, set()),
    'out': (set(), {'FlowControlAckWithDestination', 'Ping'}),
    'leg_in': ({'FlowControlAckWithDestination'}, {'FlowControlAck'}),
    'leg_out': ({'FlowControlAck', 'PingTrafficSentNotify'}, {'FlowControlAckWithDestination'}),
}
WARNING = 0x600000
BEGIN = 'CONN/A3 CONN/C2'

# A connection: what its opener sends, what comes back. in0, in1 ... are the client's IN channels, leg_in0 ... those to the server.
SEQUENCES = {
    'IN_R1': {
        'in0': ('CONN/B1 * IN_R1/A5', ''),
        'in1': ('IN_R1/A1 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * IN_R1/A4 *'),
        'leg_in0': ('CONN/B2 * IN_R1/A6 ~ IN_R1/B1', 'CONN/B3'),
        'leg_in1': ('IN_R1/A2 *', 'IN_R1/B2'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * IN_R1/A3 *')},
    'IN_R2': {
        'in0': ('CONN/B1 * IN_R2/A5', ''),
        'in1': ('IN_R2/A1 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * IN_R2/A4 *'),
        'leg_in0': ('CONN/B2 * IN_R2/A2 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * IN_R2/A3 *')},
    'OUT_R1': {
        'in0': ('CONN/B1 * OUT_R1/A7 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R1/A2 * OUT_R1/A6 * OUT_R1/A10'),
        'out1': ('OUT_R1/A3 OUT_R1/A11', '*'),
        'leg_in0': ('CONN/B2 * OUT_R1/A8 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * OUT_R1/A1 * OUT_R1/A5 * OUT_R1/A9'),
        'leg_out1': ('OUT_R1/A4', '*')},
    'OUT_R2': {
        'in0': ('CONN/B1 * OUT_R2/A7 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R2/A2 * OUT_R2/A6 * OUT_R2/B3'),
        'out1': ('OUT_R2/A3 OUT_R2/C1', '*'),
        'leg_in0': ('CONN/B2 * OUT_R2/A8 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2 OUT_R2/A4', 'CONN/C1 * OUT_R2/A1 * OUT_R2/A5 * OUT_R2/B1 *')},
    'OUT_R2 refused': {
        'in0': ('CONN/B1 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R2/A2 * OUT_R2/A6 *'),
        'out1': ('OUT_R2/A3', ''),
        'leg_in0': ('CONN/B2 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2 OUT_R2/A4', 'CONN/C1 * OUT_R2/A1 * OUT_R2/A5 OUT_R2/B2 *')},
    'all': {
        'in0': ('CONN/B1 * IN_R1/A5', ''),
        'in1': ('IN_R1/A1 * OUT_R1/A7 * IN_R2/A5', ''),
        'in2': ('IN_R2/A1 * OUT_R2/A7 * IN_R1/A5', ''),
        'in3': ('IN_R1/A1 * OUT_R1/A7 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * IN_R1/A4 * OUT_R1/A2 * OUT_R1/A6 * OUT_R1/A10'),
        'out1': ('OUT_R1/A3 OUT_R1/A11', '* IN_R2/A4 * OUT_R2/A2 * OUT_R2/A6 * OUT_R2/B3'),
        'out2': ('OUT_R2/A3 OUT_R2/C1', '* IN_R1/A4 * OUT_R1/A2 * OUT_R1/A6 * OUT_R1/A10'),
        'out3': ('OUT_R1/A3 OUT_R1/A11', '*'),
        'leg_in0': ('CONN/B2 * IN_R1/A6 ~ IN_R1/B1', 'CONN/B3'),
        'leg_in1': ('IN_R1/A2 * OUT_R1/A8 * IN_R2/A2 * OUT_R2/A8 * IN_R1/A6 ~ IN_R1/B1', 'IN_R1/B2'),
        'leg_in2': ('IN_R1/A2 * OUT_R1/A8 *', 'IN_R1/B2'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * IN_R1/A3 * OUT_R1/A1 * OUT_R1/A5 * OUT_R1/A9'),
        'leg_out1': ('OUT_R1/A4 OUT_R2/A4', '* IN_R2/A3 * OUT_R2/A1 * OUT_R2/A5 * OUT_R2/B1 * IN_R1/A3 * OUT_R1/A1 * OUT_R1/A5 * OUT_R1/A9'),
        'leg_out2': ('OUT_R1/A4', '*')},
    'any time': {
        'in0': ('CONN/B1 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} *'),
        'leg_in0': ('CONN/B2 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2', 'CONN/C1 *')},
}
SEQUENCES['OUT_R2, C1 first'] = SEQUENCES['OUT_R2']
for name in ('IN_R2', 'OUT_R2'):   # the daemon itself is the server
    SEQUENCES[f'{name} here'] = {key: value for key, value in SEQUENCES[name].items() if not key.startswith('leg')}

# The figures of 3.2.1.5.3: in which order the PDUs pass the wires. C1 may come at any time between A6 and the successor's 200.
FIGURES = {
    'IN_R1': 'IN_R1/A1 IN_R1/A2 IN_R1/A3 IN_R1/A4 IN_R1/A5 IN_R1/A6 IN_R1/B1 IN_R1/B2',
    'IN_R2': 'IN_R2/A1 IN_R2/A2 IN_R2/A3 IN_R2/A4 IN_R2/A5',
    'OUT_R1': 'OUT_R1/A1 OUT_R1/A2 OUT_R1/A3 OUT_R1/A4 OUT_R1/A5 OUT_R1/A6 OUT_R1/A7 OUT_R1/A8 OUT_R1/A9 OUT_R1/A10 OUT_R1/A11',
    'OUT_R2': 'OUT_R2/A1 OUT_R2/A2 OUT_R2/A3 OUT_R2/A4 OUT_R2/A5 OUT_R2/A6 OUT_R2/A7 OUT_R2/A8 OUT_R2/B1 OUT_R2/B3 OUT_R2/C1',
    'OUT_R2, C1 first': 'OUT_R2/A3 OUT_R2/A4 OUT_R2/A5 OUT_R2/A6 OUT_R2/C1 OUT_R2/A7 OUT_R2/A8 OUT_R2/B1 OUT_R2/B3',
    'any time': 'CONN/A2 CONN/A3 CONN/C1 CONN/C2', }


def names(info, commands, flags):
    """All names tshark gives a PDU. It is known to call RTS PDUs without commands malformed, to know no OUT_R2/B2 with
    NegativeANCE, and not to expect the Version in OUT_R2/A8, which A7 has and which passes unchanged."""
    if commands == '0':
        return {'1': {'Ping'}, '64': {'Echo'}}[flags]
    found = set(re.findall(r'[A-Z]+(?:_R[12])?/[A-Z]\d+|FlowControlAckWithDestination|FlowControlAck|Keep-Alive', info))
    if 'unknown RTS PDU' in info:
        found = {'OUT_R2/B2'}
    return found | ({'OUT_R2/A8'} if 'OUT_R2/A7' in found else set())


def dissect(side):
    """{client's port: [(frame, to the server, names or None for an RPC PDU)]}"""
    fields = ('frame.time_epoch', 'tcp.srcport', 'tcp.dstport', 'dcerpc.pkt_type', 'dcerpc.cn_rts_commands_nb', 'dcerpc.cn_rts_flags',
              '_ws.malformed', '_ws.expert.severity', '_ws.col.Info')
    words = ['tshark', '-r', f'{DIR}/{side}.pcap', '-d', 'tcp.port==6001,dcerpc', '-o', 'tcp.analyze_sequence_numbers:FALSE',
             '-o', 'tcp.desegment_tcp_streams:FALSE', '-T', 'fields', *(word for field in fields for word in ('-e', field))]
    found = {}
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        time, source, target, kind, commands, flags, malformed, severity, info = line.split('\t')
        flags = str(int(flags or '0', 0))
        worst = max(map(int, severity.split(','))) if severity else 0
        if commands != '0':   # of RPC PDUs tshark notes that it cannot pair them across two connections
            lab.check(not malformed and worst < (WARNING if kind != '20' else 1), f'{side}: tshark objects to {info}: {malformed} {worst:#x}')
        to_server = target == '6001'
        rts = names(info, commands, flags) if kind == '20' else None
        lab.check(rts is None or rts, f'{side}: tshark has no name for {info}')
        found.setdefault(int(source if to_server else target), []).append((float(time), to_server, rts))
    return found


def legs(vc):
    """{name: client's port} of the connections to the server, by its log."""
    events = lab.Events()
    events.start = 0
    peers = {event['conn']: event['peer'] for event in events.events('accept')}
    found = {}
    for event in events.events('leg', vc=vc):
        kind = 'leg_' + event['leg']
        found[f'{kind}{sum(name.startswith(kind) for name in found)}'] = peers[event['conn']]
    return found


def match(wanted, pdus):
    """Whether the PDUs are the sequence; the name that each has in it."""
    at, called, words = 0, [], wanted.split()
    for word in words:
        if word in '*~':
            first = at
            while at < len(pdus) and pdus[at][2] is None:
                at += 1
            if word == '*' and at == first:
                return None
        elif at < len(pdus) and pdus[at][2] and word in pdus[at][2]:
            called.append((pdus[at][0], word))
            at += 1
        else:
            return None
    return called if at == len(pdus) else None


def text(pdus):
    return ' '.join('/'.join(sorted(pdu[2])) if pdu[2] else '*' for pdu in pdus)


sides = {'client': dissect('client'), 'server': dissect('server')}
with open(f'{DIR}/plan.json') as file:
    plan = json.load(file)
sent, received, judged = set(), set(), {'client': set(), 'server': set()}
for tunnel in plan:
    sequence, found, passed = tunnel['sequence'], legs(tunnel['vc']), []
    wanted = SEQUENCES[sequence]
    ports = {name: int(local.rsplit(':', 1)[1]) for name, local in tunnel['links'].items()}
    if not sequence.endswith('here'):
        ports.update(found)
    lab.same(sorted(ports), sorted(wanted), f'{sequence}: connections')
    for name in sorted(set(ports) & set(wanted)):
        side = 'server' if name.startswith('leg') else 'client'
        judged[side].add(ports[name])
        for way, expected in zip((True, False), wanted[name]):
            any_time = ANY_TIME[name.rstrip('0123456789')][not way]
            pdus = [pdu for pdu in sides[side].get(ports[name], []) if pdu[1] == way]
            (sent if way == (side == 'server') else received).update(*(pdu[2] & any_time for pdu in pdus if pdu[2]))
            pdus = [pdu for pdu in pdus if not (pdu[2] and pdu[2] & any_time)]
            called = match(expected, pdus)
            if lab.check(called is not None, f'{sequence}, {name} {">" if way else "<"}: {text(pdus)}, expected {expected}'):
                passed += called
                (sent if way == (side == 'server') else received).update(word for _, word in called)
    order = [name for _, name in sorted(passed)]
    if sequence in FIGURES:
        figure = FIGURES[sequence].split()
        lab.same([name for name in order if name in figure], figure, f'{sequence}: the order on the wires')
    lab.step(f'{sequence}: {len(passed)} RTS PDUs on {len(ports)} connections')
for side, known in judged.items():
    for port in set(sides[side]) - known:
        lab.same(text(sides[side][port]), 'Echo', f'{side}: a connection that nobody planned')
        sent.add('Echo')
rts_coverage.report(sys.argv[1], sent, received)
lab.done()

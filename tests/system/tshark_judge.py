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
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R1/A2 ~ OUT_R1/A6 * OUT_R1/A10'),
        'out1': ('OUT_R1/A3 OUT_R1/A11', '*'),
        'leg_in0': ('CONN/B2 * OUT_R1/A8 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * OUT_R1/A1 ~ OUT_R1/A5 * OUT_R1/A9'),
        'leg_out1': ('OUT_R1/A4', '*')},
    'OUT_R2': {
        'in0': ('CONN/B1 * OUT_R2/A7 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R2/A2 ~ OUT_R2/A6 * OUT_R2/B3'),
        'out1': ('OUT_R2/A3 OUT_R2/C1', '*'),
        'leg_in0': ('CONN/B2 * OUT_R2/A8 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2 OUT_R2/A4', 'CONN/C1 * OUT_R2/A1 ~ OUT_R2/A5 * OUT_R2/B1 *')},
    'OUT_R2 refused': {
        'in0': ('CONN/B1 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R2/A2 ~ OUT_R2/A6 *'),
        'out1': ('OUT_R2/A3', ''),
        'leg_in0': ('CONN/B2 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2 OUT_R2/A4', 'CONN/C1 * OUT_R2/A1 ~ OUT_R2/A5 OUT_R2/B2 *')},
    'all': {
        'in0': ('CONN/B1 * IN_R1/A5', ''),
        'in1': ('IN_R1/A1 * OUT_R1/A7 * IN_R2/A5', ''),
        'in2': ('IN_R2/A1 * OUT_R2/A7 * IN_R1/A5', ''),
        'in3': ('IN_R1/A1 * OUT_R1/A7 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * IN_R1/A4 * OUT_R1/A2 ~ OUT_R1/A6 * OUT_R1/A10'),
        'out1': ('OUT_R1/A3 OUT_R1/A11', '* IN_R2/A4 * OUT_R2/A2 ~ OUT_R2/A6 * OUT_R2/B3'),
        'out2': ('OUT_R2/A3 OUT_R2/C1', '* IN_R1/A4 * OUT_R1/A2 ~ OUT_R1/A6 * OUT_R1/A10'),
        'out3': ('OUT_R1/A3 OUT_R1/A11', '*'),
        'leg_in0': ('CONN/B2 * IN_R1/A6 ~ IN_R1/B1', 'CONN/B3'),
        'leg_in1': ('IN_R1/A2 * OUT_R1/A8 * IN_R2/A2 * OUT_R2/A8 * IN_R1/A6 ~ IN_R1/B1', 'IN_R1/B2'),
        'leg_in2': ('IN_R1/A2 * OUT_R1/A8 *', 'IN_R1/B2'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * IN_R1/A3 * OUT_R1/A1 ~ OUT_R1/A5 * OUT_R1/A9'),
        'leg_out1': ('OUT_R1/A4 OUT_R2/A4', '* IN_R2/A3 * OUT_R2/A1 ~ OUT_R2/A5 * OUT_R2/B1 * IN_R1/A3 * OUT_R1/A1 ~ OUT_R1/A5 * OUT_R1/A9'),
        'leg_out2': ('OUT_R1/A4', '*')},
    'OUT_R2 refused by ours': {
        'in0': ('CONN/B1 * OUT_R2/A7', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R2/A2 ~ OUT_R2/A6'),
        'out1': ('OUT_R2/A3', ''),
        'leg_in0': ('CONN/B2 * OUT_R2/A8', 'CONN/B3'),
        'leg_out0': ('CONN/A2 OUT_R2/A4', 'CONN/C1 * OUT_R2/A1 ~ OUT_R2/A5 OUT_R2/B2')},
    'OUT_R1, a node ends': {   # the other node is inbound proxy, server and the new outbound proxy
        'in0': ('CONN/B1 * OUT_R1/A7 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} * OUT_R1/A2 ~ OUT_R1/A6 * OUT_R1/A10'),
        'out1': ('OUT_R1/A3 OUT_R1/A11', '*'),
        'leg_out0': ('CONN/A2', 'CONN/C1 * OUT_R1/A1 ~ OUT_R1/A5 * OUT_R1/A9')},
    'any time': {
        'in0': ('CONN/B1 *', ''),
        'out0': ('CONN/A1', f'{BEGIN} *'),
        'leg_in0': ('CONN/B2 *', 'CONN/B3'),
        'leg_out0': ('CONN/A2', 'CONN/C1 *')},
}
SEQUENCES['OUT_R2, C1 first'] = SEQUENCES['OUT_R2']

# What our own client sees on its connections, in the order of time: the two requests begin together, and so do A7 and C1.
CLIENT = {
    'CONN': ('CONN/A1 CONN/B1 CONN/A3 CONN/C2', 'CONN/B1 CONN/A1 CONN/A3 CONN/C2', 'CONN/A1 CONN/A3 CONN/B1 CONN/C2'),
    'IN': ('IN_R1/A1 IN_R1/A4 IN_R1/A5', 'IN_R2/A1 IN_R2/A4 IN_R2/A5'),
    'OUT': ('OUT_R1/A2 OUT_R1/A3 OUT_R1/A6 OUT_R1/A7 OUT_R1/A10 OUT_R1/A11',
            *(f'OUT_R2/A2 OUT_R2/A3 OUT_R2/A6 {steps}' for steps in
              ('OUT_R2/A7 OUT_R2/C1 OUT_R2/B3', 'OUT_R2/C1 OUT_R2/A7 OUT_R2/B3', 'OUT_R2/A7 OUT_R2/B3 OUT_R2/C1'))),
}

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
    found = set(re.findall(r'[A-Z]+(?:_R[12])?/[A-Z]\d+|FlowControlAckWithDestination|FlowControlAck|Keep-Alive|PingTrafficSentNotify', info))
    if 'unknown RTS PDU' in info:
        found = {'OUT_R2/B2'}
    return found | ({'OUT_R2/A8'} if 'OUT_R2/A7' in found else set())


def dissect(side):
    """{connection: [(frame, to the server, names or None for an RPC PDU)]}. A connection is the client's address and port and
    the server's address, as text."""
    fields = ('frame.time_epoch', 'ip.src', 'tcp.srcport', 'ip.dst', 'tcp.dstport', 'dcerpc.pkt_type', 'dcerpc.cn_rts_commands_nb',
              'dcerpc.cn_rts_flags', '_ws.malformed', '_ws.expert.severity', '_ws.col.Info')
    words = ['tshark', '-r', f'{DIR}/{side}.pcap', '-d', 'tcp.port==6001,dcerpc', '-o', 'tcp.analyze_sequence_numbers:FALSE',
             '-o', 'tcp.desegment_tcp_streams:FALSE', '-T', 'fields', *(word for field in fields for word in ('-e', field))]
    found = {}
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        time, source, source_port, target, target_port, kind, commands, flags, malformed, severity, info = line.split('\t')
        flags = str(int(flags or '0', 0))
        worst = max(map(int, severity.split(','))) if severity else 0
        if commands != '0':   # of RPC PDUs tshark notes that it cannot pair them across two connections
            lab.check(not malformed and worst < (WARNING if kind != '20' else 1), f'{side}: tshark objects to {info}: {malformed} {worst:#x}')
        to_server = target_port == '6001'
        rts = names(info, commands, flags) if kind == '20' else None
        lab.check(rts is None or rts, f'{side}: tshark has no name for {info}')
        connection = f'{source}:{source_port} {target}' if to_server else f'{target}:{target_port} {source}'
        found.setdefault(connection, []).append((float(time), to_server, rts))
    return found


def legs(vc):
    """{name: connection} of the connections to the server, by its log: the test server's, or the daemons'."""
    events = lab.Events()
    events.start = 0
    peers = {event['conn']: event['peer'] for event in events.events('accept')}
    rows = [(event['leg'], f'{peers[event["conn"]]} {NET}.21') for event in events.events('leg', vc=vc)]
    for path, address in ((lab.LOG, f'{NET}.2'), (os.environ['LAB_MATE_LOG'], f'{NET}.3')):
        with open(path) as log:
            joined = [re.search(r'channel=(\w+) peer=(\S+)', line) for line in log if f' joined vc={vc[:8]} ' in line]
            rows += [(line[1], f'{line[2]} {address}') for line in joined]
    found = {}
    for way, connection in rows:
        kind = 'leg_' + way
        found[f'{kind}{sum(name.startswith(kind) for name in found)}'] = connection
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


def judge(tunnel):
    """One tunnel of the plan: each connection, and the order across them."""
    sequence, passed = tunnel['sequence'], []
    wanted, server_side = SEQUENCES[sequence], SIDES[tunnel['target']]
    found = legs(tunnel['vc'])
    if server_side == 'nodes':   # what comes from this node to this node passes no socket
        wanted = {name: ways for name, ways in wanted.items() if not name.startswith('leg') or name in found}
    connections = {**tunnel['links'], **found}
    lab.same(sorted(connections), sorted(wanted), f'{sequence}: connections')
    for name in sorted(set(connections) & set(wanted)):
        side = server_side if name.startswith('leg') else 'client'
        judged[side].add(connections[name])
        for to_server, expected in zip((True, False), wanted[name]):
            any_time = ANY_TIME[name.rstrip('0123456789')][not to_server]
            pdus = [pdu for pdu in sides[side].get(connections[name], []) if pdu[1] == to_server]
            note(side, to_server, *(pdu[2] & any_time for pdu in pdus if pdu[2]))
            pdus = [pdu for pdu in pdus if not (pdu[2] and pdu[2] & any_time)]
            called = match(expected, pdus)
            if lab.check(called is not None, f'{sequence}, {name} {">" if to_server else "<"}: {text(pdus)}, expected {expected}'):
                passed += called
                note(side, to_server, {word for _, word in called})
    order = [name for _, name in sorted(passed)]
    if sequence in FIGURES:
        words = ' '.join(way for ways in wanted.values() for way in ways).split()
        figure = [name for name in FIGURES[sequence].split() if name in words]
        lab.same([name for name in order if name in figure], figure, f'{sequence}: the order on the wires')
    lab.step(f'{sequence}, {server_side}: {len(passed)} RTS PDUs on {len(connections)} connections')


def note(side, to_server, *groups):
    """Whom these PDUs were seen by: to or from the proxies on the side `client`, else between them and a server, ours or not."""
    proxies_sent = to_server != (side == 'client')
    for names_seen in groups:
        seen.update(('proxy', 'sent' if proxies_sent else 'received', name) for name in names_seen)
        if side in ('ours', 'nodes'):
            seen.update(('server', 'received' if proxies_sent else 'sent', name) for name in names_seen)


def judge_client(connections):
    """Our own client: one virtual connection, and whole sequences on it one after the other, IN and OUT independently."""
    rows = sorted((pdu for connection in connections for pdu in sides['client'][connection] if pdu[2]), key=lambda pdu: pdu[0])
    senders = {name: sender for name, _, sender, _ in rts_coverage.rows(TOP)}
    counts = {}
    for way, shapes in CLIENT.items():
        shapes = [shape.split() for shape in shapes]
        known = {name for shape in shapes for name in shape}
        mine = [row for row in rows if row[2] & known]
        rows = [row for row in rows if not row[2] & known]
        counts[way] = 0
        while mine:
            fits = [shape for shape in shapes if all(name in row[2] for name, row in zip(shape, mine))]
            if not lab.check(fits, f'our client, {way}: {text(mine[:6])}'):
                break
            for name, (_, to_server, _) in zip(fits[0], mine):
                if lab.check(to_server == (senders[name] == 'client'), f'our client: {name} in the wrong direction'):
                    seen.add(('client', 'sent' if to_server else 'received', name))
            mine = mine[len(fits[0]):]
            counts[way] += 1
    for row in rows:
        lab.check(row[2] & {'FlowControlAckWithDestination'} or (row[2] == {'Ping'} and not row[1]), f'our client: {text([row])}')
    lab.same(counts['CONN'], 1, 'virtual connections of our client')
    lab.step(f'our own client: {counts["IN"]} IN and {counts["OUT"]} OUT sequences on {len(connections)} connections')


TOP, NET = sys.argv[1], os.environ['LAB_NET']
SIDES = {os.environ['T_http']: 'other', 'test01:7050': 'ours', os.environ['T_plain']: 'nodes'}
sides = {side: dissect(side) for side in ('client', *SIDES.values())}
judged = {side: set() for side in sides}
seen = set()   # (role, sent or received, name)
with open(f'{DIR}/plan.json') as file:
    for entry in json.load(file):
        judge(entry)
left = {connection for connection in sides['client'] if connection not in judged['client']}
echoes = {connection for connection in left if text(sides['client'][connection]) == 'Echo'}
seen.update(('proxy', 'sent', 'Echo') for _ in echoes)
judge_client(left - echoes)
for side in set(sides) - {'client'}:
    for connection in set(sides[side]) - judged[side]:
        lab.check(False, f'{side}: a connection that nobody planned, {connection}: {text(sides[side][connection])}')
rts_coverage.report(TOP, seen)
lab.done()

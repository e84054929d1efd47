"""Part of 51-tshark-recycling.sh: for each RTS PDU of MS-RPCH 2.2.4, the test that saw it sent and the one that saw it received.

What the two proxies send and receive must have been seen on a socket, in this run or in the scenario named here. The other
roles have no socket of their own: the client is rpctunnel-ping's, the server ends tunnels inside the daemon; their PDUs are
left to unit tests, named here, and those must exist."""
import os
import re

import lab

PROXIES = 'inbound', 'outbound'

# Not in this run. An idle OUT channel gets its first Ping after a minute, and 52 of them make one report.
ELSEWHERE = {
    ('Ping', 'sent'): '33-ping',
    ('PingTrafficSentNotify', 'sent'): 'OutboundProxy.reportsPingTrafficInSteps',
    ('PingTrafficSentNotify', 'received'): 'Server.pingTrafficIsTaken',
    ('Keep-Alive', 'sent'): '51-tshark-recycling (the test client)',
    ('Echo', 'received'): '34-rpctunnel-ping',
    ('CONN/A1', 'sent'): '34-rpctunnel-ping',
    ('CONN/B1', 'sent'): '34-rpctunnel-ping',
    ('CONN/A3', 'received'): '34-rpctunnel-ping',
    ('CONN/C2', 'received'): '34-rpctunnel-ping',
    ('CONN/B3', 'sent'): 'Server.establishesInBothOrders',
    ('CONN/C1', 'sent'): 'Server.establishesInBothOrders',
    ('CONN/A2', 'received'): 'Server.establishesInBothOrders',
    ('CONN/B2', 'received'): 'Server.establishesInBothOrders',
    ('OUT_R2/B2', 'sent'): 'OutRecycling2.serverRefusesAnotherCookie',
}
# Who sends what more than one role may send.
SENDERS = {'Ping': 'outbound', 'FlowControlAck': 'outbound', 'FlowControlAckWithDestination': 'inbound'}
GROUPS = {'IN_R1': 'InRecycling1', 'IN_R2': 'InRecycling2', 'OUT_R1': 'OutRecycling1', 'OUT_R2': 'OutRecycling2'}


def exists(test, top):
    if test[0].isdigit():
        return os.path.exists(os.path.join(top, 'tests', 'system', test.split()[0] + '.sh'))
    group, name = test.split('.')
    unit = os.path.join(top, 'tests', 'unit', 'rpch')
    return any(f'TEST({group}, {name})' in open(os.path.join(unit, file)).read() for file in os.listdir(unit))


def report(top, sent, received):
    with open(os.path.join(top, 'src', 'rpch', 'rts_table.cc')) as file:
        text = file.read()
    rows = re.findall(r'pdu\(\w+,\s*"([^"]+)",\s*"([\d.]+)",.*?\},\s*\d+,\s*(\w+), (\w+)', text, re.S)
    lab.same(len(rows), 50, 'rows in the table of RTS PDUs: 2.2.4.2 to 2.2.4.51')
    print(f'   {"RTS PDU":30} {"2.2.4":9} {"sent: by, seen by":60} received: by, seen by')
    for name, section, sender, receiver in rows:
        line = f'   {name:30} {section:9} '
        for way, role, seen in (('sent', SENDERS.get(name, sender), sent), ('received', receiver, received)):
            test = '51-tshark-recycling' if name in seen else ELSEWHERE.get((name, way))
            if not test and role not in PROXIES:
                test = f'{GROUPS[name.split("/")[0]]}.{role}' if name.split('/')[0] in GROUPS else None
            if lab.check(test, f'{name}: no test has seen the {role} proxy {way[:4]} it'):
                lab.check(exists(test, top), f'{name}, {way}: there is no test {test}')
            line += f'{role + ", " + str(test):60} '
        print(line.rstrip())

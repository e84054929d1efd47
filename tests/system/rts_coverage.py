"""Part of 51-tshark-recycling.sh: for each RTS PDU of MS-RPCH 2.2.4, the test that saw it sent and the one that saw it received.

What our roles send and receive must have been seen on a socket, in this run or in the scenario named here: of the two proxies
and the server by the daemon, of the client by the generator of the benchmarks, which has the client role of rpctunnel-ping."""
import os
import re

import lab

THIS = '51-tshark-recycling'
# Not in this run. An idle OUT channel gets its first Ping after a minute.
ELSEWHERE = {
    ('Ping', 'sent'): '33-ping',
    ('Keep-Alive', 'sent'): f'{THIS} (the test client)',   # ours never has anything to change
    ('Echo', 'received'): '34-rpctunnel-ping',
}
# Who sends what more than one role may send.
SENDERS = {'Ping': 'outbound', 'FlowControlAck': 'outbound', 'FlowControlAckWithDestination': 'inbound'}


def rows(top):
    """(name, section, sender, receiver) of each row in the daemon's own table."""
    with open(os.path.join(top, 'src', 'rpch', 'rts_table.cc')) as file:
        text = file.read()
    return re.findall(r'pdu\(\w+,\s*"([^"]+)",\s*"([\d.]+)",.*?\},\s*\d+,\s*(\w+), (\w+)', text, re.S)


def report(top, seen):
    """`seen`: (proxy, server or client; sent or received; name)."""
    table = rows(top)
    lab.same(len(table), 50, 'rows in the table of RTS PDUs: 2.2.4.2 to 2.2.4.51')
    print(f'   {"RTS PDU":30} {"2.2.4":9} {"sent: by, seen by":45} received: by, seen by')
    for name, section, sender, receiver in table:
        line = f'   {name:30} {section:9} '
        for way, role in (('sent', SENDERS.get(name, sender)), ('received', receiver)):
            group = role if role in ('client', 'server') else 'proxy'
            test = THIS if (group, way, name) in seen else ELSEWHERE.get((name, way))
            if lab.check(test, f'{name}: no test has seen it {way} by the {role} role'):
                lab.check(os.path.exists(os.path.join(top, 'tests', 'system', test.split()[0] + '.sh')), f'there is no test {test}')
            line += f'{role + ", " + str(test):45} '
        print(line.rstrip())

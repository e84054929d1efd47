"""Part of 13-guid.sh."""
import os
import subprocess

import lab
import rpch_client
import wire

MAILBOX = os.environ['MAILBOX']
SERVERS = {1: os.environ['SAMBA1'], 2: os.environ['SAMBA2']}


def connections(number):
    """Established connections to one Samba server, whatever its port."""
    text = subprocess.run(['ss', '-Htn', 'state', 'established', 'dst', SERVERS[number]], capture_output=True, text=True, check=True)
    return len(text.stdout.splitlines())


def call(tunnel):
    lab.same(tunnel.bind(wire.MGMT), wire.BIND_ACK, 'bind')
    listening = tunnel.call(2)
    lab.same(listening, bytes([0, 0, 0, 0, 1, 0, 0, 0]), 'is_server_listening')


lab.step('three ports by GUID, by FQDN, by NetBIOS name')
for target in (f'{MAILBOX}:6001', f'{MAILBOX.upper()}:6002', f'{MAILBOX}:6004', 'exch01.lab.example:6001', 'EXCH01:6002'):
    before = connections(1), connections(2)
    with lab.tunnel(target).open() as tunnel:
        call(tunnel)
        lab.same((connections(1), connections(2)), (before[0] + 1, before[1]), f'{target}: lands on EXCH01')
    lab.check(lab.soon(lambda: connections(1) == before[0]), f'{target}: the connection to the server ends with the tunnel')

lab.step('unknown mailboxes: 404')
for name in ('ad44b1e0-e44f-4a16-9396-3a437f594f89@tailspintoys.com', MAILBOX.replace('tailspin', 'wingtip')):
    for method, length in (('RPC_IN_DATA', 1 << 30), ('RPC_OUT_DATA', 76)):
        with lab.channel() as channel:
            channel.request(method, f'{name}:6001', length, auth=lab.AUTH)
            if length == 76:
                channel.send(wire.conn_a1(os.urandom(16), os.urandom(16), 65536))
            reply = channel.reply()
            lab.same(reply.status, 404, f'{method} {name}')
            lab.same(reply.get('x-caserrorcode'), 'MailboxGuidWithDomainNotFound', f'{method} {name}: X-CasErrorCode')

lab.step('a port the server does not offer')
with lab.channel() as channel:
    channel.request('RPC_IN_DATA', f'{MAILBOX}:6003', 1 << 30, auth=lab.AUTH)
    lab.same(str(channel.reply()), 'HTTP/1.0 503 RPC Error: 6ba', 'port 6003')

lab.step('the active copy moves: the old tunnel is closed, the next call lands on the other server')
old = lab.tunnel(f'{MAILBOX}:6001').open()
call(old)
other = lab.tunnel('exch01:6002').open()
call(other)
lines = lab.Lines()
before = connections(2)
subprocess.run(os.environ['CTL'].split() + ['activate', 'DB01', 'EXCH02'], check=True, stdout=subprocess.DEVNULL)
with lab.tunnel(f'{MAILBOX}:6001').open() as at_once:
    call(at_once)
    lab.same(connections(2), before + 1, 'the very next call lands on the other server')
lab.soon(lambda: connections(2) == before)
try:
    lab.check(old.outward.closed(limit=20), 'the tunnel to the old server is closed in order')
except rpch_client.Slow:
    lab.check(False, 'the tunnel to the old server is still open after 20 s')
before = connections(1), connections(2)
with lab.tunnel(f'{MAILBOX}:6001').open() as tunnel:
    call(tunnel)
    lab.same(connections(2), before[1] + 1, 'the call lands on EXCH02')
lab.same(other.call(2), bytes([0, 0, 0, 0, 1, 0, 0, 0]), 'a tunnel by server name stays where it is')
other.close()
lab.done()

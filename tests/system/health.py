"""Part of 52-health.sh."""
import csv
import os
import signal
import socket
import sqlite3

import lab

DATABASE, HAPROXY = os.environ['LAB_DB'], os.environ['LAB_DIR'] + '/haproxy.sock'


def balancer():
    """{'get/plain': ('UP', 'L7OK', '200'), ...}: what haproxy thinks of the node."""
    with socket.socket(socket.AF_UNIX) as talk:
        try:
            talk.connect(HAPROXY)
        except OSError:
            return {}
        talk.sendall(b'show stat -1 4 -1\n')
        text = b''.join(iter(lambda: talk.recv(65536), b'')).decode()
    rows = csv.DictReader(text.removeprefix('# ').splitlines())
    # A star stands there while a check is under way, and then no code.
    return {f"{row['pxname']}/{row['svname']}": (row['status'], row['check_status'].removeprefix('* '), row['check_code']) for row in rows}


def all_are(status, why, code, connect='UP', limit=6.0):
    """Waits until haproxy holds each server for `status` that it asks by HTTP, because of `why`, and the others for `connect`."""
    def good():
        state = balancer()
        http = [value for name, value in state.items() if not name.startswith('connect/')]
        return len(http) == 7 and len(state) == 9 and all(value[:2] == (status, why) for value in http) and \
            any(value[2] == code for value in http) and all(value[0] == connect for value in state.values() if value not in http)
    lab.check(lab.soon(good, limit), f'not all servers are {status}, {why} {code}: {balancer()}')


def ask(channel, method='GET', path='/rpc/healthcheck.htm'):
    channel.request(method, None, path=path)
    reply = channel.reply(body=method != 'HEAD')
    return reply.status, reply.body


def refused():
    """Both event loops have closed their listeners."""
    try:
        lab.channel().socket.close()
    except ConnectionError:
        return True
    return False


lab.step('up')
all_are('UP', 'L7OK', '200')
for tls in False, True:
    with lab.channel(tls=tls) as channel:
        lab.same([ask(channel), ask(channel, 'HEAD'), ask(channel, 'OPTIONS', '/')], [(200, b'200 OK\n'), (200, b''), (200, b'200 OK\n')],
                 'on one connection')

lab.step('down while the directory cannot be read, and up again')
directory = sqlite3.connect(DATABASE, isolation_level=None)
directory.execute('PRAGMA legacy_alter_table = ON')    # nothing else changes with the name
directory.execute('ALTER TABLE mailboxes RENAME TO elsewhere')
all_are('DOWN', 'L7STS', '503')
directory.execute('ALTER TABLE elsewhere RENAME TO mailboxes')
all_are('UP', 'L7OK', '200')
directory.close()

lab.step('down as soon as it drains, with tunnels open')
tunnels = [lab.tunnel(os.environ['T_http']).open() for _ in range(8)]
half = lab.channel()
half.send(b'GET /rpc/health')
lab.soon(lambda: False, 0.2)
os.kill(lab.PID, signal.SIGTERM)
lab.check(lab.soon(refused), 'new connections are taken')
half.send(b'check.htm HTTP/1.1\r\nHost: x\r\n\r\n')
reply = half.reply()
lab.same((str(reply), reply.get('Connection')), ('HTTP/1.1 503 Service Unavailable', 'close'), 'a request under way')
all_are('DOWN', 'L4CON', '', connect='DOWN', limit=2)
with open(f'/proc/{lab.PID}/stat') as file:
    lab.check(file.read().rsplit(')', 1)[1].split()[0] != 'Z', 'the node has gone before haproxy saw it drain')
for tunnel in tunnels:
    lab.check(tunnel.outward.closed(6) is not None, 'a tunnel stays open')

lab.step('in silence')
with open(lab.LOG) as log:
    loud = [line for line in log if line.split()[1] != 'info' and line.split()[2] in ('closed', 'refused', 'turned-away')]
lab.same(loud, [], 'lines in the log')
lab.done()

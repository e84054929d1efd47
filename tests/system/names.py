"""Part of 17-names.sh."""
import os

import lab
import wire

FOUR = os.environ['FOUR']
TABLES = [os.environ['TABLE'] + suffix for suffix in ('.1', '.2')]
QUERIES = [os.environ['QUERIES'] + suffix for suffix in ('.1', '.2')]
SILENT = [os.environ[f'T_silent{number}'] for number in range(1, 61)]


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def replace(path, old, new):
    with open(path) as file:
        text = file.read()
    write(path, text.replace(old, new))


def works(name, text):
    with lab.tunnel(os.environ[f'T_{name}']).open() as tunnel:
        lab.same(tunnel.bind(), wire.BIND_ACK, text)
        tunnel.echo()


def begin(target):
    tunnel = lab.tunnel(target, limit=30)
    tunnel.request_in()
    tunnel.request_out()
    tunnel.outward.send(tunnel.a1())
    tunnel.inward.send(tunnel.b1())
    return tunnel


def fails(name, *words):
    lines = lab.Lines()
    with begin(os.environ[f'T_{name}']) as tunnel:
        lab.same(str(tunnel.outward.reply()), 'HTTP/1.0 503 RPC Error: 6ba', name)
    lab.check(lines.wait(*words), f'{name}: no line with {words}')


common = f'''
server01.lab.test A {FOUR}
both.lab.test AAAA 2001:db8::1
both.lab.test A {FOUR}
six.lab.test AAAA ::1
long.lab.test A {FOUR}
broken.test broken
silent.test silent
''' + ''.join(f'long.lab.test A 127.99.0.{number}\n' for number in range(1, 60))
write(TABLES[0], common)
write(TABLES[1], common + f'only-second.lab.test A {FOUR}\n')

lab.step('/etc/hosts, without a query; a change of it counts at once')
works('hosts', 'an alias of /etc/hosts')
lab.same(open(QUERIES[0]).read(), '', 'queries for a name of /etc/hosts')
fails('moved', 'moved.lab.test', 'Connection refused')
replace('/etc/hosts', ' moved.lab.test', f'\n{FOUR} moved.lab.test')
works('moved', 'a name that has moved in /etc/hosts')

lab.step('name servers: the search domain, both families, IPv6 alone, an answer that is too long for UDP')
works('short', 'a name without a domain')
works('full', 'a full name')
works('both', 'a name with an IPv6 address that nobody has')
works('six', 'a name with an IPv6 address alone')
lines = lab.Lines(QUERIES[0])
works('long', 'an answer that is too long for UDP')
lab.check(lines.wait('tcp long.lab.test A'), 'the long answer was not asked for over TCP')

lab.step('failures say whose they are')
fails('unknown', 'unknown.lab.test', 'no such host')
fails('broken', 'x.broken.test', 'refused, or a failure told, by the name servers (127.53.0.1, 127.53.0.2)')

lab.step('the first name server is silent: the second is asked')
write(TABLES[0], '. silent\n')
works('second', 'the second name server')

lab.step('/etc/resolv.conf changes, without a signal')
write(TABLES[0], common)
fails('second', 'only-second.lab.test', 'no such host')
replace('/etc/resolv.conf', 'nameserver 127.53.0.1\n', '')
works('second', 'the new name server')

lab.step('name servers that are silent delay nobody else')
replace('/etc/resolv.conf', 'timeout:1', 'timeout:30')
lines = lab.Lines(QUERIES[1])
waiting = [begin(target) for target in SILENT]
lab.check(lab.soon(lambda: len(lines.holding('silent.test A')) >= 2 * len(SILENT)), 'not all names are asked for')
log = lab.Lines()
works('plain', 'a numeric server, meanwhile')
works('hosts', 'a name of /etc/hosts, meanwhile')
works('full', 'another name, meanwhile')
lab.check(not log.holding('silent.test'), 'those who wait for the silent server have not waited')
for tunnel in waiting[1:]:
    tunnel.close()
lab.same(str(waiting[0].outward.reply()), 'HTTP/1.0 503 RPC Error: 6ba', 'who waits in vain')
lab.check(log.wait('1.silent.test', 'no answer from the name server (127.53.0.2)'), 'no line about the silent server')
waiting[0].close()
works('full', 'afterwards')
lab.done()

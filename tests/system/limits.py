"""Part of 47-limits.sh; the argument names the part."""
import itertools
import os
import re
import resource
import select
import signal
import sys
import time

import lab
import rpch_client
import wire

HTTP, PLAIN, NAMED = (os.environ['T_' + name] for name in ('http', 'plain', 'named'))
NET = os.environ['LAB_NET']
# The narrow range of ports holds for the clients of this test, too: each connection comes from another address.
rpch_client.Channel.sources = (f'127.9.{n // 250 % 250}.{n % 250 + 1}' for n in itertools.count(os.getpid()))


def manual():
    """Descriptors and ports of a tunnel, from the table in the manual."""
    with open(os.environ['MANUAL']) as file:
        rows = re.findall(r'^\.It (.*?) Ta (\d+) Ta (\d+)$', file.read(), re.M)
    return {name: (int(descriptors), int(ports)) for name, descriptors, ports in rows}


def opened(target, **more):
    tunnel = lab.tunnel(target, **more)
    tunnel.request_in()
    tunnel.request_out()
    tunnel.outward.send(tunnel.a1())
    tunnel.inward.send(tunnel.b1())
    tunnel.read_a3()
    # One channel can be taken and the other refused.
    ends = [tunnel.inward.socket, tunnel.outward.socket]
    if not tunnel.outward.buffer and not more.get('tls') and ends[0] in select.select(ends, [], [], 10)[0]:
        raise wire.Broken(f'IN was answered {tunnel.inward.reply()}')
    tunnel.read_c2()
    tunnel.bind()
    return tunnel


def refusal(target, **more):
    """The status line that a tunnel is refused with; an exception when it is not, or not in order."""
    try:
        tunnel = lab.tunnel(target, **more)
    except ConnectionError as error:
        return f'no connection: {error}'
    with tunnel:
        try:
            tunnel.request_out()
            tunnel.outward.send(tunnel.a1())
            tunnel.request_in()
            tunnel.inward.send(tunnel.b1())
        except rpch_client.Gone:
            pass    # refused before it had said everything
        try:
            answer = tunnel.outward.reply()
        except (rpch_client.Gone, rpch_client.Slow) as error:
            return f'no answer: {error}'
        return str(answer)


def until_refused(target, most=200, **more):
    tunnels = []
    while len(tunnels) < most:
        try:
            tunnels.append(opened(target, **more))
        except (wire.Broken, rpch_client.Gone) as error:
            return tunnels, str(error)
    return tunnels, 'never'


def works_again(target, text, **more):
    def attempt():
        try:
            with opened(target, **more) as tunnel:
                tunnel.echo()
            return True
        except (wire.Broken, rpch_client.Gone, rpch_client.Slow, OSError):   # over TLS there is no answer, only an end
            return False
    lab.check(lab.soon(attempt, limit=15, every=0.3), text)


def until_told():
    """Connections that say nothing, until ten in a row get an answer, on whichever event loop; and their answers."""
    silent, answers = [], []
    while len(silent) < 100 and len(answers) < 10:
        channel = rpch_client.Channel(lab.PLAIN)
        try:
            answers.append(str(channel.reply(limit=0.2)))
            lab.check(channel.closed(), 'a reset after the refusal')
        except rpch_client.Slow:
            silent.append(channel)
            answers.clear()
    return silent, answers


def all_echo(tunnels, text):
    for number, tunnel in enumerate(tunnels):
        try:
            tunnel.echo(b'still here')
        except (wire.Broken, rpch_client.Gone, rpch_client.Slow) as error:
            lab.check(False, f'{text}: tunnel {number} of {len(tunnels)}: {error}')


def close(*tunnels):
    for tunnel in tunnels:
        tunnel.close()


def one_line_a_second(lines, seconds, *words):
    found = lines.wait(*words)
    lab.check(1 <= len(found) <= seconds + 2, f'{len(found)} lines in {seconds:.1f} s with {words}')


def connected_ports(source=None):
    """Local ports of the daemon's connections to the test server, by /proc/net/tcp."""
    def address(text):
        host, port = text.split(':')
        return '.'.join(str(byte) for byte in reversed(bytes.fromhex(host))), int(port, 16)
    with open('/proc/net/tcp') as file:
        rows = [line.split() for line in file][1:]
    ends = [(address(row[1]), address(row[2])) for row in rows if row[3] == '01']
    servers = [(f'{NET}.21', int(os.environ[name])) for name in ('P_http', 'P_plain')]
    return sum(far in servers and (source is None or near[0] == source) for near, far in ends)


def version_1(target):
    channel = rpch_client.Channel(lab.PLAIN)
    channel.request('RPC_CONNECT', target, auth=lab.AUTH)
    answer = channel.reply(body=False)
    if answer.status != 200:
        raise wire.Broken(f'RPC_CONNECT was answered {answer}')
    return channel


def kinds():
    table = manual()
    for name, target, start in (('ncacn_http server', HTTP, opened), ('ncacn_ip_tcp service', PLAIN, opened),
                                ('version 1', PLAIN, version_1)):
        descriptors, ports = table[name]
        base, count = lab.descriptors(), 12
        tunnels = [start(target) for _ in range(count)]
        lab.soon(lambda: lab.descriptors() == base + descriptors * count)
        lab.same(lab.descriptors() - base, descriptors * count, f'descriptors of {count} tunnels, {name}')
        lab.same(connected_ports(), ports * count, f'ports of {count} tunnels, {name}')
        close(*tunnels)
        lab.check(lab.soon(lambda: lab.descriptors() == base), f'{lab.descriptors() - base} descriptors stay, {name}')
        lab.step(f'{name}: {descriptors} descriptors and {ports} ports')


def nodes():
    def of_mate():
        return sum('directory.db' not in os.readlink(f'/proc/{mate}/fd/{name}') for name in os.listdir(f'/proc/{mate}/fd'))

    mate, table = int(os.environ['LAB_MATE_PID']), manual()
    base, mate_base, count = lab.descriptors(), of_mate(), 24
    here, there = (table[f'ncacn_ip_tcp service, met on another node, {where}'][0] for where in ('here', 'there'))
    alone = table['ncacn_ip_tcp service'][0]
    tunnels = [opened(PLAIN) for _ in range(count)]
    away = (of_mate() - mate_base) // there
    lab.check(0 < away < count, f'{away} of {count} tunnels meet on the other node')
    lab.same(of_mate() - mate_base, away * there, 'descriptors of the other node')
    lab.same(lab.descriptors() - base, away * here + (count - away) * alone, f'descriptors of {count} tunnels, {away} of them met there')
    close(*tunnels)
    lab.step(f'{away} of {count} tunnels met on the other node: {here} descriptors here and {there} there each')


def ports():
    """Twenty ports."""
    lines, begin = lab.Lines(), time.monotonic()
    for target, most in ((HTTP, 10), (PLAIN, 20)):
        tunnels, error = until_refused(target)
        lab.same(len(tunnels), most, f'tunnels to {target} over 20 ports')
        lab.check('HTTP/1.0 503 RPC Error: 6b9' in error, f'the refusal: {error}')
        for _ in range(20):
            lab.same(refusal(target), 'HTTP/1.0 503 RPC Error: 6b9', 'the refusal')
        all_echo(tunnels, 'when ports have run out')
        close(tunnels.pop(), tunnels.pop())
        works_again(target, 'no tunnel when ports are free again')
        all_echo(tunnels, 'after that')
        close(*tunnels)
        lab.step(f'{target}: {most} tunnels over 20 ports, the next gets {error}')
    one_line_a_second(lines, time.monotonic() - begin, ' shortage of=ports ')


def sources():
    """Twenty ports of each of two addresses."""
    first, second = f'{NET}.31', f'{NET}.32'
    tunnels, error = until_refused(HTTP)
    lab.same(len(tunnels), 20, 'tunnels over 20 ports of 2 addresses')
    lab.check('HTTP/1.0 503 RPC Error: 6b9' in error, f'the refusal: {error}')
    lab.same((connected_ports(first), connected_ports(second)), (20, 20), 'connections from each address')
    all_echo(tunnels, 'when ports have run out')
    close(*tunnels)
    lab.check(lab.soon(lambda: connected_ports() == 0), 'connections stay')
    time.sleep(1.5)   # tcp_tw_reuse lets a port rest for a second
    tunnels = [opened(HTTP) for _ in range(4)]
    lab.same((connected_ports(first), connected_ports(second)), (4, 4), 'connections from each address')
    os.system(f'ip address del {second}/32 dev lo')
    more = [opened(HTTP) for _ in range(4)]
    lab.same(connected_ports(first), 12, 'connections from the address that is left')
    all_echo(more, 'from the address that is left')
    close(*tunnels, *more)
    lab.step('20 tunnels over 20 ports of 2 addresses; one address is lost and passed over')


def short():
    """A limit of 256, known at the start."""
    lines, begin = lab.Lines(), time.monotonic()
    tunnels, error = until_refused(PLAIN)
    lab.check(40 <= len(tunnels) <= 85, f'{len(tunnels)} tunnels with 256 descriptors')
    lab.check(re.search('HTTP/1.0 503 RPC Error: 6b[9b]', error), f'the refusal: {error}')
    silent, told = until_told()
    lab.same(set(told), {'HTTP/1.0 503 RPC Error: 6b9'}, 'who says nothing is told')
    answers = [refusal(PLAIN) for _ in range(30)]
    lab.same(set(answers), {'HTTP/1.0 503 RPC Error: 6b9'}, 'refusals')
    try:
        lab.channel(tls=True)
        lab.check(False, 'TLS connection taken in')
    except OSError as problem:
        lab.check('reset' not in str(problem).lower(), f'TLS: {problem}')
    one_line_a_second(lines, time.monotonic() - begin, ' turned-away ', 'LimitNOFILE')
    all_echo(tunnels, 'when descriptors are short')
    lab.check(lab.descriptors() < 256 - 16, f'{lab.descriptors()} descriptors in use')
    close(*silent, *tunnels[:10])
    works_again(PLAIN, 'no tunnel when descriptors are free again')
    crowd = [rpch_client.Channel(lab.PLAIN) for _ in range(300)]
    lab.same(refusal(PLAIN), 'HTTP/1.0 503 RPC Error: 6b9', 'in a crowd')
    all_echo(tunnels[10:], 'in a crowd')
    close(*crowd)
    works_again(PLAIN, 'no tunnel after the crowd', tls=True)
    all_echo(tunnels[10:], 'after the crowd')
    lab.step(f'{len(tunnels)} tunnels with 256 descriptors, the next gets {answers[0]}')
    close(*tunnels)


def few():
    """connection_limit."""
    lines, begin = lab.Lines(), time.monotonic()
    tunnels, error = until_refused(PLAIN)
    # Each event loop has half of the limit, and a channel counts where its tunnel lives.
    lab.check(10 <= len(tunnels) <= 30, f'{len(tunnels)} tunnels with a limit of 40 connections')
    lab.check('HTTP/1.0 503 RPC Error: 6bb' in error, f'the refusal: {error}')
    one_line_a_second(lines, time.monotonic() - begin, ' turned-away ', 'connection_limit is reached')
    all_echo(tunnels, 'at the limit of connections')
    close(tunnels.pop(), tunnels.pop())
    works_again(PLAIN, 'no tunnel below the limit of connections')
    lab.step(f'{len(tunnels) + 2} tunnels with 40 connections on two event loops, the next gets {error}')
    close(*tunnels)


def asleep():
    """Whether each thread of the daemon waits for something: one that only waits for the processor does not."""
    try:
        for task in os.listdir(f'/proc/{lab.PID}/task'):
            with open(f'/proc/{lab.PID}/task/{task}/stat') as file:
                if file.read().rpartition(')')[2].split()[0] != 'S':
                    return False
        return True
    except (FileNotFoundError, ProcessLookupError):   # one has just ended
        return False


class Exhausted:
    """The daemon may open `free` more descriptors."""

    def __init__(self, free=0):
        self.free = free

    def __enter__(self):
        self.before = resource.prlimit(lab.PID, resource.RLIMIT_NOFILE)
        taken, seen = None, 0
        while seen < 5:    # what has ended is closed, and no thread has still to close something
            now = {int(name) for name in os.listdir(f'/proc/{lab.PID}/fd')}
            seen = seen + 1 if now == taken and asleep() else 0
            taken = now
            time.sleep(0.05)
        gaps = (number for number in itertools.count() if number not in taken)
        limit = next(itertools.islice(gaps, self.free, None))
        resource.prlimit(lab.PID, resource.RLIMIT_NOFILE, (limit, self.before[1]))

    def __exit__(self, *_):
        resource.prlimit(lab.PID, resource.RLIMIT_NOFILE, self.before)


def none():
    """Descriptors run out all of a sudden, in every state of a tunnel's setup."""
    wanted = 'HTTP/1.0 503 RPC Error: 6b9'
    tunnels = [opened(target, tls=tls) for target in (HTTP, PLAIN) for tls in (False, True) for _ in range(3)]
    for target in (HTTP, PLAIN, NAMED):
        works_again(target, f'{target} does not work')
    lines, begin = lab.Lines(), time.monotonic()

    # New clients.
    idle, secure = rpch_client.Channel(lab.PLAIN), lab.channel(tls=True)
    with Exhausted():
        for _ in range(10):
            lab.same(refusal(PLAIN), wanted, 'a new client')
        try:
            lab.channel(tls=True)
            lab.check(False, 'TLS connection taken in')
        except OSError as problem:
            lab.check('timed out' not in str(problem), f'TLS: {problem}')
        # Requests on connections that are there.
        idle.request('RPC_IN_DATA', PLAIN, 0, auth=lab.AUTH)
        lab.same(str(idle.reply()), wanted, 'a request')
        secure.request('GET', None)
        answer = secure.reply()
        lab.same((answer.status, answer.get('retry-after')), (503, '1'), 'a request of another kind')
        all_echo(tunnels, 'without descriptors')
    lab.check(lines.wait('refused', 'no room in the HTTP engine: Too many open files'), 'no line for the request')
    one_line_a_second(lines, time.monotonic() - begin, ' turned-away ')
    works_again(PLAIN, 'no tunnel after new clients were refused')

    # On the way to the server: to its address, and to look its name up.
    for target in (HTTP, PLAIN, NAMED):
        tunnel = lab.tunnel(target)
        tunnel.request_out()
        time.sleep(0.3)
        with Exhausted():
            tunnel.outward.send(tunnel.a1())
            lab.same(str(tunnel.outward.reply()), wanted, f'on the way to {target}')
            lab.check(tunnel.outward.closed(), 'a reset after the refusal')
        tunnel.close()
        lab.check(lines.wait('shortage', 'of=descriptors', 'Too many open files'), f'no line for {target}')
        all_echo(tunnels, f'when {target} was refused')
        works_again(target, f'no tunnel to {target} after that')

    # Reload. One is refused before, with descriptors: a sanitizer needs some when it meets an exception for the first time.
    certificate = os.environ['LAB_DIR'] + '/cert.pem'
    os.rename(certificate, certificate + '.away')
    os.kill(lab.PID, signal.SIGHUP)
    lab.check(lines.wait('reload-refused', 'No such file'), 'a reload without certificate is not refused')
    lab.check(lines.wait(' reloaded'), 'the reload without certificate does not end')
    os.rename(certificate + '.away', certificate)
    lines = lab.Lines()
    with Exhausted():
        os.kill(lab.PID, signal.SIGHUP)
        lab.check(lines.wait('reload-refused', 'Too many open files'), 'the reload without descriptors is not refused')
        lab.check(lines.wait(' reloaded'), 'the reload does not end')
        all_echo(tunnels, 'after the reload')
    works_again(HTTP, 'no tunnel over TLS after the reload', tls=True)
    os.kill(lab.PID, signal.SIGHUP)
    lab.check(lab.soon(lambda: len(lines.holding(' reloaded')) == 2), 'the second reload does not end')
    works_again(HTTP, 'no tunnel after the second reload', tls=True)
    lab.step('refused in order without descriptors: new clients, requests, ways to servers, a look-up, a reload')
    close(*tunnels)


{part.__name__: part for part in (kinds, nodes, ports, sources, short, few, none)}[sys.argv[1]]()
lab.done()

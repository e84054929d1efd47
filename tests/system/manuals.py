"""Runs the configurations of README, the manuals and etc/ in the programs that they are for; see 04-manuals.sh."""
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile

import documents
from lab import PASSWORD, USER, check, done, same, soon, step

OBJ, DIR = os.environ['OBJ'], os.environ['LAB_DIR']
DEBIAN = {name: open(name).read() for name in ('/etc/haproxy/haproxy.cfg', '/etc/nginx/nginx.conf')}


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(text)


def put(text, instead):
    """The text with what the test must have otherwise; every word must occur."""
    for word, other in instead.items():
        check(word in text, f'{word!r} is no longer in:\n{text}')
        text = text.replace(word, other)
    return text


def said(*command):
    """Exit code and output."""
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return run.returncode, run.stdout + run.stderr


def silent(*command):
    """Checks a configuration; a warning is an error."""
    code, output = said(*command)
    check(code == 0 and not re.search(r'warn|alert|emerg|error', output, re.I), f'{" ".join(command)}: {code}\n{output}')


def listens(port):
    return said('ss', '-Hltn', f'sport = :{port}')[1]


@contextlib.contextmanager
def running(*command):
    with open(f'{DIR}/front.out', 'w') as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            check(False, f'{command[0]} does not end')
            process.kill()
            process.wait()
        check(soon(lambda: not listens(443)), f'{command[0]} still listens')


def calls_through(*command):
    """Real calls through the front end: the echo, and two tunnels."""
    with running(*command) as front:
        check(soon(lambda: listens(443) or front.poll() is not None) and front.poll() is None,
              f'{command[0]} does not listen:\n{open(f"{DIR}/front.out").read()}')
        for target in (['-E'], ['-s', 'test01', '-e', '7001'], ['-s', 'test01', '-e', '7001', '-i', '20']):
            with open(f'{DIR}/password') as password:
                run = subprocess.run([f'{OBJ}/rpctunnel-ping', '--proxy', 'https://localhost', '--ca-file', f'{DIR}/cert.pem', '-H', 'Basic',
                                      '-P', f'{USER},LAB', '--password-fd', '0', '--timeout', '5', *target],
                                     stdin=password, capture_output=True, text=True, timeout=60)
            check(run.returncode == 0, f'{command[0]}: ping {" ".join(target)} ended with {run.returncode}\n{run.stdout}{run.stderr}')


def patient(text, wanted):
    """Every time limit is ten minutes, and there are as many as the program has towards clients and servers."""
    found = re.findall(r'timeout(?: client| server)? (\w+);?$', text, re.M)
    same(found, ['10m'] * wanted, f'time limits of {text.splitlines()[0]}')


def haproxy(block):
    patient(block.text, 2)
    write('/etc/haproxy/haproxy.cfg', DEBIAN['/etc/haproxy/haproxy.cfg'] + block.text)
    silent('haproxy', '-c', '-dW', '-f', '/etc/haproxy/haproxy.cfg')
    calls_through('haproxy', '-db', '-f', '/etc/haproxy/haproxy.cfg')


def nginx(path, text):
    write(path, text)
    silent('nginx', '-q', '-t')
    calls_through('nginx', '-g', 'daemon off;')


def nginx_stream(block):
    """The whole file as it stands; and as Debian has it, which loads the module and has events by itself."""
    patient(block.text, 1)
    nginx('/etc/nginx/nginx.conf', block.text)
    nginx('/etc/nginx/nginx.conf', DEBIAN['/etc/nginx/nginx.conf'] + block.text[block.text.index('stream {'):])
    write('/etc/nginx/nginx.conf', DEBIAN['/etc/nginx/nginx.conf'])


def nginx_http(block):
    patient(block.text, 4)
    nginx('/etc/nginx/conf.d/rpctunnel.conf', block.text)
    os.remove('/etc/nginx/conf.d/rpctunnel.conf')


def verify():
    """systemd ignores what it does not know and says so, with exit code 0; about other units of the machine too."""
    code, output = said('systemd-analyze', 'verify', '--man=no', '/etc/systemd/system/rpctunneld.service')
    ours = [line for line in output.splitlines() if 'rpctunneld' in line]
    check(code == 0 and not ours, f'systemd-analyze verify: {code}\n{output}')


def systemd(block):
    text = put(block.text, {'/usr/sbin/rpctunneld': f'{OBJ}/rpctunneld'})
    write('/etc/systemd/system/rpctunneld.service', text)
    verify()


def systemd_limit(block):
    """A file of its own beside the unit."""
    write('/etc/systemd/system/rpctunneld.service.d/limits.conf', block.text)
    verify()
    shutil.rmtree('/etc/systemd/system/rpctunneld.service.d')


def rooms(block):
    """The list is that of the folders."""
    names = [name for line in block.text.splitlines() for name in line[:32].split()]
    found = {os.path.basename(os.path.dirname(path)) for path in glob.glob(os.path.join(documents.TOP, 'src', '*', '*.cc'))}
    same(sorted(names), sorted(found), 'rooms in README')


def whole_copy(block):
    with tempfile.TemporaryDirectory() as folder:
        silent(f'{OBJ}/rpctunnelctl', '-d', f'{folder}/directory.db', 'init')
        check(subprocess.run(block.text, shell=True, cwd=folder, timeout=60).returncode == 0, f'it fails: {block.text}')
        silent(f'{OBJ}/rpctunnelctl', '-d', f'{folder}/copy.db', 'user', 'list')


def sysctl(block):
    write('/etc/sysctl.d/rpctunnel.conf', block.text)
    silent('sysctl', '-p', '/etc/sysctl.d/rpctunnel.conf')


def rpctunneld(text):
    """-t says nothing, and with a start for good it gets ready."""
    path = '/etc/rpctunnel/rpctunneld.conf'
    # The lab's daemon has this port.
    write(path, text.replace('127.0.0.1:8080', '127.0.0.1:8081'))
    silent(f'{OBJ}/rpctunneld', '-t', '-c', path)
    with running(f'{OBJ}/rpctunneld', '-f', '-c', path) as daemon:
        ready = soon(lambda: 'ready' in open(f'{DIR}/front.out').read() or daemon.poll() is not None)
        output = open(f'{DIR}/front.out').read()
        check(ready and daemon.poll() is None and re.search('^ready ', output, re.M), f'not ready with\n{text}\n{output}')
    same(daemon.returncode, 0, f'exit code with\n{text}')


def ours(block):
    rpctunneld(block.text)


def ours_in_part(block):
    """Lines for a configuration that has what is always needed."""
    rpctunneld('listen = 127.0.0.1:8080\nbasic_without_tls = yes\ndatabase = /var/lib/rpctunnel/directory.db\nuser = rpctunnel\n' + block.text)


def sample(block):
    ours(block)
    # Whoever takes the # off a line that shows a default gets the default.
    table = [line.split('\t') for line in said(f'{OBJ}/rpctunneld', '--options')[1].splitlines()]
    for option, _, _, default, *_ in table:
        if default:
            check(re.search(rf'^#?{option} = ', block.text, re.M), f'{option} is not in the sample')
    defaults = {row[0] for row in table if row[3]}
    rpctunneld(re.sub(r'^#(\w+) = ', lambda match: f'{match[1]} = ' if match[1] in defaults else match[0], block.text, flags=re.M))


CTL, DAEMON, OPTIONS = 'man/rpctunnelctl.8', 'man/rpctunneld.8', 'man/rpctunneld.conf.5'
# A function, or why the text is nothing to run.
TABLE = {
    ('README', 'rpctunneld(8)        the daemon; rpctunneld.conf(5) explains each option'): 'names of the programs',
    ('README', 'pairing_listen = 10.0.0.1:6010'): ours_in_part,
    ('README', 'plain     haproxy        TLS     haproxy'): 'a table of figures; make bench repeats it',
    (DAEMON, 'ready plain=127.0.0.1:8080 tls=[::]:443 pairing=10.0.0.1:6010'): 'what the daemon prints; 70-daemon-manners reads it',
    (DAEMON, '# rpctunneld.service'): systemd,
    (DAEMON, '# haproxy.cfg, relay of TCP'): haproxy,
    (DAEMON, '# nginx.conf, relay of TCP'): nginx_stream,
    (DAEMON, '# haproxy.cfg, relay of HTTP'): haproxy,
    (DAEMON, '# conf.d/rpctunnel.conf of nginx, relay of HTTP'): nginx_http,
    (DAEMON, 'plain haproxy ratio    TLS haproxy ratio'): 'a table of figures; make bench repeats it',
    (DAEMON, '(2 connection_limit + 6 directory_threads + 16 + what is open at the start) 64 / 63'): 'a formula; 47-limits proves it',
    (DAEMON, 'tunnels * local ports of a tunnel / (addresses of servers * size of the range)'): 'a formula; 47-limits proves it',
    (DAEMON, '# rpctunneld.conf: 200,000 / (3 * 64,512) is a little more than 1'): ours_in_part,
    (DAEMON, '# rpctunneld.service.d/limits.conf'): systemd_limit,
    (DAEMON, '# sysctl.d/rpctunnel.conf'): sysctl,
    (OPTIONS, 'listen_tls = [::]:443'): ours,
    (OPTIONS, 'listen = 127.0.0.1:8080'): ours,
    (OPTIONS, 'listen_tls = 192.0.2.11:443'): ours,
    ('README', 'base                            what any program needs: lanes, the log, text'): rooms,
    (CTL, "sqlite3 directory.db '.backup copy.db'"): whole_copy,
    ('etc/rpctunneld.conf', '# rpctunneld.conf: name = value, one a line; repeat listen, listen_tls, tls_certificate and tls_key for more.'): sample,
    ('etc/rpctunneld.service', '[Unit]'): systemd,
}

write(f'{DIR}/password', PASSWORD + '\n')
shown = [block for block in documents.blocks() if not block.is_commands()]
for key in TABLE.keys() - {(block.document, block.title) for block in shown}:
    check(False, f'the table has a row for text that is no longer there: {key}')
for block in shown:
    how = TABLE.get((block.document, block.title))
    if check(how is not None, f'{block.document} shows what no test runs:\n{block.text}') and callable(how):
        step(f'{block.document}: {block.title}')
        how(block)
done()

"""Runs the commands of README and of the manuals, see 03-readme.sh."""
import contextlib
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess

import documents
from lab import PASSWORD, check, done, same, soon, step

OBJ, DIR = os.environ['OBJ'], os.environ['LAB_DIR']
CLONE = f'{DIR}/clone'
PROGRAMS = ['rpctunneld', 'rpctunnelctl', 'rpctunnel-ping']


def shell(text, folder=DIR, user='root'):
    """Exit code and output; whoever asks for a password on the terminal gets one."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        signal.alarm(30)
        os.execvp('runuser', ['runuser', '-u', user, '--', 'bash', '-c', text])
    output = ''
    with contextlib.suppress(OSError):   # EIO: the other side is closed
        while data := os.read(terminal, 4096):
            output += data.decode(errors='replace')
            if re.search(r'(assword[^\n]*|Again): $', output):
                os.write(terminal, f'{PASSWORD}\n'.encode())
    # In this order: the end of the terminal is a SIGHUP for who has closed it and not yet ended.
    status = os.waitpid(child, 0)[1]
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), output.replace('\r\n', '\n')


def good(text, *place):
    code, output = shell(text, *place)
    check(code == 0, f'{text}\nended with {code}:\n{output}')
    return output


def run(command):
    """It succeeds, and says what the document shows. README's are given in a clone, by somebody who is not root."""
    output = good(command.text, *(CLONE, 'reader') if command.document == 'README' else ())
    same(output.split(), command.output.split() or output.split(), f'output of {command.text}')
    return output


def success(command):
    output = run(command)
    check('SUCCESS' in output and 'FAILED' not in output, f'{command.text}\n{output}')


def bootstrap(command):
    """A clone has no ./configure; a bare make makes it, as everything else (shown by -n, which remakes what it includes)."""
    check(not os.path.exists(f'{CLONE}/configure'), 'the clone has ./configure already')
    good(f'cp -r {CLONE} {DIR}/bare')
    check('-o obj/rpctunneld ' in good('/usr/bin/make -n', f'{DIR}/bare'), 'a bare make does not get as far as the programs')
    check(os.path.exists(f'{DIR}/bare/config.mk'), 'a bare make does not configure')
    run(command)


def install(command):
    for name in PROGRAMS:
        shutil.copy2(f'{OBJ}/{name}', f'{CLONE}/obj/{name}')
    good(f'chown -R reader: {CLONE}/obj')
    run(command)
    for path in ['/usr/sbin/rpctunneld', '/usr/sbin/rpctunnelctl', '/usr/bin/rpctunnel-ping', '/etc/rpctunnel/rpctunneld.conf',
                 '/usr/share/man/man8/rpctunneld.8', '/usr/lib/systemd/system/rpctunneld.service']:
        check(os.path.exists(path), f'{path} is not installed')
    # These programs may have been configured for other places.
    place = re.search(r'default (\S+)/rpctunneld.conf', good('rpctunneld --help')).group(1)
    if not os.path.exists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink('/etc/rpctunnel', place)


def goal(command):
    """The goal is there; to run it here would be to test the tests within the tests."""
    name = command.text.removeprefix('make').split()
    with open(f'{CLONE}/Makefile') as file:
        check(re.search(rf'^([\w-]+ )*{name[0] if name else "all"}( [\w-]+)*:', file.read(), re.M), f'no goal for {command.text}')


def edit(command):
    """What the comment beside it asks for: the certificate, the key, the user; and a port that a manual uses."""
    path = command.text.split()[1]
    with open(path) as file:
        text = file.read()
    check(re.search('^user = rpctunnel$', text, re.M), f'no user in {path}')
    for option, source in ('tls_certificate', 'test-ca.pem'), ('tls_key', 'key.pem'):
        shutil.copy(f'{DIR}/{source}', re.search(rf'^{option} = (.*)$', text, re.M).group(1))
    with open(path, 'a') as file:
        file.write('listen_tls = 127.0.0.1:8443\n')


daemon = None


def start(command):
    """systemctl needs systemd: what it would start is read in the installed unit."""
    global daemon
    check_part, start_part = command.text.split(' && ')
    same(start_part, 'sudo systemctl enable --now rpctunneld', 'the command that starts the service')
    good(check_part, CLONE, 'reader')
    with open('/usr/lib/systemd/system/rpctunneld.service') as file:
        line = re.search(r'^ExecStart=(.*)$', file.read(), re.M).group(1)
    os.makedirs('/run/rpctunnel', exist_ok=True)
    with open(f'{DIR}/readme-daemon.log', 'w') as log:
        daemon = subprocess.Popen(shlex.split(line), stdout=log, stderr=log)
    ready()


def ready():
    def text():
        with open(f'{DIR}/readme-daemon.log') as log:
            return log.read()
    check(soon(lambda: re.search('^ready ', text(), re.M) or daemon.poll() is not None) and daemon.poll() is None,
          f'the service does not get ready:\n{text()}')


def stop():
    """The daemon of README ends; the directory of the next manual is a new one."""
    global daemon
    daemon.terminate()
    same(daemon.wait(30), 0, 'exit code of the service')
    daemon = None


def fresh():
    for name in os.listdir('/var/lib/rpctunnel'):
        os.remove(f'/var/lib/rpctunnel/{name}')


def ping(command):
    """With the dots filled in, as in the set-up."""
    command.text = command.text.replace('...', "--proxy https://mail.corp.example -H Basic -P alice,CORP,'*'")
    success(command)


def foreground(command):
    """Stays until it is ended."""
    folder = f'{DIR}/r'
    os.makedirs(folder)
    for option in 'test-ca.pem', 'key.pem':
        shutil.copy(f'{DIR}/{option}', folder)
    check(command.text.count('/tmp/r.conf') == 2, command.text)
    with open(f'{folder}/r.conf', 'w') as file:
        file.write('listen_tls = 127.0.0.1:9443\ntls_certificate = test-ca.pem\ntls_key = key.pem\ndatabase = /var/lib/rpctunnel/directory.db\n')
    process = subprocess.Popen(['bash', '-c', command.text.replace('/tmp/r.conf', f'{folder}/r.conf')], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    lines = iter(process.stdout.readline, '')
    check(any(line.startswith('ready tls=127.0.0.1:9443') for line in lines), f'not ready: {command.text}')
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)
    process.stdout.close()


def exchange(command):
    """What the examples of rpctunnel-ping(1) and of rpctunneld(8) call, for the first of them."""
    for text in ['server add EXCH01 --fqdn exch01.example.com', 'database add DB02', 'copy add DB02 EXCH01',
                 'mailbox add 6b1f2e64-7c0d-4a55-9d6f-5a2c5d1f3a10@example.com DB02', 'user add anna --domain EXAMPLE', 'valid-ports rebuild']:
        good(f'rpctunnelctl {text}')
    for name in 'password.txt', 'secret':
        with open(f'{DIR}/{name}', 'w') as file:
            file.write(f'{PASSWORD}\n')
    daemon.send_signal(signal.SIGHUP)
    soon(lambda: shell("rpctunnel-ping --proxy https://mail.example.com -H Basic -P 'alice,,*' -s exch01 -e 6001")[0] == 0)
    success(command)


def first_of_ctl(command):
    stop()
    fresh()
    run(command)


def of_a_node(command):
    """The two are for the directories of two daemons."""
    fresh()
    good('rpctunnelctl init && rpctunnelctl server add FILES --fqdn files.example.com --role cas')
    run(command)


DAEMON, OPTIONS, CTL, PING = 'man/rpctunneld.8', 'man/rpctunneld.conf.5', 'man/rpctunnelctl.8', 'man/rpctunnel-ping.1'
MAILBOX = 'ad44b1e0-e44f-4a16-9396-3a437f594f88@corp.example'
# In the order in which they are run. A function, or why it cannot be run.
TABLE = [
    ('README', 'make demo', goal),
    ('README', 'make check', goal),
    ('README', 'scripts/install-deps build', run),
    ('README', 'autoreconf -i', bootstrap),
    ('README', './configure --prefix=/usr --sysconfdir=/etc && make && sudo make install', install),
    ('README', 'sudo useradd --system --home-dir /var/lib/rpctunnel --create-home rpctunnel', run),
    ('README', 'sudo rpctunnelctl init', run),
    ('README', 'sudo rpctunnelctl server add EX1 --fqdn ex1.corp.example', run),
    ('README', 'sudo rpctunnelctl database add DB01 && sudo rpctunnelctl copy add DB01 EX1', run),
    ('README', f'sudo rpctunnelctl mailbox add {MAILBOX} DB01', run),
    ('README', 'sudo rpctunnelctl user add alice --domain CORP', run),
    ('README', 'sudoedit /etc/rpctunnel/rpctunneld.conf', edit),
    ('README', 'sudo rpctunneld -t && sudo systemctl enable --now rpctunneld', start),
    ('README', "rpctunnel-ping --proxy https://mail.corp.example -H Basic -P alice,CORP,'*' -s ex1.corp.example -e 6001", success),
    ('README', 'sudo rpctunnelctl server add FILES --fqdn files.corp.example --role cas', run),
    ('README', 'sudo rpctunnelctl endpoint add FILES 6001 --transport ncacn_ip_tcp --connect files.corp.example:49152', run),
    ('README', 'sudo rpctunnelctl valid-ports add FILES:6001', run),
    ('README', 'sudo rpctunnelctl explain ex1.corp.example:6001', run),
    ('README', 'rpctunnel-ping ... -E', ping),
    ('README', 'rpctunnel-ping ... -s ex1.corp.example -e 6001 -v 2', ping),
    ('README', 'sudo journalctl -u rpctunneld | grep refused', 'there is no journal without systemd'),
    ('README', 'make', goal),
    ('README', 'make soak', goal),
    ('README', 'make check-ad', goal),
    ('README', 'make check-threads', goal),
    ('README', 'make mutants', goal),
    ('README', 'make bench', goal),
    ('README', 'make bench-quick', goal),
    ('README', 'make install DESTDIR= prefix=', goal),
    ('README', 'make distcheck', goal),
    (DAEMON, 'rpctunneld -t -c /tmp/r.conf && rpctunneld -f -c /tmp/r.conf', foreground),
    (DAEMON, "rpctunnel-ping --proxy https://mail.example.com -H Basic -P 'alice,,*' -E", exchange),
    (DAEMON, "rpctunnel-ping --proxy https://mail.example.com -H Basic -P 'alice,,*' -s exch01 -e 6001", success),
    (PING, 'rpctunnel-ping -o RpcProxy=mail.example.com -F 3 -P anna,EXAMPLE,* -H 1 -E -R none', success),
    (PING, 'for port in 6001 6002 6004; do', success),
    (PING, 'rpctunnel-ping --proxy https://127.0.0.1:8443 --ca-file test-ca.pem \\', success),
    (PING, 'rpctunnel-ping --direct -s exch01 -e 6001', success),
    (PING, 'rpctunnel-ping -o RpcProxy=mail.example.com -F 1 -P anna,EXAMPLE,* -s exch01 -e 6001', success),
    (PING, 'rpctunnel-ping -o RpcProxy=mail.example.com -F 1 -P anna,EXAMPLE,* --ntlm-v1', success),
    (CTL, 'install -d -o rpctunnel -g rpctunnel -m 750 /var/lib/rpctunnel', first_of_ctl),
    (CTL, 'rpctunnelctl init', run),
    (CTL, 'rpctunnelctl server add EX1 --fqdn ex1.corp.example --version 2013', run),
    (CTL, 'rpctunnelctl server add EX2 --fqdn ex2.corp.example --version 2013', run),
    (CTL, 'rpctunnelctl database add DB1', run),
    (CTL, 'rpctunnelctl copy add DB1 EX1', run),
    (CTL, 'rpctunnelctl copy add DB1 EX2', run),
    (CTL, 'rpctunnelctl mailbox add \\', run),
    (CTL, 'rpctunnelctl user add carol --domain CORP --upn carol@corp.example', run),
    (CTL, 'rpctunnelctl valid-ports rebuild', run),
    (CTL, 'rpctunnelctl explain \\', run),
    (CTL, 'rpctunnelctl activate DB1 EX2', run),
    (CTL, 'rpctunnelctl server add FILES --fqdn files.corp.example', run),
    (CTL, 'rpctunnelctl endpoint add FILES 6001 --transport ncacn_ip_tcp \\', run),
    (CTL, "rpctunnelctl valid-ports add 'dc1:6004;dc1.corp.example:6004'", run),
    (CTL, 'rpctunnelctl server add localhost --fqdn rdg.corp.example --role cas', run),
    (CTL, 'rpctunnelctl valid-ports add localhost:3388', run),
    (CTL, 'rpctunnelctl user password carol < secret', run),
    (CTL, 'rpctunnelctl --json valid-ports list |', run),
    (OPTIONS, 'rpctunnelctl endpoint add FILES 6001 --transport ncacn_ip_tcp --connect files.example.com:49152', of_a_node),
    (OPTIONS, 'rpctunnelctl endpoint add FILES 6001 --transport ncacn_http --connect 10.0.0.3:6001', of_a_node),
]

shown = {}
for block in documents.blocks():
    if block.is_commands():
        for command in documents.commands(block):
            key = command.document, command.text.split('\n')[0]
            shown[key] = command
known = {(document, text) for document, text, _ in TABLE}
for key in shown.keys() - known:
    check(False, f'{key[0]} shows a command that no test runs: {key[1]}')
for document, text, how in TABLE:
    command = shown.get((document, text))
    if check(command, f'the table has a command that {document} no longer shows: {text}') and callable(how):
        step(f'{document}: {text}')
        how(command)
if daemon:
    stop()
done()

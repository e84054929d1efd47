"""Part of 71-log.sh."""
import fcntl
import os
import re
import signal
import socket
import subprocess
import threading
import time

import lab
import rpch_client

TARGET = os.environ['T_plain']
CONF = os.path.join(os.environ['LAB_DIR'], 'rpctunneld.conf')
PID_FILE = os.path.join(os.environ['LAB_DIR'], 'pid')
PROGRAM = os.path.join(os.environ['OBJ'], 'rpctunneld')
DRAIN = 2    # seconds, as 71-log.sh has it
EVENT = r'[a-z-]+( [a-z_0-9]+=([^\s"]+|"([^"\\]|\\.)*"))*'
LINE = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|notice|info|debug) ' + EVENT)
SYSLOG_LINE = re.compile(r'<\d+>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d rpctunneld\[\d+\]: ' + EVENT)
with open(PROGRAM, 'rb') as file:
    SANITIZED = b'__asan_init' in file.read()


class Log:
    """What the daemon writes to; it is read when the test says so."""

    def __init__(self):
        self.text = b''

    def read(self):
        """Reads on, in a thread, to the end of the log."""
        def work():
            while data := self.some():
                self.text += data
        self.reader = threading.Thread(target=work, daemon=True)
        self.reader.start()

    def lines(self):
        return self.text.decode().splitlines()


class Pipe(Log):
    def __init__(self):
        super().__init__()
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, 65536)

    def some(self):
        return os.read(self.reading, 65536)

    def close(self):
        os.close(self.reading)


class Syslog(Log):
    def __init__(self):
        super().__init__()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind('/dev/log')

    def some(self):
        return self.socket.recv(65536) + b'\n'

    def close(self):
        self.socket.close()
        os.unlink('/dev/log')


class Daemon:
    """rpctunneld and its log: of standard error, or, in the background, of syslog."""

    def __init__(self, log):
        self.log = log
        if isinstance(log, Pipe):
            self.process = subprocess.Popen([PROGRAM, '-c', CONF, '-f'], stdout=subprocess.PIPE, stderr=log.writing)
            os.close(log.writing)
            self.process.stdout.readline()
            self.pid = self.process.pid
        else:
            subprocess.run([PROGRAM, '-c', CONF], check=True)
            self.process = None
            with open(PID_FILE) as file:
                self.pid = int(file.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.process:
            self.process.wait()
            self.process.stdout.close()
        self.log.close()

    def refuse(self, count, mark):
        """So many requests that leave a line each; how many were answered."""
        answered = 0
        try:
            with rpch_client.Channel(lab.PLAIN, limit=5) as channel:
                for number in range(count):
                    channel.request('RPC_IN_DATA', TARGET, 0, auth=lab.AUTH, path=f'/{mark}/{number}')
                    answered += channel.reply().status == 404
        except (rpch_client.Gone, rpch_client.Slow, OSError) as error:
            print(f'   after {answered} answers: {error}')
        return answered

    def end(self, how, limit=10):
        """Sends a signal. Its exit code, 0 when that is not known, or None when it does not end."""
        os.kill(self.pid, how)
        if self.process:
            try:
                return self.process.wait(limit)
            except subprocess.TimeoutExpired:
                return None
        return 0 if lab.soon(self.ended, limit) else None

    def ended(self):
        """Whoever is its parent may take its time to hear of it."""
        try:
            with open(f'/proc/{self.pid}/stat') as file:
                return file.read().rsplit(') ', 1)[1][0] == 'Z'
        except (FileNotFoundError, ProcessLookupError):
            return True


def nobody_reads(log):
    with Daemon(log) as daemon:
        lab.same(daemon.refuse(4000, 'stalled'), 4000, 'answers')
        try:
            tunnels = [lab.tunnel(TARGET).open() for _ in range(10)]
            for tunnel in tunnels:
                tunnel.bind()
                tunnel.echo(os.urandom(20000))
        except (rpch_client.Gone, rpch_client.Slow) as error:
            lab.check(False, f'a tunnel: {error}')
        begin = time.monotonic()
        lab.same(daemon.end(signal.SIGTERM), 0, 'exit code')
        took = time.monotonic() - begin
        lab.check(took < DRAIN + 2, f'it ended after {took:.1f} s')


def read_again(log, line):
    with Daemon(log) as daemon:
        sent = daemon.refuse(4000, 'late')
        log.read()
        lab.check(lab.soon(lambda: b'lines-lost ' in log.text), 'no line tells of losses')
        lab.same(daemon.refuse(1, 'again'), 1, 'answers')
        lab.check(lab.soon(lambda: b'/again/0' in log.text), 'the line of the request after that')
        lab.same(daemon.end(signal.SIGTERM), 0, 'exit code')
        lab.check(lab.soon(lambda: b'stopped\n' in log.text), 'the last line')
        lines = log.lines()
        lab.same([one for one in lines if not line.fullmatch(one)], [], 'lines that are not whole')
        numbers = [int(number) for number in re.findall(r'/late/(\d+)', '\n'.join(lines))]
        lab.same(numbers, sorted(set(numbers)), 'order')
        lost = [int(number) for number in re.findall(r'lines-lost .*notice=(\d+)', '\n'.join(lines))]
        lab.same(len(numbers) + sum(lost), sent, f'{len(numbers)} lines and {lost} lost of')
        lab.check(sum(lost) > 0, 'nothing was lost: the test says nothing')
        lab.check(lines[-1].endswith('stopped'), f'the last line is {lines[-1]!r}')


lab.step('a pipe that nobody reads: requests are answered, tunnels carry, SIGTERM ends it')
nobody_reads(Pipe())
lab.step('a syslog that nobody reads: the same')
nobody_reads(Syslog())
lab.step('read again: lines are whole, and one tells how many are missing')
read_again(Pipe(), LINE)
read_again(Syslog(), SYSLOG_LINE)

lab.step('a crash: what was logged before it is there')
crash = signal.SIGABRT if SANITIZED else signal.SIGSEGV    # the other one is the sanitizer's
for attempt in range(5):
    log = Pipe()
    with Daemon(log) as daemon:
        log.read()
        lab.same(daemon.refuse(200, 'crash'), 200, 'answers')
        lab.same(daemon.end(crash), -crash, 'exit code')
        log.reader.join(5)
        lab.same(log.text.count(b'/crash/'), 200, 'lines before the crash')
        lab.check(log.text.endswith(b'\n'), 'the last line is torn')
lab.done()

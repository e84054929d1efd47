"""What lab.sh has started, for the Python parts of the scenarios: addresses, logs, and checks that say what went wrong."""
import json
import os
import sys
import time

import rpch_client

PLAIN = os.environ.get('LAB_PLAIN', '')
TLS = os.environ.get('LAB_TLS', '')
LOG = os.environ.get('LAB_LOG', '')
PID = int(os.environ.get('LAB_PID', 0))
SERVER_LOG = os.environ.get('LAB_SERVER_LOG', '')
USER, PASSWORD = os.environ.get('LAB_USER', ''), os.environ.get('LAB_PASSWORD', '')
AUTH = rpch_client.basic(USER, PASSWORD)
OTHER_AUTH = rpch_client.basic(os.environ.get('LAB_OTHER_USER', ''), PASSWORD)
# KiB by which memory may grow. A sanitizer keeps what is freed, up to the quarantine that lab.sh sets.
SLACK = int(os.environ.get('LAB_SLACK', 4096))
failed = 0


def step(text):
    print(f'   {text}', flush=True)


def check(good, text):
    """One expectation; a scenario goes on after a failure and fails at its end."""
    global failed
    if not good:
        failed += 1
        print(f'FAILED: {text}', flush=True)
    return good


def same(found, wanted, text):
    return check(found == wanted, f'{text}: {found!r}, expected {wanted!r}')


def done():
    sys.exit(1 if failed else 0)


def soon(condition, limit=5.0, every=0.02):
    """Waits until the condition holds; its last value."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(every)


def settled(path=None):
    """The lines of a log when it has not grown for a while: a thread of its own writes them."""
    path, size = path or LOG, -1
    while size != (size := os.path.getsize(path)):
        time.sleep(0.25)
    with open(path, encoding='utf-8', errors='replace') as log:
        return log.readlines()


class Lines:
    """Lines a log gets after this object was made."""

    def __init__(self, path=LOG):
        self.path, self.start = path, os.path.getsize(path)

    def all(self):
        with open(self.path, 'rb') as file:
            file.seek(max(self.start - 1, 0))
            data = file.read()
        # The last line may still be in the making, and so may the one at the start have been.
        begin = data.find(b'\n') + 1 if self.start else 0
        return data[begin:data.rfind(b'\n') + 1].decode(errors='replace').splitlines()

    def holding(self, *words):
        return [line for line in self.all() if all(word in line for word in words)]

    def wait(self, *words, limit=5.0):
        return soon(lambda: self.holding(*words), limit)


class Events(Lines):
    """Events of the test server after this object was made."""

    def __init__(self):
        super().__init__(SERVER_LOG)

    def events(self, event, **fields):
        found = [json.loads(line) for line in self.all()]
        return [one for one in found if one['event'] == event and all(one.get(key) == value for key, value in fields.items())]

    def violations(self, **fields):
        return [one for one in self.events('violation', **fields)]


def tunnel(target, **more):
    more.setdefault('auth', AUTH)
    tls = more.get('tls', False)
    return rpch_client.Tunnel(TLS if tls else PLAIN, target, **more)


def channel(tls=False, **more):
    return rpch_client.Channel(TLS if tls else PLAIN, tls, **more)


def descriptors():
    """Open descriptors of the daemon, but for the database: each worker opens that when its turn comes, and keeps it."""
    count = 0
    for name in os.listdir(f'/proc/{PID}/fd'):
        try:
            count += 'directory.db' not in os.readlink(f'/proc/{PID}/fd/{name}')
        except FileNotFoundError:
            pass
    return count


def memory():
    """Resident KiB of the daemon."""
    with open(f'/proc/{PID}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS'))


def cpu():
    """Seconds of processor time the daemon has used."""
    with open(f'/proc/{PID}/stat') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

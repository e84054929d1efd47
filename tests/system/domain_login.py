"""Part of 63-domain-login.sh:  domain_login.py STEP [ARGUMENT ...]"""
import os
import sys
import time

import lab
from ntlm_client import Client, WAYS

LOCAL = 'Other1!'
IN, OUT = 200, 401

# domain, user, password, status, what the log says of it
PEOPLE = (
    ('CORP', 'alice', lab.PASSWORD, IN, None),
    ('corp', 'ALICE', lab.PASSWORD, IN, None),
    ('corp.example', 'alice', lab.PASSWORD, IN, None),
    ('', 'alice', lab.PASSWORD, IN, None),
    ('', 'alice@corp.example', lab.PASSWORD, IN, None),
    ('CORP', 'jörg', lab.PASSWORD, IN, None),
    ('CORP', 'JÖRG', lab.PASSWORD, IN, None),
    ('CORP', 'dora', lab.PASSWORD, IN, None),  # of a group in the group
    ('CORP', 'alice', 'wrong', OUT, 'wrong password: corp\\alice'),
    ('CORP', 'nobody', lab.PASSWORD, OUT, 'unknown user: corp\\nobody'),
    ('OTHER', 'alice', lab.PASSWORD, OUT, 'unknown user: other\\alice'),
    ('CORP', 'bob', lab.PASSWORD, OUT, 'no rule of admit lets it in: CORP\\bob'),
    ('CORP', 'gone', lab.PASSWORD, OUT, 'account disabled: corp\\gone'),
    ('CORP', 'old', lab.PASSWORD, OUT, 'account expired: corp\\old'),
    ('CORP', 'fresh', lab.PASSWORD, OUT, 'the password must be changed first: corp\\fresh'),
    ('CORP', 'guarded', lab.PASSWORD, OUT, 'the account may not log in with NTLM or not like this: corp\\guarded'),
    # The local account is asked, and the domain for no spelling of its name.
    ('CORP', 'local', LOCAL, IN, None),
    ('CORP', 'local', lab.PASSWORD, OUT, 'wrong password: corp\\local'),
    ('', 'local@corp.example', lab.PASSWORD, OUT, 'there is a local account of this login, which counts: corp\\local'),
    ('CORP', 'shut', lab.PASSWORD, OUT, 'account disabled: corp\\shut'),
    ('', 'shut@corp.example', lab.PASSWORD, OUT, 'account disabled: corp\\shut'),
)


def login(user, domain='CORP', status=IN, words=(), password=lab.PASSWORD, tls=False):
    with lab.channel(tls=tls) as channel:
        Client(user, f'domain={domain}', *words, password=password).login(channel, status=status)


def people():
    lab.step('who comes in, raw and in SPNEGO')
    for domain, user, password, status, reason in PEOPLE:
        for words in WAYS:
            lines = lab.Lines()
            login(user, domain, status, words, password)
            if reason:
                lab.check(lines.wait('reason="' + reason.replace('\\', '\\\\') + '"'), f'the log does not say {reason}')
    lab.step('one principal for all spellings, another for another user')
    with lab.channel() as channel:
        for domain, user in ('CORP', 'alice'), ('', 'alice@corp.example'), ('corp.example', 'Alice'), ('', 'ALICE'):
            Client(user, f'domain={domain}').login(channel)
        Client('dora', 'domain=CORP').login(channel, status=OUT)


def unavailable(reason):
    lines = lab.Lines()
    for words in WAYS:
        login('alice', status=503, words=words)
        login(lab.USER, 'LAB', words=words)
    lab.check(lines.wait('refused', reason), f'the log does not say {reason}')
    lab.check(not lines.holding('wrong password'), 'nobody is told of a password')


def back():
    login('alice')
    login('bob', status=OUT)


def staff():
    login('dora')
    login('alice', status=OUT)


def away():
    lines = lab.Lines()
    channel = hanging()
    login(lab.USER, 'LAB')
    lab.same(channel.reply(limit=60).status, 503, 'a login that nobody judges')
    lab.check(not lines.holding('wrong password'), 'nobody is told of a password')


def hang():
    """More logins wait than there are threads for them: the limit of a question ends some, and the daemon's end the others."""
    first = hanging()
    more = [hanging() for _ in range(11)]
    times = []
    for _ in range(50):
        begun = time.monotonic()
        login(lab.USER, 'LAB')
        times.append(time.monotonic() - begun)
    times.sort()
    lab.step(f'a local login meanwhile: median {1000 * times[25]:.1f} ms, worst {1000 * times[-1]:.1f} ms')
    lab.same(first.reply(limit=60).status, 503, 'a login that nobody judges')
    for channel in more:
        lab.same(channel.reply(limit=60).status, 503, 'a login that nobody judges')
    for _ in range(8):
        hanging()
    time.sleep(0.5)


def hanging():
    """A login whose answer is not waited for."""
    channel = lab.channel()
    client = Client('alice', 'domain=CORP')
    target = os.environ['T_plain']
    channel.request('RPC_IN_DATA', target, 0, auth=client.lead(channel, 'RPC_IN_DATA', target))
    client.close()
    return channel


def bound(right, wrong):
    for words in WAYS:
        for binding, status in ((right, IN), (wrong, OUT), (None, OUT)):
            more = (f'binding64={binding}',) if binding else ()
            login('bob', status=status, words=words + more, tls=True)


if __name__ == '__main__':
    globals()[sys.argv[1]](*sys.argv[2:])
    lab.done()

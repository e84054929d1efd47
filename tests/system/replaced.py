"""Part of 55-replaced.sh."""
import os
import shutil
import sqlite3
import subprocess

import lab

DATABASE, COPY, ASIDE = os.environ['LAB_DB'], os.environ['LAB_DB'] + '.copy', os.environ['LAB_DB'] + '.aside'
TARGET = os.environ['T_http']
SOON = 4    # the daemon looks every two seconds


def ctl(database, *arguments):
    subprocess.run([os.environ['CTL'], '-d', database, *arguments], check=True, stdout=subprocess.DEVNULL)


def health():
    with lab.channel() as channel:
        channel.request('GET', None, path='/rpc/healthcheck.htm')
        return channel.reply().status


def login(auth=lab.AUTH, target=TARGET):
    """The status of an echo request."""
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', target, 0, auth=auth)
        return channel.reply().status


def about(target):
    """Whether a target is allowed is asked with a channel that never comes."""
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', target, 1 << 30, auth=lab.AUTH)
        return str(channel.reply())


def restore(source):
    """A whole copy takes the place of the file in one step, as `mv` does it."""
    owner = os.stat(source)
    shutil.copyfile(source, COPY + '.new')
    os.chown(COPY + '.new', owner.st_uid, owner.st_gid)
    os.replace(COPY + '.new', DATABASE)


with sqlite3.connect(DATABASE) as living, sqlite3.connect(COPY) as copy:
    living.backup(copy)
living.close()
copy.close()
ctl(COPY, 'user', 'disable', os.environ['LAB_OTHER_USER'])
ctl(COPY, 'valid-ports', 'add', 'elsewhere:7001')
with sqlite3.connect(COPY) as copy:
    copy.execute('PRAGMA journal_mode = DELETE')    # all of it in one file
copy.close()
os.chown(COPY, os.stat(DATABASE).st_uid, os.stat(DATABASE).st_gid)

tunnel = lab.tunnel(TARGET).open()
tunnel.bind()
lab.same((health(), login(), login(lab.OTHER_AUTH)), (200, 200, 200), 'before')

lab.step('the files of its log are taken away')
for enabled in False, True:
    for suffix in '-wal', '-shm':
        os.remove(DATABASE + suffix)
    ctl(DATABASE, 'user', 'enable' if enabled else 'disable', os.environ['LAB_OTHER_USER'])
    lab.check(lab.soon(lambda: login(lab.OTHER_AUTH) == (200 if enabled else 401), SOON), f'the account is not enabled={enabled}')
with sqlite3.connect(DATABASE) as living:
    lab.same(living.execute('PRAGMA integrity_check').fetchall(), [('ok',)], 'the database')
living.close()

lab.step('a restored copy is moved over it')
lines = lab.Lines()
ctl(DATABASE, 'user', 'disable', os.environ['LAB_USER'])    # which the copy does not know
restore(COPY)
lab.check(lab.soon(lambda: login(lab.OTHER_AUTH) == 401, SOON), 'who is disabled in the copy still comes in')
lab.check(lines.wait('notice directory', 'the file was replaced and is read anew', limit=SOON), 'no line tells of it')
lab.same((health(), login()), (200, 200), 'after')
tunnel.echo()
with lab.tunnel(TARGET).open() as another:
    another.bind()
    another.echo()
lab.check(lines.wait('valid-ports', 'elsewhere:7001', limit=SOON), 'the list of the copy is not in force')

lab.step('later commits hold too')
ctl(DATABASE, 'user', 'enable', os.environ['LAB_OTHER_USER'])
lab.check(lab.soon(lambda: login(lab.OTHER_AUTH) == 200, SOON), 'who is enabled does not come in')
lab.same(len(lines.holding('was replaced')), 1, 'lines that tell of it')

lab.step('the file is taken away')
lines = lab.Lines()
os.rename(DATABASE, ASIDE)
lab.check(lab.soon(lambda: health() == 503, SOON), 'the health check does not show it')
lab.same(about(TARGET), 'HTTP/1.0 503 RPC Error: 6bb', 'a new channel')
lab.check(lines.wait('error directory', 'the file is gone'), 'no line tells of it')
tunnel.echo()

lab.step('garbage stands in its place')
with open(DATABASE, 'wb') as garbage:
    garbage.write(b'x' * 100000)
lab.check(not lab.soon(lambda: health() == 200, SOON), 'garbage is good enough')
tunnel.echo()
lab.same(len(lines.holding('error directory')), 1, 'lines that tell of it')

lab.step('the file is put back')
os.replace(ASIDE, DATABASE)
lab.check(lab.soon(lambda: health() == 200, SOON), 'the health check does not see it')
lab.same((login(), login(lab.OTHER_AUTH)), (200, 200), 'at last')
lab.check(lines.wait('notice directory', 'can be read again'), 'no line tells of it')
tunnel.echo()
with lab.tunnel(TARGET).open() as another:
    another.bind()
    another.echo()
tunnel.close()
lab.done()

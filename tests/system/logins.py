"""Part of 48-logins.sh."""
import os
import select
import subprocess
import time

import lab
import rpch_client
import wire

TARGET, MAILBOX = os.environ['T_plain'], os.environ['MAILBOX'] + ':6001'
STORM = 600


class Storm:
    """Logins of nobody, each on a connection of its own, all of them sent."""

    def __init__(self):
        self.waiting, self.answers, self.sent = [], [], 0
        self.blow(STORM)

    def blow(self, count):
        for number in range(self.sent, self.sent + count):
            channel = rpch_client.Channel(lab.PLAIN)
            channel.request('RPC_IN_DATA', TARGET, 0, auth=rpch_client.basic(f'nobody{number}', 'x'))
            self.waiting.append(channel)
        self.sent += count

    def look(self, patience=0.0):
        """Takes the answers that are there; how many are still to come."""
        poll = select.poll()
        known = {channel.socket.fileno(): channel for channel in self.waiting}
        for descriptor in known:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(patience * 1000):
            channel = known[descriptor]
            self.answers.append(str(channel.reply()))
            self.waiting.remove(channel)
            channel.socket.close()
        return len(self.waiting)

    def goes_on(self, text):
        left = self.look()
        lab.check(left > 0, f'{text}: only after the storm')
        return left

    def end(self):
        deadline = time.monotonic() + 60
        while self.look(1.0) and time.monotonic() < deadline:
            pass
        lab.same(len(self.waiting), 0, 'logins without an answer')


def answer_about(target, **more):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', target, 1 << 30, auth=lab.AUTH, **more)
        return str(channel.reply())


def known():
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGET, 0, auth=lab.AUTH)
        lab.same(channel.reply().status, 200, 'the login of one who is to be known')


known()
living = lab.tunnel(MAILBOX).open()
living.bind()
lines = lab.Lines()
storm = Storm()

lab.step(f'{STORM} logins of nobody are in flight')
for number in range(20):
    lab.same(answer_about(f'other{number}:6001'), 'HTTP/1.0 503 RPC Error: 6ba', 'a target that is not')
left = storm.goes_on('answers to a known user')
lab.step(f'a known user had 20 answers about targets that are not, with {left} logins to come')

with lab.tunnel(TARGET).open() as tunnel:
    tunnel.bind()
    tunnel.echo()
living.echo()
left = storm.goes_on('a new tunnel')
lab.step(f'a tunnel has opened, with {left} logins to come')

storm.blow(STORM // 2)
subprocess.run([*os.environ['CTL'].split(), 'activate', 'DB01', 'TEST03'], check=True, stdout=subprocess.DEVNULL)
lab.check(lines.wait('the active copy of the mailbox database has moved', limit=8), 'the tunnel to the old server stays')
left = storm.goes_on('the end of a tunnel whose mailbox has moved')
lab.step(f'a tunnel whose mailbox has moved was closed, with {left} logins to come')
living.close()

storm.end()
kinds = set(storm.answers)
lab.check(kinds <= {'HTTP/1.1 401 Unauthorized', 'HTTP/1.0 503 RPC Error: 6bb'}, f'answers to nobody: {kinds}')
late = storm.answers.count('HTTP/1.0 503 RPC Error: 6bb')
if late:
    lab.check(lines.wait('shortage of=password-checks', 'password_threads'), 'no line says what there is too little of')
    lab.check(lines.wait('refused', 'reason="too many password checks wait"'), 'the refused are not told of')
lab.check(not lines.holding('shortage of=directory'), 'the directory was too busy')
lab.step(f'{len(storm.answers) - late} were not let in, {late} had no turn')
known()
lab.done()

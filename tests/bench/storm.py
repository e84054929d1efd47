"""Storms: tunnels that talk, and what they notice while many others open.

The relay is on one core; on the other one is the generator of the tunnels that talk, and with the time that it leaves
(SCHED_IDLE) the one that opens tunnels, so that opening one does not keep the first from looking at its clock; how late
its PDUs left all the same is printed. What opens keeps its core awake from the beginning, so that both spans are
measured alike. A PDU's time counts from when it was due, not from when it left. All tunnels of "storm" and "burst" have
one user, whose password was checked less than a minute before; in "cold" each has one of its own."""
import statistics
import time

from figures import judged, security
from laboratory import USER, Failure
from relays import capacity

RELAYS = ("ours", "haproxy")
ESTABLISHED, PACE = 200, 2000  # tunnels, and PDUs a second of all of them
RATE = 250  # tunnels a second: 15,000 in a minute
USERS = 50  # that the relay has not seen before
TWICE = 2.0  # how much longer p99 may get


class Storm:
    """`rate`: tunnels a second, 0: as fast as it goes. `relays`: which ones. `users`: of the tunnels, each one of its own.
    `goal`: whether there is one."""

    def __init__(self, name, title, tunnels, rate, relays, rounds, goal=False, users=()):
        self.name, self.title, self.tunnels, self.rate = name, title, tunnels, rate
        self.relays, self.rounds, self.goal, self.users = relays, rounds, goal, users

    def run(self, bench, name, tls, calm, idle=True):
        """The figures of one storm: of the calm before, of the opening, and of the tunnels that talked meanwhile. `idle`:
        the one that opens has what is left of its core."""
        relay = bench.start(name)
        generators = []
        try:
            talking = bench.attend(relay, tls, work="echo", tunnels=ESTABLISHED, pdu=32, pace=PACE)
            generators.append(talking)
            talking.answer(60)
            for step in "open", "start":
                talking.step(step)
            # The first one is opened by a known user before the storm: the relay knows the target.
            opening = bench.attend(relay, tls, 1, idle=idle, users=[USER, *self.users], poll="yes", work="idle", pdu=32,
                                   warm_tunnels=1, tunnels=self.tunnels, rate=self.rate, concurrency=self.tunnels)
            generators.append(opening)
            opening.answer(60)
            talking.step("look")
            time.sleep(calm)
            before = talking.step("look")
            if not before["messages"]:
                raise Failure(f"{name}: nothing came back in the calm")
            opening.step("look")
            opened = opening.step("open", 120, lenient=True)
            return {"calm": before, "storm": talking.step("look"), "opened": opened}
        finally:
            for generator in generators:
                generator.kill()
            bench.stop(relay)


def storms(names, quick):
    """Those of the run; `names`: of the users that are new. A relay takes four descriptors a tunnel at most, so that is how
    long a storm can be."""
    fits = capacity() - 400
    seconds = 5 if quick else 16
    found = [Storm("storm", f"{RATE} tunnels/s open", min(seconds * RATE, fits), RATE, RELAYS, 1 if quick else 2, True)]
    if not quick:
        found.append(Storm("burst", "tunnels open, all at once", min(4000, fits), 0, RELAYS, 1))
        found.append(Storm("cold", "users log in, never seen before", USERS, 0, ("ours",), 1, users=names))
    return found


def print_heading():
    print(f"\nStorms: {ESTABLISHED} tunnels send {PACE} PDUs a second in all; the round trip counts from when each was due. Others open meanwhile.\n"
          "All threads of the relay share one core, those that check passwords too; the generators have another one.\n"
          f"{'':37} {'':5} {'':8}{'calm: p50':>10}{'p99 us':>9}{'storm: p50':>12}{'p99 us':>9}{'p99 ratio':>11}  {'goal':15}"
          f"{'opened':>7}{'failed':>7}{'a second':>9}{'p99 ms':>8}{'PDUs late us':>14}", flush=True)


class Outcome:
    """What came of the rounds of one storm over one relay."""

    def __init__(self, storm, tls, relay, rounds):
        self.storm, self.tls, self.relay, self.rounds = storm, tls, relay, rounds
        self.ratio = statistics.median(one["storm"]["p99_us"] / one["calm"]["p99_us"] for one in rounds)
        self.failed = sum(one["opened"]["failed"] for one in rounds)
        self.rate = statistics.median(one["opened"]["opened"] / one["opened"]["seconds"] for one in rounds)
        self.kept = not storm.rate or self.rate >= 0.98 * storm.rate
        self.goal = TWICE if storm.goal and relay == "ours" else None

    def middle(self, part, name):
        return statistics.median(one[part][name] for one in self.rounds)

    def judgement(self):
        if self.goal is None:
            return ""
        if self.failed:
            return "MISSED: failed"
        return judged(self.ratio, self.goal, False) if self.kept else "rate not kept"

    def print(self):
        late = f"{self.middle('calm', 'delay_p99_us'):.0f}, {self.middle('storm', 'delay_p99_us'):.0f}"
        print(f"{self.storm.tunnels:>5} {self.storm.title:31} {security(self.tls):5} {self.relay:8}"
              f"{self.middle('calm', 'p50_us'):10.0f}{self.middle('calm', 'p99_us'):9.0f}"
              f"{self.middle('storm', 'p50_us'):12.0f}{self.middle('storm', 'p99_us'):9.0f}{self.ratio:11.2f}  {self.judgement():15}"
              f"{self.middle('opened', 'opened'):7.0f}{self.failed:7}{self.rate:9.0f}{self.middle('opened', 'opening_p99_us') / 1000:8.1f}"
              f"{late:>14}", flush=True)
        for one in self.rounds:
            if one["opened"]["failed"]:
                print(f"      the first that failed: {one['opened']['failure']}", flush=True)

    def entry(self):
        """For the JSON."""
        return {"storm": self.storm.name, "tunnels": self.storm.tunnels, "rate": self.storm.rate, "tls": self.tls == "yes",
                "relay": self.relay, "p99_ratio": self.ratio, "goal": self.goal, "failed": self.failed,
                "opened_per_second": self.rate, "rate_kept": self.kept, "rounds": self.rounds}


def run_storm(bench, storm, tls, calm, table, idle=True):
    results = {relay: [] for relay in storm.relays}
    for turn in range(storm.rounds):
        for relay in storm.relays if turn % 2 == 0 else reversed(storm.relays):
            results[relay].append(storm.run(bench, relay, tls, calm, idle))
    for relay, rounds in results.items():
        outcome = Outcome(storm, tls, relay, rounds)
        outcome.print()
        table.append(outcome.entry())

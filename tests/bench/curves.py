"""How cost grows with work: with the number of tunnels, with the size of PDUs, and with tunnels that do nothing."""
import statistics
import time

from figures import cpu_per_gib, cpu_per_message, judged, security, text
from laboratory import Failure
from relays import Group, capacity, processes

RELAYS = ("ours", "haproxy")
TUNNELS = (10, 100, 1000, 10000)
SIZES = (20, 128, 1024, 4096, 16384, 65535)  # bytes; 65,535 is the most that frag_length can say
WARM = 200  # tunnels before the first look at the memory
WORKING = 10  # tunnels beside idle ones
SPANS, SPAN = 3, 0.5  # measurements of one set of tunnels, seconds of each
FLAT = 1.10  # what is noise, as a ratio


class Curve:
    """A figure `title` in `unit`, as a function of the number `x`; `points` of each relay: [x, y]. `log`: y varies by
    orders."""

    def __init__(self, name, title, unit, x, tls, log=False):
        self.name, self.title, self.y, self.x, self.tls, self.log = name, title, unit, x, tls == "yes", log
        self.points = {relay: [] for relay in RELAYS}

    def add(self, relay, x, figures):
        self.points[relay].append([x, statistics.median(figures)])

    def print(self):
        """A table with a column for each x, and what ours is of haproxy's."""
        rows = {self.x: [f"{x:,}" for x, _ in self.points["ours"]]}
        for relay, points in self.points.items():
            rows[relay] = [text(y) for _, y in points]
        rows["ratio"] = [f"{ours / other:.2f}" if other else "" for (_, ours), (_, other) in zip(*self.points.values())]
        print(f"\n{self.title}, {self.y}, {security('yes' if self.tls else 'no')}")
        for name, cells in rows.items():
            print(f"  {name:32}" + "".join(f"{cell:>10}" for cell in cells), flush=True)


def look_after(group, seconds):
    time.sleep(seconds)
    return group.step("look")


def cost_of_message(group):
    """CPU per PDU over a span in which something came back."""
    for _ in range(20):
        found = look_after(group, SPAN)
        if found["messages"]:
            return cpu_per_message(found)
    raise Failure(f"{20 * SPAN} s, and nothing comes back")


def point(bench, relay, tls, tunnels, idle_seconds, **words):
    """Tunnels that are opened, stay idle and then all work, over relays of their own: what is known of them."""
    words = {"work": "echo", "pdu": 32, "warm_tunnels": WARM, **words}
    with Group(bench, relay, tls, tunnels, **words) as group:
        opened = group.step("open")
        result = look_after(group, idle_seconds) if idle_seconds else dict(opened)
        result["kib_per_tunnel"] = (opened["resident"] - group.first["resident"]) / 1024 / tunnels
        group.step("start")
        look_after(group, SPAN)
        result["cpu_per_message"] = [cost_of_message(group) for _ in range(SPANS)]
    return result


def idle_point(bench, relay, tls, tunnels, idle_seconds):
    """The same; such points are kept, so that the curves need not open 10,000 tunnels again."""
    result = point(bench, relay, tls, tunnels, idle_seconds)
    bench.points.setdefault((relay, tls, tunnels), []).append(result)
    return result


def by_tunnels(bench, tls, rounds, limit):
    """CPU per PDU and memory per tunnel, with all tunnels at work. `limit`: the most tunnels."""
    cpu = Curve("cpu-by-tunnels", "Relay CPU for a 32-byte PDU there and back", "us", "tunnels, all of them working", tls)
    memory = Curve("memory-by-tunnels", "Resident memory for an idle tunnel", "KiB", f"tunnels more, beside {WARM}", tls)
    for tunnels in sorted({min(count, limit) for count in TUNNELS}):
        found = {relay: list(bench.points.get((relay, tls, tunnels), ())) for relay in RELAYS}
        many = tunnels > capacity()
        for turn in range(1 if many else rounds):
            for relay in RELAYS if turn % 2 == 0 else reversed(RELAYS):
                if not (many and found[relay]):
                    found[relay].append(point(bench, relay, tls, tunnels, 0))
        for relay, results in found.items():
            cpu.add(relay, tunnels, [figure for result in results for figure in result["cpu_per_message"]])
            memory.add(relay, tunnels, [result["kib_per_tunnel"] for result in results])
    for curve in cpu, memory:
        curve.print()
        if processes(tunnels) > 1:
            print(f"  {tunnels:,} tunnels: {processes(tunnels)} relays, which share one core, as their generators share the other")
    return [cpu, memory]


def by_size(bench, tls, rounds, shared):
    """CPU per PDU of calls, and per GiB of bulk in both directions, for PDUs of different sizes."""
    message = Curve("cpu-by-size", "Relay CPU for a PDU there and back", "us", "bytes of a PDU", tls, True)
    gib = Curve("cpu-per-gib-by-size", "Relay CPU for a GiB, bulk both ways", "s", "bytes of a PDU", tls, True)
    for size in SIZES:
        for curve, value, words in ((message, cpu_per_message, {"work": "echo", "tunnels": 50}),
                                    (gib, cpu_per_gib, {"work": "both", "tunnels": 4})):
            found = {relay: [] for relay in RELAYS}
            for turn in range(rounds):
                for relay in RELAYS if turn % 2 == 0 else reversed(RELAYS):
                    found[relay].append(value(bench.measure(shared[relay], tls, pdu=size, milliseconds=400, warm_up=150, **words)))
            for relay, figures in found.items():
                curve.add(relay, size, figures)
    message.print()
    gib.print()
    return [message, gib]


def beside_idle(bench, relay, tls, rounds, counts):
    """CPU per PDU of a few working tunnels beside so many idle ones; by their number. All in one process each."""
    found = {count: [] for count in counts}
    for _ in range(rounds):
        process = bench.start(relay)
        generators = []
        try:
            workers = bench.attend(process, tls, work="echo", tunnels=WORKING, pdu=32)
            generators.append(workers)
            workers.answer(60)
            for step in "open", "start":
                workers.step(step)
            idle = 0
            for count in counts:
                if count > idle:
                    generators.append(bench.attend(process, tls, len(generators), work="idle", tunnels=count - idle, pdu=32))
                    generators[-1].answer(60)
                    generators[-1].step("open")
                    idle = count
                time.sleep(0.3)
                workers.step("look")
                found[count] += [cost_of_message(workers) for _ in range(SPANS)]
        finally:
            for generator in generators:
                generator.kill()
            bench.stop(process)
    return found


def beside(bench, tls, rounds, table):
    """The cost of work must not grow with tunnels that do nothing."""
    counts = (0, min(1000, capacity() // 2), capacity())
    curve = Curve("cpu-beside-idle", f"Relay CPU for a 32-byte PDU of {WORKING} tunnels", "us", "idle tunnels beside", tls)
    for relay in RELAYS:
        for count, figures in beside_idle(bench, relay, tls, rounds, counts).items():
            curve.add(relay, count, figures)
    curve.print()
    for relay in RELAYS:
        cost = [y for _, y in curve.points[relay]]
        ratio = max(cost[1:]) / cost[0]
        goal = judged(ratio, FLAT, False) if relay == "ours" else ""
        name = f"most beside idle / none, {relay}"
        print(f"  {name:32}{ratio:10.2f}   {goal}", flush=True)
        table.append({"row": f"CPU beside idle tunnels, {relay}", "tls": tls == "yes", "ratio": ratio,
                      "goal": FLAT if relay == "ours" else None})
    return [curve]

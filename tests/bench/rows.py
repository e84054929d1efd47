"""The main table: rpctunneld beside haproxy, in turns."""
from functools import partial

from curves import idle_point, point
from figures import Value, cpu_per_gib, cpu_per_message, mib_per_second, per_second, print_value
from relays import GENERATOR_CORE, RELAY_CORE, processes


class Row:
    """`quick`: also in the short run. `words`: for the generator. `same_core`: relay and generator share one. `most`: rounds."""

    def __init__(self, name, values, quick, relays, same_core=False, most=99, **words):
        self.name, self.values, self.quick, self.relays, self.most, self.words = name, values, quick, relays, most, words
        self.cores = {RELAY_CORE if same_core else GENERATOR_CORE}

    def measure(self, bench, relay, shared, tls):
        return bench.measure(shared[relay], tls, cores=self.cores, **self.words)

    def rounds(self, wanted):
        return min(wanted, self.most)


class IdleRow(Row):
    """Tunnels that do nothing, over relays of their own. Memory is the same each time: there are less rounds."""

    def __init__(self, name, values, relays, tunnels, seconds, measure=idle_point):
        super().__init__(name, values, True, relays)
        self.tunnels, self.seconds, self.point = tunnels, seconds, measure

    def measure(self, bench, relay, shared, tls):
        return self.point(bench, relay, tls, self.tunnels, self.seconds)

    def rounds(self, wanted):
        return max(1, wanted // 3)


def transfer_rows(quick, relays, before="", after="", short=(), **words):
    """The rows that move PDUs; `before` and `after`: around their names. `short`: which of them the short run has."""
    bulk = {"tunnels": 4, "pdu": 4088, "milliseconds": 400 if quick else 1600, "warm_up": 100 if quick else 300, **words}
    echo = {"work": "echo", "pdu": 32, "milliseconds": 400 if quick else 1500, "warm_up": 100 if quick else 150, **words}

    def row(name, values, **more):
        return Row(before + name, values, not short or name in short, relays, **more)

    def down(kib, speed, cost):
        return row(f"down{kib}", [Value(f"bulk down, client window {kib} KiB{after}", "MiB/s", mib_per_second, True, *speed),
                                  Value(f"CPU seconds per GiB down, {kib} KiB{after}", "s", cpu_per_gib, False, *cost)],
                   work="down", window=kib * 1024, **bulk)
    return [
        row("latency", [Value(f"round trip of a 32-byte PDU, 1 tunnel, p50{after}", "us", lambda r: r["p50_us"], False, 0.80, 0.78),
                        Value(f"the same, p99{after}", "us", lambda r: r["p99_us"], False, 1.0, 1.0)],
            same_core=True, tunnels=1, **echo),
        row("messages", [Value(f"32-byte PDUs/s there and back, 200 tunnels{after}", "/s", per_second, True, 1.30, 1.50),
                         Value(f"the same, relay CPU for one{after}", "us", cpu_per_message, False)],
            tunnels=200, **echo),
        row("up", [Value(f"bulk up{after}", "MiB/s", mib_per_second, True, 1.35, 1.15),
                   Value(f"CPU seconds per GiB up{after}", "s", cpu_per_gib, False, 0.70, 0.90)], work="up", **bulk),
        down(64, (1.10, 1.05), (0.95, 0.95)),
        down(256, (1.0, 1.0), (0.95, 0.95)),
    ]


def rows(quick, idle, third, both_hops):
    """`third`: the relay in the third column. `both_hops`: the rows for ncacn_http backends too."""
    three = ("ours", "haproxy", third)
    # An idle connection without protocol is no tunnel, and neither is one that is opened and closed.
    two = three if third == "before" else three[:2]
    found = transfer_rows(quick, three)
    spread = f", {processes(idle)} processes" if processes(idle) > 1 else ""
    found.append(IdleRow("idle", [
        Value("memory per idle tunnel", "KiB", lambda r: r["kib_per_tunnel"], False, 0.30, 0.50),
        Value(f"CPU of {idle} idle tunnels, part of a core{spread}", "%", lambda r: 100 * r["relay_busy"], False, limit=0.5)],
        two, idle, 0.5 if quick else 10))
    found.append(IdleRow("idle-ntlm", [
        Value("memory per idle tunnel, logged in with NTLM", "KiB", lambda r: r["kib_per_tunnel"], False)],
        ("ours", "haproxy"), min(idle, 4000), 0, partial(point, scheme="NTLM")))
    found.append(Row("churn", [
        Value("tunnels opened, authenticated and closed a second", "/s", per_second, True, 1.3, 1.2),
        Value("the same, relay CPU for one", "us", cpu_per_message, False)],
        True, two, work="churn", tunnels=800 if quick else 4000, warm_tunnels=200, pdu=32))
    found.append(Row("churn-ntlm", [
        Value("the same, with NTLM", "/s", per_second, True),
        Value("the same, relay CPU for one", "us", cpu_per_message, False)],
        True, two, work="churn", tunnels=800 if quick else 4000, warm_tunnels=200, pdu=32, scheme="NTLM"))
    if both_hops:
        found += transfer_rows(quick, two, "http-", ", ncacn_http", ("messages", "down64"), hop="http", most=3)[:4]
    return found


def run_row(bench, row, tls, rounds, table, shared):
    results = {relay: [] for relay in row.relays}
    for turn in range(row.rounds(rounds)):
        for relay in row.relays if turn % 2 == 0 else reversed(row.relays):
            results[relay].append(row.measure(bench, relay, shared, tls))
    for value in row.values:
        table.append(print_value(value, tls, results))

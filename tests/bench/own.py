"""Rows that compare rpctunneld with itself."""
import statistics

from figures import cpu_per_gib, judged, mib_per_second, security
from laboratory import Failure
from relays import RECYCLED


def print_ratio(name, tls, ratio, told, goal):
    print(f"{name:56} {security(tls):5} ratio {ratio:8.3f} {told:54} {judged(ratio, goal, True)}", flush=True)


def scaling(bench, tls, rounds, table, milliseconds):
    """Two workers against one. The generator needs a core itself, so on two cores the figure is computed from what the
    busiest thread spends on a PDU: with a core for each thread, that thread is the limit."""
    spent = {1: [], 2: []}
    for _ in range(rounds):
        for workers in spent:
            relay = bench.start("ours", workers)
            result = bench.measure(relay, tls, work="echo", tunnels=200, pdu=32, milliseconds=milliseconds, warm_up=300)
            bench.stop(relay)
            spent[workers].append(result["messages"] / result["relay_busiest_thread_cpu"])
    one, two = (statistics.median(spent[workers]) for workers in (1, 2))
    name, goal = "two workers against one, PDUs per CPU s of the busiest", 1.7
    print_ratio(name, tls, two / one, "", goal)
    table.append({"row": name, "tls": tls == "yes", "one": spent[1], "two": spent[2], "ratio": two / one, "goal": goal})


def recycling(bench, tls, rounds, table, shared, milliseconds):
    """Bulk with a new channel every 64 MB, by an rpctunneld and a client that say so, against the same without."""
    sides = {"ours": {}, "recycled": {"lifetime": RECYCLED}}
    relays = {"ours": shared["ours"], "recycled": bench.start("recycled")}
    for work, kinds in {"up": ("in_r1", "in_r2"), "down": ("out_r1", "out_r2")}.items():
        results = {side: [] for side in sides}
        for turn in range(rounds):
            for side in sorted(sides, reverse=turn % 2 == 1):
                results[side].append(bench.measure(relays[side], tls, work=work, tunnels=4, pdu=4088, warm_up=150,
                                                   milliseconds=milliseconds, **sides[side]))
        replaced = sum(result[kind] for result in results["recycled"] for kind in kinds)
        if replaced == 0:
            raise Failure(f"bulk {work}: no channel was replaced")

        def ratio(value):
            return statistics.median(value(one) / value(other) for one, other in zip(results["recycled"], results["ours"]))
        speed, cost, goal = ratio(mib_per_second), ratio(cpu_per_gib), 0.97
        name = f"bulk {work}, a new channel every 64 MB against none"
        print_ratio(name, tls, speed, f"relay CPU {cost:.3f}, {replaced} channels replaced", goal)
        table.append({"row": name, "tls": tls == "yes", "ratio": speed, "cpu_ratio": cost, "goal": goal, "replaced": replaced,
                      "with": results["recycled"], "without": results["ours"]})
    bench.stop(relays["recycled"])

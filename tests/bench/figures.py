"""What measurements are worth: figures, their medians and ratios, and how they are printed."""
import statistics


def per_second(result):
    return result["messages"] / result["seconds"]


def mib_per_second(result):
    return result["bytes"] / result["seconds"] / 2**20


def cpu_per_gib(result):
    return result["relay_cpu"] / (result["bytes"] / 2**30)


def cpu_per_message(result):
    """Microseconds."""
    return result["relay_cpu"] / result["messages"] * 1e6


class Value:
    """A figure of a row: `function` of what the generator says, whether more is better, and the goals: ratios to
    haproxy, or a `limit` of the figure itself."""

    def __init__(self, name, unit, function, more, plain=None, tls=None, limit=None):
        self.name, self.unit, self.function, self.more, self.limit = name, unit, function, more, limit
        self.goal = {"no": plain, "yes": tls}


def medians(results, value):
    figures = [value.function(result) for result in results]
    middle = statistics.median(figures)
    return middle, (max(figures) - min(figures)) / middle if middle else 0.0


def text(figure):
    return f"{figure:.3f}" if figure < 1 else f"{figure:.2f}" if figure < 100 else f"{figure:.0f}"


def security(tls):
    return "TLS" if tls == "yes" else "plain"


def judged(figure, goal, more):
    met = figure >= goal if more else figure <= goal
    return f"{'>=' if more else '<='} {goal:.2f} {'met' if met else 'MISSED'}"


def percent(results, name):
    return f"{100 * statistics.median(result[name] for result in results):.0f}"


def busy(results):
    return "/".join(percent(results, name) for name in ("relay_busy", "generator_busy", "others_busy"))


def print_heading(third):
    print(f"{'':56} {'':5} {'':5} {'ours':>8} {'':6} {'haproxy':>8} {'':6} ratio {third:>9} {'':5} ratio  goal"
          f"{'':11} CPU % relay/generator/others")


def print_value(value, tls, results):
    """One line: medians of the relays in `results`, ours first, their spread and ratio. What goes into the JSON."""
    found = {relay: medians(results[relay], value) for relay in results}
    ours = found["ours"][0]
    cells = []
    entry = {"row": value.name, "unit": value.unit, "tls": tls == "yes", "goal": value.goal[tls], "more_is_better": value.more}
    for relay, (middle, wide) in found.items():
        ratio = ours / middle if middle else None
        entry[relay] = {"median": middle, "spread": wide, "ratio_of_ours": ratio, "rounds": results[relay]}
        cells.append(f"{text(middle):>8} +-{50 * wide:3.0f}%" + ("" if relay == "ours" or ratio is None else f" {ratio:5.2f}"))
    goal = ""
    if value.limit is not None:
        goal = f"< {value.limit} " + ("met" if ours < value.limit else "MISSED")
    elif value.goal[tls] is not None and found["haproxy"][0]:
        goal = judged(ours / found["haproxy"][0], value.goal[tls], value.more)
    print(f"{value.name:56} {security(tls):5} {value.unit:5} {cells[0]:15} {cells[1]:21} "
          f"{cells[2] if len(cells) > 2 else '':21} {goal:14} {' '.join(busy(results[relay]) for relay in results)}", flush=True)
    return entry

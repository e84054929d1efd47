#!/usr/bin/env python3
"""Draws the curves of a run as an SVG of small multiples, plain at the left and TLS at the right: plot.py BENCH.JSON BENCH.SVG"""
import json
import math
import sys
from xml.sax.saxutils import escape

COLOURS = {"ours": "#1b5e9e", "haproxy": "#d4731a"}
NAMES = {"ours": "rpctunneld", "haproxy": "haproxy, two connections a tunnel"}
WIDTH, HEIGHT = 400, 190  # of the area of one panel
LEFT, RIGHT, ABOVE, BELOW = 62, 22, 40, 50  # around it
TOP = 64  # title and legend


def count_text(x):
    return f"{x:,}"


def bytes_text(x):
    return f"{x} B" if x < 1024 else f"{round(x / 1024)} KiB"


def figure_text(y):
    return f"{y:g}" if y < 10000 else f"{y:,.0f}"


class Axis:
    """Figures from `low` to `high` to pixels from `start` to `end`; `ticks`: where it is labelled."""

    def __init__(self, low, high, start, end, log, ticks):
        self.low, self.high, self.start, self.end, self.log, self.ticks = low, high, start, end, log, ticks

    def __call__(self, figure):
        scale = math.log if self.log else float
        low, high = scale(self.low), scale(self.high)
        return self.start + (self.end - self.start) * ((scale(figure) - low) / (high - low) if high > low else 0.5)


def log_axis(figures, start, end):
    """Begins and ends at 1, 2 or 5 times a power of ten."""
    steps = [step * 10.0**power for power in range(-9, 13) for step in (1, 2, 5)]
    low = max(step for step in steps if step <= min(figures))
    high = min(step for step in steps if step >= max(figures) and step > low)
    ticks = [step for step in steps if low <= step <= high]
    if len(ticks) > 9:
        ticks = [step for step in ticks if f"{step:e}"[0] == "1"]
    return Axis(low, high, start, end, True, ticks)


def linear_axis(figures, start, end):
    """Begins at 0, with four to eight labels."""
    most = max(figures) * 1.05 or 1.0
    step = 10.0 ** math.floor(math.log10(most))
    for part in (1, 0.5, 0.25, 0.2):
        if most / (step * part) >= 4:
            step *= part
            break
    else:
        step *= 0.2
    count = math.ceil(most / step)
    return Axis(0, count * step, start, end, False, [round(number * step, 9) for number in range(count + 1)])


class Places:
    """An axis whose labels stand side by side, for figures that begin at 0."""

    def __init__(self, ticks, start, end):
        self.ticks, self.start, self.step = ticks, start, (end - start) / max(1, len(ticks) - 1)

    def __call__(self, figure):
        return self.start + self.step * self.ticks.index(figure)


class Drawing:
    def __init__(self):
        self.parts = []

    def text(self, x, y, words, anchor="middle", more=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def curve(self, places, relay):
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            self.parts.append(f'<polyline points="{path}" class="curve" stroke="{COLOURS[relay]}"/>')
        for x, y in places:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{COLOURS[relay]}"/>')

    def panel(self, curve, ys, left, top):
        """One curve of a run, in the area whose corner is there. `ys`: what the scale has to hold."""
        right, bottom = left + WIDTH, top + HEIGHT
        points = {relay: points for relay, points in curve["points"].items() if points}
        xs = sorted({x for line in points.values() for x, _ in line})
        log = curve["log"] and min(ys) > 0
        y_axis = (log_axis if log else linear_axis)(ys, bottom, top)
        x_axis = Axis(xs[0], xs[-1], left + 12, right - 12, True, xs) if xs[0] > 0 else Places(xs, left + 12, right - 12)
        for tick in y_axis.ticks:
            self.line(left, y_axis(tick), right, y_axis(tick), "grid")
            self.text(left - 7, y_axis(tick) + 4, figure_text(tick), "end")
        for tick in x_axis.ticks:
            self.line(x_axis(tick), bottom, x_axis(tick), bottom + 5, "axis")
            self.text(x_axis(tick), bottom + 18, (bytes_text if "bytes" in curve["x"] else count_text)(tick))
        self.line(left, bottom, right, bottom, "axis")
        self.line(left, top, left, bottom, "axis")
        scale = "log scales" if log else "log scale" if xs[0] > 0 else ""
        self.text((left + right) / 2, bottom + 36, curve["x"] + (f" ({scale})" if scale else ""), more=' class="label"')
        security = "TLS" if curve["tls"] else "plain"
        self.text(left, top - 14, f"{curve['title']}, {curve['y']}, {security}", "start", ' class="panel"')
        for relay, line in points.items():
            self.curve([(x_axis(x), y_axis(y)) for x, y in line], relay)

    def legend(self, y):
        x = LEFT
        for relay, name in NAMES.items():
            self.curve([(x, y - 4), (x + 26, y - 4)], relay)
            self.text(x + 34, y, name, "start")
            x += 150


def svg(curves):
    """`curves`: as in the JSON. One row of panels for each name, in the order in which they come."""
    names = list(dict.fromkeys(curve["name"] for curve in curves))
    drawing = Drawing()
    drawing.text(LEFT, 26, "What the relay spends, by load", "start", ' class="title"')
    drawing.legend(50)
    # Those side by side have one scale.
    ys = {name: [y for curve in curves if curve["name"] == name for line in curve["points"].values() for _, y in line]
          for name in names}
    for curve in curves:
        left = LEFT + (LEFT + WIDTH + RIGHT) * curve["tls"]
        drawing.panel(curve, ys[curve["name"]], left, TOP + ABOVE + names.index(curve["name"]) * (ABOVE + HEIGHT + BELOW))
    width, height = 2 * (LEFT + WIDTH + RIGHT), TOP + len(names) * (ABOVE + HEIGHT + BELOW) + 10
    style = ("text{font:12px sans-serif;fill:#333}.title{font-size:18px;font-weight:bold}.panel{font-size:13px;font-weight:bold}"
             ".label{fill:#666}.grid{stroke:#e4e4e4}.axis{stroke:#888}.curve{fill:none;stroke-width:2}")
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">\n<style>{style}</style>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
            + "\n".join(drawing.parts) + "\n</svg>\n")


def write_svg(curves, path):
    with open(path, "w", encoding="utf-8") as out:
        out.write(svg(curves))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as found:
        write_svg(json.load(found)["curves"], sys.argv[2])

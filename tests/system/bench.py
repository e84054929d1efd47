"""Part of 46-bench.sh."""
import os
import resource
import signal
import sys
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), 'bench'))
import back
import curves
import lab
import logins
import rows
import storm
from laboratory import Failure
from plot import svg
from relays import Bench, Group, capacity

SVG = '{http://www.w3.org/2000/svg}'
NEW = ['new1', 'new2', 'new3']
SHORT = {'milliseconds': 50, 'warm_up': 20, 'tunnels': 30, 'warm_tunnels': 5}
storm.ESTABLISHED, storm.PACE, storm.SETTLING, curves.WARM, curves.WORKING, curves.SPAN = 20, 200, 0.2, 5, 3, 0.1


def blow(bench, tunnels, rate, tls='no', users=()):
    """A storm over our daemon; what it says of the tunnels that were opened in it."""
    table = []
    storm.run_storm(bench, storm.Storm('storm', 'tunnels', tunnels, rate, ('ours',), 1, True, users), tls, 0.3, table, idle=False)
    found = table[0]['rounds'][0]
    for span in 'calm', 'storm':
        lab.check(found[span]['failed'] == 0 and found[span]['p99_us'] >= found[span]['p50_us'], f'{span}: {found[span]}')
    calm = found['calm']
    lab.check(0 < calm['messages'] <= storm.PACE * calm['seconds'] + storm.ESTABLISHED, f'the pace: {calm}')
    if rate:
        lab.check(found['opened']['seconds'] * rate >= tunnels - 2, f'faster than {rate} a second: {found["opened"]}')
    lab.same(table[0]['failed'], found['opened']['failed'], 'failed, in the table')
    return found['opened']


def all_open(bench, tunnels, *more, **words):
    opened = blow(bench, tunnels, *more, **words)
    lab.same((opened['opened'], opened['failed']), (tunnels, 0), f'opened and failed: {opened["failure"]}')


def stands_still(bench, who):
    """All that was due comes back, not only what a tunnel that waits for its answer would have sent, and the waiting counts."""
    relay = bench.start('ours')
    talking = bench.attend(relay, 'no', work='echo', tunnels=20, pdu=32, pace=200)
    try:
        for word in 'open', 'start', 'look':
            talking.say(word)
        for _ in range(4):
            talking.answer(60)
        process = (relay if who == 'relay' else talking).process
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.6)
        os.kill(process.pid, signal.SIGCONT)
        spans = []

        def caught_up():
            spans.append(talking.step('look'))
            return sum(span['messages'] for span in spans) >= 200 * sum(span['seconds'] for span in spans) - 20
        lab.check(lab.soon(caught_up), f'not all came back: {spans[:3]}')
        lab.check(max(span['p99_us'] for span in spans) >= 400_000, f'nobody has waited: {spans[:3]}')
    finally:
        talking.kill()
        bench.stop(relay)


def plotted(found):
    picture = xml.etree.ElementTree.fromstring(svg([vars(curve) for curve in found]).encode())
    lines = [line.get('points').split() for line in picture.iter(SVG + 'polyline')]
    wanted = [len(points) for curve in found for points in curve.points.values() if len(points) > 1]
    lab.same(sorted(len(line) for line in lines), sorted(wanted + [2] * len(found[0].points)), 'points of the lines, legend included')
    width, height = int(picture.get('width')), int(picture.get('height'))
    places = [place for line in lines for place in line] + [f"{dot.get('cx')},{dot.get('cy')}" for dot in picture.iter(SVG + 'circle')]
    for place in places:
        x, y = map(float, place.split(','))
        lab.check(0 < x < width and 0 < y < height, f'outside of {width} x {height}: {place}')
    words = [text.text for text in picture.iter(SVG + 'text')]
    for curve in found:
        lab.check(any(word.startswith(curve.title) for word in words), f'no panel {curve.title}')


def curve_of(name, points, log=False, tls='no'):
    found = curves.Curve(name, f'{name} & <more>', 'us', 'tunnels', tls, log)
    for relay in found.points:
        for x, y in points:
            found.add(relay, x, [y])
    return found


try:
    bench = Bench('tcp', 3)
    try:
        lab.step('storms')
        all_open(bench, 30, 100)
        all_open(bench, 30, 0, tls='yes')
        bench.hop = 'http'
        all_open(bench, 30, 0)
        bench.hop = 'tcp'
        for name in NEW:
            bench.add_user(name)
        all_open(bench, len(NEW), 0, users=NEW)

        lab.step('every row of the table')
        relay = bench.start('ours')
        for row in rows.rows(True, 10, None, False):
            row.words = {name: min(word, SHORT[name]) if name in SHORT else word for name, word in row.words.items()}
            result = row.measure(bench, 'ours', {'ours': relay}, 'no')
            for value in row.values:
                lab.check(value.function(result) >= 0, f'{row.name}: {value.name}')
        bench.stop(relay)

        lab.step('logins, after a restart and of nobody')
        back.USERS, back.AGAIN, table = 3, 2, []
        for name in back.names():
            bench.add_user(name)
        back.back(bench, 'no', 1, table)
        lab.same([entry['scheme'] for entry in table if min(entry['cold'], entry['known']) > 0], list(back.SCHEMES), 'logins')
        for rate in None, logins.PACED:
            found = logins.one_round(bench, 0.5, rate)
            lab.check(found['waits_ms'] and found['logins'] > 0, f'{rate} logins a second: {found}')
            lab.check(rate is None or found['logins'] < 3 * rate, f'{rate} logins a second: {found["logins"]}')

        lab.step('refused tunnels')
        opened = blow(bench, 5, 0, users=[NEW[0], 'nobody'])   # every third one
        lab.same((opened['opened'], opened['failed']), (3, 2), 'opened and failed')
        lab.check('401' in opened['failure'], opened['failure'])

        for who in 'relay', 'generator':
            lab.step(f'a {who} that stands still holds up what is due meanwhile')
            stands_still(bench, who)

        lab.step('tunnels that work beside idle ones')
        for count, figures in curves.beside_idle(bench, 'ours', 'no', 1, (0, 10)).items():
            lab.check(len(figures) == curves.SPANS and min(figures) > 0, f'beside {count}: {figures}')

        lab.step('several processes')
        resource.setrlimit(resource.RLIMIT_NOFILE, (1400, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        tunnels = 2 * capacity() + 1
        with Group(bench, 'ours', 'no', tunnels, work='echo', pdu=32) as group:
            opened = group.step('open')
            lab.same((opened['relays'], opened['opened']), (3, tunnels), 'relays and tunnels')
            lab.check(opened['resident'] > group.first['resident'], f'memory: {opened}')
            group.step('start')
            found = lab.soon(lambda: (found := group.step('look'))['messages'] and found)
            lab.check(found and found['relay_cpu'] > 0 and found['bytes'] == 32 * found['messages'], f'{found}')
    finally:
        bench.close()

    lab.step('the plot')
    plotted([curve_of('a', [(10, 0.5), (100, 3), (10000, 47)]), curve_of('a', [(10, 20), (100, 30), (10000, 999)], tls='yes'),
             curve_of('b', [(20, 1), (65535, 70000)], True), curve_of('c', [(0, 12), (1000, 12), (4700, 12)]),
             curve_of('d', [(10, 0)]), curve_of('e', [(10, 5)], True)])
except Failure as failure:
    lab.check(False, failure)
lab.done()

"""Logins of nobody over our daemon with two event loops on two cores, a storm of them or some each second: how long a user who is
known waits for the answer about a target that is not, and what the tunnels that talk meanwhile notice."""
import base64
import os
import select
import socket
import statistics
import threading
import time

from figures import judged
from laboratory import PASSWORD, USER, Failure
from relays import CORES
from storm import ESTABLISHED, PACE, TWICE

LOGINS = 600  # in flight, of the storm
PACED = 50    # a second
MEDIAN, WORST = 50.0, 200.0  # ms, that the known user may wait


def request(address, user, password, target):
    connection = socket.create_connection(address, 30)
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    connection.sendall(f"RPC_IN_DATA /rpc/rpcproxy.dll?{target} HTTP/1.1\r\nHost: bench\r\nContent-Length: 1073741824\r\n"
                       f"Authorization: Basic {token}\r\n\r\n".encode())
    return connection


def answer_about(address, number):
    """Milliseconds until the known user has the answer about one more target that is not."""
    began = time.monotonic()
    try:
        with request(address, USER, PASSWORD, f"unlisted{number}.example:6001") as connection:
            reply = connection.recv(4096)
    except OSError as error:
        raise Failure(f"a known user has no answer: {error}")
    if b"503 RPC Error: 6ba" not in reply:
        raise Failure(f"a known user was answered {reply[:60]}")
    return 1000 * (time.monotonic() - began)


class Nobody(threading.Thread):
    """As many logins are in flight as may be, or so many begin each second, until it is told to stop."""

    def __init__(self, address, rate):
        super().__init__(daemon=True)
        self.rate, self.began = rate, time.monotonic()
        self.address, self.over, self.sent, self.answered, self.failed = address, False, 0, 0, None

    def send(self):
        self.sent += 1
        return request(self.address, f"nobody{os.getpid()}-{self.sent}", "x", "bench01:6001")

    def due(self):
        return self.rate is None or self.sent < self.rate * (time.monotonic() - self.began)

    def run(self):
        flying = {}
        poll = select.poll()
        try:
            while not self.over:
                while len(flying) < LOGINS and self.due():
                    connection = self.send()
                    flying[connection.fileno()] = connection
                    poll.register(connection, select.POLLIN)
                for descriptor, _ in poll.poll(5):
                    poll.unregister(descriptor)
                    flying.pop(descriptor).close()
                    self.answered += 1
        except OSError as error:
            self.failed = str(error)
        for connection in flying.values():
            connection.close()


def one_round(bench, seconds, rate):
    relay = bench.start_free(2)
    host, port = relay.ports["no"][0].rsplit(":", 1)
    address = host, int(port)
    talking = bench.attend(relay, "no", work="echo", tunnels=ESTABLISHED, pdu=32, pace=PACE, cores=set(CORES))
    try:
        talking.answer(60)
        for step in "open", "start", "look":
            talking.step(step)
        time.sleep(seconds)
        calm = talking.step("look")
        storm = Nobody(address, rate)
        storm.start()
        time.sleep(0.5)  # all of them are in flight
        talking.step("look")
        waits, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            waits.append(answer_about(address, len(waits)))
            time.sleep(0.02)
        found = talking.step("look")
        storm.over = True
        storm.join()
        if storm.failed:
            raise Failure(f"the storm ended early: {storm.failed}")
        return {"calm": calm, "storm": found, "waits_ms": waits, "logins": storm.answered}
    finally:
        talking.kill()
        bench.stop(relay)


def logins(bench, rounds, seconds, table, rate=None):
    found = [one_round(bench, seconds, rate) for _ in range(rounds)]
    waits = [wait for one in found for wait in one["waits_ms"]]
    median, worst = statistics.median(waits), max(waits)
    ratio = statistics.median(one["storm"]["p99_us"] / one["calm"]["p99_us"] for one in found)
    answered = statistics.median(one["logins"] / seconds for one in found)
    begun = f"{rate} logins of nobody a second" if rate else f"{LOGINS} logins of nobody always in flight"
    print(f"\n{begun}, two event loops, two cores: {answered:.0f} a second are answered\n"
          f"  a known user's answer about a target that is not: median {median:.1f} ms, {judged(median, MEDIAN, False)};"
          f" worst {worst:.1f} ms of {len(waits)}, {judged(worst, WORST, False)}\n"
          f"  p99 of {ESTABLISHED} tunnels with {PACE} PDUs a second: {statistics.median(one['calm']['p99_us'] for one in found):.0f} us,"
          f" then {statistics.median(one['storm']['p99_us'] for one in found):.0f} us: {ratio:.2f}, {judged(ratio, TWICE, False)}", flush=True)
    table.append({"row": "logins", "rate": rate, "median_ms": median, "worst_ms": worst, "p99_ratio": ratio, "logins_per_second": answered, "rounds": found})

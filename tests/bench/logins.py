"""A storm of logins of nobody over our daemon with two event loops on two cores: how long a user who is known waits for the
answer about a target that is not, and what the tunnels that talk meanwhile notice."""
import base64
import os
import select
import socket
import statistics
import threading
import time

from figures import judged
from laboratory import PASSWORD, USER, Failure
from relays import CORES, Relay
from storm import ESTABLISHED, PACE, TWICE

LOGINS = 600
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
    """The storm: so many logins are always in flight until it is told to stop."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.over, self.sent, self.answered, self.failed = address, False, 0, 0, None

    def send(self):
        self.sent += 1
        return request(self.address, f"nobody{os.getpid()}-{self.sent}", "x", "bench01:6001")

    def run(self):
        flying = {}
        poll = select.poll()
        try:
            while not self.over:
                while len(flying) < LOGINS:
                    connection = self.send()
                    flying[connection.fileno()] = connection
                    poll.register(connection, select.POLLIN)
                for descriptor, _ in poll.poll(50):
                    poll.unregister(descriptor)
                    flying.pop(descriptor).close()
                    self.answered += 1
        except OSError as error:
            self.failed = str(error)
        for connection in flying.values():
            connection.close()


def one_round(bench, seconds):
    daemon = bench.start_daemon(workers=2)
    relay = Relay("ours", daemon.process, {tls: [port] * len(bench.backends) for tls, port in daemon.ports.items()})
    bench.running.append(relay)
    host, port = daemon.ports["no"].rsplit(":", 1)
    address = host, int(port)
    talking = bench.attend(relay, "no", work="echo", tunnels=ESTABLISHED, pdu=32, pace=PACE, cores=set(CORES))
    try:
        talking.answer(60)
        for step in "open", "start", "look":
            talking.step(step)
        time.sleep(seconds)
        calm = talking.step("look")
        storm = Nobody(address)
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


def logins(bench, rounds, seconds, table):
    found = [one_round(bench, seconds) for _ in range(rounds)]
    waits = [wait for one in found for wait in one["waits_ms"]]
    median, worst = statistics.median(waits), max(waits)
    ratio = statistics.median(one["storm"]["p99_us"] / one["calm"]["p99_us"] for one in found)
    rate = statistics.median(one["logins"] / seconds for one in found)
    print(f"\n{LOGINS} logins of nobody always in flight, two event loops, two cores: {rate:.0f} a second are answered\n"
          f"  a known user's answer about a target that is not: median {median:.1f} ms, {judged(median, MEDIAN, False)};"
          f" worst {worst:.1f} ms of {len(waits)}, {judged(worst, WORST, False)}\n"
          f"  p99 of {ESTABLISHED} tunnels with {PACE} PDUs a second: {statistics.median(one['calm']['p99_us'] for one in found):.0f} us,"
          f" then {statistics.median(one['storm']['p99_us'] for one in found):.0f} us: {ratio:.2f}, {judged(ratio, TWICE, False)}", flush=True)
    table.append({"row": "logins", "median_ms": median, "worst_ms": worst, "p99_ratio": ratio, "logins_per_second": rate, "rounds": found})

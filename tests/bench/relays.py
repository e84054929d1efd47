"""The relays that are compared, and what one run of the generator over one of them says."""
import os
import resource
import socket
import subprocess
import time

from laboratory import ADDRESS, OBJ, Failure, Laboratory, free_port, pinned

KINDS = {"ours": "rpch", "haproxy": "pair", "haproxy 1": "single", "before": "rpch", "recycled": "rpch"}
CALM = 0.15  # of a core, that others may use during a measurement
SLOW = 60  # seconds that a single measurement may take
RECYCLED = 64 << 20  # bytes, the life of a channel in the row about recycling
CORES = sorted(os.sched_getaffinity(0))
RELAY_CORE, GENERATOR_CORE = CORES[0], CORES[-1]


def raise_limit():
    """As many descriptors as the system gives."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100000, max(hard, 100000)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptor_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def capacity():
    """Tunnels that fit into one process besides the 200 of most rows: the most that one takes is four descriptors, of
    haproxy, of rpctunneld in front of ncacn_http, and of their generator."""
    return (descriptor_limit() - 400) // 4 - 200


def processes(tunnels):
    """How many relays these tunnels need, each with a generator."""
    return -(-tunnels // capacity())


class Relay:
    """A relay process; `ports`: by the word for --tls, its addresses for the tunnels to each of the backends."""

    def __init__(self, name, process, ports):
        self.name, self.process, self.ports = name, process, ports

    def words(self, tls, backend=0):
        return {"relay": KINDS[self.name], "connect": self.ports[tls][backend], "tls": tls, "backend": backend}


class Bench(Laboratory):
    """`against`: a folder with another rpctunneld, the relay "before". `tries`: how often a measurement that others
    disturb is made anew."""

    def __init__(self, hop, backends, against=None, tries=1):
        self.against, self.tries = against, tries
        self.running = []
        self.points = {}  # of curves: what is known of idle tunnels, by relay, TLS and number
        super().__init__(hop, backends, (OBJ, against) if against else (OBJ,))

    def start(self, name, workers=1):
        """Starts a relay of this name, all threads on one core."""
        if KINDS[name] == "rpch":
            lines = [f"channel_lifetime = {RECYCLED}"] if name == "recycled" else []
            daemon = self.start_daemon(lines, workers, self.against if name == "before" else OBJ, {RELAY_CORE})
            # The target says which backend.
            relay = Relay(name, daemon.process, {tls: [port] * len(self.backends) for tls, port in daemon.ports.items()})
        else:
            relay = self.start_haproxy(name, workers)
        self.running.append(relay)
        for task in os.listdir(f"/proc/{relay.process.pid}/task"):
            os.sched_setaffinity(int(task), {RELAY_CORE})
        return relay

    def start_free(self, workers):
        """Our daemon, with all cores."""
        daemon = self.start_daemon(workers=workers)
        relay = Relay("ours", daemon.process, {tls: [port] * len(self.backends) for tls, port in daemon.ports.items()})
        self.running.append(relay)
        return relay

    def start_haproxy(self, name, workers):
        connections = (descriptor_limit() - 100) // 2
        ports = {tls: [f"{ADDRESS}:{free_port()}" for _ in self.backends] for tls in ("no", "yes")}
        with open(self.path("haproxy.cfg"), "w") as conf:
            conf.write(f"""global
    nbthread {workers}
    maxconn {connections}
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
""")
            for number, backend in enumerate(self.backends):
                for tls, certificate in ("no", ""), ("yes", f" ssl crt {self.path('both.pem')}"):
                    conf.write(f"""listen tls-{tls}-{number}
    bind {ports[tls][number]} backlog 4096{certificate}
    maxconn {connections}
    server backend {backend}
""")
        process = subprocess.Popen(["haproxy", "-q", "-db", "-f", self.path("haproxy.cfg")], stdout=subprocess.DEVNULL,
                                   stderr=open(self.path("haproxy.log"), "a"), preexec_fn=pinned({RELAY_CORE}))
        for address in ports["no"] + ports["yes"]:
            host, port = address.split(":")
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex((host, int(port))) == 0:
                        break
                time.sleep(0.05)
            else:
                raise Failure("haproxy does not start")
        return Relay(name, process, ports)

    def stop(self, relay):
        self.running.remove(relay)
        if relay.process.poll() is None:
            relay.process.kill()
        relay.process.wait()

    def attend(self, relay, tls, backend=0, **words):
        """A generator over the relay that waits for steps."""
        return self.begin([relay.process.pid], **{"cores": {GENERATOR_CORE}, **relay.words(tls, backend), **words})

    def measure(self, relay, tls, **words):
        """The figures of one run; the calmest of a few when something else was using the machine."""
        best = None
        for _ in range(self.tries):
            result = self.measure_once(relay, tls, **words)
            if best is None or result["others_busy"] < best["others_busy"]:
                best = result
            if best["others_busy"] < CALM:
                break
            if self.tries > 1:
                time.sleep(0.5)
        return best

    def measure_once(self, relay, tls, cores=(GENERATOR_CORE,), **words):
        try:
            result = self.generate([relay.process.pid], SLOW, cores, **relay.words(tls), **words)
        except Failure as failure:
            raise Failure(f"{relay.name}: {failure}")
        time.sleep(0.1)  # the relay sees the connections go
        if words.get("work") in ("echo", "up", "down", "both") and result["bytes"] == 0:
            raise Failure(f"{relay.name}, {' '.join(f'{n}={v}' for n, v in words.items())}: nothing was moved")
        return add_shares(result)

    def close(self):
        for relay in list(self.running):
            self.stop(relay)
        super().close()


def add_shares(result):
    """How busy relay, generator and anything else were, in cores."""
    result["relay_busy"] = result["relay_cpu"] / result["seconds"]
    result["generator_busy"] = result["generator_cpu"] / result["seconds"]
    result["others_busy"] = max(0, result["machine_cpu"] - result["relay_cpu"] - result["generator_cpu"]) / result["seconds"]
    return result


class Group:
    """Tunnels over as many relays of one name as their descriptors need, each with a generator of its own; one relay
    when they fit. All of them on the same two cores. Steps are taken together, and the figures are sums."""

    def __init__(self, bench, name, tls, tunnels, **words):
        self.bench, self.tunnels = bench, tunnels
        count = processes(tunnels)
        self.relays, self.generators = [], []
        try:
            for number in range(count):
                share = tunnels // count + (number < tunnels % count)
                self.relays.append(bench.start(name))
                self.generators.append(bench.attend(self.relays[-1], tls, number, tunnels=share, **words))
            self.first = self.answers(180)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def answers(self, limit):
        found = [generator.answer(limit) for generator in self.generators]
        total = {"relays": len(found)}
        for name, value in found[0].items():
            if isinstance(value, (int, float)):
                values = [one[name] for one in found]
                total[name] = max(values) if name in ("seconds", "machine_cpu") or name.endswith("_us") else sum(values)
        return add_shares(total)

    def step(self, step, limit=180):
        for generator in self.generators:
            generator.say(step)
        return self.answers(limit)

    def close(self):
        for generator in self.generators:
            generator.kill()
        for relay in self.relays:
            self.bench.stop(relay)

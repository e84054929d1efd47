"""One or two rpctunneld with short-lived channels, and what must be true of every run of bench-load over them."""
import os
import subprocess
import time

from laboratory import ADDRESS, Failure, Laboratory


def descriptors(pid):
    """Those of the process but for the database, which a worker opens when its turn comes, and keeps."""
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += "directory.db" not in os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            pass
    return count


def soon(condition):
    """Waits for what must come within a few seconds."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def demand(good, text):
    if not good:
        raise Failure(text)


class Nodes:
    """`count` daemons, a and b, in front of backends of the kind `hop`. All channels live for `lifetime` bytes. In front of
    plain DCE/RPC two of them are nodes that pair for each other."""

    def __init__(self, hop, count, lifetime, limit):
        self.lifetime, self.limit, self.laboratory, self.daemons = lifetime, limit, Laboratory(hop), []
        pairing = [f"{ADDRESS.rsplit('.', 1)[0]}.{2 + number}:6010" for number in range(count)] if hop == "tcp" and count > 1 else []
        lines = [f"channel_lifetime = {lifetime}"] + [f"pairing_nodes = {node}" for node in pairing]
        try:
            for number in range(count):
                own = [f"pairing_listen = {pairing[number]}"] if pairing else []
                self.daemons.append(self.laboratory.start_daemon(lines + own, workers=2))
        except Failure:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        ends = self.end()
        if kind is None:
            demand(not any(ends), f"exit codes of the daemons: {ends}")

    def relays(self, turns, tls):
        return ",".join(self.daemons["ab".index(letter)].ports[tls] for letter in turns)

    def run(self, turns, tls="no", **words):
        """`turns`: of the IN requests and of the OUT requests of a tunnel, like ("aabb", "ab"). Nothing may be lost,
        no successor either, and no descriptor kept."""
        pids = [daemon.process.pid for daemon in self.daemons]
        before = [descriptors(pid) for pid in pids]
        result = self.laboratory.generate(pids, self.limit, tls=tls, lifetime=self.lifetime,
                                          connect_in=self.relays(turns[0], tls), connect_out=self.relays(turns[1], tls), **words)
        demand(result["lost_successors"] == 0, f"{result['lost_successors']} successors were lost")
        for pid, count in zip(pids, before):
            demand(soon(lambda: descriptors(pid) <= count), f"{descriptors(pid)} descriptors, {count} at the beginning")
        return result

    def end(self):
        """Ends the daemons; their exit codes."""
        ends = []
        for daemon in self.daemons:
            daemon.process.terminate()
        for daemon in self.daemons:
            try:
                ends.append(daemon.process.wait(15))
            except subprocess.TimeoutExpired:
                daemon.process.kill()
                ends.append(daemon.process.wait())
        self.laboratory.close()
        return ends

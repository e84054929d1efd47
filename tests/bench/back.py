"""Back after a restart: everybody logs in at once at a daemon with two event loops on two cores that knows nobody, and then once
more. A tunnel has two channels, and each of them logs in."""
import statistics

from figures import security
from relays import CORES

USERS = 100
AGAIN = 20  # tunnels of each user, once the daemon knows them
SCHEMES = ("Basic", "NTLM")


def names():
    return [f"back{number}" for number in range(USERS)]


def one_round(bench, scheme, tls):
    """Logins a second, in which nobody is known and in which everybody is."""
    relay = bench.start_free(2)
    try:
        words = {"work": "churn", "pdu": 32, "users": names(), "scheme": scheme, "cores": CORES}
        return [2 * result["messages"] / result["seconds"] for result in
                (bench.measure_once(relay, tls, tunnels=tunnels, **words) for tunnels in (USERS, USERS * AGAIN))]
    finally:
        bench.stop(relay)


def back(bench, tls, rounds, table):
    for scheme in SCHEMES:
        found = [one_round(bench, scheme, tls) for _ in range(rounds)]
        cold, warm = (statistics.median(figures) for figures in zip(*found))
        print(f"back after a restart, {scheme + ',':8} {USERS} users with two channels each    {security(tls):5}"
              f" logins a second: cold {cold:6.0f}, known {warm:6.0f}", flush=True)
        table.append({"row": "back", "scheme": scheme, "tls": tls == "yes", "cold": cold, "known": warm, "rounds": found})

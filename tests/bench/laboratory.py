"""A laboratory for bench-load on loopback: a temporary directory, a database with one target, rpctunneld processes."""
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
OBJ = os.path.abspath(os.environ.get("OBJ", os.path.join(os.path.dirname(os.path.dirname(HERE)), "obj")))
USER, PASSWORD, TARGET = "bench", "Bench-Pass-1!", "bench01:6001"
ADDRESS = f"127.{1 + os.getpid() // 250 % 250}.{1 + os.getpid() % 250}.1"


class Failure(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def pinned(cores):
    def prepare():
        if cores:
            os.sched_setaffinity(0, cores)
    return prepare


class Daemon:
    """A running rpctunneld; `ports` are its addresses by the word for --tls."""

    def __init__(self, process, ports):
        self.process, self.ports = process, ports


class Laboratory:
    """The port `backend` is where the generator listens; the target leads there, over a hop of the kind `hop`."""

    def __init__(self, hop):
        self.hop = hop
        self.directory = tempfile.mkdtemp(prefix="rpctunnel-bench.")
        self.backend = f"{ADDRESS}:{free_port()}"
        self.daemons = 0
        self.prepare()

    def path(self, name):
        return os.path.join(self.directory, name)

    def call(self, *words, text=None):
        done = subprocess.run(words, input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{' '.join(words)}: {done.stderr.strip()}")

    def prepare(self):
        certificate, key = self.path("certificate.pem"), self.path("key.pem")
        self.call("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                  "-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example", "-keyout", key, "-out", certificate)
        with open(self.path("both.pem"), "w") as both:
            for part in certificate, key:
                with open(part) as source:
                    both.write(source.read())
        database = self.path("directory.db")

        def ctl(*words, text=None):
            self.call(os.path.join(OBJ, "rpctunnelctl"), "-d", database, *words, text=text)
        ctl("init")
        ctl("user", "add", USER, text=PASSWORD + "\n")
        ctl("server", "add", "BENCH01", "--fqdn", "bench01.example")
        ctl("endpoint", "add", "BENCH01", "6001", "--transport",
            "ncacn_http" if self.hop == "http" else "ncacn_ip_tcp", "--connect", self.backend)
        ctl("valid-ports", "add", "bench01:6001")

    def start_daemon(self, lines=(), workers=1, folder=OBJ, cores=()):
        """rpctunneld with these lines added to its configuration."""
        self.daemons += 1
        name = self.path(f"rpctunneld{self.daemons}")
        with open(name + ".conf", "w") as conf:
            conf.write(f"listen = {ADDRESS}:0\nlisten_tls = {ADDRESS}:0\ntls_certificate = {self.path('certificate.pem')}\n"
                       f"tls_key = {self.path('key.pem')}\ndatabase = {self.path('directory.db')}\nauth = basic\n"
                       f"basic_without_tls = yes\nworkers = {workers}\nlog_level = notice\nvalid_ports_interval = 0\n"
                       "connection_limit = 100000\n" + "".join(line + "\n" for line in lines))
        with open(name + ".log", "w") as log:
            process = subprocess.Popen([os.path.join(folder, "rpctunneld"), "-c", name + ".conf", "-f"],
                                       stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=pinned(cores))
        words = dict(word.split("=", 1) for word in process.stdout.readline().split() if "=" in word)
        if "plain" not in words:
            process.kill()
            process.wait()
            with open(name + ".log") as log:
                raise Failure("rpctunneld does not start: " + log.read()[-500:])
        return Daemon(process, {"no": words["plain"], "yes": words["tls"]})

    def generate(self, pids, limit, cores=(), **words):
        """The figures of one run of bench-load; it must end within `limit` seconds. Words are its options."""
        command = [os.path.join(OBJ, "bench-load"), "--hop", self.hop, "--listen", self.backend, "--target", TARGET,
                   "--authorization", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()]
        for pid in pids:
            command += ["--relay-pid", str(pid)]
        for name, value in words.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        told = " ".join(f"{name}={value}" for name, value in words.items())
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit, preexec_fn=pinned(cores))
        except subprocess.TimeoutExpired:
            raise Failure(f"no end after {limit} s: {told}")
        if done.returncode != 0:
            raise Failure(f"{told}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

"""A laboratory for bench-load on loopback: a temporary directory, a database with one target, rpctunneld processes."""
import base64
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
OBJ = os.path.abspath(os.environ.get("OBJ", os.path.join(os.path.dirname(os.path.dirname(HERE)), "obj")))
USER, PASSWORD = "bench", "Bench-Pass-1!"
TARGETS = {"tcp": "bench01:{}", "http": "bench02:{}"}
FIRST_PORT = 6001
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


class Generator:
    """A bench-load that waits for steps; each is answered with the figures since the last one."""

    def __init__(self, process, told):
        self.process, self.told = process, told
        self.text = b""  # not yet taken

    def say(self, step):
        self.process.stdin.write(step.encode() + b"\n")
        self.process.stdin.flush()

    def answer(self, limit, lenient=False):
        """`lenient`: tunnels may have failed to open."""
        end = time.monotonic() + limit
        while b"\n" not in self.text:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure(f"{self.told}: no answer after {limit} s")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise Failure(f"{self.told}: {self.process.stderr.read().decode().strip()}")
            self.text += piece
        line, _, self.text = self.text.partition(b"\n")
        found = json.loads(line)
        if found["failed"] and not lenient:
            raise Failure(f"{self.told}: {found['failed']} tunnels failed: {found['failure']}")
        return found

    def step(self, step, limit=90, lenient=False):
        self.say(step)
        return self.answer(limit, lenient)

    def kill(self):
        self.process.kill()
        self.process.wait()
        for pipe in self.process.stdin, self.process.stdout, self.process.stderr:
            pipe.close()


class Laboratory:
    """`backends` are where generators listen, each at its own; targets lead there, over hops of both kinds. The programs are
    in `folders`; each has a directory of its own, since one may know no other schema."""

    def __init__(self, hop, backends=1, folders=(OBJ,)):
        self.hop = hop
        self.folders = folders
        self.directory = tempfile.mkdtemp(prefix="rpctunnel-bench.")
        self.backends = []
        while len(self.backends) < backends:
            backend = f"{ADDRESS}:{free_port()}"
            if backend not in self.backends:
                self.backends.append(backend)
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
        self.ctl("init")
        self.add_user(USER)
        for hop, target in TARGETS.items():
            server = target.partition(":")[0]
            self.ctl("server", "add", server.upper(), "--fqdn", f"{server}.example")
            self.ctl("valid-ports", "add", f"{server}:{FIRST_PORT}-{FIRST_PORT + len(self.backends) - 1}")
            for number, backend in enumerate(self.backends):
                self.ctl("endpoint", "add", server.upper(), str(FIRST_PORT + number), "--transport",
                         "ncacn_http" if hop == "http" else "ncacn_ip_tcp", "--connect", backend)

    def ctl(self, *words, text=None):
        for folder in self.folders:
            self.call(os.path.join(folder, "rpctunnelctl"), "-d", self.database(folder), *words, text=text)

    def database(self, folder):
        return self.path(f"{self.folders.index(folder)}-directory.db")

    def add_user(self, name):
        self.ctl("user", "add", name, "--ntlm", text=PASSWORD + "\n")

    def start_daemon(self, lines=(), workers=1, folder=OBJ, cores=()):
        """rpctunneld with these lines added to its configuration."""
        self.daemons += 1
        name = self.path(f"rpctunneld{self.daemons}")
        with open(name + ".conf", "w") as conf:
            conf.write(f"listen = {ADDRESS}:0\nlisten_tls = {ADDRESS}:0\ntls_certificate = {self.path('certificate.pem')}\n"
                       f"tls_key = {self.path('key.pem')}\ndatabase = {self.database(folder)}\nauth = ntlm basic\n"
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

    def command(self, pids, backend=0, users=(USER,), hop=None, scheme="Basic", **words):
        """A command line of bench-load, at one of the backends. Words are its options."""
        hop = hop or self.hop
        command = [os.path.join(OBJ, "bench-load"), "--hop", hop, "--listen", self.backends[backend],
                   "--target", TARGETS[hop].format(FIRST_PORT + backend)]
        for user in users:
            login = f"{user}:{PASSWORD}"
            command += ["--authorization", f"{scheme} " + (base64.b64encode(login.encode()).decode() if scheme == "Basic" else login)]
        for pid in pids:
            command += ["--relay-pid", str(pid)]
        for name, value in words.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        return command

    def begin(self, pids, cores=(), idle=False, **words):
        """A generator that waits for steps. `idle`: it has what the others on its cores leave."""
        def prepare():
            pinned(cores)()
            if idle:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        process = subprocess.Popen(self.command(pids, steps="yes", **words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=prepare)
        return Generator(process, " ".join(f"{name}={value}" for name, value in words.items()))

    def generate(self, pids, limit, cores=(), **words):
        """The figures of one run of bench-load; it must end within `limit` seconds. Words are its options."""
        command = self.command(pids, **words)
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

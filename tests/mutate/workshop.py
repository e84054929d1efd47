"""Where a changed source is tried: a private copy of the tree under obj/mutants, in which only that source is compiled
again and the unit tests are linked anew.

A changed header is compiled alone, with all its inline functions, and linked in front: unoptimised objects call what the
linker found first. So the bodies of its functions change everywhere and its constants nowhere.
"""
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time

TREE = ("Makefile", "configure", "configure.ac", "src", "include", "tests", "scripts")
CONFIGURED = ("config.mk", "config.status")  # of the folder in which make was called
AT_ONCE = 4     # processes that share the tests of one mutant: most of their time they wait
QUICK = 0.5     # seconds; groups of tests that take longer come last
MEMORY = 4 << 30
FILE = 256 << 20


class Failure(Exception):
    pass


class Workshop:
    def __init__(self, top, place, jobs):
        self.top, self.place = top, place
        self.tree = os.path.join(place, "tree")
        os.makedirs(place, exist_ok=True)
        self._copy()
        self._build(jobs)
        self.groups = {}  # group: (folder, seconds)
        self._measure()

    def _copy(self):
        """Only what has changed gets a new time, and make does the rest."""
        wanted = set()
        for base, name in [(self.top, name) for name in TREE] + [(os.getcwd(), name) for name in CONFIGURED]:
            source = os.path.join(base, name)
            for folder, _, files in os.walk(source) if os.path.isdir(source) else [(base, [], [name])]:
                for file in files:
                    path = os.path.join(folder, file)
                    copy = os.path.join(self.tree, os.path.relpath(path, base))
                    wanted.add(copy)
                    os.makedirs(os.path.dirname(copy), exist_ok=True)
                    if not os.path.exists(copy) or os.stat(copy).st_mtime_ns != os.stat(path).st_mtime_ns:
                        shutil.copy2(path, copy)
        for folder, _, files in os.walk(self.tree):
            for path in (os.path.join(folder, file) for file in files):
                if path not in wanted and os.path.join(self.tree, "obj") not in path:
                    os.unlink(path)

    def _make(self, *words):
        done = subprocess.run(("make", "CXXFLAGS=-O0", "CPPFLAGS=-D_GLIBCXX_ASSERTIONS", *words, "obj/unit-tests"), cwd=self.tree, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=quiet_environment())
        if done.returncode != 0:
            raise Failure("the unit tests do not build:\n" + done.stdout[-4000:])
        return done.stdout

    def _build(self, jobs):
        self._make(f"-j{jobs}")
        plan = self._make("-n", "OBJ=nowhere", "nowhere/unit-tests").replace("nowhere/", "obj/").splitlines()
        commands = [shlex.split(line) for line in plan if re.match(r"\S+ .* -o \S+", line)]
        self.compile = {os.path.normpath(command[-1]): command for command in commands if "-c" in command}
        self.link = next(command for command in commands if command[command.index("-o") + 1] == "obj/unit-tests")
        for linker in ("lld", "gold"):
            if shutil.which("ld." + linker):
                self.link.append("-fuse-ld=" + linker)
                break

    def _measure(self):
        """How long each group takes, unchanged; they must pass."""
        folders = {}
        for folder, _, files in os.walk(os.path.join(self.tree, "tests", "unit")):
            for file in files:
                with open(os.path.join(folder, file), encoding="utf-8") as text:
                    for group in re.findall(r"\bTEST_GROUP(?:_BASE)?\((\w+)", text.read()):
                        folders[group] = os.path.basename(folder)
        program = os.path.join(self.tree, "obj", "unit-tests")
        home = os.path.join(self.place, "unchanged")
        os.makedirs(home, exist_ok=True)
        names = subprocess.run((program, "-lg"), stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        shares = [(60, sorted(names)[turn::AT_ONCE]) for turn in range(AT_ONCE)]
        failed, told = self._ask(program, shares, home)
        if failed:
            raise Failure(f"the unit tests fail without any change: {failed}\n" + told[-4000:])
        for group, spent in re.findall(r"^TEST\((\w+), \w+\).* - (\d+) ms$", told, re.M):
            folder, before = self.groups.get(group, (folders.get(group, ""), 0))
            self.groups[group] = (folder, before + int(spent) / 1000)

    def phases(self, file):
        """The groups in the order in which they are asked: those of the source's own folder, quick ones first, then all others."""
        own = os.path.basename(os.path.dirname(file))
        ranks = {}
        for group, (folder, seconds) in self.groups.items():
            ranks.setdefault((folder != own, folder == own and seconds > QUICK), []).append((seconds, group))
        for rank in sorted(ranks):
            shares = [[0, []] for _ in range(AT_ONCE)]
            for seconds, group in sorted(ranks[rank], reverse=True):
                least = min(shares, key=lambda share: share[0])
                least[0] += seconds
                least[1].append(group)
            yield [share for share in shares if share[1]]

    def attempt(self, mutation, worker):
        """What became of a change: (killed, by whom), (survived, ''), or (invalid, '') when it does not compile."""
        home = os.path.join(self.place, f"worker-{worker}")
        shutil.rmtree(home, ignore_errors=True)
        program = self._build_changed(mutation, home)
        if not program:
            return "invalid", ""
        for shares in self.phases(mutation.file):
            killer, _ = self._ask(program, shares, os.path.join(home, "tmp"))
            if killer:
                return "killed", killer
        return "survived", ""

    def _build_changed(self, mutation, home):
        changed, output = os.path.join(home, mutation.file), os.path.join(home, "changed.o")
        os.makedirs(os.path.dirname(changed))
        os.makedirs(os.path.join(home, "tmp"))
        with open(changed, "w", encoding="utf-8") as text:
            text.write(mutation.text)
        if mutation.file.endswith(".h"):
            any_source = next(iter(self.compile.values()))
            command = [any_source[0], "-I" + os.path.join(home, "include"), *any_source[1:-1], "-fkeep-inline-functions",
                       "-x", "c++", changed]
        else:
            command = [*self.compile[mutation.file][:-1], "-iquote", os.path.dirname(os.path.join(self.tree, mutation.file)),
                       changed]
        command = [word for word in command if word not in ("-MMD", "-MP")] + ["-w"]
        command[command.index("-o") + 1] = output
        if not self._run(command):
            return None
        program = os.path.join(home, "unit-tests")
        command = list(self.link)
        place = command.index("-o")
        command[place + 1:place + 2] = [program, output]
        return program if self._run(command) else None

    def _run(self, command):
        return subprocess.run(command, cwd=self.tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=quiet_environment()).returncode == 0

    def _ask(self, program, shares, temporary):
        """The first test that fails, or None; and what the processes said."""
        running = []
        for seconds, groups in shares:
            words = [word for group in groups for word in ("-sg", group)]
            log = open(os.path.join(temporary, f"log-{len(running)}"), "w+", encoding="utf-8", errors="replace")
            process = subprocess.Popen((program, "-v", *words), cwd=self.tree, stdout=log, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=limit,
                                       env={**os.environ, "TMPDIR": temporary})
            running.append((process, log, time.monotonic() + 15 + 5 * seconds))
        failed, waiting = None, list(running)
        while waiting and not failed:
            time.sleep(0.03)
            for one in list(waiting):
                process, log, end = one
                if process.poll() is None and time.monotonic() < end:
                    failed = failed or failure_in(text_of(log))
                elif process.returncode == 0:
                    waiting.remove(one)
                else:
                    failed = failure_in(text_of(log)) or last_test(text_of(log)) + \
                        (" (time limit)" if process.returncode is None else " (crash)")
        for process, log, _ in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        told = "".join(text_of(log) for _, log, _ in running)
        for _, log, _ in running:
            log.close()
        return failed, told


def text_of(log):
    log.seek(0)
    return log.read()


def failure_in(told):
    """CppUTest: `file:line: error: Failure in TEST(group, name)`."""
    found = re.search(r"error: Failure in TEST\((\w+, \w+)\)", told)
    return found.group(1).replace(", ", ".") if found else None


def last_test(told):
    tests = re.findall(r"^TEST\((\w+, \w+)\)", told, re.M)
    return tests[-1].replace(", ", ".") if tests else "?"


def quiet_environment():
    """make's own variables are those of the make that called us."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "OBJ")}


def limit():
    """A fault may want all memory, or fill the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))

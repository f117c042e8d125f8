"""Programs started for a row, and everything that they start, known by a variable in their environment: process groups
miss the ranks of mpirun, which puts each in a group of its own."""

import os
import signal
import subprocess
import sys
import time


# As the kernel names processes: 15 characters.
ICP = {name[:15] for name in ("icp", "icp-faulty", os.path.basename(os.environ.get("ICP_PROGRAM", "icp")))}


class Family:
    def __init__(self, mark):
        self.mark = mark

    def members(self):
        """Process numbers and environments of the living; a dead one that waits for its parent has no environment."""
        wanted = f"ICP_FAULTS={self.mark}".encode()
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    variables = file.read().split(b"\0")
            except OSError:
                continue
            if wanted in variables:
                found[int(name)] = dict(v.decode(errors="replace").split("=", 1) for v in variables if b"=" in v)
        return found

    def named(self, name):
        """Process numbers of those that run the program of that name."""
        return sorted(number for number in self.members() if program(number) == name)

    def ranks(self):
        """Process number of each living rank of icp."""
        found = {}
        for number, environment in self.members().items():
            rank = environment.get("OMPI_COMM_WORLD_RANK", environment.get("PMIX_RANK"))
            if program(number) in ICP and rank is not None:
                found[int(rank)] = number
        return found

    def gone_within(self, seconds):
        """Waits for all to end; what still lives then, as "number program"."""
        end = time.monotonic() + seconds
        while True:
            alive = [f"{number} {program(number)}" for number in self.members()]
            if not alive or time.monotonic() > end:
                return alive
            time.sleep(0.02)

    def kill(self):
        for number in self.members():
            send(number, signal.SIGCONT)
            send(number, signal.SIGKILL)


def leave_in_order():
    """A terminal that closes, or SIGTERM, ends this program as Ctrl-C does: what it has made is taken away."""
    for what in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(what) != signal.SIG_IGN:
            signal.signal(what, lambda number, _: sys.exit(128 + number))


def program(number):
    try:
        with open(f"/proc/{number}/comm") as file:
            return file.read().strip()
    except OSError:
        return "gone"


def send(number, what):
    try:
        os.kill(number, what)
    except ProcessLookupError:
        pass


class Job:
    """One program on its way; both outputs go to files, since a full pipe would stop it."""

    def __init__(self, command, environment, folder, output, error):
        self.command, self.output_path, self.error_path = command, output, error
        self.started = self.faulted = time.monotonic()
        self.status = self.seconds = None
        with open(output, "wb") as out, open(error, "wb") as err:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.number = self.process.pid

    def fault(self):
        """The fault is made now: seconds count from here."""
        self.faulted = time.monotonic()

    def running(self):
        if self.status is None:
            number, raw = os.waitpid(self.number, os.WNOHANG)
            if number:
                status = self.process.returncode = os.waitstatus_to_exitcode(raw)
                self.status = status if status >= 0 else 128 - status
                self.seconds = time.monotonic() - self.faulted
        return self.status is None

    def wait(self, limit):
        """The exit status as a shell says it, or None where the program still ran after `limit` seconds."""
        end = time.monotonic() + limit
        while self.running():
            if time.monotonic() > end:
                return None
            time.sleep(0.005)
        return self.status

    @property
    def output(self):
        return text_of(self.output_path)

    @property
    def error(self):
        return text_of(self.error_path)

    def messages(self):
        """Lines of icp on standard error; mpirun writes there too."""
        return [line for line in self.error.splitlines() if line.startswith("icp: ")]


def text_of(path):
    with open(path, errors="replace") as file:
        return file.read()

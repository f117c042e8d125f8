"""Rows about two hosts, which launch/hosts makes of network namespaces, and about mpirun itself."""

import os
import shutil
import signal
import subprocess
import time

from .lab import root
from .processes import send
from .rows import Skip, Wrong, row

hosts = f"{root}/launch/hosts"


def hosts_up(lab):
    if not os.path.exists(hosts):
        raise Wrong("there is no launch/hosts")
    lab.needs("ip")
    # Short: it becomes a part of the hosts' names.
    lab.prefix = f"icp{os.getpid()}"
    job = lab.run([hosts, "up", "2"], {"ICP_HOSTS_PREFIX": lab.prefix})
    lab.undo.callback(subprocess.run, [hosts, "down"], env=lab.environment({"ICP_HOSTS_PREFIX": lab.prefix}),
                      capture_output=True)
    if job.status:
        raise Skip(f"no two hosts here: {job.error.strip()[:200]}")


def start_on_both(lab, run, config="steady", more=(), slots=2):
    words = [hosts, "on", "1", f"{root}/launch/train", f"{config}.yaml", "--hosts",
             f"{lab.prefix}-1:{slots},{lab.prefix}-2:{slots}", "--", "--run-dir", run, *more]
    return lab.start(words, {"ICP_HOSTS_PREFIX": lab.prefix, "TMPDIR": lab.path("t"),
                             "OMPI_MCA_btl_vader_backing_directory": "/dev/shm",
                             "OMPI_MCA_btl_sm_backing_directory": "/dev/shm"})


def nobody_on(lab, host, seconds):
    """Waits until no process is left in a host's namespace: those of the second host do not have the row's mark."""
    end = time.monotonic() + seconds
    while True:
        alive = subprocess.run(["ip", "netns", "pids", f"{lab.prefix}-{host}"], capture_output=True, text=True).stdout
        if not alive.strip():
            return
        lab.expect(time.monotonic() < end, f"alive on host {host}: {alive.split()}")
        time.sleep(0.1)


def link(lab, *words):
    subprocess.run([hosts, *words], env=lab.environment({"ICP_HOSTS_PREFIX": lab.prefix}), check=True)


@row(21, "the link between two hosts is cut", "75 or 205 in under 15 s, nobody is left on either host")
def cut_link(lab):
    hosts_up(lab)
    whole = start_on_both(lab, "whole")
    lab.ended(whole, 0, limit=90)
    lab.same_bits("whole", "steady")
    job = start_on_both(lab, "run", more=["--set", "icp.steps=5000"])
    lab.until_step(12, job)
    job.fault()
    link(lab, "cut", "2")
    lab.ended(job, (75, 205), None, seconds=20)
    seconds = job.seconds
    nobody_on(lab, "2", 20)
    lab.expect(seconds < 15, f"took {seconds:.1f} s")
    lab.resumes(config="steady", ranks=2, settings=["icp.steps=5000"], least=10)
    return f"{job.status} after {seconds:.1f} s, nobody left; the remaining host goes on to the same bits; whole run: the one-host bits"


@row(22, "the link is slow (20 Mbit/s); it is down for 2 s", "the run ends with the same bits")
def slow_link(lab):
    hosts_up(lab)
    with lab.case("slow"):
        for host in "12":
            link(lab, "slow", host, "20mbit")
        job = start_on_both(lab, "slow")
        lab.ended(job, 0, limit=90)
        lab.same_bits("slow", "steady")
    with lab.case("down for 2 s"):
        job = start_on_both(lab, "flaps", more=["--set", "icp.steps=5000"])
        lab.until_step(12, job, "flaps")
        link(lab, "cut", "2")
        time.sleep(2)
        link(lab, "mend", "2")
        lab.ended(job, (0, 75, 205), limit=90)
        if job.status:
            lab.resumes("flaps", "steady", ranks=2, settings=["icp.steps=5000"], least=10)
        else:
            lab.same_bits("flaps", "steady", ["icp.steps=5000"])
    return f"slow: 0; down for 2 s: {job.status}; same bits"


@row(23, "mpirun is killed with -9; the daemon of the other host is", "ranks gone in 3 s; 205; resume")
def killed_launcher(lab):
    with lab.case("mpirun"):
        job = lab.start_train(config="steady", ranks=3)
        lab.until_step(12, job)
        job.fault()
        send(job.number, signal.SIGKILL)
        job.wait(5)
        alive = lab.family.gone_within(4)
        lab.expect(not alive, f"alive 4 s after mpirun: {alive}")
        left = len(os.listdir(lab.memory))
        shutil.rmtree(lab.memory)
        os.makedirs(lab.memory)
        lab.resumes(config="steady", ranks=2, least=10)
    seen = f"mpirun: ranks gone in time, {left} files left in shared memory, which launch/train removes"
    try:
        hosts_up(lab)
    except Skip as reason:
        return f"{seen}; the daemon was not tried: {reason}"
    with lab.case("daemon"):
        job = start_on_both(lab, "two")
        lab.until_step(12, job, "two")
        job.fault()
        pids = subprocess.run(["ip", "netns", "pids", f"{lab.prefix}-2"], capture_output=True, text=True).stdout.split()
        from .processes import program
        send(next(int(pid) for pid in pids if program(pid) in ("orted", "prted")), signal.SIGKILL)
        lab.ended(job, (75, 137, 205), None, seconds=15)
        nobody_on(lab, "2", 10)
        lab.resumes("two", "steady", ranks=2, least=10)
        seen += f"; daemon: {job.status} after {job.seconds:.1f} s; same bits after the resume"
    return seen

"""Rows about the other tools: restarts, the soak, the fuzzer."""

import os
import re
import signal

from . import checkpoints
from .lab import faulty, root
from .processes import send
from .rows import Wrong, row
from .saving import mount


@row(43, "the readers of files, fuzzed under the address sanitizer", "no finding in 10 s each")
def fuzz(lab):
    if not os.path.exists(f"{root}/launch/fuzz"):
        raise Wrong("there is no launch/fuzz")
    lab.needs("clang++") if not os.path.isdir("/opt/swift") else None
    found = []
    for target in ("config", "plan", "checkpoint", "idx", "cifar", "gzip", "labels"):
        with lab.case(target):
            job = lab.run([f"{root}/launch/fuzz", target, "10"], limit=900)
            lab.expect(job.status == 0, f"status {job.status}: {(job.error or job.output)[-300:]}")
            found.append(target)
    return f"{', '.join(found)}: no finding"


@row(44, "launch/train --max-restarts: a fault that comes again at the same step", "gives up without progress, and says so")
def repeated_fault(lab):
    with open(f"{root}/launch/train") as file:
        if "--max-restarts" not in file.read():
            raise Wrong("launch/train has no --max-restarts yet")
    lab.needs_injector()
    train = [f"{root}/launch/train", "tiny.yaml", "-n", "2", "--max-restarts", "2", "--"]
    job = lab.start([*train, "--run-dir", "run", "--fault", "1:9:trap"], {"ICP_PROGRAM": faulty})
    lab.ended(job, 70, r"(?i)without progress|no progress|gives? up|giving up", limit=90, trapped=True)
    starts = len(re.findall(r"a check of the program failed", job.error))
    lab.expect(starts == 3, f"{starts} starts instead of 3")
    lab.expect(lab.newest_verifies() == 8, "the checkpoint of step 8 is missing")
    lab.resumes(ranks=2, least=8)
    return f"{starts} starts, then 70, and it says why; what was saved resumes with the same bits"


@row(45, "a soak: 600 steps on 4 ranks, killed at random about every 100", "same bits; memory, descriptors, threads flat")
def soak(lab):
    if not os.path.exists(f"{root}/launch/soak"):
        raise Wrong("there is no launch/soak")
    job = lab.run([f"{root}/launch/soak", "--steps", "600", "--kill-every", "100"], limit=300)
    lab.expect(job.status == 0, f"status {job.status}: {(job.error + job.output)[-300:]}")
    return " ".join(job.output.strip().splitlines()[-1].split())


@row(48, "TMPDIR and the disk under the log fill up while launch/train runs", "it hears the end: 85 when asked to stop, 0 at the run's end")
def full_in_the_end(lab):
    small = lab.path("small")
    os.makedirs(small)
    mount(lab, "tmpfs", small, "size=80m", kind="tmpfs")
    train = [f"{root}/launch/train", "steady.yaml", "-n", 2, "--", "--run-dir", "run", "--resume", "auto"]
    filled = f'exec "$@" >{small}/log'
    for status in (85, 0):
        with lab.case(f"status {status}"):
            job = lab.start(["bash", "-c", filled, "filled", *train], {"TMPDIR": small})
            lab.until_step(12 if status else checkpoints.last_record(lab.path("run")) + 5, job)
            with open(f"{small}/rest", "wb", buffering=0) as file:
                try:
                    while file.write(bytes(1 << 16)):
                        pass
                except OSError:
                    pass
            if status:
                job.fault()
                send(job.number, signal.SIGUSR1)
            lab.ended(job, status, None, seconds=20 if status else None)
            lab.newest_verifies()
            os.remove(f"{small}/rest")
    lab.same_bits(config="steady")
    return "85 and 0, nobody left; same bits"

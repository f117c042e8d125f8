"""Rows about memory, descriptors, threads, outputs and clocks."""

import json
import os
import re
import shlex
import shutil

from . import checkpoints, groups, shims
from .lab import icp
from .rows import row
from .saving import mount


@row(27, "a rank is killed for want of memory (control group): rank 0, rank 1", "137, resume")
def out_of_memory(lab):
    for rank in (0, 1):
        with lab.case(f"rank {rank}"), groups.Group(lab, "memory") as group:
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            group.set(("memory.limit_in_bytes", str(96 << 20)), v2=("memory.max", str(96 << 20)))
            job = lab.start_train(config="steady", ranks=2)
            lab.until_step(12, job)
            victim = lab.family.ranks()[rank]
            job.fault()
            # The kernel chooses the rank when the neighbour's memory has filled the group.
            with open(f"/proc/{victim}/oom_score_adj", "w") as file:
                file.write("1000")
            with open(group.processes, "w") as file:
                file.write(str(victim))
            # The neighbour stays below the limit by itself only once the rank is gone; it ends then, or is killed too.
            neighbour = lab.start(["bash", "-c", f"echo $$ >{group.processes}; exec python3 -c "
                                   "'import time; b = bytearray(160 << 20); time.sleep(1)'"])
            neighbour.wait(20)
            lab.ended(job, 137, "signal 9", seconds=15)
            lab.resumes(config="steady", ranks=2, least=10)
    return "137 and mpirun's line about signal 9; same bits after the resume"


@row(28, "/dev/shm or TMPDIR full", "said before the ranks start, or worked round; no hang")
def full_memory_folders(lab):
    from .lab import root
    small = lab.path("small")
    os.makedirs(small)
    mount(lab, "tmpfs", small, "size=1m", kind="tmpfs")
    train = [f"{root}/launch/train", "tiny.yaml", "-n", "2", "--"]
    with lab.case("TMPDIR"):
        job = lab.start([*train, "--run-dir", "run"], environment={"TMPDIR": small})
        lab.ended(job, tuple(range(1, 126)), rf"{small} has .* MB free", seconds=15)
        refused = job.status
    with lab.case("/dev/shm"):
        # In a mount namespace of its own: other jobs keep theirs.
        alone = ["unshare", "--mount", "bash", "-c", 'mount -t tmpfs -o size=1m tmpfs /dev/shm; exec "$@"', "alone"]
        job = lab.start([*alone, *train, "--run-dir", "run"])
        lab.ended(job, 0)
        lab.same_bits()
    return f"TMPDIR: {refused} with folder and need; /dev/shm: the ranks exchange through TMPDIR, same bits"


@row(29, "the reader of the output goes away; the disk under the log is full", "goes on, or ends with an error; never 0 half-way")
def lost_output(lab):
    words = shlex.join(str(word) for word in lab.command(config="steady"))
    with lab.case("reader of icp"):
        job = lab.run(["bash", "-c", f"{words} | head -1; exit ${{PIPESTATUS[0]}}"])
        lab.ended(job, 0)
        lab.same_bits(config="steady")
    with lab.case("reader of mpirun"):
        shutil.rmtree(lab.path("run"))
        words = shlex.join(str(word) for word in lab.command(config="steady", ranks=2))
        job = lab.run(["bash", "-c", f"{words} | head -1; exit ${{PIPESTATUS[0]}}"])
        lab.ended(job, tuple(range(256)))
        finished = 100 in checkpoints.steps(lab.path("run"))
        lab.expect(finished or job.status != 0, "mpirun says 0, but the run did not end")
        seen = f"mpirun's: {job.status}"
        lab.resumes(config="steady", ranks=2)
    with lab.case("full disk under the log"):
        shutil.rmtree(lab.path("run"))
        small = lab.path("small")
        os.makedirs(small)
        mount(lab, "tmpfs", small, "size=4k", kind="tmpfs")
        words = shlex.join(str(word) for word in lab.command(config="steady", ranks=2))
        log = shlex.quote(f"{small}/log")
        job = lab.run(["bash", "-c", f"head -c 4000 /dev/zero >{log}; exec {words} >>{log}"])
        lab.ended(job, tuple(range(256)))
        finished = 100 in checkpoints.steps(lab.path("run"))
        lab.expect(finished or job.status != 0, "0, but the run did not end")
        seen += f"; full log: {job.status}"
        lab.resumes(config="steady", ranks=2)
    return f"reader of icp: goes on; {seen}; same bits after the resume"


@row(30, "64 descriptors, 24 descriptors; few threads", "works, or an error that says what is missing")
def few_descriptors(lab):
    seen = []
    for count, ranks in ((64, None), (64, 2), (24, None), (12, None)):
        with lab.case(f"{count} descriptors on {ranks or 1} ranks"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            limited = ["bash", "-c", f'ulimit -n {count}; exec "$@"', "limited"]
            job = lab.start_train(ranks=ranks, before=limited)
            lab.ended(job, tuple(range(256)), None, seconds=30)
            named = re.search("(?i)too many open files|open files|descriptor|system limit", job.error + job.output)
            lab.expect(job.status == 0 or (named and job.status < 126), f"status {job.status}: {job.error[-300:]}")
            if job.status == 0:
                lab.same_bits()
            seen.append(f"{count} on {ranks or 1}: {job.status}")
    for count in (8, 7, 5, 4, 2):
        with lab.case(f"{count} threads"), groups.Group(lab, "pids") as group:
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            group.set(("pids.max", str(count)), v2=("pids.max", str(count)))
            job = lab.start(["bash", "-c", f'echo $$ >{group.processes}; exec "$@"', "few", *lab.command()])
            lab.ended(job, tuple(range(256)), None, limit=10)
            lab.expect(job.status == 0 or (job.error and job.status < 126), f"status {job.status}: {job.error[-300:]}")
            seen.append(f"{count} threads: {job.status}")
    return "; ".join(seen)


@row(49, "perturb, evaluate and train where a control group has too little memory for the images",
     "64 or 65 with what is needed and what there is; nothing is killed")
def too_large(lab):
    limit = 256 << 20
    sides = (1, 1, 4096, 4096)
    header = {"x": {"dtype": "F32", "shape": sides, "data_offsets": [0, 4 << 24]},
              "y": {"dtype": "I64", "shape": [1], "data_offsets": [4 << 24, (4 << 24) + 8]}}
    checkpoints.write(lab.path("large"), header)
    os.truncate(lab.path("large"), os.path.getsize(lab.path("large")) + (4 << 24) + 8)
    shutil.copy(lab.path("large"), lab.path("larger"))
    os.truncate(lab.path("larger"), 1 << 30)
    weights = lab.path("run/checkpoints/step-0000020.safetensors")
    lab.ended(lab.start_train(), 0)
    # Of any size: without what the checkpoint says of its images.
    _, tensors = checkpoints.read(weights)
    place, data, bare = 0, b"", {}
    for name, (kind, shape, content) in tensors.items():
        bare[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [place, place + len(content)]}
        place, data = place + len(content), data + content
    checkpoints.write(lab.path("bare"), bare, data)
    shown = ["--weights", "bare", "--output", "out", "--set", "model.hidden=[32]"]
    for name, words, status in (
            ("perturb", ["perturb", "tiny.yaml", "--input", "large", *shown], 64),
            ("perturb, a larger file", ["perturb", "tiny.yaml", "--input", "larger", *shown], 65),
            ("evaluate", ["evaluate", "tiny.yaml", "--weights", "bare", "--set", "data.size=1024", "--set", "model.kind=resnet56"], 64),
            ("train", ["train", "tiny.yaml", "--run-dir", "other", "--set", "data.size=1024", "--set", "model.kind=resnet56"], 64)):
        with lab.case(name), groups.Group(lab, "memory") as group:
            group.set(("memory.limit_in_bytes", str(limit)), v2=("memory.max", str(limit)))
            job = lab.start(["bash", "-c", f'echo $$ >{group.processes}; exec "$@"', "limited", icp, *words])
            lab.ended(job, status, r"GiB|memory|does not fit", limit=30)
            lab.expect(not os.path.exists(lab.path("out")), "an output was written")
    return "4 commands: refused with what is needed, before it is taken"


@row(38, "the wall clock jumps back an hour", "no timeout, no negative time, same bits")
def clock_back(lab):
    shim = shims.build(lab, "clock_back")
    job = lab.start_train(ranks=2, environment={"LD_PRELOAD": shim, "SHIM_AFTER": "30"},
                          settings=["watchdog.seconds=5"])
    lab.ended(job, 0)
    lab.expect("shim: clock_back" in job.error, "the clock did not jump")
    lab.same_bits()
    with open(lab.path("run/metrics.jsonl")) as file:
        for line in file:
            record = json.loads(line)
            for key in ("seconds", "images_per_second"):
                lab.expect(0 <= (record.get(key) or 0) < 1e9, f"{key} is {record.get(key)}")
    lab.expect("-" not in (re.search(r"time +(\S+)", job.output) or [""])[0], "a negative time is printed")
    return "goes on: no time below zero, same bits"

"""Rows about ranks that die, fail, stop or are slow, and about two jobs in one place."""

import os
import shutil
import signal
import time

from . import checkpoints, groups, shims
from .processes import send
from .rows import row

# 20 ms a step: the watchdog's limit is given, since the measured one is made for busy machines.
WATCHED = ["watchdog.seconds=5"]


def place(rank, step=r"\d+", phase=r"[a-z]+"):
    return rf"(?m)^icp: rank {rank} host \S+ step {step} phase {phase}: "


@row(15, "two jobs in one run folder; started again right after mpirun has returned", "the second waits 5 s, then 75 with the owner")
def two_jobs(lab):
    with lab.case("second"):
        first = lab.start_train(config="steady", ranks=2, settings=["icp.steps=20000"])
        lab.until_step(6, first)
        owner = lab.family.ranks()[0]
        second = lab.start_train(config="steady", resume="auto", settings=["icp.steps=20000"])
        status = second.wait(30)
        lab.expect(status == 75, f"the second job ends with {status}: {second.error[-300:]}")
        lab.expect(f"run: in use by host {os.uname().nodename} process {owner} since" in second.error,
                   f"it does not name process {owner}: {second.error}")
        lab.expect(4.5 < second.seconds < 10, f"it waited for {second.seconds:.1f} s")
        lab.slowest = second.seconds
        first.fault()
        lab.family.kill()
        first.wait(10)
        lab.family.gone_within(3)
        empty(lab.memory)
    shutil.rmtree(lab.path("run"))
    restarts = 4
    with lab.case("restarts"):
        for attempt in range(restarts):
            job = lab.start_train(config="steady", ranks=2, resume="auto")
            lab.until_step(10 + 10 * attempt, job)
            send(lab.family.ranks()[1], signal.SIGKILL)
            # No pause: mpirun returns before its ranks are gone.
            lab.expect(job.wait(20) == 137, f"status {job.status}: {job.error[-200:]}")
        lab.resumes(config="steady", ranks=2, least=5 + 10 * restarts - 10)
    return f"75 after {lab.slowest:.1f} s, naming host and process; {restarts} restarts at once: same bits"


def empty(folder):
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))


@row(16, "rank 1 killed with -9: in a reduction, in a save, in MPI_Init, in MPI_Finalize", "mpirun's 137, resume")
def killed_rank(lab):
    for phase in ("reduction", "save", "exchange"):
        with lab.case(phase):
            job = lab.start_train(ranks=2, fault=f"1:10.{phase}:kill")
            lab.ended(job, 137, "signal 9", seconds=10)
            lab.resumes(ranks=2, least=4)
            shutil.rmtree(lab.path("run"))
    shim = shims.build(lab, "kill_in")
    for call in ("MPI_Init_thread", "MPI_Finalize"):
        with lab.case(call):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            program = lab.per_rank(f"if [[ $rank == 1 ]]; then export LD_PRELOAD={shim} SHIM_CALL={call}; fi", call)
            job = lab.start_train(ranks=2, program=program)
            lab.ended(job, 137, "signal 9", seconds=15)
            lab.expect("shim: kill_in" in job.error, "the shim was not there")
            if call == "MPI_Finalize":
                lab.expect(lab.newest_verifies() == 20, "the last checkpoint is missing")
            lab.resumes(ranks=2)
    with lab.case("real kill of either rank"):
        for rank in (0, 1):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            job = lab.start_train(config="steady", ranks=3)
            lab.until_step(12, job)
            job.fault()
            send(lab.family.ranks()[rank], signal.SIGKILL)
            lab.ended(job, 137, "signal 9", seconds=10)
            lab.resumes(config="steady", ranks=2, least=10)
    return "each: 137 and mpirun's line about signal 9; same bits after the resume"


@row(17, "a rank traps, touches foreign memory, aborts, throws, leaves by exit(0) or exit(1)", "70 always, with rank, step, phase and cause")
def failing_rank(lab):
    says = {
        "trap": "a check of the program failed", "segv": "memory that is not the program's was touched",
        "abort": "a library gave up", "throw": "an error ordered", "exit0": "ended by exit", "exit1": "ended by exit"}
    for kind, words in says.items():
        for rank in (0, 1):
            with lab.case(f"{kind} on rank {rank}"):
                shutil.rmtree(lab.path("run"), ignore_errors=True)
                phase = "reduction" if kind == "throw" else "backward"
                job = lab.start_train(ranks=3, fault=f"{rank}:9.{phase}:{kind}")
                lab.ended(job, 70, place(rank, 9, phase) + f".*{words}", seconds=10, trapped=kind == "trap")
                lab.resumes(ranks=2, least=6)
    with lab.case("alone"):
        shutil.rmtree(lab.path("run"), ignore_errors=True)
        job = lab.start_train(fault="0:9:trap")
        lab.ended(job, 70, "a check of the program failed", seconds=10, trapped=True)
        lab.resumes(least=6)
    return "each on rank 0 and 1 of 3: 70, one line with rank, host, step, phase and cause; same bits after the resume"


@row(18, "one rank cannot read its data", "all stop in under 10 s, 65, with rank and file")
def bad_shard(lab):
    from .inputs import write_cifar
    for name, cut in (("good", 0), ("torn", 10)):
        write_cifar(lab, name, cut)
    program = lab.per_rank('if [[ $rank == 1 ]]; then set -- "$@" --set data.path=torn; fi')
    data = ["data.format=cifar10", "data.path=good", "data.size=8", "data.limit=24", "data.test_limit=5"]
    job = lab.start_train(ranks=3, program=program, settings=data)
    lab.ended(job, 65, r"(?m)^icp: rank 1 host \S+.*: torn/data_batch_1.bin: 73742 bytes are not a multiple", seconds=10)
    lab.expect(len(job.messages()) == 1, f"{len(job.messages())} messages")
    lab.expect(not os.path.exists(lab.path("run")), "a run folder was made")
    return "65, one line with rank, host, file and record; nothing was written"


@row(19, "a rank is stopped (SIGSTOP), or sleeps for 1000 s", "the watchdog: 75, naming rank and phase")
def stuck_rank(lab):
    for rank in (0, 1):
        with lab.case(f"stopped rank {rank}"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            job = lab.start_train(config="steady", ranks=3, settings=WATCHED)
            lab.until_step(12, job)
            job.fault()
            send(lab.family.ranks()[rank], signal.SIGSTOP)
            lab.ended(job, 75, rf"has waited for [\d.]+ s for rank {rank} host \S+, in phase [a-z]+ of step \d+",
                      seconds=15)
            lab.resumes(config="steady", ranks=2, least=10, settings=[], own=WATCHED)
    for phase in ("data", "refinement", "optimizer", "evaluation"):
        with lab.case(f"asleep in {phase}"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            job = lab.start_train(ranks=2, fault=f"1:10.{phase}:delay=1000", settings=WATCHED)
            lab.ended(job, 75, place(1, 10, phase) + "did not get on for|rank 1 host .* in phase " + phase, seconds=15)
            lab.resumes(ranks=2, least=6, own=WATCHED)
    return "each: 75, naming rank, host, step and phase; same bits after the resume"


@row(20, "a slow rank: 3.5 s in one step of 5 allowed; a quarter of a core", "no kill; a warning that names it; same bits")
def slow_rank(lab):
    job = lab.start_train(ranks=2, fault="1:10.student:delay=3.5", settings=WATCHED)
    lab.ended(job, 0, place(1, 10, "student") + "warning: has been in phase student for")
    lab.same_bits()
    shutil.rmtree(lab.path("run"))
    with groups.Group(lab, "cpu") as group:
        group.set(("cpu.cfs_period_us", "20000"), ("cpu.cfs_quota_us", "5000"), v2=("cpu.max", "5000 20000"))
        program = lab.per_rank(f"if [[ $rank == 1 ]]; then echo $$ >{group.processes}; fi")
        job = lab.start_train(config="steady", ranks=2, program=program, settings=WATCHED)
        lab.ended(job, 0, None, limit=90)
        lab.same_bits(config="steady")
        lines = [line for line in job.messages() if "slow" in line or "times" in line]
    return f"a warning with rank, host, step and phase; with a quarter of a core: {lines[0][5:] if lines else 'no warning'}; same bits"

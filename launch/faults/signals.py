"""Rows about requests to stop."""

import shutil
import signal
import time

from . import checkpoints
from .lab import root
from .processes import send
from .rows import row


def saved_where_it_stopped(lab, config="steady", **options):
    """After an end with 85: the newest checkpoint is of the last step reached, so that nothing is lost."""
    reached, newest = checkpoints.last_record(lab.path("run")), lab.newest_verifies()
    lab.expect(newest == reached, f"stopped at step {reached}, but the newest checkpoint is of {newest}")
    lab.expect(lab.resumes(config=config, least=newest, **options) == newest, "did not resume there")
    return newest


@row(24, "SIGTERM or SIGINT to mpirun", "last checkpoint intact; mpirun leaves ranks too little time to promise a new one")
def terminated(lab):
    seen = []
    for what in (signal.SIGTERM, signal.SIGINT):
        with lab.case(what.name):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            # 6 s of steps: mpirun tells the ranks after a second.
            settings = ["icp.steps=10000"]
            job = lab.start_train(config="steady", ranks=2, settings=settings)
            lab.until_step(12, job)
            job.fault()
            send(job.number, what)
            lab.ended(job, (1, 85, 130, 143), None, seconds=10)
            newest = lab.newest_verifies()
            lab.expect(newest >= 10, f"the newest checkpoint is of step {newest}")
            reached = checkpoints.last_record(lab.path("run"))
            lab.resumes(config="steady", ranks=2, settings=settings, least=newest)
            seen.append(f"{what.name}: status {job.status}, {reached - newest} steps lost")
    return "; ".join(seen) + "; same bits after the resume"


@row(25, "SIGUSR1 to mpirun, to one rank, to ranks at different steps; with a slow disk; SIGTERM and SIGINT to icp alone",
     "one save at one agreed step, 85, nothing lost")
def asked_to_stop(lab):
    def case(name, act, ranks=3, fault=None, limit=20):
        with lab.case(name):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            job = lab.start_train(config="steady", ranks=ranks, fault=fault)
            lab.until_step(12, job)
            job.fault()
            act(job)
            lab.ended(job, 85, None, seconds=limit)
            saved_where_it_stopped(lab, ranks=2)

    def late(job):
        send(lab.family.ranks()[2], signal.SIGUSR1)
        time.sleep(0.05)
        send(job.number, signal.SIGUSR1)

    case("mpirun", lambda job: send(job.number, signal.SIGUSR1))
    for rank in (0, 2):
        case(f"rank {rank}", lambda job, rank=rank: send(lab.family.ranks()[rank], signal.SIGUSR1))
    case("one rank first", late)
    case("slow disk", lambda job: send(job.number, signal.SIGUSR1), fault="0:11:slow-disk=2")
    for what in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        case(f"alone, {what.name}", lambda job, what=what: send(job.number, what), ranks=None)
    return "8 ways: 85, the checkpoint is of the step where all stopped; same bits after the resume"


@row(26, "a second SIGUSR1 during the save; SIGTERM right after it", "the save completes, or the old one stays")
def asked_twice(lab):
    for name, then, statuses in (("SIGUSR1 again", signal.SIGUSR1, 85), ("SIGTERM", signal.SIGTERM, (1, 85, 143))):
        with lab.case(name):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            job = lab.start_train(config="steady", ranks=2, fault="0:11:slow-disk=1.5")
            lab.until_step(11, job)
            job.fault()
            send(job.number, signal.SIGUSR1)
            time.sleep(0.7)
            send(job.number, then)
            lab.ended(job, statuses, None, seconds=20)
            if job.status == 85:
                saved_where_it_stopped(lab, ranks=2)
            else:
                lab.resumes(config="steady", ranks=2, least=lab.newest_verifies())
    return f"the save completes (85); with SIGTERM after it: status {job.status}, a whole checkpoint; same bits"


@row(51, "the terminal closes: under icp alone, under launch/train; SIGHUP under nohup",
     "one save at one agreed step, 85, nobody left; under nohup the run goes on")
def closed_terminal(lab):
    settings = ["icp.steps=5000"]
    for name, ranks in (("icp alone", None), ("launch/train", 2)):
        with lab.case(name):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            command = lab.command(config="steady", settings=settings)
            if ranks:
                command = [f"{root}/launch/train", "steady.yaml", "-n", ranks, "--", *command[3:]]
            job = lab.start(["python3", "-c", TERMINAL, *command])
            lab.until_step(12, job)
            job.fault()
            send(job.number, signal.SIGUSR2)
            lab.ended(job, 85, None, seconds=20)
            saved_where_it_stopped(lab, ranks=2, settings=settings)
    with lab.case("nohup"):
        shutil.rmtree(lab.path("run"), ignore_errors=True)
        job = lab.start_train(config="steady", before=["nohup"])
        lab.until_step(12, job)
        send(job.number, signal.SIGHUP)
        lab.ended(job, 0)
        lab.same_bits(config="steady")
    return "icp alone and launch/train: 85, nobody left, same bits after the resume; under nohup: 0"


# Starts the words after it on a terminal, which closes on SIGUSR2.
TERMINAL = """
import os, pty, select, signal, sys
child, terminal = pty.fork()
if not child:
    os.execvp(sys.argv[1], sys.argv[1:])
closed = []
signal.signal(signal.SIGUSR2, lambda *_: closed.append(True))
while not closed:
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            os.read(terminal, 65536)
        except OSError:
            break
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@row(46, "SIGTERM while a run measures: within an evaluation, within evaluation.final",
     "85 within seconds; the resume measures, and its records are the undisturbed run's")
def terminated_while_measuring(lab):
    seconds = []

    def case(name, settings, until, ranks, after):
        with lab.case(name):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            job = lab.start_train(config="measuring", ranks=ranks, settings=settings)
            until(job)
            kind = checkpoints.last_kind(lab.path("run"))
            job.fault()
            send(lab.family.ranks()[1] if ranks else job.number, signal.SIGTERM)
            # Half a second of ours; mpirun notices the end up to two seconds late.
            lab.ended(job, 85, "stopped on request", seconds=6)
            seconds.append(job.seconds)
            lab.expect(checkpoints.last_kind(lab.path("run")) == kind, "the measurement was over before")
            lab.newest_verifies()
            lab.resumes(config="measuring", ranks=after, settings=settings)
            lab.same_records(config="measuring", settings=settings)

    def ended(job):
        lab.until_saved(10, job)
        lab.until(lambda: checkpoints.last_kind(lab.path("run")) == "epoch", "no evaluation", job)

    case("evaluation, 2 ranks", [], lambda job: lab.until_saved(5, job), 2, 3)
    case("last evaluation, alone", [], lambda job: lab.until_saved(10, job), None, 2)
    for check in ("corruptions", "attacks", "episodes"):
        case(check, [f"evaluation.final=[{check}]", "evaluation.attack_samples=400",
                     f"data.test_limit={20000 if check == 'episodes' else 1000}"], ended, 2, None)
    return f"5 ways: 85 after at most {max(seconds, default=0):.1f} s; same bits and records after the resume"


@row(47, "kill -9 of a rank between the save of an epoch and the end of its evaluation, with 1 and 3 checkpoints kept",
     "nothing lost: the resume makes evaluation, best and record")
def killed_while_measuring(lab):
    for keep in (1, 3):
        with lab.case(f"{keep} kept"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            settings = [f"checkpoint.keep={keep}"]
            job = lab.start_train(config="measuring", ranks=2, settings=settings)
            lab.until_saved(10, job)
            job.fault()
            send(lab.family.ranks()[keep % 2], signal.SIGKILL)
            lab.ended(job, 137, "signal 9", seconds=10)
            lab.expect(lab.resumes(config="measuring", settings=settings, least=10) == 10, "did not resume at step 10")
            lab.same_records(config="measuring", settings=settings)
            best = checkpoints.read(lab.path("run", "checkpoints", "best.safetensors"))[0]["step"]
            losses = {record["step"]: record["train_loss"] for record in checkpoints.timeless_records(lab.path("run"))
                      if record["kind"] == "epoch"}
            lab.expect(best == str(min(losses, key=losses.get)), f"the best is of step {best}: {losses}")
    return "1 and 3 kept: 137; evaluation, best and record as undisturbed; same bits"

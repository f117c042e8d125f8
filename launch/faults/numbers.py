"""Rows about ranks that differ, and about numbers that are wrong."""

import shutil

from . import checkpoints
from .rows import row


@row(31, "ranks with another configuration, data, seed, program, kernels", "76 before step 1, naming the rank")
def different_ranks(lab):
    from .inputs import idx_files
    from .lab import icp
    for name, data in idx_files().items():
        lab.write(f"one/{name}", data)
        lab.write(f"two/{name}", data.replace(b"\x55", b"\x56", 1) if "train-images" in name else data)
    with open(icp, "rb") as file:
        other = lab.write("other-icp", file.read() + b"\0", executable=True)
    cases = {
        "configuration": 'set -- "$@" --set icp.steps=3', "seed": 'set -- "$@" --set training.seed=1',
        "data": 'set -- "$@" --set data.format=idx --set data.path=two',
        "program": f'exec {other} "$@"',
        "kernels": "export DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2",
        "threads": 'set -- "$@" --set training.threads=2',
        "command line": 'set -- "$@" --resume never',
    }
    for name, text in cases.items():
        with lab.case(name):
            program = lab.per_rank(f"if [[ $rank == 1 ]]; then {text}; fi", "other")
            settings = ["data.format=idx", "data.path=one"] if name == "data" else []
            job = lab.start_train(ranks=3, program=program, settings=settings)
            lab.ended(job, 76, r"(?m)^icp: rank 1[ :]", seconds=20)
            lab.expect(checkpoints.last_record(lab.path("run")) == 0, "steps were taken")
        shutil.rmtree(lab.path("run"), ignore_errors=True)
    return f"{len(cases)} differences: 76 each, naming rank 1"


def stops_the_ranks(lab, fault, statuses, says, ranks=3, own=("agreement.every_steps=5", "watchdog.seconds=5"), least=0):
    shutil.rmtree(lab.path("run"), ignore_errors=True)
    job = lab.start_train(ranks=ranks, fault=fault, settings=[*own, "checkpoint.every_steps=4"])
    lab.ended(job, statuses, says, seconds=20)
    # Whatever was saved must be what the undisturbed run had at that step: the resume ends with its bits.
    lab.resumes(ranks=2, least=least, own=[*own, "checkpoint.every_steps=4"])
    return job


@row(32, "a rank leaves a reduction out; its reduction is one value short", "75 or 76, never a wrong step in a checkpoint")
def wrong_collective(lab):
    seen = []
    for kind in ("skip", "count"):
        for rank in (0, 1):
            with lab.case(f"{kind} on rank {rank}"):
                job = stops_the_ranks(lab, f"{rank}:10.reduction:{kind}", (75, 76), r"(?m)^icp: ", least=8)
                seen.append(f"{kind} on rank {rank}: {job.status}")
    return ", ".join(seen) + "; same bits after the resume"


@row(33, "one bit of one rank's weights flips", "found within agreement.every_steps, 76, naming rank and tensor; not saved")
def flipped_weight(lab):
    for rank in (1, 2):
        with lab.case(f"rank {rank}"):
            job = stops_the_ranks(lab, f"{rank}:10.optimizer:bitflip", 76, rf"rank {rank} host \S+ holds other values .* fc",
                                  least=8)
            reached = checkpoints.last_record(lab.path("run"))
            lab.expect(job.status == 76 and reached >= 10, "")
    with lab.case("before a save"):
        stops_the_ranks(lab, "1:10.optimizer:bitflip", 76, "rank 1 host", own=("watchdog.seconds=5",), least=8)
    return "76 within 5 steps, and at the next save where steps are not compared; rank and tensors named; same bits after"


@row(34, "NaN in one rank's gradient; a loss that explodes on all", "stop: 77; skip goes on; rollback gives up after ten; ranks alike")
def not_finite(lab):
    for rank in (0, 1):
        with lab.case(f"stop, rank {rank}"):
            stops_the_ranks(lab, f"{rank}:10.backward:nan", 77, rf"step 10: .*rank {rank}.*not finite", own=(), least=8)
    # The fault comes again after each rollback: then it ends, and does not go round for ever.
    for policy, words, status, last in (("skip", "step 10 skipped: .*rank 1", 0, 20),
                                        ("rollback", "step 10: .*rank 1.*after ten rollbacks to step 8", 77, 8)):
        with lab.case(policy):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            own = [f"training.non_finite={policy}", "agreement.every_steps=1", "checkpoint.every_steps=4"]
            job = lab.start_train(ranks=3, fault="1:10.backward:nan", settings=own)
            lab.ended(job, status, words)
            lab.expect(lab.newest_verifies() == last, f"checkpoints: {checkpoints.steps(lab.path('run'))}")
    exploding = ["optimizer.kind=sgd", "optimizer.learning_rate=1e9", "optimizer.clip_norm=none"]
    with lab.case("exploding"):
        shutil.rmtree(lab.path("run"), ignore_errors=True)
        job = lab.start_train(ranks=2, settings=exploding)
        lab.ended(job, 77, r"step \d+: .*is not finite.*lower optimizer.learning_rate", seconds=20)
        lab.newest_verifies()
    return "77 with step, rank and tensor; skip ends with 0, rollback with 77 after ten; ranks equal at every step"


@row(35, "one bit of the sum that one rank got flips", "found by comparing ranks: 76, not saved")
def flipped_sum(lab):
    for rank in (0, 1, 2):
        with lab.case(f"rank {rank}"):
            stops_the_ranks(lab, f"{rank}:10.reduction:flip-sum", 76, rf"rank {rank} host \S+ holds other values", least=8)
    return "76 within 5 steps, naming rank and tensors; same bits after the resume"

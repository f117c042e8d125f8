"""Rows about resumes without a fault: anywhere, with any number of ranks."""

import json
import shutil

from . import checkpoints
from .damage import resealed
from .lab import root
from .rows import row


@row(36, "stopped before the first save, in an epoch, at its last step, at the run's last step", "the same bits on 1, 2 and 4 ranks")
def resumed_anywhere(lab):
    count = 0
    for ranks in (None, 2, 4):
        for step in (1, 7, 10, 19, 20):
            with lab.case(f"step {step} on {ranks or 1} ranks"):
                shutil.rmtree(lab.path("run"), ignore_errors=True)
                lab.ended(lab.start_train(ranks=ranks, settings=[f"training.max_steps={step}"]), 0)
                resumed = lab.resumes(ranks=ranks, least=step)
                lab.expect(resumed == step, f"resumed from step {resumed}")
                count += 1
    return f"{count} stops: same bits"


@row(37, "resumed with other numbers of ranks, again and again", "the same bits; each sample once an epoch")
def resumed_elsewhere(lab):
    plan = [(3, 2), (7, 4), (8, None), (13, 5), (15, 3), (18, 2), (20, 4)]
    for step, ranks in plan:
        job = lab.start_train(resume="auto", ranks=ranks, settings=[f"training.max_steps={step}"])
        lab.ended(job, 0)
        metadata, _ = checkpoints.read(checkpoints.path(lab.path("run"), step))
        # Five batches of an epoch: four of 16 and one of 6.
        expected = min(70, 16 * (step % 5)) if step % 5 else 70
        lab.expect(f'"samples":{expected},' in metadata["progress"], f"step {step}: {metadata['progress']}")
    lab.same_bits()
    lab.lost = 0
    return f"{len(plan)} starts on 2, 4, 1, 5, 3, 2 and 4 ranks: same bits, no sample twice or never"


@row(50, "checkpoints from step 10 million on, whose names are longer", "the newest are kept and resumed from, by number")
def long_names(lab):
    settings = ["training.epochs=2000100"]
    lab.ended(lab.start_train(settings=[*settings, "training.max_steps=4"]), 0)
    first = 9_999_994

    def later(metadata, _):
        progress = json.loads(metadata["progress"])
        progress["step"], progress["epoch"] = first, first // 5
        metadata["step"], metadata["epoch"], metadata["optimizer_steps"] = str(first), str(first // 5), str(first)
        metadata["progress"] = json.dumps(progress, separators=(",", ":"))

    run = lab.path("run")
    resealed(checkpoints.path(run, 4), later)
    shutil.move(checkpoints.path(run, 4), lab.path(f"step-{first}.safetensors"))
    shutil.rmtree(run)
    last = first + 10
    job = lab.start_train(resume=f"step-{first}.safetensors", ranks=2, settings=[*settings, f"training.max_steps={last}"])
    lab.ended(job, 0)
    kept = [step for step in checkpoints.steps(run)]
    lab.expect(kept[-3:] == [last - 4, last - 2, last] and len(kept) <= 4, f"kept: {kept}")
    job = lab.train(resume="auto", settings=[*settings, f"training.max_steps={last + 2}"])
    lab.expect(job.status == 0 and f"step {last}" in job.output, f"status {job.status}: {job.output[-300:]}")
    lab.expect(checkpoints.steps(run)[-1] == last + 2, f"kept: {checkpoints.steps(run)}")
    script = ["bash", "-c", f"source {root}/launch/common.sh; newest_step run"]
    lab.expect(lab.run(script).output.strip() == str(last + 2), "the scripts take another one for the newest")
    return f"the newest three of step {first} to {last}, resumed at {last}"

"""Rows about resumes without a fault: anywhere, with any number of ranks."""

import shutil

from . import checkpoints
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

"""Rows about a save that is cut: killed at every call and at random, power cuts, pruning."""

import os
import random
import shutil
import subprocess
import time

from . import checkpoints, tracing
from .rows import Skip, row

STEP = 10  # ends an epoch, so that its save makes a new best, and prunes


def points(lab, settings=()):
    """Every (call, k) of the save of STEP, and of the folder's calls around it."""
    lab.needs("strace", "unshare")
    paths = [*tracing.save_paths(lab, STEP, "counted"), *tracing.folder_paths(lab, "counted")]
    log = lab.path("log-counted")
    shutil.rmtree(lab.path("counted"), ignore_errors=True)
    job = lab.train("counted", before=tracing.before(log, paths), settings=settings)
    lab.expect(job.status == 0, f"under strace: status {job.status}: {job.error[-300:]}")
    counts, found = {}, []
    inside = False
    for name, text in tracing.calls(log):
        counts[name] = counts.get(name, 0) + 1
        mentions = f"step-{STEP:07}.safetensors" in text
        inside = inside or mentions
        if inside:
            found.append((name, counts[name]))
        # The call that begins the next save, or removes what the next one replaces, ends this one.
        if inside and f"step-{STEP + 2:07}" in text:
            break
    return found


def sweep(lab, settings=(), keep=3):
    """Kills icp before each call of a save takes effect; returns how many points there were."""
    found = points(lab, settings)
    # Threads meet in another order from run to run, so that the last calls of a count may not come to be.
    missed = 0
    for name, count in found:
        with lab.case(f"killed at {name} {count}"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            paths = [*tracing.save_paths(lab, STEP), *tracing.folder_paths(lab)]
            inject = f"{name}:signal=KILL:when={count}"
            job = lab.train(before=tracing.before(lab.path("log"), paths, inject), settings=settings)
            if job.status == 0:
                missed += 1
                continue
            lab.expect(job.status == 137, f"not killed: status {job.status}")
            lab.nothing_left()
            reached = checkpoints.last_record(lab.path("run"))
            newest = lab.newest_verifies()
            lab.expect(newest >= STEP - 2, f"the newest checkpoint is of step {newest}")
            steps = checkpoints.steps(lab.path("run"))
            lab.expect(len(steps) >= keep, f"only {steps} are left, {keep} were to be kept")
            lab.resumes(settings=settings, reached=reached, least=newest)
    lab.expect(missed <= len(found) // 5, f"{missed} of {len(found)} calls did not come")
    return len(found) - missed


@row(1, "kill -9 of rank 0 before each file call of a save", "old or new checkpoint loads, leftovers are removed")
def kill_sweep(lab):
    count = sweep(lab)
    lab.expect(count >= 16, f"only {count} calls were found")
    return f"{count} of {count} calls: newest verified, same bits after the resume"


@row(14, "the same where 1 or 2 checkpoints are kept", "never fewer good ones than are to be kept")
def prune_sweep(lab):
    counts = [sweep(lab, [f"checkpoint.keep={keep}"], keep) for keep in (1, 2)]
    return f"{counts[0]} calls with one kept, {counts[1]} with two: never fewer good ones"


@row(2, "kill -9 at 50 random moments, started again each time", "progress never goes back past a saved step; same bits")
def random_kills(lab):
    seed = int(os.environ.get("ICP_FAULTS_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    kills = saved = rounds = 0
    while kills < 50:
        rounds += 1
        lab.expect(rounds < 300, f"seed {seed}: only {kills} kills in {rounds} starts")
        ranks = chance.choice([None, 2])
        # Few kills fall after the end: a whole start takes about as long as the longest wait.
        settings = ["checkpoint.every_steps=1", "checkpoint.every_epochs=none"]
        job = lab.start_train(config="steady", ranks=ranks, resume="auto", settings=settings)
        time.sleep(chance.uniform(0.1, 0.7))
        if job.running():
            kills += 1
            # All of it, as when a node goes down: what is not on the disk by now must not count.
            lab.family.kill()
        job.wait(10)
        lab.expect(job.status in (0, 137), f"seed {seed}: status {job.status}: {job.error[-300:]}")
        lab.expect(not lab.family.gone_within(3), "processes are left")
        shutil.rmtree(lab.memory)  # mpirun cannot remove its files when it is killed itself
        os.makedirs(lab.memory)
        newest = lab.newest_verifies()
        lab.expect(newest >= saved, f"seed {seed}: step {saved} was saved, then the newest was {newest}")
        lost = checkpoints.last_record(lab.path("run")) - newest
        lab.lost = max(lab.lost or 0, lost)
        saved = newest
        if job.status == 0:
            lab.same_bits(config="steady")
            shutil.rmtree(lab.path("run"))
            saved = 0
    if saved:
        lab.resumes(config="steady", least=saved)
    return f"{kills} kills in {rounds} starts (seed {seed}): a save at every step, none lost"


def reported(lab, log):
    """Steps whose save a trace shows as done: the folder's fsync after the rename has returned."""
    done, renamed = [], None
    for name, text in tracing.calls(log):
        if name.startswith("rename") and "/step-" in text and text.rstrip().endswith("= 0"):
            renamed = int(text.split("/step-")[1][:7])
        elif name == "fsync" and renamed and text.rstrip().endswith("= 0"):
            done.append(renamed)
            renamed = None
    return done


@row(3, "power cut at random moments (ext4, with and without auto_da_alloc)", "the last reported save is there")
def power_cut(lab):
    lab.needs("mkfs.ext4", "losetup", "strace", "unshare")
    seen = []
    for option in ("auto_da_alloc", "noauto_da_alloc"):
        image, disk, after = lab.path(f"{option}.image"), lab.path(option), lab.path(f"{option}-after")
        os.makedirs(disk)
        os.makedirs(after)
        with open(image, "wb") as file:
            file.truncate(24 << 20)
        lab.run(["mkfs.ext4", "-q", "-F", image])
        mount(lab, image, disk, f"loop,{option}")
        os.makedirs(f"{disk}/run")
        run = f"{option}/run"
        log = lab.path(f"log-{option}")
        job = lab.start_train(run, config="steady", before=tracing.before(log))
        chance = random.Random(3)
        cuts = 0
        while job.running() and cuts < 12:
            time.sleep(chance.uniform(0.05, 0.4))
            # What the log tells of before the copy begins was on the disk by then.
            steps = reported(lab, log) if os.path.exists(log) else []
            shutil.copyfile(image, f"{image}.cut")
            cuts += 1
            with lab.case(f"cut {cuts} after step {steps[-1:]}, {option}"):
                undo = mount(lab, f"{image}.cut", after, "loop")
                try:
                    newest = lab.newest_verifies(f"{option}-after/run")
                finally:
                    undo()
                lab.expect(newest >= (steps[-1] if steps else 0), f"the newest is of step {newest}")
        lab.ended(job, 0, limit=90)
        lab.same_bits(run, config="steady")
        lab.lost = 0
        seen.append(f"{cuts} cuts with {option}")
    return " and ".join(seen) + ": the last reported save verified each time"


def mount(lab, what, where, options, kind=None):
    """Mounts, and gives what undoes it; the lab undoes it at the latest."""
    done = subprocess.run(["mount", *(["-t", kind] if kind else []), "-o", options, what, where], capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"cannot mount here: {done.stderr.strip()}")

    def undo():
        subprocess.run(["umount", "-l", where], capture_output=True)

    lab.undo.callback(undo)
    return undo

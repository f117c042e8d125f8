"""Rows about disks that are full, broken, limited or gone while a run saves."""

import os
import shutil
import subprocess

from . import checkpoints, shims, tracing
from .rows import row
from .saving import mount

STEP = 10
# What a run does with failed saves: two are warnings, the third in a row or the last one ends it with 74.
GOES_ON = r"warning: step \d+ was not saved: .*the run goes on, the previous checkpoint stays"


def injected(lab, inject, paths, status, says, settings=(), least=STEP - 2, name="run"):
    """A run with strace's injection on these paths; then a resume to the undisturbed run's bits."""
    shutil.rmtree(lab.path(name), ignore_errors=True)
    job = lab.start_train(name, before=tracing.before(lab.path("log"), paths, inject), settings=settings)
    lab.ended(job, status, says)
    lab.expect("(INJECTED)" in open(lab.path("log"), errors="replace").read(), "the fault did not come")
    lab.expect(not checkpoints.leftovers(lab.path(name)), "a temporary file is left")
    newest = lab.newest_verifies(name)
    lab.expect(newest >= least, f"the newest checkpoint is of step {newest}, not {least} or later")
    if job.status == 0:
        lab.same_bits(name, settings=settings)
    else:
        lab.resumes(name, settings=settings, least=newest)
    return job


@row(4, "disk full when a save begins", "old kept, said, the run goes on; 74 after 3 failures")
def full_disk(lab):
    # The run needs 75 kB a checkpoint; records and configuration some more.
    disk = lab.path("disk")
    os.makedirs(disk)
    for size, least, reached in (("100k", 2, 6), ("240k", 5, 10)):
        with lab.case(f"disk of {size}"):
            undo = mount_memory(lab, disk, f"size={size}")
            job = lab.start_train("disk/run", settings=["logging.every_steps=20"])
            lab.ended(job, 74, r"icp: (warning: )?.*No space left on device; free some space there")
            lab.expect(job.error.count("the run goes on") == 2, "not two warnings before the end")
            lab.expect(lab.newest_verifies("disk/run") == least, f"kept {checkpoints.steps(disk + '/run')}")
            shutil.copytree(f"{disk}/run", lab.path("run"))
            undo()
            lab.resumes(least=least, settings=[], own=["logging.every_steps=1"], reached=reached)
            shutil.rmtree(lab.path("run"))
    return "full after 1 and after 2 checkpoints: two warnings, then 74; older ones whole; same bits after the resume"


@row(5, "no space at the k-th write, at close, at rename, at fallocate", "the same, for one failure and for all from then on")
def no_space_later(lab):
    lab.needs("strace", "unshare")
    paths = tracing.save_paths(lab, STEP)
    calls = ["openat", "fallocate", "write", "fsync", "close", "rename"]
    for call in calls:
        with lab.case(f"{call} once"):
            injected(lab, f"{call}:error=ENOSPC:when=1", paths, 0, GOES_ON)
    # Every call of its kind in the folder from some time on, until the run gives up.
    later = [path for step in (10, 12, 14, 15) for path in tracing.save_paths(lab, step) if "step-" in path]
    for call in calls:
        with lab.case(f"{call} from then on"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            injected(lab, f"{call}:error=ENOSPC:when=1+", later, 74, GOES_ON)
    return f"{', '.join(calls)}: once: a warning, and the run ends with its bits; for good: 74, older ones whole"


@row(6, "no inode left; over quota", "the same")
def no_inodes(lab):
    disk = lab.path("disk")
    os.makedirs(disk)
    # Of the folder's root, run, checkpoints, .lock, config.yaml and its temporary, metrics.jsonl, two checkpoints.
    undo = mount_memory(lab, disk, "size=4m,nr_inodes=9")
    with lab.case("inodes"):
        job = lab.start_train("disk/run", settings=["checkpoint.keep=50"])
        lab.ended(job, 74, r"No space left on device; free some space there")
        newest = lab.newest_verifies("disk/run")
        lab.expect(newest >= 2, "no checkpoint is left")
        shutil.copytree(f"{disk}/run", lab.path("run"))
        undo()
        lab.resumes(least=newest)
    lab.needs("strace", "unshare")
    with lab.case("quota"):
        injected(lab, "openat:error=EDQUOT:when=1", tracing.save_paths(lab, STEP), 0, GOES_ON + r"|Disk quota exceeded")
    return "inodes: 74, older ones whole; quota: a warning, and the run ends with its bits"


@row(7, "EIO from fsync, of the file and of the folder", "file dropped, fsync not repeated, the next save is a new file")
def failed_fsync(lab):
    lab.needs("strace", "unshare")
    for what, paths in (("file", tracing.save_paths(lab, STEP)), ("folder", tracing.folder_paths(lab))):
        with lab.case(what):
            inject = f"fsync:error=EIO:when={1 if what == 'file' else 5}"
            job = injected(lab, inject, paths, 0, r"fsync: Input/output error; look at that disk")
            lab.expect(len(job.messages()) == 1, f"{len(job.messages())} messages: {job.messages()}")
            log = [text for name, text in tracing.calls(lab.path("log")) if name == "fsync"]
            at = next(index for index, text in enumerate(log) if "INJECTED" in text)
            if what == "file":
                lab.expect(at == len(log) - 1, "fsync was called again on the same file")
    return "each: one warning, no second fsync of that file, and the run ends with its bits"


@row(8, "short writes, interrupted calls", "checkpoints whole, checksums right")
def short_writes(lab):
    shim = shims.build(lab, "short_writes")
    job = lab.start_train(environment={"LD_PRELOAD": shim, "SHIM_LIMIT": "4097"})
    lab.ended(job, 0)
    lab.expect(lab.newest_verifies() == 20, "the last checkpoint is missing")
    lab.same_bits()
    lab.expect("shim: short_writes" in job.error, "the shim was not there")
    shutil.rmtree(lab.path("run"))
    lab.needs("strace", "unshare")
    paths = tracing.save_paths(lab, STEP)
    for call in ("write", "fsync", "openat", "read", "fallocate", "rename", "link"):
        with lab.case(f"{call} interrupted"):
            shutil.rmtree(lab.path("run"), ignore_errors=True)
            injected(lab, f"{call}:error=EINTR:when=1", paths, 0, None, least=20)
            lab.expect(checkpoints.steps(lab.path("run")) == [16, 18, 20], "a save is missing")
    return "every write cut to 1 to 4097 bytes; 7 calls interrupted once: no save was lost"


@row(9, "run folder read-only, missing, a file; removed during the run", "74 before step 1, or at the save; old kept")
def bad_folder(lab):
    lab.write("file", "not a folder")
    with lab.case("a file"):
        job = lab.start_train("file", ranks=2)
        lab.ended(job, 74, "file: .*choose another", seconds=10)
    with lab.case("missing"):
        lab.ended(lab.start_train("new/folder/run", settings=["training.max_steps=2"]), 0)
    disk = lab.path("disk")
    os.makedirs(disk)
    undo = mount_memory(lab, disk, "size=4m")
    with lab.case("read-only at the start"):
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        job = lab.start_train("disk/run", ranks=2)
        lab.ended(job, 74, "Read-only file system; choose a directory", seconds=10)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    with lab.case("read-only during the run"):
        # metrics.jsonl is open to write, so that a plain remount is refused; what a broken disk does is not.
        job = lab.start_train("disk/run", "steady", ranks=2)
        lab.until_step(12, job, "disk/run")
        folder = checkpoints.folder(f"{disk}/run")
        job.fault()
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        lab.undo.callback(subprocess.run, ["umount", "-l", folder], capture_output=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        lab.ended(job, 74, "Read-only file system")
        newest = lab.newest_verifies("disk/run")
        lab.expect(newest >= 10, f"the newest checkpoint is of step {newest}")
        subprocess.run(["umount", folder], check=True)
        shutil.copytree(f"{disk}/run", lab.path("kept"))
        lab.resumes("kept", "steady", ranks=2, least=newest)
    undo()
    with lab.case("removed during the run"):
        job = lab.start_train("gone", "steady", ranks=2)
        lab.until_step(12, job, "gone")
        job.fault()
        os.rename(lab.path("gone"), lab.path("moved"))
        shutil.rmtree(lab.path("moved"))
        lab.ended(job, 74, "the directory is gone; was it removed during the run")
    return "each: 74 with the path and what to do; what was saved before resumes with the same bits"


@row(10, "limit on file sizes (ulimit -f)", "a warning and 74, not death by SIGXFSZ")
def file_size(lab):
    lab.ended(lab.start_train(settings=["training.max_steps=4"]), 0)
    limited = lab.write("limited", '#!/bin/bash\nulimit -f 40\nexec "$@"\n', executable=True)
    job = lab.start_train(resume="auto", before=[limited])
    lab.ended(job, 74, "File too large; .*raise it with `ulimit -f`")
    lab.expect(lab.newest_verifies() == 4, "the older checkpoint is gone")
    lab.resumes(least=4)
    return "two warnings, then 74; the older one whole; same bits after the resume"


def mount_memory(lab, where, options):
    """A small file system in memory; `size=0` would be no limit."""
    return mount(lab, "tmpfs", where, options, kind="tmpfs")

"""Faults at chosen system calls, by strace's injection, on the calls that touch chosen paths only.

In a process namespace of its own icp has the same number every time, so that the names of its temporary files are known
beforehand; counts are then of the calls on these paths, whichever thread makes them."""

import re

from .rows import Wrong

# Calls that a save makes, under the kernel's names.
CALLS = "openat,write,fsync,rename,unlink,link,linkat,unlinkat,renameat2,fallocate,fadvise64,read,close,getdents64,ftruncate"


def before(log, paths=(), inject=None):
    """What to put before a command so that it runs under strace."""
    words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "strace", "-f", "-o", log,
             "-e", f"trace={CALLS}", "-e", "signal=none",
             "-e", "quiet=path-resolution,attach,exit"]
    for path in paths:
        words += ["-P", path]
    return [*words, *(["-e", f"inject={inject}"] if inject else [])]


def number_of_icp(lab, **options):
    """The process number that icp has there."""
    if "number" not in lab.references:
        job = lab.train("numbered", before=before(lab.path("log")), **options)
        if job.status != 0:
            raise Wrong(f"icp under strace ends with {job.status}: {job.error[-300:]}")
        with open(lab.path("numbered/.lock")) as file:
            lab.references["number"] = int(re.search(r"process (\d+)", file.read())[1])
    return lab.references["number"]


def save_paths(lab, step, run="run"):
    """The paths that the save of `step` touches, besides the folder's."""
    number = number_of_icp(lab)
    final = f"{run}/checkpoints/step-{step:07}.safetensors"
    best = f"{run}/checkpoints/best.safetensors"
    paths = [final, f"{final}.tmp.{number}", best, f"{best}.tmp.{number}"]
    # Calls name a file by what icp was given, descriptors by where it is.
    return [*paths, *(lab.path(path) for path in paths)]


def folder_paths(lab, run="run"):
    return [f"{run}/checkpoints", lab.path(run, "checkpoints")]


def calls(log):
    """Name and text of each call in a log, in order."""
    found = []
    with open(log, errors="replace") as file:
        for line in file:
            match = re.match(r"\d+\s+(\w+)\((.*)", line)
            if match:
                found.append((match[1], match[2]))
    return found

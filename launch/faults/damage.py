"""Rows about checkpoint files that are damaged, foreign or hostile."""

import json
import os
import shutil
import zlib

from . import checkpoints
from .rows import row


def stopped_run(lab, step=8, **options):
    """A run that ended at `step`, for a case to damage."""
    shutil.rmtree(lab.path("run"), ignore_errors=True)
    lab.ended(lab.start_train(settings=[f"training.max_steps={step}"], **options), 0)
    return checkpoints.path(lab.path("run"), step)


def refused_by_inspect(lab, path, damage=""):
    """`damage`: what was done to the file, for the message."""
    job = lab.inspect(path)
    lab.expect(job.status == 65 and os.path.basename(path) in job.error,
               f"inspect of {path}{damage}: status {job.status}: {job.error.strip()[:200]}")
    return job


@row(11, "newest checkpoint cut at every length modulo 512; one bit flipped at 600 places", "found, named, the next older one is used")
def damaged_newest(lab):
    good = stopped_run(lab)
    with open(good, "rb") as file:
        data = file.read()
    bad = lab.path("damaged.safetensors")
    for remainder in range(512):
        length = len(data) - 512 * (1 + remainder % (len(data) // 512 - 1)) + remainder - 511
        kept = max(0, min(length, len(data) - 1))
        lab.write("damaged.safetensors", data[:kept])
        refused_by_inspect(lab, bad, f", cut to {kept} of {len(data)} bytes")
    shutil.copyfile(good, bad)
    for index in range(600):
        place = index * (len(data) - 1) // 599
        checkpoints.flip(bad, place, index % 8)
        refused_by_inspect(lab, bad, f", bit {index % 8} of byte {place} flipped: {data[max(0, place - 20):place + 20]}")
        checkpoints.flip(bad, place, index % 8)
    for name, change in (("cut", lambda: os.truncate(good, len(data) // 2)), ("empty", lambda: os.truncate(good, 0)),
                         ("flipped", lambda: checkpoints.flip(good, -1 + len(data))),
                         ("zeros", lambda: zeros(good, len(data)))):
        with lab.case(name):
            stopped_run(lab)
            change()
            step = lab.resumes(says="skipped a checkpoint: run/checkpoints/step-0000008.safetensors: ", ranks=2)
            lab.expect(step == 6, f"resumed from {step}, not from 6")
    return "512 lengths and 600 bits, all found; four kinds on resume: named, the older one taken, same bits"


def zeros(path, size):
    """What some file systems leave of a file that was not synchronised: its size, and no bytes."""
    with open(path, "wb") as file:
        file.truncate(size)


@row(12, "all checkpoints damaged", "65, never a silent start at step 0")
def all_damaged(lab):
    for ranks in (None, 2):
        with lab.case(f"ranks {ranks}"):
            stopped_run(lab)
            for step in checkpoints.steps(lab.path("run")):
                checkpoints.flip(checkpoints.path(lab.path("run"), step), 5000 + step)
            before = checkpoints.last_record(lab.path("run"))
            job = lab.start_train(resume="auto", ranks=ranks)
            lab.ended(job, 65, r"none of the \d checkpoints can be used .*use --resume never to start over")
            lab.expect(checkpoints.last_record(lab.path("run")) == before, "the records were changed")
    return "65, each file named with its reason; nothing was changed"


def resealed(path, change):
    """Rewrites a checkpoint with other metadata or tensors, under right checksums."""
    metadata, tensors = checkpoints.read(path)
    metadata["checksum"] = "00000000"
    change(metadata, tensors)
    header, data = {"__metadata__": metadata}, b""
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
        if f"checksum.{name}" in metadata:
            metadata[f"checksum.{name}"] = format(zlib.crc32(content), "08x")
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    checksum = format(zlib.crc32(text), "08x").encode()
    checkpoints.write(path, text.replace(b'"checksum":"00000000"', b'"checksum":"%s"' % checksum), data)


@row(13, "checkpoint of another model, type, version, data or seed", "65, naming what differs")
def foreign(lab):
    def version(metadata, _):
        metadata["format_version"] = "2"

    def kind(_, tensors):
        name = next(name for name in tensors if name == "fc1.bias")
        tensors[name] = ("I32", *tensors[name][1:])

    def missing(metadata, tensors):
        del tensors["fc1.bias"], metadata["checksum.fc1.bias"]

    def shape(_, tensors):
        tensors["fc1.bias"] = ("F32", (1, *tensors["fc1.bias"][1]), tensors["fc1.bias"][2])

    def more(metadata, tensors):
        tensors["fc9.bias"] = tensors["fc1.bias"]
        metadata["checksum.fc9.bias"] = "00000000"

    for name, change, says in (("unchanged", lambda *_: None, None), ("version", version, "format_version '?2'?, but"),
                               ("type", kind, "fc1.bias"), ("missing tensor", missing, "fc1.bias"),
                               ("shape", shape, "fc1.bias"), ("more tensors", more, "fc9.bias")):
        with lab.case(name):
            path = stopped_run(lab)
            resealed(path, change)
            shutil.copy(path, lab.path("one.safetensors"))
            shutil.rmtree(lab.path("run"))
            job = lab.start_train(resume="one.safetensors", ranks=2)
            lab.ended(job, 65 if says else 0, says)
    settings = ["model.hidden=[31]", "model.kind=resnet8", "training.seed=1", "data.limit=64", "optimizer.kind=sgd"]
    for setting in settings:
        with lab.case(setting):
            stopped_run(lab)
            job = lab.start_train(resume="auto", settings=[setting])
            lab.ended(job, 65, rf"'{setting.split('=')[0]}' is .*but the run began with")
    return f"5 changed files and {len(settings)} changed keys: 65, naming field, tensor or key"


@row(42, "hostile checkpoints: sizes that overflow, 2^63 of header, overlaps, double names, ../../x, a link, 100,000 tensors",
     "65, nothing written outside, no memory for what is not there")
def hostile(lab):
    big = 1 << 63

    def one(**fields):
        return {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **fields}}

    cases = {
        "shape that wraps": (one(shape=[4194305, 4194305, 211106198978564]), bytes(4)),
        "overflowing offsets": (one(data_offsets=[0, (1 << 64) - 1]), bytes(4)),
        "backward offsets": (one(data_offsets=[4, 0]), bytes(4)),
        "negative": (one(shape=[-1]), bytes(4)),
        "huge shape": (one(shape=[big - 1]), bytes(4)),
        "overlap": ({**one(), "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        "gap": (one(data_offsets=[4, 8]), bytes(8)),
        "double name": (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                        b'"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', bytes(8)),
        "path as a name": ({"../../x": one()["a"]}, bytes(4)),
        "100,000 tensors": ({f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(100_000)}, b""),
        "deep": (b"[" * 100_000, b""), "no object": (b"[]", b""), "unknown type": (one(dtype="F3"), bytes(4)),
        "not UTF-8": (b'{"\xff":1}', b""),
    }
    limited = ["bash", "-c", 'ulimit -v 3000000; exec "$@"', "limited"]

    def check(name):
        from .lab import icp
        job = lab.run([*limited, icp, "inspect", "bad.safetensors"])
        # A file that is well-formed but no checkpoint may be shown; it must not be trained from.
        lab.expect(job.status in (0, 65), f"inspect: {job.status}: {job.error[:200]}")
        for way in (["--resume", "bad.safetensors"], ["--set", "model.weights=bad.safetensors"]):
            job = lab.start([*limited, *lab.command("new"), *way])
            lab.ended(job, 65, "bad.safetensors: ", limit=30)
            lab.expect(job.seconds < 5, f"took {job.seconds:.1f} s")
        lab.expect(not os.path.exists(lab.path("x")) and not os.path.exists(lab.path("new/x")), "wrote outside")

    for name, (header, data) in cases.items():
        with lab.case(name):
            checkpoints.write(lab.path("bad.safetensors"), header, data)
            check(name)
    for length in (big, (1 << 64) - 1, 1 << 33, 0):
        with lab.case(f"header of {length}"):
            lab.write("bad.safetensors", length.to_bytes(8, "little") + bytes(114))
            check("header")
    with lab.case("a link as a checkpoint"):
        path = stopped_run(lab)
        os.rename(path, lab.path("elsewhere"))
        os.symlink(lab.path("elsewhere"), path)
        kept = checkpoints.digest(lab.path("elsewhere"))
        lab.resumes(says="step-0000008.safetensors: ")
        lab.expect(checkpoints.digest(lab.path("elsewhere")) == kept, "the linked file was changed")
    return f"{len(cases) + 4} files in 3 commands: 65 each; a link in the run's folder is passed over"

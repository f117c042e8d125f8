"""Rows about bad data and configurations."""

import gzip
import os
import struct
import sys

from .rows import row


def write_cifar(lab, name, cut=0):
    """24 training and 5 test images as CIFAR-10 keeps them; `cut` bytes are missing at the end."""
    records = b"".join(
        bytes([index % 10]) + bytes((place * 7 + index * 31) % 256 for place in range(3072)) for index in range(24))
    lab.write(f"{name}/data_batch_1.bin", records[:len(records) - cut])
    lab.write(f"{name}/test_batch.bin", records[:3073 * 5])


def idx(sizes, data, magic=None):
    return struct.pack(f">I{len(sizes)}I", 0x800 + len(sizes) if magic is None else magic, *sizes) + data


def idx_files(train=70, test=20, size=12):
    files = {}
    for prefix, count in (("train", train), ("t10k", test)):
        pixels = bytes((place * 7 + place // 144 * 31) % 256 for place in range(count * size * size))
        files[f"{prefix}-images-idx3-ubyte"] = idx((count, size, size), pixels)
        files[f"{prefix}-labels-idx1-ubyte"] = idx((count,), bytes(index % 10 for index in range(count)))
    return files


IDX = ["data.format=idx", "data.path=idx"]
# Far more than icp needs, and far less than a size believed without a check would ask for.
LIMITED = ["bash", "-c", 'ulimit -v 3000000; exec "$@"', "limited"]


def refused(lab, files, says, settings=()):
    """icp refuses these IDX files with 65, in a limited memory."""
    for name, data in files.items():
        lab.write(f"idx/{name}", data)
    job = lab.start_train(settings=[*IDX, *settings], before=LIMITED)
    lab.ended(job, 65, says, limit=20)
    lab.expect(len(job.messages()) == 1, f"{len(job.messages())} messages: {job.error}")
    lab.expect(not os.path.exists(lab.path("run")), "a run folder was made")


@row(39, "IDX files: torn, huge sizes, wrong magic, labels beyond the classes, none, more bytes, a FIFO, a folder; cut during the run",
     "65 with file and place, no memory for what is not there")
def bad_idx(lab):
    images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
    good = idx_files()
    huge = struct.pack(">IIII", 0x803, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    cases = {
        "torn": ({images: good[images][:-10]}, rf"{images}: 10086 bytes, expected 10096"),
        "short header": ({images: good[images][:7]}, images),
        "empty": ({images: b""}, images),
        "huge sizes": ({images: huge + bytes(1000)}, images),
        "sizes whose product wraps": (
            {images: struct.pack(">IIII", 0x803, 0x10000, 0x10000, 0x10000) + bytes(1000)}, images),
        "wrong magic": ({images: good[images].replace(b"\0\0\x08\x03", b"\0\0\x0d\x03", 1)}, images),
        "label too high": ({labels: idx((70,), bytes([200] * 70))}, rf"{labels}|label"),
        "none": ({images: idx((0, 12, 12), b""), labels: idx((0,), b"")}, "0 (training )?images"),
        "more bytes": ({images: good[images] + b"x"}, images),
        "other count": ({labels: idx((69,), bytes(69))}, labels),
    }
    for name, (files, says) in cases.items():
        with lab.case(name):
            # Without a number of classes the data's own counts.
            refused(lab, {**good, **files}, says, ["model.classes=10"] if "label" in name else [])
    path = lab.path("idx", images)
    for name, make in (("a FIFO", os.mkfifo), ("a folder", os.mkdir)):
        with lab.case(name):
            os.unlink(path)
            make(path)
            try:
                refused(lab, {key: data for key, data in good.items() if key != images}, images)
            finally:
                (os.rmdir if os.path.isdir(path) else os.unlink)(path)
                lab.write(f"idx/{images}", b"")
    with lab.case("cut during the run"):
        for file, data in good.items():
            lab.write(f"idx/{file}", data)
        job = lab.start_train(config="steady", ranks=2, settings=IDX)
        lab.until_step(12, job)
        job.fault()
        os.truncate(path, 100)
        lab.ended(job, (65, 70), r"(?m)^icp: rank \d host \S+ step \d+ phase \w+: .*(mapped file|SIGBUS|train-images)")
        lab.write(f"idx/{images}", good[images])
        lab.resumes(config="steady", ranks=2, settings=IDX, least=10)
    return f"{len(cases) + 2} files: 65 each, one line with the file; cut during the run: {job.status}, same bits after the resume"


@row(40, "compressed images: torn, wrong checksum, a bomb, sizes of 2^31", "65 before the memory is taken")
def bad_gzip(lab):
    images = "train-images-idx3-ubyte"
    good = idx_files()
    packed = gzip.compress(good.pop(images))
    flipped = bytearray(packed)
    flipped[-8] ^= 1
    with gzip.open(lab.path("bomb"), "wb") as file:
        file.write(struct.pack(">IIII", 0x803, 1 << 31, 1 << 15, 1 << 15))
        for _ in range(200):
            file.write(bytes(1 << 20))
    with open(lab.path("bomb"), "rb") as file:
        bomb = file.read()
    cases = {
        "torn": packed[:-20], "wrong checksum": bytes(flipped), "no gzip": b"\x1f\x8b" + bytes(100),
        "a bomb of 200 MB that says 2^61": bomb, "empty": b"",
        "wrong size of what was packed": packed[:-1] + bytes([packed[-1] ^ 1]),
    }
    for name, data in cases.items():
        with lab.case(name):
            refused(lab, {**good, f"{images}.gz": data}, images)
    return f"{len(cases)} files: 65 each, one line with the file"


@row(41, "configurations: alias bomb, 200,000 brackets, duplicate and unknown keys, 010, 1:30, .nan, 1e400, 1 GB, not UTF-8, a cycle",
     "64 with line and key, under a second and 64 MB")
def bad_yaml(lab):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9))
    cases = {
        "bomb": bomb, "brackets": "[" * 200_000, "braces": "{a: " * 50_000, "alias": "data: &x {limit: 9}\nmodel: *x\n",
        "twice": "icp: {steps: 1}\nicp: {steps: 2}\n", "twice inside": "icp: {steps: 1, steps: 2}\n",
        "unknown": "icp: {stepps: 1}\n", "octal": "icp: {steps: 010}\n", "sexagesimal": "icp: {steps: 1:30}\n",
        "nan": "icp: {step_size: .nan}\n", "too large": "icp: {step_size: 1e400}\n", "cycle": "data: &a {format: *a}\n",
        "not UTF-8": b"icp: {steps: \xff\xfe}\n", "NUL": b"icp: {steps: 1}\n\0\n", "tag": "icp: !!python/object {}\n",
        "two documents": "icp: {steps: 1}\n---\nicp: {steps: 2}\n", "a list": "- 1\n", "merge": "icp: {<<: {steps: 1}}\n",
    }
    peak = 0
    for name, text in cases.items():
        with lab.case(name):
            lab.write("bad.yaml", text)
            peak = max(peak, refused_yaml(lab))
    with lab.case("1 GB"):
        with open(lab.path("bad.yaml"), "wb") as file:
            file.truncate(1 << 30)
        peak = max(peak, refused_yaml(lab))
    with lab.case("endless"):
        os.unlink(lab.path("bad.yaml"))
        os.symlink("/dev/zero", lab.path("bad.yaml"))
        peak = max(peak, refused_yaml(lab))
    return f"{len(cases) + 2} files: 64 each, one line; at most {lab.slowest:.1f} s and {peak >> 10} MB"


# Starts what follows, and writes its peak memory in kilobytes. A child of this process itself would begin with the peak
# of this process, which Linux keeps over fork and exec.
PEAK = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""


def refused_yaml(lab):
    job = lab.start_train(config="bad", before=[sys.executable, "-c", PEAK, lab.path("peak")])
    lab.ended(job, 64, r"(?m)^icp: bad\.yaml|^icp: .*bad\.yaml", limit=20)
    lab.expect(len(job.error.strip().splitlines()) == 1, f"more than one line: {job.error[:300]}")
    lab.expect(job.seconds < 2, f"took {job.seconds:.1f} s")
    with open(lab.path("peak")) as file:
        peak = int(file.read())
    lab.expect(peak < 64 << 10, f"took {peak >> 10} MB")
    return peak

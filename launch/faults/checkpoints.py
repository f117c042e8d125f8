"""Checkpoint files, read without icp: safetensors is eight bytes of header length, a JSON header, and the tensors."""

import hashlib
import json
import os
import re


def read(path):
    """Metadata, and each tensor's type, shape and bytes."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        tensors[name] = (tensor["dtype"], tuple(tensor["shape"]), data[begin:end])
    return metadata, tensors


def digest(path):
    """One value for the bits of all tensors: weights, running statistics, the optimiser's state."""
    sha = hashlib.sha256()
    for name, (kind, shape, data) in sorted(read(path)[1].items()):
        sha.update(f"{name} {kind} {shape} {len(data)}\n".encode())
        sha.update(data)
    return sha.hexdigest()


def write(path, header, data=b""):
    """A file with this header, right or wrong."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def folder(run):
    return os.path.join(run, "checkpoints")


def names(run):
    try:
        return sorted(os.listdir(folder(run)))
    except FileNotFoundError:
        return []


def steps(run):
    """Steps of the checkpoints under their final names, oldest first."""
    found = (re.fullmatch(r"step-(\d+)\.safetensors", name) for name in names(run))
    return sorted(int(match[1]) for match in found if match)


def path(run, step):
    return os.path.join(folder(run), f"step-{step:07}.safetensors")


def leftovers(run):
    return [name for name in names(run) if ".tmp." in name]


def last_record(run):
    """The last step that metrics.jsonl tells of; with logging.every_steps 1, the last step reached."""
    last = 0
    try:
        with open(os.path.join(run, "metrics.jsonl"), "rb") as file:
            for line in file:
                if line.endswith(b"\n") and b'"step"' in line:
                    last = max(last, json.loads(line)["step"])
    except FileNotFoundError:
        pass
    return last


TIMES = {"seconds", "images_per_second", "saving_seconds", "seconds_per_step", "processor_seconds_per_step",
         "resident_bytes", "open_files", "threads"}


def timeless_records(run):
    """The records of metrics.jsonl without what was measured of time and of the process."""
    with open(os.path.join(run, "metrics.jsonl")) as file:
        return [{key: value for key, value in json.loads(line).items() if key not in TIMES} for line in file]


def last_kind(run):
    """What the last record is of: a step, an epoch or the end."""
    try:
        return timeless_records(run)[-1]["kind"]
    except (FileNotFoundError, IndexError, ValueError):
        return None


def flip(path, offset, bit=0):
    """Changes one bit of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))

"""Writes the seeds of Tests/Corpus: small good files of each kind, and hostile ones. Run from the root of the repository.

A name that begins with good- must be accepted, one with bad- refused. Other names, such as those of libFuzzer's findings,
may be either. Python's standard library only; the same bytes each time.
"""

import gzip
import json
import os
import struct
import zlib


def write(target, name, data):
    folder = os.path.join("Tests", "Corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


# ---- Configurations

def bomb(levels, opening="[", closing="]"):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels + 1):
        lines.append(f"a{level}: &a{level} {opening}{', '.join([f'*a{level - 1}'] * 9)}{closing}")
    return "\n".join(lines) + "\n"


TINY = "data: {limit: 64, test_limit: 10, size: 12}\nmodel: {kind: resnet8}\ntraining: {epochs: 4, batch_size: 16}\n"

CONFIGURATIONS = {
    "good-empty": "",
    "good-comments": "# nothing\ntraining:\n  # epochs: 3\n",
    "good-tiny": TINY,
    "good-mark": b"\xef\xbb\xbf" + TINY.encode(),
    "good-crlf": TINY.replace("\n", "\r\n"),
    "good-set": TINY + "--set icp.steps=3\n--set optimizer.betas=[0.8, 0.9]\n--set icp.steps=4",
    "good-values": """data: {format: idx, path: "a b", augment: [flip], mean: [0.5], std: [0.25], validation: 0.1}
model: {kind: mlp, hidden: [8, 4], classes: 12}
training: {shards: auto, non_finite: rollback, gradient_reduction: float32, label_smoothing: 0.1, seed: 3}
optimizer: {kind: sgd, nesterov: true, clip_norm: none, learning_rate: 1e-3}
schedule: {kind: step, milestones: [2, 4], gamma: .5, warmup_epochs: 1}
icp: {rule: ademamix, steps: 0, reduction: mean, clamp: pixels, epsilon: 0.03}
distillation: {taps: [fc1, fc2], layer_weights: [1, 2], warmup: 0, target: running, normalize: l2}
checkpoint: {every_steps: 5, every_epochs: none, keep: 1, metric: validation_accuracy}
kernels: {convolution: openblas}
""",
    "bad-bomb-sequences": bomb(9),
    "bad-bomb-mappings": bomb(9, "{? [", "] : 1}"),
    "bad-bomb-keys": bomb(6) + "? *a6\n: 1\n",
    "bad-few-aliases": "a: &a [1, 2]\nb: [*a, *a]\n",
    "bad-cycle": "a: &a [*a]\n",
    "bad-cycle-key": "? &a [*a]\n: 1\n",
    "bad-merge": "data: &d {limit: 5}\nmodel:\n  <<: *d\n",
    "bad-brackets": "[" * 3000,
    "bad-brackets-closed": "a: " + "[" * 500 + "]" * 500,
    "bad-braces": "{a: " * 1500,
    "bad-dashes": "- " * 3000,
    "bad-duplicate-section": "icp: {steps: 1}\nicp: {steps: 2}\n",
    "bad-duplicate-key": "icp: {steps: 1, steps: 2}\n",
    "bad-unknown": "icp: {setps: 1}\n",
    "bad-unknown-section": "icpp: {steps: 1}\n",
    "bad-octal": "icp: {steps: 010}\n",
    "bad-sexagesimal": "icp: {steps: 1:30}\n",
    "bad-nan": "icp: {step_size: .nan}\n",
    "bad-infinite": "icp: {step_size: .inf}\n",
    "bad-huge-exponent": "icp: {step_size: 1e400}\n",
    "bad-huge-integer": "icp: {steps: 99999999999999999999}\n",
    "bad-utf8": b"icp:\n  \xff\n",
    "bad-utf16": "icp: {steps: 1}\n".encode("utf-16"),
    "bad-nul": b"icp: {steps: 1\0}\n",
    "bad-escape": "icp: {rule: \"\\e[31m\"}\n",
    "bad-tag": "icp: {steps: !!int 3}\n",
    "bad-two-documents": "icp: {steps: 1}\n---\nicp: {steps: 2}\n",
    "bad-list": "[1, 2]\n",
    "bad-open": "model: {kind: resnet8\n",
    "bad-set-nothing": "\n--set ",
    "bad-set-comment": "\n--set model.weights=a #b",
    "good-path-alone": "data: {path: a}",
    "bad-tiny-number": "optimizer: {learning_rate: 1e-400}",
    "bad-set-unknown": "\n--set icp.setps=3",
    "bad-set-bomb": "\n--set data.mean=&a [*a]",
    "bad-set-escape": "\n--set icp.rule=\x1b[31m",
    "bad-set-marks": "\n--set icp.rule=" + "e\u0301" + "\u0301" * 3000,
    "bad-key-marks": "icp: {e" + "\u0301" * 3000 + ": 1}",
}
PLANS = {
    "good-tiny": TINY,
    "good-mlp": "model: {kind: mlp, hidden: [8, 4], classes: 12}\ntraining: {batch_size: 8}\ndistillation: {taps: [fc1]}\n",
    "bad-extreme-rates": "optimizer: {learning_rate: 1e300}\nicp: {step_size: 1e300}\ntraining: {epochs: 1000000000, batch_size: 4}\n",
    "bad-extreme-pixels": "data: {mean: [1], std: [1e-320]}\nicp: {clamp: pixels, epsilon: 1e300}\ntraining: {batch_size: 4}\n",
    "good-many-layers": "model: {kind: mlp, hidden: [" + "1," * 300 + "1]}\ntraining: {batch_size: 4}\n",
    "bad-wide-layers": "model: {kind: mlp, hidden: [65536, 65536, 65536]}\n",
    "good-batch": "training: {batch_size: 1000000000, shards: 1}\nmodel: {kind: resnet110}\n",
    "bad-shards": "training: {shards: 65536}\n",
    "bad-taps": "distillation: {taps: [layer9]}\n",
    "bad-weights": "distillation: {layer_weights: [1, 2]}\n",
    "good-zero-weights": "distillation: {layer_weights: [0, 0, 0]}\n",
    "bad-channels": "data: {mean: [0.5, 0.5, 0.5], std: [1, 1, 1]}\n",
}


# ---- safetensors

def safetensors(entries, buffer=b"", metadata=None, pad=True):
    members = [] if metadata is None else [f'"__metadata__":{json.dumps(metadata, separators=(",", ":"))}']
    members += [
        f'"{name}":{{"dtype":"{dtype}","shape":{json.dumps(shape)},"data_offsets":[{begin},{end}]}}'
        for name, dtype, shape, begin, end in entries
    ]
    header = ("{" + ",".join(members) + "}").encode()
    if pad:
        header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + buffer


WEIGHTS = [("fc1.weight", [3, 4]), ("fc1.bias", [3]), ("fc2.weight", [2, 3]), ("fc2.bias", [2])]


def checkpoint(progress=None, metadata=None, steps="7", slots=("exp_avg", "exp_avg_sq"), extra=()):
    """One of our checkpoints of the fuzz target's network, every checksum right."""
    names = WEIGHTS + [(f"optimizer.{slot}.{name}", shape) for slot in slots for name, shape in WEIGHTS] + list(extra)
    entries, buffer, sums = [], b"", {}
    for index, (name, shape) in enumerate(sorted(names)):
        count = 1
        for factor in shape:
            count *= factor
        data = struct.pack(f"<{count}f", *[(index + k) / 8 for k in range(count)])
        sums[f"checksum.{name}"] = f"{zlib.crc32(data):08x}"
        entries.append((name, "F32", shape, len(buffer), len(buffer) + len(data)))
        buffer += data
    state = {"step": 7, "epoch": 1, "position": 2, "lossSum": 1.5, "correct": 3, "samples": 9, "refusedSteps": 0}
    state.update(progress or {})
    text = {
        "format_version": "1", "checksum": "00000000", "step": "7", "optimizer_steps": steps, "epoch": "1",
        "position": "2", "shards": "4", "config": "icp: {steps: 2}\n", "progress": json.dumps(state), "best_metric": "0.5",
        "best_step": "5", **sums,
    }
    text.update(metadata or {})
    file = safetensors(entries, buffer, text)
    length = struct.unpack("<Q", file[:8])[0]
    header = file[8:8 + length]
    return file[:8] + header.replace(b'"checksum":"00000000"', f'"checksum":"{zlib.crc32(header):08x}"'.encode()) + file[8 + length:]


def images(dtype="I64", shape=(2, 1, 2, 2), labels=(2,), name="x"):
    x = struct.pack("<8f", *[k / 8 for k in range(8)])
    size = {"I64": 16, "I32": 8, "U8": 2}[dtype]
    y = (b"\1" + b"\0" * (size // 2 - 1)) * 2
    return safetensors(
        [("x", "F32", list(shape), 0, 32), ("y", dtype, list(labels), 32, 32 + size)], x + y)


good = checkpoint()
huge = 2**62
CHECKPOINTS = {
    "good-checkpoint": good,
    "good-weights": safetensors(
        [("fc1.weight", "F32", [3, 4], 0, 48), ("fc1.bias", "F16", [3], 48, 54), ("fc2.weight", "BF16", [2, 3], 54, 66),
         ("fc2.bias", "F64", [2], 66, 82)], bytes(82)),
    "good-images": images(),
    "good-images-u8": images("U8"),
    "bad-empty": b"",
    "bad-short": b"\x02\0\0\0",
    "bad-no-tensors": safetensors([]),
    "bad-header-8GiB": struct.pack("<Q", 8 << 30) + b"{" + b" " * 113,
    "bad-header-2to63": struct.pack("<Q", 1 << 63) + b"{}",
    "bad-header-all": struct.pack("<Q", 2**64 - 1) + b"{}",
    "bad-shape-overflow": safetensors([("a", "I32", [4194305, 4194305, 211106198978564], 0, 16)], bytes(16)),
    "bad-shape-empty-overflow": safetensors([("a", "I32", [huge, huge, 0], 0, 0)]),
    "bad-shape-million": safetensors([("a", "F32", [1] * 3000, 0, 4)], bytes(4)),
    "bad-duplicate": safetensors([("a", "U8", [1], 0, 1), ("a", "U8", [1], 1, 2)], bytes(2)),
    "bad-duplicate-escape": safetensors([("a", "U8", [1], 0, 1), ("\\u0061", "U8", [1], 1, 2)], bytes(2)),
    "bad-duplicate-metadata": struct.pack("<Q", 40) + b'{"__metadata__":{"a":"b","a":"c"}}' + b" " * 6,
    "bad-overlap": safetensors([("a", "U8", [8], 0, 8), ("b", "U8", [8], 4, 12)], bytes(12)),
    "bad-gap": safetensors([("a", "U8", [4], 0, 4), ("b", "U8", [4], 8, 12)], bytes(12)),
    "bad-backwards": safetensors([("a", "U8", [4], 4, 0)], bytes(4)),
    "bad-beyond": safetensors([("a", "U8", [huge], 0, huge)], bytes(4)),
    "bad-name-path": safetensors([("../../x", "F32", [1], 0, 4)], bytes(4)),
    "bad-name-escape": safetensors([("\\u001b[31m\\n", "F32", [1], 0, 4)], bytes(4)),
    "bad-name-long": safetensors([("a" * 3000, "F32", [1], 0, 4)], bytes(4)),
    "bad-name-marks": safetensors([("e" + "\u0301" * 1500, "F32", [1], 0, 4)], bytes(4)),
    "bad-checkpoint-name-path": checkpoint(extra=[("../../x", [1])]),
    "bad-dtype": safetensors([("a", "F128", [1], 0, 16)], bytes(16)),
    "bad-polyglot": good + b"PK\3\4",
    "bad-cut": good[:-1],
    "bad-u8": safetensors([("a", "U8", [3000], 0, 3000)], bytes(3000)),
    "bad-many": safetensors([(f"{k:x}", "F4", [0], 0, 0) for k in range(300)]),
    "bad-metadata-many": safetensors([], metadata={f"{k:x}": "" for k in range(1500)}),
    "bad-classes": safetensors([("fc.weight", "F32", [9223372036854775807, 0], 0, 0)]),
    "bad-images-labels": images(labels=(2, 1)),
    "bad-images-shape": safetensors(
        [("x", "F32", [2, 0, huge, 1], 0, 0), ("y", "I64", [2], 0, 16)], bytes(16)),
    # Right checksums, wrong numbers: as weights they are good, as a run's progress they are none.
    "forged-epoch": checkpoint({"epoch": huge}),
    "forged-epoch-negative": checkpoint({"epoch": -huge, "step": -huge}),
    "forged-rollbacks": checkpoint({"rollbacks": 2**63 - 1, "refusedInRow": -1}),
    "forged-step": checkpoint({"step": -2**63}),
    "forged-position": checkpoint({"position": 2**63 - 1}),
    "forged-samples": checkpoint({"samples": -5, "correct": 2**63 - 1}),
    "forged-progress-nested": checkpoint(metadata={"progress": "[" * 3000}),
    "forged-progress-float": checkpoint({"lossSum": 1e308, "step": 7.5}),
    "forged-optimizer-steps": checkpoint(steps=str(2**63 - 1)),
    "forged-config-bomb": checkpoint(metadata={"config": bomb(3)}),
    "forged-best": checkpoint(metadata={"best_metric": "nan", "best_step": "-9223372036854775808", "shards": "-5"}),
    "forged-checksum-decoy": checkpoint(metadata={'a\\"checksum': "00000000"}),
}


# ---- Data sets

def idx(sizes, elements=None, head=None):
    count = 1
    for size in sizes:
        count *= size
    body = bytes(k * 37 % 256 for k in range(count)) if elements is None else elements
    return (head or bytes([0, 0, 8, len(sizes)])) + b"".join(struct.pack(">I", size) for size in sizes) + body


def pair(images, labels, flags=0):
    return bytes([flags]) + struct.pack("<H", len(images)) + images + labels


def packed(data):
    return gzip.compress(data, mtime=0)


plain, labels = idx([3, 4, 5]), idx([3], b"\0\1\2")
empty_member = packed(b"")
IDX = {
    "good-plain": pair(plain, labels),
    "good-resized": pair(plain, labels, 16),
    "good-packed-here": pair(plain, labels, 10),
    "good-gzip": pair(packed(plain), packed(labels), 5),
    "good-gzip-members": pair(packed(plain[:20]) + packed(plain[20:]), packed(labels), 5),
    "good-label-255": pair(plain, idx([3], b"\0\1\xff")),
    "good-tall": pair(idx([2, 1500, 1]), idx([2], b"\0\1"), 16),
    "bad-empty": b"",
    "bad-truncated": pair(plain[:-1], labels),
    "bad-trailing": pair(plain, labels + b"\0"),
    "bad-magic": pair(idx([3, 4, 5], head=b"\0\0\x0d\3"), labels),
    "bad-dimensions": pair(idx([3, 20]), labels),
    "bad-zero-images": pair(idx([0, 4, 5]), idx([0])),
    "bad-zero-pixels": pair(idx([3, 0, 5]), labels),
    "bad-counts": pair(plain, idx([4])),
    "bad-huge": pair(idx([2**32 - 1, 2**32 - 1, 2**32 - 1], b""), labels),
    "bad-huge-no-images": pair(idx([0, 2**32 - 1, 2**32 - 1], b""), idx([0])),
    "bad-side": pair(idx([0, 70000, 1]), idx([0])),
    "bad-gzip-declares-much": pair(packed(idx([2**15, 2**15, 2**15], b"")), packed(labels), 5),
    "bad-gzip-cut": pair(packed(plain)[:-5], packed(labels), 5),
    "bad-gzip-trailing": pair(packed(plain) + b"\0", packed(labels), 5),
    "bad-gzip-bomb": pair(packed(idx([3, 4, 5], bytes(3000000))), packed(labels), 5),
    "good-gzip-zeros": pair(packed(idx([100, 100, 100], bytes(1000000))), packed(idx([100], bytes(100))), 5),
}

record = bytes([7]) + bytes(k * 11 % 256 for k in range(3072))
CIFAR = {
    "good-ten": b"\2" + bytes([3]) * 100,
    "good-ten-two": b"\0" + record + record,
    "good-hundred": b"\7" + bytes([3, 99]) + bytes(50) + bytes(3022 + 4000),
    "good-two-files": b"\x0a" + bytes([3]) * 6200,
    "bad-empty": b"",
    "bad-one": b"\2\1",
    "bad-cut": b"\0" + record[:-1],
    "bad-other": b"\0" + bytes(3074 * 2),
    "bad-label": b"\2" + bytes([10]) * 4000,
    "bad-label-later": b"\2" + bytes(3073) + b"\xff",
    "bad-label-hundred": b"\3" + bytes([3, 100]) + bytes(4000),
}
# One record alone is no training set; two are.
CIFAR["good-ten"] = b"\2" + bytes([3]) * 3074

GZIP = {
    "good-empty": b"\0\0" + empty_member,
    "good-text": b"\xff\0" + packed(b"text " * 20),
    "good-members": b"\xff\0" + packed(b"a") + empty_member + packed(b"b"),
    "good-name": b"\xff\0" + b"\x1f\x8b\x08\x08" + bytes(6) + b"name\0" + packed(b"text")[10:],
    "good-fields": b"\xff\0" + b"\x1f\x8b\x08\x1c" + bytes(6) + b"\3\0abcname\0comment\0" + packed(b"text")[10:],
    "bad-nothing": b"\0\0",
    "bad-limit": b"\x03\0" + packed(b"text"),
    "bad-bomb": b"\xff\xff" + packed(bytes(10000000)),
    "bad-cut": b"\xff\0" + packed(b"text")[:-3],
    "bad-checksum": b"\xff\0" + packed(b"text")[:-8] + bytes(8),
    "bad-trailing": b"\xff\0" + packed(b"text") + b"\7\7\7",
    "bad-other": b"\xff\0PK\3\4",
    "bad-deflate": b"\xff\0" + packed(b"text")[:10] + b"\7" * 20,
    "bad-empty-members": b"\xff\0" + empty_member * 100 + b"\x1f",
}



def array(shape, data, type="<i8", version=1):
    header = f"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + data


six = struct.pack("<6q", 0, 1, 2, 9, 4, 5)
LABELS = {
    "good-text": "0\n1\n2\n9\n4\n5\n",
    "good-text-blanks": " 0 1\t2\r\n9 4 5",
    "good-text-pairs": "3 0\n1 1\n2 2\n3 3\n\n4 4\n9 5\n",
    "good-array": array("(6,)", six),
    "good-array-bytes": array("(6,)", bytes(range(6)), "|u1", 2),
    "good-array-pairs": array("(6, 2)", struct.pack("<12i", 3, 0, 1, 1, 2, 2, 3, 3, 4, 4, 9, 5), "<i4", 3),
    "good-table": "index,true,given\n" + "".join(f"{i},{i},{9 - i}\n" for i in range(6)),
    "good-table-turned": "\ufeffgiven index\r\n" + "".join(f"{i} {5 - i}\r\n" for i in range(6)),
    "good-text-commas": "0,1,2,9,4,5",
    "good-array-column": array("(6, 1)", six),
    "good-array-unsigned": array("(6,)", struct.pack("<6H", 0, 1, 2, 9, 4, 5), "<u2"),
    "bad-array-unsigned": array("(6,)", struct.pack("<6Q", *[2**64 - 1] * 6), "<u8"),
    "bad-table-index": "index,given\n2147483647,1\n",
    "bad-table-twice": "index,given\n" + "0,1\n" * 6,
    "bad-table-short": "index,true,given\n0,0,1\n1,1\n",
    "bad-table-columns": "given,given\n" + "0,1\n" * 6,
    "bad-table-name": "a\x1b[31m," * 30 + "\n0\n",
    "bad-empty": "",
    "bad-text-few": "0 1 2",
    "bad-text-many": "0 " * 2000,
    "bad-text-lines": "\n" * 4000,
    "bad-text-true": "0 0\n1 1\n2 2\n3 4\n4 4\n5 5\n",
    "bad-text-label": "0 1 2 10 4 5",
    "bad-text-sign": "0 1 -2 3 4 5",
    "bad-text-long": "0 1 " + "9" * 4000,
    "bad-text-escape": "0 \x1b[31m 2 3 4 5",
    "bad-text-no-text": b"0 1 \xff\xfe\xc2\x9b 3 4 5",
    "bad-array-shape": array("(2, 3)", six),
    "bad-array-huge": array("(4294967296, 4294967296, 4294967296)", six),
    "bad-array-floats": array("(6,)", six, "<f8"),
    "bad-array-objects": array("(6,)", six, "|O"),
    "bad-array-order": array("(6,)", six, ">i8"),
    "bad-array-cut": array("(6,)", six[:-1]),
    "bad-array-label": array("(6,)", struct.pack("<6q", 0, 1, 2, -2**63, 4, 5)),
    "bad-array-true": array("(6, 2)", struct.pack("<12q", *[2**63 - 1] * 12)),
    "bad-array-name": array("(6,)", six, "\x1b[31m"),
    "bad-array-header": b"\x93NUMPY\2\0\xff\xff\xff\xff" + bytes(100),
    "bad-array-dimensions": array("(" + "1, " * 70 + ")", six),
}

# Studies: a sweep file over the defaults, with strings of --set.
SWEEPS = {
    "good-small": "variants: {plain: {icp.rule: none}, adam: {icp: {steps: 2}}}\nseeds: [0, 1]\nbaseline: plain\n",
    "good-whole": """ranks_per_run: 2
seeds: [3, 5]
baseline: plain
metrics: [test_ece]
checkpoints: none
settings: {data.size: 12}
groups: {clean: {}, small: {training: {batch_size: 32}}}
grid: {data.limit: [100, 200]}
overrides:
  - {when: {data.limit: 100}, set: {training.epochs: 8}}
  - {when: {data.limit: [100, 200], variant: adam, group: small}, set: {icp.steps: 9}}
variants:
  equal: {icp.rule: none, equal_compute_with: adam}
  plain: {icp.rule: none}
  long: {icp.rule: none, epochs_factor: 2.6}
  adam: {icp: {rule: adam, step_size: 5.0e-3}}
--set data.test_limit=7
""",
    "good-search": """seeds: [9]
settings: {data.validation: 100}
variants: {plain: {}, adam: {}}
baseline: plain
search:
  seed: 4
  metric: validation_loss
  variants:
    adam: {trials: 3, space: {icp.step_size: {log: [1.0e-4, 0.1]}, icp.steps: {integer: [1, 4]},
      distillation.alpha_min: [0, 0.3], distillation.warmup: {uniform: [0.2, 0.4]}}}
""",
    "good-search-narrow": "settings: {data.validation: 9}\nvariants: {a: {}}\nsearch: {variants: {a: {trials: 9, space: {"
                          "optimizer.momentum: {uniform: [0.99951, 0.99999]}, icp.step_size: {log: [0.1, 0.1]}}}}}",
    "bad-empty": "",
    "bad-no-variants": "seeds: [0]",
    "bad-name": "variants: {../x: {}}",
    "bad-name-escape": 'variants: {"\\e[31m": {}}',
    "bad-key": "variants: {a: {icp.setps: 1}}",
    "bad-seed": "variants: {a: {training.seed: 1}}",
    "bad-file": "variants: {a: {file: nowhere.yaml}}",
    "bad-base": "base: nowhere.yaml\nvariants: {a: {}}",
    "factor-huge": "variants: {a: {epochs_factor: 1.0e+300}}",
    "bad-many": "variants: {a: {}}\ngrid: {" + ", ".join(
        f"{key}: [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]" for key in
        ["data.size", "data.limit", "training.epochs", "icp.steps", "logging.every_steps"]) + "}",
    "bad-trials": "settings: {data.validation: 9}\nvariants: {a: {}}\n"
                  "search: {variants: {a: {trials: 99999999, space: {}}}}",
    "bad-test-set": "variants: {a: {}}\nsearch: {metric: test_accuracy, variants: {a: {trials: 1, space: {}}}}",
    "bad-waiting": "baseline: b\nvariants: {a: {equal_compute_with: a}, b: {}}",
    "bad-aliases": "a: &a [1, 1]\nvariants: *a",
}


# ---- Pictures and archives

PICTURES = os.path.join("Tests", "Fixtures", "pictures")  # Tests/Fixtures/make_pictures.py makes them


def pictures(ending, names):
    files = {}
    for name in names:
        with open(os.path.join(PICTURES, f"{name}.{ending}"), "rb") as file:
            files[name if name.startswith("bad-") else f"good-{name}"] = file.read()
    return files


JPEGS = pictures("jpg", ["rgb-420", "grey", "progressive", "ycck", "arithmetic", "restarts", "orientation-6", "bad-cut", "bad-huge",
                         "bad-12-bits", "bad-code", "bad-empty", "bad-text"])
PNGS = pictures("png", ["rgb-8", "rgba-16", "grey-1", "grey-16-interlaced", "palette-4-interlaced", "palette-8-short",
                        "orientation-8-xmp", "bad-cut", "bad-huge", "bad-large", "bad-checksum", "bad-no-palette"])


def tar(members, end=bytes(1024)):
    data = b""
    for name, contents, kind in members:
        size = b"%011o\0" % len(contents)
        fields = [name.encode()[:100].ljust(100, b"\0"), b"0000644\0", b"0000000\0", b"0000000\0", size, b"00000000000\0"]
        rest = [kind, bytes(100), b"ustar\00000", bytes(247)]
        head = b"".join(fields) + b" " * 8 + b"".join(rest)
        head = b"".join(fields) + b"%06o\0 " % sum(head) + b"".join(rest)
        data += head + contents + bytes(-len(contents) % 512)
    return data + end


def tiny(value, side=2):
    """A grey PNG."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes([value] * side)) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


TWO = [("a/1.png", tiny(1), b"0"), ("a/1.cls", b"0\n", b"0"), ("a/2.png", tiny(2), b"0"), ("a/2.cls", b"1", b"0")]
TARS = {
    "good-two": tar(TWO),
    "good-without-end": tar(TWO, end=b""),
    "good-folder": tar([("a/", b"", b"5")] + TWO),
    "good-pax": tar([("x", b"18 path=b/1.2.png\n", b"x")] + TWO[:1] + [("b/1.cls", b"0", b"0")] + TWO[2:]),
    "good-gnu": tar([("././@LongLink", b"c/" + b"d" * 150 + b".png\0", b"L"), ("c", tiny(1), b"0"),
                     ("././@LongLink", b"c/" + b"d" * 150 + b".cls\0", b"L"), ("c", b"0", b"0")] + TWO[2:]),
    "bad-empty": b"",
    "bad-cut": tar(TWO)[:1000],
    "bad-checksum": b"b" + tar(TWO)[1:],
    "bad-size": tar(TWO).replace(b"%011o" % len(tiny(1)), b"77777777777", 1),
    "bad-label": tar([("a/1.png", tiny(1), b"0"), ("a/1.cls", b"cat", b"0")]),
    "bad-large-label": tar([("a/1.png", tiny(1), b"0"), ("a/1.cls", b"99999999", b"0")]),
    "bad-no-label": tar(TWO[:1]),
    "bad-one": tar(TWO[:2]),
    "bad-picture": tar([("a/1.png", b"GIF89a", b"0"), ("a/1.cls", b"0", b"0")]),
    "bad-name": tar([("\x1b[31m\n.png", b"", b"0"), ("\x1b[31m\n.cls", b"0", b"0")]),
    "bad-gzip": gzip.compress(tar(TWO), mtime=0),
}


def npz(arrays, compressed=True, patch=lambda data: data):
    """As numpy.savez_compressed, without its times."""
    data, directory = b"", b""
    for name, contents in arrays:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(contents) + packer.flush() if compressed else contents
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8 if compressed else 0, 0, 0, zlib.crc32(contents), len(packed), len(contents),
                             len(name), 0)
        directory += b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(data)) + name
        data += b"PK\3\4" + fields + name + packed
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(arrays), len(arrays), len(directory), len(data), 0)
    return patch(data + directory + end)


BYTES = [(b"train_images.npy", array("(3, 2, 2)", bytes(range(12)), "|u1")), (b"train_labels.npy", array("(3, 1)", b"\0\1\1", "|u1")),
         (b"test_images.npy", array("(1, 2, 2)", bytes(4), "|u1")), (b"test_labels.npy", array("(1,)", bytes(8)))]
COLOURS = [(b"train_images.npy", array("(2, 2, 2, 3)", bytes(24), "|u1")), (b"train_labels.npy", array("(2,)", b"\0\0\1\0", "<i2"))]
ARCHIVES = {
    "good-grey": npz(BYTES),
    "good-stored": npz(BYTES, compressed=False),
    "good-colour": npz(COLOURS),
    "bad-empty": b"",
    "bad-no-members": npz([]),
    "bad-cut": npz(BYTES)[:-30],
    "bad-checksum": npz(BYTES, False, lambda data: data.replace(bytes(range(12)), bytes(range(1, 13)))),
    "bad-deflate": npz(BYTES, True, lambda data: data[:60] + b"\xff\xff\xff" + data[63:]),
    "bad-bomb": npz([(b"train_images.npy", array("(1, 2, 2)", bytes(4), "|u1"))], True,
                    lambda data: data.replace(struct.pack("<I", len(BYTES[2][1])), struct.pack("<I", 1 << 31))),
    "bad-offset": npz(BYTES, True, lambda data: data[:-6] + b"\xff\xff\xff\x7f\0\0"),
    "bad-count": npz(BYTES, True, lambda data: data[:-12] + b"\xff\xff" + data[-10:]),
    "bad-labels": npz([BYTES[0], (b"train_labels.npy", array("(2,)", bytes(16)))]),
    "bad-negative": npz([BYTES[0], (b"train_labels.npy", array("(3,)", b"\xff" * 24))]),
    "bad-floats": npz([(b"train_images.npy", array("(3, 2, 2)", bytes(48), "<f4")), BYTES[1]]),
    "bad-no-labels": npz(BYTES[:1]),
    "bad-huge": npz([(b"train_images.npy", array("(4294967296, 4294967296, 4294967296)", bytes(12), "|u1")), BYTES[1]]),
}

# ---- Networks

def varint(value):
    value &= 2**64 - 1
    data = b""
    while value > 127:
        data += bytes([value & 127 | 128])
        value >>= 7
    return data + bytes([value])


def message(*fields):
    """protobuf: pairs of a number and an integer, a float, text, or bytes."""
    data = b""
    for number, value in fields:
        if isinstance(value, int):
            data += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            data += varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            value = value.encode() if isinstance(value, str) else value
            data += varint(number << 3 | 2) + varint(len(value)) + value
    return data


def attribute(name, value):
    if isinstance(value, int):
        return message((1, name), (3, value), (20, 2))
    if isinstance(value, float):
        return message((1, name), (2, value), (20, 1))
    if isinstance(value, str):
        return message((1, name), (4, value), (20, 3))
    return message((1, name), *[(8, item) for item in value], (20, 7))


def node(kind, inputs, output, module="", **attributes):
    outputs = output.split()
    return message(*[(1, name) for name in inputs.split()], *[(2, name) for name in outputs], (3, f"node_{outputs[0]}"),
                   (4, kind), *[(5, attribute(*item)) for item in attributes.items()],
                   *([(9, message((1, "pkg.torch.onnx.name_scopes"), (2, f"['', '{module}', 'x']")))] if module else []))


def floats(name, *shape):
    count = 1
    for extent in shape:
        count *= extent
    return message(*[(1, extent) for extent in shape], (2, 1), (8, name),
                   (9, struct.pack(f"<{count}f", *[(k * 7 % 11 - 4) / 8 for k in range(count)])))


def integers(name, *values):
    return message((1, len(values)), (2, 7), (8, name), (9, struct.pack(f"<{len(values)}q", *values)))


def value(name, shape):
    extents = [(1, message((2, "n") if extent is None else (1, extent))) for extent in shape]
    return message((1, name), (2, message((1, message((1, 1), (2, message(*extents)))))))


def onnx(nodes, tensors=(), image=(None, 2, 4, 4), opset=20, extra=()):
    graph = message(*[(1, item) for item in nodes], *[(5, item) for item in tensors], (11, value("x", image)),
                    (12, value("y", (None, 3))))
    return message((1, 8), (7, graph), (8, message((2, opset))), *extra)


HEAD = [node("GlobalAveragePool", "h", "p"), node("Flatten", "p", "f"), node("Gemm", "f fc.weight fc.bias", "y", transB=1)]


def head(width):
    return [floats("fc.weight", 3, width), floats("fc.bias", 3)]


norm = [floats("bn.weight", 4), floats("bn.bias", 4), floats("bn.mean", 4), message((1, 4), (2, 1), (8, "bn.var"), *[(4, 1.0)] * 4)]
convolution = [node("Conv", "x conv.weight", "c", "conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])]
tokens = [floats("pos_embed", 1, 4, 4), floats("q.weight", 4, 4), floats("norm.weight", 4), floats("norm.bias", 4)]
attention = [node("Conv", "x conv.weight", "c", kernel_shape=[2, 2], strides=[2, 2]), node("Reshape", "c shape", "r"),
             node("Transpose", "r", "t", perm=[0, 2, 1]), node("Add", "t pos_embed", "a"),
             node("LayerNormalization", "a norm.weight norm.bias", "n", axis=-1), node("MatMul", "n q.weight", "q"),
             node("Transpose", "q", "k", perm=[0, 2, 1]), node("MatMul", "q k", "s"), node("Softmax", "s", "m", axis=-1),
             node("MatMul", "m q", "v"), node("Add", "v a", "z"), node("Gather", "z first", "g", axis=1),
             node("Gemm", "g fc.weight fc.bias", "y", transB=1)]
small = onnx(convolution + [node("BatchNormalization", "c bn.weight bn.bias bn.mean bn.var", "b"), node("Relu", "b", "h")] + HEAD,
             [floats("conv.weight", 4, 2, 3, 3)] + norm + head(4))
NETWORKS = {
    "good-convolution": small,
    "good-attention": onnx(attention, [floats("conv.weight", 4, 2, 2, 2), integers("shape", 0, 4, -1), integers("first", 0)][:2]
                           + [message((2, 7), (8, "first"), (9, bytes(8)))] + tokens + head(4)),
    "good-gates": onnx(
        [node("Conv", "x conv.weight", "c", kernel_shape=[3, 3], pads=[1, 0, 1, 2], group=2), node("HardSwish", "c", "s"),
         node("ReduceMean", "s axes", "m", keepdims=1), node("HardSigmoid", "m", "g", alpha=0.2), node("Mul", "s g", "w"),
         node("Clip", "w", "l", min=0.0, max=6.0), node("MaxPool", "l", "h", kernel_shape=[2, 2], ceil_mode=1)] + HEAD,
        [floats("conv.weight", 4, 1, 3, 3), integers("axes", 2, 3)] + head(4), opset=11),
    "good-branches": onnx(
        [node("Split", "x", "u v", axis=1), node("Sigmoid", "u", "a"), node("Concat", "a v x", "d", axis=1),
         node("AveragePool", "d", "e", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
         node("Pad", "e pads", "o"), node("Slice", "o one three two", "h")] + HEAD,
        [integers("pads", 0, 0, 1, 0, 0, 0, 0, 1), integers("one", 1), integers("three", 5), integers("two", 2)] + head(4), opset=13),
    "good-shuffle": onnx(
        [node("Reshape", "x five", "r"), node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]), node("Reshape", "t four", "u"),
         node("ConvTranspose", "u conv.weight", "h", strides=[2, 2], output_padding=[1, 1])] + HEAD,
        [integers("five", 1, 2, 1, 4, 4), integers("four", -1, 2, 4, 4), floats("conv.weight", 2, 3, 2, 2)] + head(3)),
    "good-dropout": onnx([node("Dropout", "x", "d"), node("InstanceNormalization", "d in.weight in.bias", "h")] + HEAD,
                         [floats("in.weight", 2), floats("in.bias", 2)] + head(2)),
    "good-shapes": onnx(
        [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n zeros", "b"), node("Concat", "b rest", "t", axis=0),
         node("Reshape", "x t", "f"), node("Gemm", "f fc.weight fc.bias", "y", transB=1)],
        [message((2, 7), (8, "zero"), (9, bytes(8))), integers("zeros", 0), integers("rest", 32)] + head(32)),
    "bad-empty": b"",
    "bad-no-graph": message((1, 8)),
    "bad-cut": small[:-40],
    "bad-length": small[:4] + b"\xff\xff\xff\xff\x7f" + small[6:],
    "bad-operator": onnx([node("NonZero", "x", "a", "a\x1b[31m"), node("Ein\nsum", "a", "y")]),
    "bad-many": onnx([node("Sh\x85ape" * 9, "x", f"n{k}") for k in range(40)]),
    "bad-inputs": onnx(HEAD, image=(None, 2)),
    "bad-huge": onnx(HEAD, image=(1, 2**40, 2**40, 2**40)),
    "bad-tensor": onnx(HEAD, [message((1, 2**40), (1, 2**40), (2, 1), (8, "fc.weight"), (9, bytes(16)))]),
    "bad-negative": onnx(HEAD, [message((1, -3), (2, 1), (8, "fc.weight"), (9, b""))]),
    "bad-twice": onnx([node("Conv", "x w.w", "a", kernel_shape=[1, 1]), node("Conv", "a w.w", "h", kernel_shape=[1, 1])] + HEAD,
                      [floats("w.w", 2, 2, 1, 1)] + head(2)),
    "bad-external": onnx(HEAD, [message((1, 4), (2, 1), (8, "fc.weight"), (13, message((1, "location"), (2, "../model.onnx"))), (14, 1))]),
    "bad-permutation": onnx([node("Transpose", "x", "h", perm=[0] * 500)] + HEAD, head(2)),
    "bad-kernel": onnx([node("MaxPool", "x", "h", kernel_shape=[2**40, 3])] + HEAD, head(2)),
    "bad-negative-pads": onnx([node("MaxPool", "x", "h", kernel_shape=[2, 2], pads=[-1, -1, -1, -1])] + HEAD, head(2)),
    "bad-constant": onnx([node("ConstantOfShape", "many", "c"), node("Add", "x c", "h")] + HEAD, [integers("many", 2**40)] + head(2)),
}

for target, files in [("config", CONFIGURATIONS), ("plan", PLANS), ("checkpoint", CHECKPOINTS), ("idx", IDX),
                      ("cifar", CIFAR), ("gzip", GZIP),
                      ("labels", LABELS), ("sweep", SWEEPS), ("jpeg", JPEGS), ("png", PNGS), ("tar", TARS),
                      ("npz", ARCHIVES), ("onnx", NETWORKS)]:
    for name, data in files.items():
        write(target, name, data)

"""Networks that ICP Trainer has trained, as PyTorch modules (docs/TAKE_HOME.md).

    module, preprocessing = icp_trainer.load("RUN/checkpoints/best.safetensors")
    probabilities = icp_trainer.predict(module, preprocessing, ["cat.jpg", "dog.png"])

A checkpoint holds its network as a list of ONNX nodes; the module runs them by torch's own functions. Parameters and
buffers have the checkpoint's names, which are PyTorch's, so its state_dict fits the model that it came from, and it
trains: batch normalisation and dropout follow `train()` and `eval()`.

Needs torch, numpy and safetensors; Pillow for pictures.
"""
import json
import re
import zlib
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors import safe_open


@dataclass
class Preprocessing:
    """How images become a network's inputs, and what its outputs stand for."""
    mean: list  # of pixels in 0..1, one a channel
    std: list
    height: int
    width: int
    channels: int
    classes: list  # the data's label of each output
    class_names: list  # None where the data has no names
    resize: int = None  # what the shorter side of a picture becomes before its middle is cut out; None: what is enough
    crop: str = "center"  # or "none": a picture is squashed

    def __call__(self, images):
        """Inputs of the network, of float images (N, C, H, W) in 0..1."""
        images = torch.as_tensor(images, dtype=torch.float32)
        if tuple(images.shape[1:]) != (self.channels, self.height, self.width):
            raise ValueError(f"images of {tuple(images.shape)}, expected (N, {self.channels}, {self.height}, {self.width})")
        mean, std = (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in (self.mean, self.std))
        return (images - mean) / std

    def picture(self, picture):
        """A PIL image, or the path of one, as (C, H, W) in 0..1: as the run's test images were."""
        import numpy
        from PIL import Image, ImageOps
        if not isinstance(picture, Image.Image):
            picture = ImageOps.exif_transpose(Image.open(picture))
        picture = picture.convert("RGB" if self.channels == 3 else "L")
        width, height = (self.resize, self.resize) if self.resize and self.crop != "none" else (self.width, self.height)
        if self.crop != "none":
            # As torchvision's Resize: one side becomes what is asked for, the other in proportion, rounded down.
            if width * picture.height >= height * picture.width:
                height = width * picture.height // picture.width
            else:
                width = height * picture.width // picture.height
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        # As torchvision's CenterCrop: half to even; zeros around a picture that is smaller.
        left, top = (round((side - cut) / 2) if side >= cut else -((cut - side) // 2)
                     for side, cut in ((width, self.width), (height, self.height)))
        picture = picture.crop((left, top, left + self.width, top + self.height))
        pixels = torch.from_numpy(numpy.asarray(picture, dtype="float32") / 255)
        return pixels.permute(2, 0, 1) if self.channels == 3 else pixels[None]


def load(path, average=False):
    """(module, preprocessing) of a checkpoint; the module is in evaluation mode. With `average` it has the average of
    the weights (training.ema) in the place of those of the checkpoint's step. Raises ValueError where the file is
    damaged, or does not hold its network, or the average that is asked for."""
    with open(path, "rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        names = set(file.keys())
        # Beside the weights of its step a checkpoint may have their average, as ema.NAME.
        averages = {name for name in names if name.startswith("ema.") and name[4:] in names}
        chosen = averages if average else {name for name in names - averages if not name.startswith("optimizer.")}
        tensors = {name: file.get_tensor(name) for name in chosen}
    if "network" not in metadata:
        raise ValueError(f"{path}: holds no network; it was not written by ICP Trainer, or by an earlier version")
    found = metadata["checksum"]
    zeroed = header.replace(f'"checksum":"{found}"'.encode(), b'"checksum":"00000000"')
    if format(zlib.crc32(zeroed), "08x") != found:
        raise ValueError(f"{path}: the header is damaged")
    for name, tensor in tensors.items():
        if format(zlib.crc32(tensor.numpy().tobytes()), "08x") != metadata[f"checksum.{name}"]:
            raise ValueError(f"{path}: tensor {name} is damaged")
    if average:
        if not averages:
            raise ValueError(f"{path}: there is no average of the weights in it; it is of no run with training.ema")
        tensors = {name[4:]: tensor for name, tensor in tensors.items()}
    return Network(json.loads(metadata["network"]), tensors).eval(), _preprocessing(metadata)


def predict(module, preprocessing, images):
    """Probabilities (N, classes) of pictures (PIL images or paths), or of a tensor (N, C, H, W) in 0..1."""
    if not torch.is_tensor(images):
        images = torch.stack([preprocessing.picture(image) for image in images])
    module.eval()
    with torch.no_grad():
        return module(preprocessing(images)).softmax(1)


def _preprocessing(metadata):
    def value(name):
        return json.loads(metadata[f"preprocessing.{name}"])
    sides = [int(side) for side in metadata["preprocessing.size"].split("x")]
    classes = value("classes")
    # What the run was told of its test images, in the form that the program writes.
    told = re.search(r"^  evaluation:\n    resize: (.+)\n    crop: (\w+)$", metadata.get("config", ""), re.MULTILINE)
    resize, crop = told.groups() if told else ("", "center")
    return Preprocessing(
        value("mean"), value("std"), sides[0], sides[-1], value("channels"),
        classes if isinstance(classes, list) else list(range(classes)),
        value("class_names") if "preprocessing.class_names" in metadata else None,
        int(resize) if resize.isdigit() else None, crop)


class Network(torch.nn.Module):
    """Runs the nodes of a checkpoint's `network`; `taps` then holds the outputs of the nodes named in `watch`."""

    def __init__(self, graph, tensors):
        super().__init__()
        self.graph = graph
        self.watch, self.taps = (), {}
        statistics = {name for node in graph["nodes"] if node["kind"] == "BatchNormalization" for name in node["inputs"][3:]}
        read = {name for node in graph["nodes"] for name in node["inputs"]}
        self._places = {}
        for name, tensor in tensors.items():
            if name not in read:
                continue  # branches, which take part in training alone
            *path, last = name.split(".")
            owner = self
            for part in path:
                if part not in owner._modules:
                    owner.add_module(part, torch.nn.Module())
                owner = owner._modules[part]
            if name in statistics:
                owner.register_buffer(last, tensor)
            else:
                owner.register_parameter(last, torch.nn.Parameter(tensor))
            self._places[name] = (owner, last)
        self._lists = {}
        for number, (name, constant) in enumerate(sorted(graph["constants"].items())):
            if "integers" in constant:
                self._lists[name] = constant["integers"]
            else:
                values = torch.tensor([float(value) for value in constant["floats"]]).reshape(constant["shape"])
                self.register_buffer(f"_constant{number}", values, persistent=False)
                self._places[name] = (self, f"_constant{number}")

    def forward(self, images):
        values = {self.graph["input"]: images, "": None, **self._lists}
        for name, (owner, last) in self._places.items():
            values[name] = getattr(owner, last)
        for node in self.graph["nodes"]:
            run = _OPERATORS[node["kind"]]
            values[node["output"]] = run(self, node.get("attributes", {}), *(values[name] for name in node["inputs"]))
        self.taps = {name: values[name] for name in self.watch}
        return values[self.graph["output"]]


def _sides(pads):
    """F.pad's order of ONNX's top, left, bottom, right."""
    top, left, bottom, right = pads
    return [left, right, top, bottom]


def _padded(x, pads, value=0.0):
    """The images and what is left to the operator, which knows symmetric padding alone."""
    if pads[:2] == pads[2:]:
        return x, pads[:2]
    return F.pad(x, _sides(pads), value=value), [0, 0]


def _convolution(m, a, x, weight, bias=None):
    x, padding = _padded(x, a["pads"])
    return F.conv2d(x, weight, bias, a["strides"], padding, a["dilations"], a["group"])


def _transposed_convolution(m, a, x, weight, bias=None):
    y = F.conv_transpose2d(x, weight, bias, a["strides"], 0, a["output_padding"], a["group"], a["dilations"])
    top, left, bottom, right = a["pads"]
    return y[:, :, top:y.shape[2] - bottom, left:y.shape[3] - right]


def _max_pool(m, a, x):
    x, padding = _padded(x, a["pads"], -torch.inf)
    return F.max_pool2d(x, a["kernel_shape"], a["strides"], padding, a["dilations"], bool(a["ceil_mode"]))


def _average_pool(m, a, x):
    counts = bool(a["count_include_pad"])
    if a["pads"][:2] == a["pads"][2:]:
        return F.avg_pool2d(x, a["kernel_shape"], a["strides"], a["pads"][:2], bool(a["ceil_mode"]), counts)
    def pool(y):
        return F.avg_pool2d(F.pad(y, _sides(a["pads"])), a["kernel_shape"], a["strides"], 0, bool(a["ceil_mode"]))
    return pool(x) if counts else pool(x) / pool(torch.ones_like(x))


def _slice(m, a, x, starts, ends, axes, steps):
    places = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        places[axis] = slice(start, end, step)
    return x[tuple(places)]


def _pad(m, a, x, pads, value):
    rank = x.ndim
    pairs = [side for axis in reversed(range(rank)) for side in (pads[axis], pads[rank + axis])]
    return F.pad(x, pairs, value=value.item())


def _batch_normalization(m, a, x, weight, bias, mean, variance):
    return F.batch_norm(x, mean, variance, weight, bias, m.training, 1 - a["momentum"], a["epsilon"])


_OPERATORS = {
    "Conv": _convolution, "ConvTranspose": _transposed_convolution, "BatchNormalization": _batch_normalization,
    "GroupNormalization": lambda m, a, x, w, b: F.group_norm(x, a["num_groups"], w, b, a["epsilon"]),
    "LayerNormalization": lambda m, a, x, w, b=None: F.layer_norm(x, x.shape[a["axis"]:], w, b, a["epsilon"]),
    "Gemm": lambda m, a, x, w, b=None: F.linear(x, w, b), "MatMul": lambda m, a, x, y: x @ y,
    "MaxPool": _max_pool, "AveragePool": _average_pool,
    "GlobalAveragePool": lambda m, a, x: x.mean(list(range(2, x.ndim)), keepdim=True),
    "ReduceMean": lambda m, a, x, axes: x.mean(axes, keepdim=bool(a["keepdims"])),
    "ReduceSum": lambda m, a, x, axes: x.sum(axes, keepdim=bool(a["keepdims"])),
    "Add": lambda m, a, x, y: x + y, "Sub": lambda m, a, x, y: x - y, "Mul": lambda m, a, x, y: x * y,
    "Div": lambda m, a, x, y: x / y, "Pow": lambda m, a, x, y: x ** y,
    "Relu": lambda m, a, x: F.relu(x), "LeakyRelu": lambda m, a, x: F.leaky_relu(x, a["alpha"]),
    "Clip": lambda m, a, x, low=None, high=None: x if low is None and high is None else torch.clamp(x, low, high),
    "Sigmoid": lambda m, a, x: x.sigmoid(), "Tanh": lambda m, a, x: x.tanh(), "Erf": lambda m, a, x: x.erf(),
    "Exp": lambda m, a, x: x.exp(), "Log": lambda m, a, x: x.log(), "Sqrt": lambda m, a, x: x.sqrt(),
    "Abs": lambda m, a, x: x.abs(), "Reciprocal": lambda m, a, x: x.reciprocal(),
    "HardSigmoid": lambda m, a, x: torch.clamp(a["alpha"] * x + a["beta"], 0, 1),
    "HardSwish": lambda m, a, x: F.hardswish(x), "Gelu": lambda m, a, x: F.gelu(x, approximate=a["approximate"]),
    "Elu": lambda m, a, x: F.elu(x, a["alpha"]), "Softplus": lambda m, a, x: F.softplus(x),
    "Softmax": lambda m, a, x: x.softmax(a["axis"]), "Identity": lambda m, a, x: x,
    "Dropout": lambda m, a, x, rate: F.dropout(x, rate.item(), m.training),
    "Reshape": lambda m, a, x, shape: x.reshape(shape), "Flatten": lambda m, a, x: x.flatten(a["axis"]),
    "Transpose": lambda m, a, x: x.permute(a["perm"]), "Slice": _slice, "Pad": _pad,
    "Expand": lambda m, a, x, shape: x.expand(torch.broadcast_shapes(x.shape, tuple(shape))),
    "Gather": lambda m, a, x, places: x.index_select(a["axis"], torch.tensor(places, device=x.device)),
    # Of tensors, or of shapes.
    "Concat": lambda m, a, *x: sum(x, []) if isinstance(x[0], list) else torch.cat(x, a["axis"]),
    "Shape": lambda m, a, x: list(x.shape[a["start"]:a["end"]]),
}

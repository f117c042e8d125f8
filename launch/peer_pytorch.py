"""What a user would run instead: the same cyclic step in PyTorch on the CPU, timed. launch/bench-peers starts it.

    OMP_NUM_THREADS=1 python peer_pytorch.py --threads 1 --batch 128 --mode lean --channels-last --compile

modes: plain    forward, backward, AdamW
       lean     the cyclic step without wasted work (input gradients only, no gradient for the target pass)
       authors  the cyclic step as the authors' public code takes it (weight gradients and graphs that it then drops)
ResNet-20 (projection shortcuts, 100 classes), random images of 3x32x32, rule adam; or another --model, whose features are
what the modules --taps give. With --precision bfloat16 the networks run under torch.autocast. Prints one line of JSON. Under torchrun it runs data-parallel over gloo (not authors).
"""

import argparse
import json
import os
import resource
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--batch", type=int, default=128, help="of each rank")
parser.add_argument("--mode", choices=["plain", "lean", "authors"], default="lean")
parser.add_argument("--steps", type=int, default=5, help="refinement steps T")
parser.add_argument("--model", help="torchvision:NAME, timm:NAME or wrn-16-4")
parser.add_argument("--size", type=int, default=32, help="of images, in pixels")
parser.add_argument("--taps", default="", help="of --model: modules whose outputs are compared, with commas")
parser.add_argument("--channels-last", action="store_true")
parser.add_argument("--compile", action="store_true")
parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="bfloat16: under torch.autocast")
parser.add_argument("--repeats", type=int, default=7, help="timed steps, after two that are not")
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.c2, self.b2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.down = None
        if stride != 1 or inputs != outputs:
            self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        h = self.b2(self.c2(F.relu(self.b1(self.c1(x)))))
        return F.relu(h + (x if self.down is None else self.down(x)))


def stage(inputs, outputs, stride):
    return nn.Sequential(Block(inputs, outputs, stride), Block(outputs, outputs, 1), Block(outputs, outputs, 1))


class ResNet20(nn.Module):
    def __init__(self, classes=100):
        super().__init__()
        self.c, self.b = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.s1, self.s2, self.s3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.b(self.c(x)))
        f1 = self.s1(x)
        f2 = self.s2(f1)
        f3 = self.s3(f2)
        return self.fc(f3.mean((2, 3))), [f1, f2, f3]


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.b1, self.c1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.b2, self.c2 = nn.BatchNorm2d(outputs), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.down = None
        if stride != 1 or inputs != outputs:
            self.down = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        h = F.relu(self.b1(x))
        shortcut = x if self.down is None else self.down(h)
        return self.c2(F.relu(self.b2(self.c1(h)))) + shortcut


class WRN16x4(nn.Module):
    def __init__(self, classes=100):
        super().__init__()
        self.c = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        widths = [16, 64, 128, 256]
        self.stages = nn.ModuleList(
            nn.Sequential(WideBlock(a, b, 1 if i == 0 else 2), WideBlock(b, b, 1))
            for i, (a, b) in enumerate(zip(widths, widths[1:])))
        self.b, self.fc = nn.BatchNorm2d(256), nn.Linear(256, classes)

    def forward(self, x):
        x, features = self.c(x), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return self.fc(F.relu(self.b(x)).mean((2, 3))), features


class Tapped(nn.Module):
    """A model of a package, which also gives what some of its modules give."""

    def __init__(self, model, taps):
        super().__init__()
        self.model, self.features = model, []
        for tap in taps:
            model.get_submodule(tap).register_forward_hook(lambda module, inputs, output: self.features.append(output))

    def forward(self, x):
        self.features.clear()
        logits = self.model(x)
        return logits, list(self.features) or [logits]


def make(name):
    if name is None:
        return ResNet20()
    if name == "wrn-16-4":
        return WRN16x4()
    import export_model

    return Tapped(export_model.load(name, 100, arguments.size, False), [t for t in arguments.taps.split(",") if t])


world = int(os.environ.get("WORLD_SIZE", 1))
rank = int(os.environ.get("RANK", 0))
core = make(arguments.model)
images, labels = torch.randn(arguments.batch, 3, arguments.size, arguments.size), torch.randint(0, 100, (arguments.batch,))
if arguments.channels_last:
    core = core.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
if arguments.compile:
    core = torch.compile(core)
network = core
if world > 1:
    import torch.distributed as dist

    dist.init_process_group("gloo")
    network = nn.parallel.DistributedDataParallel(core)
optimizer = torch.optim.AdamW(network.parameters(), lr=3e-4)


def run(x):
    """Logits and features, from the network whose gradients the ranks share."""
    with autocast():
        return network(x)


def run_core(x):
    """The same, from the one that each rank has for itself."""
    with autocast():
        return core(x)


def autocast():
    return torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bfloat16")


def cross_entropy(logits):
    return F.cross_entropy(logits.float(), labels)


class Adam:
    """The rule that moves the images."""

    def __init__(self):
        self.m = self.v = self.t = 0

    def __call__(self, x, g):
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g * g
        return x - 3e-4 * (self.m / (1 - 0.9**self.t)) / ((self.v / (1 - 0.999**self.t)).sqrt() + 1e-8)


def update(loss):
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()
    optimizer.zero_grad()


def distilled(task, student, target):
    return 0.7 * task + 0.3 * sum(F.mse_loss(f.float(), t.float()) for f, t in zip(student, target))


def plain():
    network.train()
    update(cross_entropy(run(images)[0]))


def lean():
    network.train()
    logits, features = run(images)
    task = cross_entropy(logits)
    core.eval()
    z, rule = images.detach().clone().requires_grad_(True), Adam()
    for parameter in core.parameters():
        parameter.requires_grad_(False)
    for _ in range(arguments.steps):
        (gradient,) = torch.autograd.grad(cross_entropy(run_core(z)[0]), z)
        z = rule(z, gradient).detach().requires_grad_(True)
    for parameter in core.parameters():
        parameter.requires_grad_(True)
    core.train()
    with torch.no_grad():
        _, target = run_core(z)
    update(distilled(task, features, target))


def authors():
    core.train()
    logits, features = run_core(images)
    task = cross_entropy(logits)
    core.eval()
    z, rule = images.detach().clone().requires_grad_(True), Adam()
    loss = cross_entropy(run_core(z)[0])
    loss.backward(retain_graph=True)
    for _ in range(arguments.steps):
        z = rule(z, torch.autograd.grad(loss, z)[0])
        loss = cross_entropy(run_core(z)[0])
    core.train()
    _, target = run_core(z)
    update(distilled(task, features, [t.detach() for t in target]))


step = {"plain": plain, "lean": lean, "authors": authors}[arguments.mode]
step()
step()
times = []
for _ in range(arguments.repeats):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
median = sorted(times)[len(times) // 2]
if rank == 0:
    print(
        json.dumps(
            {
                "mode": arguments.mode,
                "threads": arguments.threads,
                "ranks": world,
                "batch_per_rank": arguments.batch,
                "steps": arguments.steps,
                "channels_last": arguments.channels_last,
                "compile": arguments.compile,
                "precision": arguments.precision,
                "step_seconds": round(median, 4),
                "images_per_second": round(world * arguments.batch / median, 2),
                "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )

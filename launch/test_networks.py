"""What launch/test-networks runs: one model exported, read by icp, and compared with PyTorch in double precision."""
import argparse, json, os, subprocess, sys, time, warnings

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
CLASSES, BATCH = 10, 8
# Batches that gradients and x_T are compared on, cyclic steps, and refinements of each.
BATCHES, STEPS, REFINEMENTS = 7, 3, 2
STEP_SIZE, RATE, MOMENTUM, DECAY, CLIP = 2e-3, 0.01, 0.9, 5e-4, 5.0
# Of the largest value (docs/NETWORKS.md); or three times what PyTorch's own float32 is off.
TOLERANCES = {"logits": 1e-4, "input": 1e-3, "training": 1e-4, "weights": 1e-3, "steps": 1e-3, "refined": 1e-3}


class Failure(Exception):
    """What did not work: the stage, and the words to show."""


def run(stage, command, limit=1800):
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failure(stage, f"took more than {limit} s")
    if outcome.returncode:
        raise Failure(stage, outcome.stderr.strip() or f"exit status {outcome.returncode}")
    return outcome.stdout


def images(count, size, generator):
    """Noise, as bytes are distributed once they are normalised."""
    import torch
    return (torch.rand(count, 3, size, size, generator=generator) - 0.45) / 0.225


def make(source, size, folder):
    """The model of `source` with values under which nothing is degenerate, and its state_dict as a file."""
    import torch
    from export_model import load
    torch.manual_seed(1)
    model = load(source, CLASSES, size, False)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            # Scales of 1, layer scales of 1e-6, biases of 0.
            if parameter.numel() > 1 and parameter.std() == 0:
                parameter += torch.rand(parameter.shape, generator=generator) * 0.6 - 0.3
        norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            norm.reset_running_stats()
            norm.usual, norm.momentum = norm.momentum, None
        without_chance(model).train()
        for _ in range(2):
            model(images(16, size, generator))
        for norm in norms:
            norm.momentum = norm.usual
            # A little off, so that another batch's statistics would show.
            norm.running_mean += 0.02 * torch.randn(norm.running_mean.shape, generator=generator) * norm.running_var.sqrt()
            norm.running_var *= 0.9 + 0.2 * torch.rand(norm.running_var.shape, generator=generator)
    torch.save(model.state_dict(), f"{folder}/weights.pt")
    return model


def without_chance(model):
    """Without dropout and stochastic depth, which a file has not."""
    for module in model.modules():
        for name in ("p", "drop_prob", "drop_rate", "dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return model


def logits(output):
    """Some models give more in training mode."""
    return output if not isinstance(output, (tuple, list)) else output[0]


def distance(ours, theirs):
    return ((ours.double() - theirs.double()).abs().max() / theirs.double().abs().max()).item()


def reference(model, x, seed):
    """What network-probe writes, by PyTorch in the precision of x."""
    import copy, torch
    model = copy.deepcopy(model).to(x.dtype).eval()
    image = x.clone().requires_grad_()
    evaluated = logits(model(image))
    result = {"eval.logits": evaluated.detach(), "eval.dx": torch.autograd.grad((evaluated * seed).sum(), image)[0]}
    trained = logits(model.train()(x))
    names, parameters = zip(*model.named_parameters())
    gradients = torch.autograd.grad((trained * seed).sum(), parameters, allow_unused=True)
    result["train.logits"] = trained.detach()
    return result | {f"train.grad.{name}": g for name, g in zip(names, gradients) if g is not None}


def compare(model, file, size, probe, folder):
    """Logits and gradients: largest differences, the least over several inputs; of PyTorch in float32, too.

    What is wrong is wrong for every input; a ReLU at its kink flips for some.
    """
    import torch
    from safetensors.torch import load_file, save_file
    ours, theirs = [], []
    for number in range(BATCHES):
        generator = torch.Generator().manual_seed(10 + number)
        x = images(BATCH, size, generator)
        seed = torch.randn(BATCH, CLASSES, generator=generator)
        save_file({"x": x, "seed": seed}, f"{folder}/input.safetensors")
        run("run", [probe, file, f"{folder}/input.safetensors", f"{folder}/output.safetensors"])
        found = load_file(f"{folder}/output.safetensors")
        expected = reference(model, x.double(), seed.double())
        largest = max(v.abs().max() for k, v in expected.items() if k.startswith("train.grad."))
        # A bias before batch normalisation has none but for rounding.
        names = [k for k, v in expected.items() if not k.startswith("train.grad.") or v.abs().max() > 1e-6 * largest]
        missing = [name for name in names if name not in found]
        if missing:
            raise Failure("names", f"{len(missing)} are not there, such as {missing[0]}")
        single = reference(model, x, seed)
        ours.append({k: distance(found[k].reshape(expected[k].shape), expected[k]) for k in names})
        theirs.append({k: distance(single[k], expected[k]) for k in names})

    def least(results):
        least = {k: min(r[k] for r in results if k in r) for k in {k for r in results for k in r}}
        return {"logits": least.pop("eval.logits"), "input": least.pop("eval.dx"),
                "training": least.pop("train.logits"), "weights": max(least.values()),
                "worst": max(least, key=least.get).removeprefix("train.grad.")}
    return least(ours), least(theirs)


class Adam:
    def __init__(self):
        self.m = self.v = self.t = 0

    def __call__(self, x, g):
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g * g
        return x - STEP_SIZE * (self.m / (1 - 0.9**self.t)) / ((self.v / (1 - 0.999**self.t)).sqrt() + 1e-8)


class Features:
    """A network that also gives what the modules `taps` give."""
    def __init__(self, model, taps):
        self.model, self.seen = model, {}
        for tap in taps:
            model.get_submodule(tap).register_forward_hook(lambda _, __, y, tap=tap: self.seen.update({tap: y.clone()}))
        self.taps = taps

    def __call__(self, x):
        output = logits(self.model(x))
        return output, [self.seen[tap] for tap in self.taps] if self.taps else [output]


def refine(network, x, labels):
    """x_T and the losses at x_0 ... x_T, in evaluation mode."""
    import torch, torch.nn.functional as F
    network.model.eval()
    rule, losses = Adam(), []
    for _ in range(REFINEMENTS):
        x = x.detach().requires_grad_()
        loss = F.cross_entropy(network(x)[0], labels, reduction="none")
        losses.append(loss.mean().item())
        x = rule(x, torch.autograd.grad(loss.sum(), x)[0])
    with torch.no_grad():
        losses.append(F.cross_entropy(network(x)[0], labels).item())
    network.model.train()
    return x.detach(), losses


def cyclic(model, taps, x, labels, alphas):
    """Task and distillation loss of one step for each of `alphas`, in the precision of x."""
    import copy, torch, torch.nn.functional as F
    network = Features(copy.deepcopy(model).to(x.dtype), taps)
    parameters = [p for p in network.model.parameters()]
    optimizer = torch.optim.SGD(parameters, RATE, MOMENTUM, weight_decay=DECAY)
    records = []
    for alpha in alphas:
        network.model.train()
        output, features = network(x)
        task = F.cross_entropy(output, labels)
        refined, losses = refine(network, x, labels)
        with torch.no_grad():
            _, targets = network(refined)
        distillation = sum(F.mse_loss(f, t) for f, t in zip(features, targets))
        optimizer.zero_grad()
        (alpha * task + (1 - alpha) * distillation).backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        records.append({"task_loss": task.item(), "distillation_loss": distillation.item(), "loss_at_xT": losses[-1]})
    return records


CONFIGURATION = """\
data: {{format: npz, path: {folder}/images.npz, shuffle: false, augment: []}}
model: {{kind: onnx, path: {file}, classes: {classes}}}
training: {{batch_size: {batch}, shards: 1, epochs: {steps}}}
optimizer: {{kind: sgd, learning_rate: {rate}, momentum: {momentum}, weight_decay: {decay}, clip_norm: {clip}}}
schedule: {{kind: constant}}
icp: {{rule: adam, steps: {refinements}, step_size: {step_size}}}
distillation: {{warmup: 0, layer_weights: uniform, taps: [{taps}]}}
logging: {{every_steps: 1}}
evaluation: {{train_samples: none}}
"""


def normalization(file):
    """Mean and deviation of each channel, as the file says."""
    import onnx, torch
    properties = {p.key: p.value for p in onnx.load(file, load_external_data=False).metadata_props}
    return [torch.tensor(json.loads(properties[f"preprocessing.{key}"])).double() for key in ("mean", "std")]


def steps(model, file, size, taps, icp, folder):
    """The largest difference of task loss over three cyclic steps of `icp train`; of distillation losses, too. And what
    PyTorch's own float32 differs by."""
    import numpy, torch
    random = numpy.random.default_rng(3)
    pixels = random.integers(0, 256, (BATCH, size, size, 3), dtype=numpy.uint8)
    labels = random.integers(0, CLASSES, BATCH, dtype=numpy.uint8)
    labels[0] = CLASSES - 1
    numpy.savez(f"{folder}/images.npz", train_images=pixels, train_labels=labels,
                test_images=pixels[:2], test_labels=labels[:2])
    with open(f"{folder}/steps.yaml", "w") as f:
        f.write(CONFIGURATION.format(
            folder=folder, file=file, classes=CLASSES, batch=BATCH, steps=STEPS, refinements=REFINEMENTS, rate=RATE, momentum=MOMENTUM, decay=DECAY,
            clip=CLIP, step_size=STEP_SIZE, taps=", ".join(f'"{t}"' for t in taps or ["logits"])))
    run("train", [icp, "train", f"{folder}/steps.yaml", "--run-dir", f"{folder}/run", "--resume", "never"])
    records = [json.loads(line) for line in open(f"{folder}/run/metrics.jsonl")]
    records = [r for r in records if r.get("type", r.get("kind")) == "step"]
    mean, deviation = normalization(file)
    x = ((torch.from_numpy(pixels).double() / 255 - mean) / deviation).permute(0, 3, 1, 2)
    labels, alphas = torch.from_numpy(labels).long(), [r["alpha"] for r in records]
    expected, single = (cyclic(model, taps, x.to(kind), labels, alphas) for kind in (torch.double, torch.float))
    if len(records) != STEPS:
        raise Failure("train", f"{len(records)} records, expected {STEPS}")

    def largest(key, found):
        return max(abs(r[key] - e[key]) / abs(e[key]) for r, e in zip(found, expected))
    return ({"steps": largest("task_loss", records), "distillation": largest("distillation_loss", records),
             "loss_at_xT": largest("loss_at_xT", records)}, largest("task_loss", single))


def refined(model, file, size, icp, folder):
    """How far `icp perturb`'s x_T is from PyTorch's, over how far that is from x: root mean squares, the least over
    several batches, as in `compare`."""
    import copy, torch
    from safetensors.torch import load_file, save_file
    ours, theirs = [], []
    for number in range(BATCHES):
        generator = torch.Generator().manual_seed(20 + number)
        x = images(BATCH, size, generator)
        labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
        save_file({"x": x, "y": labels}, f"{folder}/batch.safetensors")
        run("perturb", [icp, "perturb", f"{folder}/steps.yaml", "--weights", file, "--input", f"{folder}/batch.safetensors",
                        "--output", f"{folder}/refined.safetensors"])
        expected, _ = refine(Features(copy.deepcopy(model).double(), []), x.double(), labels)
        single, _ = refine(Features(copy.deepcopy(model), []), x, labels)
        moved = (expected - x.double()).pow(2).mean().sqrt()

        def off(result):
            return ((result.double() - expected).pow(2).mean().sqrt() / moved).item()
        ours.append(off(load_file(f"{folder}/refined.safetensors")["x"]))
        theirs.append(off(single))
    return min(ours), min(theirs)


def check(source, size, icp, probe, folder):
    import torch
    from peer_taps import taps_of
    torch.set_num_threads(1)
    os.makedirs(folder, exist_ok=True)
    result = {"model": source, "size": size, "begun": time.strftime("%Y-%m-%d %H:%M")}
    try:
        try:
            model = make(source, size, folder)
        except Exception as error:
            raise Failure("PyTorch", f"{type(error).__name__}: {error}")
        result["parameters"] = sum(p.numel() for p in model.parameters())
        file = f"{folder}/model.onnx"
        run("export", [f"{HERE}/export-model", source, "--output", file, "--size", str(size), "--classes", str(CLASSES),
                       "--weights", f"{folder}/weights.pt"])
        taps = taps_of(run("read", [icp, "inspect", file]), model)
        result["taps"] = taps
        ours, theirs = compare(model, file, size, probe, folder)
        result |= ours
        result["pytorch"] = theirs
        found, theirs["steps"] = steps(model, file, size, taps, icp, folder)
        result |= found
        result["refined"], theirs["refined"] = refined(model, file, size, icp, folder)
        bench = json.loads(run("bench", [icp, "bench", "step", f"{folder}/steps.yaml", "--json", "--no-bare", "--repeats", "3",
                                         "--warm-up", "1"]))
        result["seconds"] = bench["step_seconds"]
        result["mebibytes"] = bench["resident_anonymous_mib"]
        wrong = [k for k, most in TOLERANCES.items() if not result[k] < max(most, 3 * theirs.get(k, 0))]
        if wrong:
            raise Failure("values", ", ".join(f"{k} {result[k]:.0e}" for k in wrong))
    except Failure as failure:
        result["stage"], result["failure"] = failure.args
    # Large, and made again in seconds.
    for name in ("model.onnx", "model.onnx.data", "weights.pt", "input.safetensors", "output.safetensors"):
        if os.path.exists(f"{folder}/{name}") and "failure" not in result:
            os.remove(f"{folder}/{name}")
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("size", type=int)
    parser.add_argument("--icp", required=True)
    parser.add_argument("--probe", required=True)
    parser.add_argument("--folder", required=True)
    options = parser.parse_args()
    result = check(options.source, options.size, options.icp, options.probe, os.path.abspath(options.folder))
    with open(f"{options.folder}/result.json.new", "w") as f:
        json.dump(result, f, indent=1)
    os.replace(f"{options.folder}/result.json.new", f"{options.folder}/result.json")
    print(json.dumps(result))


if __name__ == "__main__":
    main()

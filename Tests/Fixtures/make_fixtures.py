"""The repository's own reference values, computed with PyTorch in float32, small enough to be committed (< 2.3 MB).

    pip install torch
    python make_fixtures.py [OUTPUT_DIR]        (default: this folder)

Run again with the same PyTorch on the same kind of machine, it writes the same bytes. Layouts are PyTorch's:
activations NCHW, convolution weights OIHW, linear weights (out, in). Each file's `__metadata__` says what it holds.
"""
import copy, itertools, json, math, os, struct, sys
import torch, torch.nn as nn, torch.nn.functional as F

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
SEED = 20260101
RULES = {"sgd": 0.5, "adam": 2e-3, "ademamix": 2e-3, "ifgsm": 2e-3}
LIMIT = 2_300_000


# Networks ----------------------------------------------------------------------------------------------------

class Kinks:
    """The smallest distance of any ReLU's input from its kink. Nearer than rounding, two right programs differ."""
    nearest = math.inf


def relu(z):
    Kinks.nearest = min(Kinks.nearest, z.detach().abs().min().item())
    return F.relu(z)


class BasicBlock(nn.Module):
    """He et al. 2015, CIFAR variant. shortcut: 'projection' (1x1 convolution + BatchNorm) or 'pad' (option A)."""

    def __init__(self, inputs, outputs, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        changes = stride != 1 or inputs != outputs
        self.stride, self.pad, self.downsample = stride, outputs - inputs if changes and shortcut == "pad" else None, None
        if changes and shortcut == "projection":
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        h = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.downsample is not None:
            x = self.downsample(x)
        elif self.pad is not None:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad // 2, self.pad - self.pad // 2))
        return relu(h + x)


class ResNet8(nn.Module):
    """One block a stage; features are the outputs of the three stages."""

    def __init__(self, classes, shortcut, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(BasicBlock(16, 16, 1, shortcut))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2, shortcut))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2, shortcut))
        self.fc = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x, features = relu(self.bn1(self.conv1(x))), []
        for stage in (self.layer1, self.layer2, self.layer3):
            x = stage(x)
            features.append(x)
        return self.fc(x.mean((2, 3))), features


class MLP(nn.Module):
    """Two hidden layers on the flattened image; features are the hidden activations."""

    def __init__(self, inputs, classes):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(inputs, 32), nn.Linear(32, 24), nn.Linear(24, classes)

    def forward(self, x):
        first = relu(self.fc1(x.flatten(1)))
        second = relu(self.fc2(first))
        return self.fc3(second), [first, second]


def settled(shortcut, channels, size, classes=10):
    """A ResNet-8 whose running statistics have values of their own."""
    model = ResNet8(classes, shortcut, channels).train()
    with torch.no_grad():
        for _ in range(8):
            model(torch.randn(24, channels, size, size) * 1.3 + 0.1)
    return model


# The method --------------------------------------------------------------------------------------------------

class Rule:
    """One update of the input, x - lr * direction(gradient); state starts at zero for every batch."""

    def __init__(self, kind, lr, b1=0.9, b2=0.999, b3=0.9999, eps=1e-8, slow=5.0):
        self.kind, self.lr, self.b1, self.b2, self.b3, self.eps, self.slow = kind, lr, b1, b2, b3, eps, slow
        self.m = self.v = self.n = 0.0
        self.t = 0

    def step(self, x, g):
        self.t += 1
        if self.kind == "sgd":
            return x - self.lr * g
        if self.kind == "ifgsm":
            return x + self.lr * g.sign()
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g * g
        direction = self.m / (1 - self.b1**self.t)
        if self.kind == "ademamix":
            self.n = self.b3 * self.n + (1 - self.b3) * g
            direction = direction + self.slow * self.n
        return x - self.lr * direction / ((self.v / (1 - self.b2**self.t)).sqrt() + self.eps)


def refine(model, x, y, kind, steps=5):
    """Model in evaluation mode; every iterate x_1..x_T and the loss at x_0..x_{T-1}."""
    was = model.training
    model.eval()
    rule, iterates, losses = Rule(kind, RULES[kind]), [], []
    for _ in range(steps):
        x = x.detach().requires_grad_(True)
        loss = F.cross_entropy(model(x)[0], y)
        (gradient,) = torch.autograd.grad(loss, x)
        x = rule.step(x.detach(), gradient)
        iterates.append(x)
        losses.append(loss.detach())
    model.train(was)
    return iterates, torch.stack(losses)


def layer_weights(count, kind):
    if kind == "uniform" or count == 1:
        return [1.0] * count
    weights = [math.cos(i / (count - 1) * math.pi / 4) for i in range(count)]
    return weights if kind == "cosine" else weights[::-1]


def alpha_at(epoch, warmup, epochs):
    return math.cos(math.pi * (epoch - warmup) / (2 * (epochs - warmup))) if epoch > warmup else 1.0


# Files -------------------------------------------------------------------------------------------------------

def state(model, prefix=""):
    return {prefix + k: v.detach().clone() for k, v in model.state_dict().items() if "num_batches" not in k}


def write(name, tensors, **metadata):
    """safetensors, with the header's keys in order: the package's own writer shuffles the metadata."""
    values = {k: v.detach().contiguous() for k, v in tensors.items()}
    order = sorted(values, key=lambda k: (values[k].dtype != torch.int64, k))
    header, data = {"__metadata__": {k: str(metadata[k]) for k in sorted(metadata)}}, b""
    for key in order:
        value = values[key]
        assert value.dtype in (torch.float32, torch.int64), f"{key} is {value.dtype}"
        raw = value.numpy().tobytes()
        header[key] = {"dtype": "F32" if value.dtype == torch.float32 else "I64", "shape": list(value.shape),
                       "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    print(f"{name}: {len(values)} tensors, {8 + len(text) + len(data)} bytes")


def away_from_kinks(make, distance):
    """The first draw whose ReLU inputs all lie `distance` or more from zero; float32 rounds them by less than 1e-6."""
    for seed in itertools.count(SEED):
        torch.manual_seed(seed)
        Kinks.nearest = math.inf
        result = make()
        if Kinks.nearest >= distance:
            return result


def operators():
    torch.manual_seed(SEED)
    t = {}
    for name, (n, ci, co, h, k, s, p) in {
            "conv3x3": (2, 16, 16, 6, 3, 1, 1), "conv3x3_stride2": (2, 8, 16, 6, 3, 2, 1),
            "conv3x3_rgb": (2, 3, 16, 6, 3, 1, 1), "conv1x1_stride2": (2, 16, 32, 6, 1, 2, 0),
            "conv3x3_odd": (2, 5, 7, 5, 3, 1, 1), "conv5x5": (2, 1, 6, 9, 5, 1, 0)}.items():
        x, w = torch.randn(n, ci, h, h, requires_grad=True), (torch.randn(co, ci, k, k) * 0.2).requires_grad_(True)
        y = F.conv2d(x, w, stride=s, padding=p)
        dy = torch.randn_like(y)
        y.backward(dy)
        t |= {f"{name}.{key}": v for key, v in dict(x=x, w=w, y=y, dy=dy, dx=x.grad, dw=w.grad).items()}
    for mode in ("train", "eval"):
        bn = nn.BatchNorm2d(16)
        with torch.no_grad():
            bn.weight.uniform_(0.5, 1.5), bn.bias.normal_(), bn.running_mean.normal_(), bn.running_var.uniform_(0.5, 2)
        t |= state(bn, f"bn_{mode}.")
        bn.train(mode == "train")
        x = (torch.randn(3, 16, 5, 5) * 2 + 1).requires_grad_(True)
        y = bn(x)
        dy = torch.randn_like(y)
        y.backward(dy)
        t |= {f"bn_{mode}.{key}": v for key, v in dict(
            x=x, y=y, dy=dy, dx=x.grad, dweight=bn.weight.grad, dbias=bn.bias.grad,
            running_mean_after=bn.running_mean, running_var_after=bn.running_var).items()}
    x, w, b = (torch.randn(*shape, requires_grad=True) for shape in ((7, 64), (10, 64), (10,)))
    y = torch.tensor([0, 1, 2, 3, 9, 9, 4])
    for smoothing in (0.0, 0.1):
        logits = F.linear(x, w, b)
        loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
        dx, dw, db = torch.autograd.grad(loss, (x, w, b))
        t |= {f"linear_ce_{smoothing}.{key}": v for key, v in dict(
            x=x, w=w, b=b, y=y, logits=logits, loss=loss, dx=dx, dw=dw, db=db).items()}
    write("operators.safetensors", t, momentum=0.1, bn_eps=1e-5,
          note="conv: y = conv2d(x, w); dx, dw for upstream gradient dy. bn: momentum 0.1, unbiased running variance. "
               "linear_ce_S: mean cross entropy with label smoothing S")


def network(name, shortcut, channels, size, batch, gradients):
    def make():
        model = settled(shortcut, channels, size)
        x, y = torch.randn(batch, channels, size, size), torch.randint(0, 10, (batch,))
        Kinks.nearest = math.inf
        t = state(model, "model.") | {"x": x, "y": y}
        model.eval()
        logits, features = model(x)
        t |= {"eval.logits": logits} | {f"eval.feature{i}": f for i, f in enumerate(features)}
        trained = copy.deepcopy(model).train()
        xg = x.clone().requires_grad_(True)
        logits, features = trained(xg)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        t |= {"train.logits": logits, "train.loss": loss, "train.dx": xg.grad}
        t |= {f"train.feature{i}": f for i, f in enumerate(features)}
        t |= {f"train.grad.{n}": p.grad for n, p in trained.named_parameters() if n.startswith(gradients)}
        t |= {f"train.after.{k}": v for k, v in state(trained).items() if "running" in k}
        for kind in RULES:
            iterates, losses = refine(model, x, y, kind)
            t |= {f"{kind}.x1": iterates[0], f"{kind}.x5": iterates[-1], f"{kind}.losses": losses}
        return t

    write(f"{name}.safetensors", away_from_kinks(make, 3e-6), depth=8, classes=10, shortcut=shortcut, steps=5,
          rules=json.dumps(RULES),
          note="model.*: weights before. eval.*/train.*: forward, mean cross entropy, some gradients. RULE.xT: the T-th "
               "iterate, RULE.losses: loss at x_0..x_4, model in evaluation mode")


def mlp():
    def make():
        model, x, y = MLP(3 * 8 * 8, 10), torch.randn(5, 3, 8, 8), torch.randint(0, 10, (5,))
        xg = x.clone().requires_grad_(True)
        logits, features = model(xg)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        t = state(model, "model.") | {"x": x, "y": y, "logits": logits, "loss": loss, "dx": xg.grad}
        t |= {f"feature{i}": f for i, f in enumerate(features)}
        return t | {f"grad.{n}": p.grad for n, p in model.named_parameters()}

    write("mlp.safetensors", away_from_kinks(make, 1e-4), hidden="[32, 24]", classes=10,
          note="x is flattened in the order channel, row, column; ReLU after fc1 and fc2, whose outputs are the features")


def training():
    """Two cyclic steps, rule adam: student features on x (batch statistics), refined input with the model in
    evaluation mode, target features on it (batch statistics, no gradient), then one optimiser step."""
    def make():
        model = settled("projection", 3, 8)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
        weights = layer_weights(3, "uniform")
        t = state(model, "model.")
        Kinks.nearest = math.inf
        for s, alpha in enumerate([0.9, 0.6]):
            x, y = torch.randn(8, 3, 8, 8), torch.randint(0, 10, (8,))
            model.train()
            logits, features = model(x)
            task = F.cross_entropy(logits, y)
            refined = refine(model, x, y, "adam")[0][-1]
            with torch.no_grad():
                _, targets = model(refined)
            distillation = sum(w * F.mse_loss(f, g) for w, f, g in zip(weights, features, targets))
            total = alpha * task + (1 - alpha) * distillation
            optimizer.zero_grad()
            total.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            t |= {f"step{s}.x": x, f"step{s}.y": y, f"step{s}.alpha": torch.tensor(alpha), f"step{s}.task_loss": task,
                  f"step{s}.distillation_loss": distillation, f"step{s}.total_loss": total, f"step{s}.grad_norm": norm}
            if s == 0:
                t |= {f"step0.grad.{n}": p.grad.clone() for n, p in model.named_parameters() if p.numel() < 1000}
                # After the first step every weight has moved by lr times a sign, which rounding may turn.
                nearest = Kinks.nearest
            optimizer.step()
        Kinks.nearest = nearest
        return t | state(model, "step1.after.")

    write("training_adam.safetensors", away_from_kinks(make, 3e-6),
          optimizer="AdamW lr 1e-3 betas 0.9 0.999 eps 1e-8 weight_decay 0.01", clip=5.0, rule="adam", input_lr=2e-3,
          steps=5, layer_weights="uniform", depth=8, classes=10, shortcut="projection",
          note="two consecutive steps; grad.* are after clipping; running statistics are updated by the student pass, "
               "then by the target pass")


def read(name):
    """The tensors of a file that `write` made."""
    raw = open(os.path.join(OUT, name), "rb").read()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:start])
    return {key: torch.frombuffer(bytearray(raw[start + first : start + last]),
                                  dtype={"F32": torch.float32, "I64": torch.int64}[info["dtype"]]).reshape(info["shape"])
            for key, info in header.items() if key != "__metadata__" for first, last in [info["data_offsets"]]}


def gradients(model, prefix):
    """Of each parameter the gradient's norm, and the gradient itself where it has less than 100 elements."""
    grads = {n: p.grad.clone() for n, p in model.named_parameters()}
    return ({f"{prefix}.norm.{n}": g.norm() for n, g in grads.items()}
            | {f"{prefix}.grad.{n}": g for n, g in grads.items() if g.numel() < 100})


def statistics(model, prefix):
    return {f"{prefix}.after.{k}": v for k, v in state(model).items() if "running" in k}


def mixup_step(model, x, y, w):
    """w x + (1 - w) x[partners], and so the targets, smoothed by 0.1. Weight and partners are those that the program draws
    with alpha 1 from seed 0 at batch 3 of epoch 0."""
    partners = torch.tensor([5, 2, 3, 4, 6, 7, 1, 0])
    logits, _ = model.train()(w * x + (1 - w) * x[partners])
    loss = sum(share * F.cross_entropy(logits, labels, label_smoothing=0.1)
               for share, labels in ((w, y), (1 - w, y[partners])))
    loss.backward()
    return {"mixup.partners": partners, "mixup.loss": loss} | gradients(model, "mixup")


def cutmix():
    """One step of CutMix, like those of `baselines`: rows 3 to 7 and columns 5 to 8 of each image are those of its partner, and
    as much of the target is. Box and partners are those that the program draws with alpha 1 from seed 0 at batch 9 of epoch 0."""
    values = read("training_adam.safetensors")
    model = ResNet8(10, "projection", 3)
    model.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
    x, y = values["step0.x"], values["step0.y"]
    partners = torch.tensor([5, 2, 3, 4, 6, 7, 1, 0])
    pasted = x.clone()
    pasted[:, :, 3:7, 5:8] = x[partners][:, :, 3:7, 5:8]
    w = 1 - 4 * 3 / (8 * 8)
    Kinks.nearest = math.inf
    logits, _ = model.train()(pasted)
    loss = sum(share * F.cross_entropy(logits, labels, label_smoothing=0.1)
               for share, labels in ((w, y), (1 - w, y[partners])))
    loss.backward()
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("cutmix.safetensors", {"cutmix.partners": partners, "cutmix.loss": loss} | gradients(model, "cutmix"),
          note="cutmix.norm.*: the norm of each parameter's gradient; cutmix.grad.*: gradients of less than 100 elements")


def mixed():
    """Steps of a student on mixed images whose targets are of the unmixed ones (METHOD, "A mixed student"), with temperature 2 and
    weights 0.7 and 0.5: `refined` with mixup, one step of the rule sgd in between, as the program draws at batch 3; `plain` with CutMix
    and no refinement, as at batch 9."""
    values = read("training_adam.safetensors")
    x, y = values["step0.x"], values["step0.y"]
    partners = torch.tensor([5, 2, 3, 4, 6, 7, 1, 0])
    t, w = {}, 0.7685766176369683
    pasted = x.clone()
    pasted[:, :, 3:7, 5:8] = x[partners][:, :, 3:7, 5:8]
    Kinks.nearest = math.inf
    for name, seen, w, size in (("refined", w * x + (1 - w) * x[partners], w, 4.0),
                                ("plain", pasted, 1 - 4 * 3 / (8 * 8), None)):
        model = ResNet8(10, "projection", 3)
        model.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
        logits, features = model.train()(seen)
        task = w * F.cross_entropy(logits, y) + (1 - w) * F.cross_entropy(logits, y[partners])
        originals = x
        if size is not None:
            model.eval()
            originals = x.clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(F.cross_entropy(model(originals)[0], y), originals)
            originals = (originals - size * gradient).detach()
        with torch.no_grad():
            target, refined = model.train()(originals)
            q, z = F.softmax(target / 2, 1), refined[2].mean((2, 3))
            q, z = (w * value + (1 - w) * value[partners] for value in (q, z))
        divergence = 4 * F.kl_div(F.log_softmax(logits / 2, 1), q, reduction="batchmean")
        angle = (1 - F.cosine_similarity(features[2].mean((2, 3)), z)).mean()
        (task + 0.7 * (divergence + 0.5 * angle)).backward()
        t |= {f"{name}.loss": task, f"{name}.distillation_divergence": divergence, f"{name}.distillation_angle": angle}
        t |= gradients(model, name) | statistics(model, name)
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("mixed.safetensors", t, note="as baselines.safetensors")


def soft():
    """A step of soft targets (METHOD, "Variants"): 0.6 of the label is the softmax, at temperature 2, of the image that one step of the
    rule sgd has moved down the loss of the class predicted for it."""
    values = read("training_adam.safetensors")
    x, y = values["step0.x"], values["step0.y"]
    Kinks.nearest = math.inf
    model = ResNet8(10, "projection", 3)
    model.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
    logits, _ = model.train()(x)
    task = F.cross_entropy(logits, y)
    moved = x.clone().requires_grad_(True)
    output = model.eval()(moved)[0]
    (gradient,) = torch.autograd.grad(F.cross_entropy(output, output.argmax(1)), moved)
    with torch.no_grad():
        target = F.softmax(model.train()(x - 4 * gradient)[0] / 2, 1)
    loss = F.cross_entropy(logits, target)
    (0.4 * task + 0.6 * loss).backward()
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("soft.safetensors", {"soft.loss": task, "soft.soft_loss": loss, "soft.wrong": (output.argmax(1) != y).sum()}
          | gradients(model, "soft") | statistics(model, "soft"), note="as baselines.safetensors")


def late():
    """A step of late refinement (METHOD, "Variants"): the student's layer2 goes one step of the rule sgd down the loss of layer3 and fc in
    evaluation mode, and the student's pooled features learn those of the moved one, at weight 0.4 for 0.6 of the task loss."""
    values = read("training_adam.safetensors")
    x, y = values["step0.x"], values["step0.y"]
    Kinks.nearest = math.inf
    model = ResNet8(10, "projection", 3)
    model.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
    logits, features = model.train()(x)
    task = F.cross_entropy(logits, y)
    h = features[1].detach().requires_grad_(True)
    model.eval()
    before = F.cross_entropy(model.fc(model.layer3(h).mean((2, 3))), y)
    (gradient,) = torch.autograd.grad(before, h)
    with torch.no_grad():
        target = model.train().layer3(h - 400 * gradient).mean((2, 3))
    distillation = F.mse_loss(features[2].mean((2, 3)), target)
    (0.6 * task + 0.4 * distillation).backward()
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("late.safetensors", {"late.loss": task, "late.loss_at_x0": before, "late.layer_loss_0": distillation}
          | gradients(model, "late") | statistics(model, "late"), note="as baselines.safetensors")


def start():
    """The model and the first batch of training_adam.safetensors, and its second batch's images."""
    values = read("training_adam.safetensors")
    model = ResNet8(10, "projection", 3)
    model.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
    return model, values["step0.x"], values["step0.y"], values["step1.x"]


def fixed(model, x):
    """A copy of the model that is normalised by x's batch statistics, as constants, whatever it is given."""
    twin, handles = copy.deepcopy(model).train(), []
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm2d):
            def hold(module, inputs):
                module.held = (inputs[0].mean((0, 2, 3)).detach(), inputs[0].var((0, 2, 3), unbiased=False).detach())
            handles.append(module.register_forward_pre_hook(hold))
    with torch.no_grad():
        twin(x)
    for handle in handles:
        handle.remove()
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean, module.running_var = module.held
    return twin.eval()


def reused():
    """Cyclic steps whose first input gradient is that of the student's pass, its batch statistics being constants, and whose target
    pass is normalised by these too (METHOD, "Work that need not be done"), rule sgd, weight 0.4 for 0.6 of the task loss: `whole` with two
    steps, the second in evaluation mode; `part` with one, of the four images whose margin is smallest."""
    t = {}
    Kinks.nearest = math.inf
    for name in ("whole", "part"):
        model, x, y, _ = start()
        twin = fixed(model, x)
        logits, features = model.train()(x)
        task = F.cross_entropy(logits, y)
        others = logits.detach().scatter(1, y[:, None], -math.inf).max(1).values
        margins = logits.detach().gather(1, y[:, None])[:, 0] - others
        chosen = margins.argsort()[:4] if name == "part" else torch.arange(8)
        moved, labels = x[chosen], y[chosen]
        for network in (twin, copy.deepcopy(model).eval())[: 1 if name == "part" else 2]:
            moved = moved.detach().requires_grad_(True)
            loss = F.cross_entropy(network(moved)[0], labels, reduction="sum") / 8
            (gradient,) = torch.autograd.grad(loss, moved)
            moved = moved - 4 * gradient
        with torch.no_grad():
            targets = twin(moved)[1]
        losses = [F.mse_loss(f[chosen], g) for f, g in zip(features, targets)]
        (0.6 * task + 0.4 * sum(losses)).backward()
        t |= {f"{name}.loss": task} | {f"{name}.layer_loss_{i}": v for i, v in enumerate(losses)}
        t |= gradients(model, name) | statistics(model, name)
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("reused.safetensors", t, note="as baselines.safetensors")


def remembered():
    """The second of two steps on the same eight images, otherwise augmented, at the same weights: ELR with lambda 3 and beta 0.7
    (Liu et al. 2020), and PS-KD with 0.4 of the label (Kim et al. 2021)."""
    t = {}
    Kinks.nearest = math.inf
    for name in ("elr", "pskd"):
        model, first, y, second = start()
        model.train()
        with torch.no_grad():
            p = F.softmax(model(first)[0], 1)
        logits, _ = model(second)
        task = F.cross_entropy(logits, y)
        if name == "elr":
            average = torch.zeros(8, 10)
            for own in (p, F.softmax(logits, 1)):
                cut = own.clamp(1e-4, 1 - 1e-4)
                average = 0.7 * average + 0.3 * (cut.detach() / cut.detach().sum(1, keepdim=True))
            term = (1 - (average * cut).sum(1)).log().mean()
            (task + 3 * term).backward()
        else:
            term = F.cross_entropy(logits, p)
            (0.6 * task + 0.4 * term).backward()
        t |= {f"{name}.loss": task, f"{name}.{name}_loss": term} | gradients(model, name)
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("remembered.safetensors", t, note="as baselines.safetensors")


def sam_step(model, x, y, rho):
    """The gradient at w + rho g / ||g||; the first pass alone moves the running statistics."""
    loss = F.cross_entropy(model.train()(x)[0], y)
    loss.backward()
    t = {"sam.loss": loss} | statistics(model, "sam")
    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(p.grad * (rho / (norm + 1e-12)))
    model.zero_grad()
    F.cross_entropy(model(x)[0], y).backward()
    return t | gradients(model, "sam")


def adversarial_step(model, x, y, size):
    """Cross entropy on x_2 of the rule sgd, refined with the running statistics from before the step."""
    x = x.detach()
    model.eval()
    for _ in range(2):
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(x)[0], y), x)
        x = x.detach() - size * gradient
    loss = F.cross_entropy(model.train()(x)[0], y)
    loss.backward()
    return {"adversarial.loss": loss} | gradients(model, "adversarial") | statistics(model, "adversarial")


def stray_step(model, x, y, alpha):
    """A cyclic step of the authors' code: the weight gradient of the evaluation-mode loss at x_0 comes on top."""
    logits, features = model.train()(x)
    task = F.cross_entropy(logits, y)
    F.cross_entropy(model.eval()(x)[0], y).backward()
    refined = refine(model, x, y, "adam")[0][-1]
    with torch.no_grad():
        _, targets = model.train()(refined)
    distillation = sum(F.mse_loss(f, g) for f, g in zip(features, targets))
    (alpha * task + (1 - alpha) * distillation).backward()
    return {"stray.loss": task} | gradients(model, "stray")


class Branched(nn.Module):
    """BYOT with dense branches: after each stage but the last average pool, a ReLU layer as wide as the last features,
    logits. Weight k of each tensor is scale sin(k + 1)."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk
        self.branch1, self.branch2 = (nn.ModuleDict({"hidden": nn.Linear(c, 64), "fc": nn.Linear(64, 10)}) for c in (16, 32))
        with torch.no_grad():
            for branch in (self.branch1, self.branch2):
                for p in branch.parameters():
                    p.copy_((0.2 * torch.arange(1, p.numel() + 1, dtype=torch.float64).sin()).reshape(p.shape))

    def forward(self, x):
        logits, features = self.trunk(x)
        hidden = [relu(b["hidden"](f.mean((2, 3)))) for b, f in zip((self.branch1, self.branch2), features)]
        return logits, features[-1].mean((2, 3)), hidden, [b["fc"](h) for b, h in zip((self.branch1, self.branch2), hidden)]


def branches_step(model, x, y, temperature):
    """CE + sum over branches of 0.7 CE + 0.3 T^2 KL(deepest || branch) + 0.1 ||hidden - deepest features||^2."""
    model = Branched(model).train()
    logits, deepest, hidden, shallow = model(x)
    teacher = (logits.detach() / temperature).softmax(1)
    task = F.cross_entropy(logits, y)
    tasks = [F.cross_entropy(z, y) for z in shallow]
    divergences = [temperature**2 * F.kl_div((z / temperature).log_softmax(1), teacher, reduction="batchmean") for z in shallow]
    hints = [((h - deepest.detach()) ** 2).sum(1).mean() for h in hidden]
    shallow_loss = 0.7 * sum(tasks) + 0.3 * sum(divergences) + 0.1 * sum(hints)
    (task + shallow_loss).backward()
    named = {"branches.loss": task, "branches.branch_loss": shallow_loss} | gradients(model, "branches")
    return {k.replace(".trunk.", "."): v for k, v in named.items()}


def baselines():
    """One step of each, on the model and the first batch of training_adam.safetensors."""
    values = read("training_adam.safetensors")
    start = ResNet8(10, "projection", 3)
    start.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
    x, y, t = values["step0.x"], values["step0.y"], {}
    Kinks.nearest = math.inf
    for step, number in ((mixup_step, 0.7685766176369683), (sam_step, 0.05), (adversarial_step, 0.4), (stray_step, 0.9),
                         (branches_step, 3.0)):
        t |= step(copy.deepcopy(start), x, y, number)
    # Another such number moves ReLUs away from their kinks.
    assert Kinks.nearest >= 3e-6, Kinks.nearest
    write("baselines.safetensors", t,
          note="NAME.norm.*: the norm of each parameter's gradient; NAME.grad.*: gradients of less than 100 elements; "
               "NAME.after.*: running statistics after the step")


def rules():
    """Each rule alone: 50 steps over a given gradient sequence, in double precision, rounded once at the end."""
    torch.manual_seed(SEED + 1)
    scales = torch.logspace(-5, 1, 16)
    x0, g = torch.randn(16), torch.randn(50, 16) * scales + 0.3 * scales
    t, rates = {"x0": x0, "gradients": g}, RULES | {"sgd": 0.01}
    for kind, lr in rates.items():
        x, rule, iterates = x0.double(), Rule(kind, lr), []
        for gradient in g.double():
            x = rule.step(x, gradient)
            iterates.append(x)
        t[f"{kind}.x"] = torch.stack(iterates).float()
    write("rules.safetensors", t, **rates, note="RULE.x[i] is the iterate after gradients[0..i]")


def optimizers():
    """20 steps of each optimiser over given gradients; the first 16 of 24 parameters decay."""
    torch.manual_seed(SEED + 2)
    p0, g = torch.randn(24), torch.randn(20, 24) * torch.logspace(-4, 1, 24)
    rates = torch.linspace(0.02, 0.001, 20)
    t = {"p0": p0, "gradients": g, "learning_rates": rates}
    kinds = {
        "adamw": lambda groups, decay: torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay),
        "adamw_betas": lambda groups, decay: torch.optim.AdamW(groups, betas=(0.8, 0.95), eps=1e-3, weight_decay=decay),
        "sgd": lambda groups, decay: torch.optim.SGD(groups, weight_decay=decay),
        "sgd_momentum": lambda groups, decay: torch.optim.SGD(groups, momentum=0.9, weight_decay=decay),
        "sgd_nesterov": lambda groups, decay: torch.optim.SGD(groups, momentum=0.9, nesterov=True, weight_decay=decay)}
    for kind, make in kinds.items():
        for suffix, decay in (("", 0.0), ("_decay", 0.1)):
            parts = [nn.Parameter(part.clone()) for part in p0.split([16, 8])]
            optimizer = make([{"params": parts[:1]}, {"params": parts[1:], "weight_decay": 0.0}], decay)
            after = []
            for gradient, rate in zip(g, rates):
                for part, own in zip(parts, gradient.split([16, 8])):
                    part.grad = own.clone()
                for group in optimizer.param_groups:
                    group["lr"] = rate.item()
                optimizer.step()
                after.append(torch.cat([part.detach() for part in parts]))
            t[f"{kind}{suffix}.p"] = torch.stack(after)
            for slot in ("exp_avg", "exp_avg_sq", "momentum_buffer"):
                values = [optimizer.state[part].get(slot) for part in parts]
                if values[0] is not None:
                    t[f"{kind}{suffix}.{slot}"] = torch.cat(values)
    write("optimizers.safetensors", t, decaying=16, weight_decay=0.1,
          note="KIND.p[i]: parameters after gradients[0..i] at learning_rates[0..i]; KIND_decay with weight decay on the "
               "first 16; KIND.SLOT: state after the last step")


def averages():
    """Ten steps of a parameter and a buffer, and their exponential moving averages."""
    torch.manual_seed(SEED + 6)
    swa = torch.optim.swa_utils
    model = nn.Module()
    model.p = nn.Parameter(torch.randn(16))
    model.register_buffer("b", torch.rand(8))
    t = {"p0": model.p, "b0": model.b, "p": [], "b": []}
    for decay in (0.9, 0.999):
        # Its first update takes the values as they are; the next ones are ema.lerp_(value, 1 - decay), as timm's
        # ModelEmaV3 has it from the start.
        averaged = swa.AveragedModel(model, multi_avg_fn=swa.get_ema_multi_avg_fn(decay), use_buffers=True)
        averaged.update_parameters(model)
        t |= {f"{decay}.p": [], f"{decay}.b": []}
        trained = copy.deepcopy(model)
        generator = torch.Generator().manual_seed(SEED)
        for step in range(10):
            with torch.no_grad():
                trained.p += 0.3 * torch.randn(16, generator=generator)
                trained.b.lerp_(torch.rand(8, generator=generator), 0.1)
            averaged.update_parameters(trained)
            for name in ("p", "b"):
                if decay == 0.9:
                    t[name].append(getattr(trained, name).detach().clone())
                t[f"{decay}.{name}"].append(getattr(averaged.module, name).detach().clone())
    write("averages.safetensors", {k: torch.stack(v) if isinstance(v, list) else v for k, v in t.items()},
          note="p[i], b[i]: after step i, from p0 and b0; DECAY.p[i], DECAY.b[i]: their averages, which began as p0 and b0")


def metrics():
    """Logits with their mean cross entropy and their calibration error (15 bins), in double precision."""
    torch.manual_seed(SEED + 3)
    y = torch.randint(0, 5, (200,))  # of 7 classes: one is never true, and one is in neither truth nor prediction
    logits = torch.randn(200, 7) * 1.5 + 2 * F.one_hot(y, 7)
    logits[:, 6] -= 20
    probabilities = logits.double().softmax(1)
    confidence, predicted = probabilities.max(1)
    ece = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            gap = (predicted[inside] == y[inside]).double().mean() - confidence[inside].mean()
            ece += inside.double().mean().item() * abs(gap.item())
    scores = []
    for c in sorted(set(y.tolist()) | set(predicted.tolist())):
        hits, true, told = (((predicted == c) & (y == c)).sum().item(), (y == c).sum().item(), (predicted == c).sum().item())
        precision, recall = hits / told if told else 0.0, hits / true if true else 0.0
        scores.append((precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0))
    precision, recall, f1 = (sum(column) / len(scores) for column in zip(*scores))
    t = {"logits": logits, "y": y, "predicted": predicted}
    write("metrics.safetensors", t, loss=F.cross_entropy(logits.double(), y).item(), ece=ece, precision=precision,
          recall=recall, f1=f1, accuracy=(predicted == y).double().mean().item(), bins=15)


def corruptions():
    """Pixel bytes (2, 9, 7), and corrupted pixel values in 0..1 at severity 1 and 5."""
    torch.manual_seed(SEED + 4)
    pixels = torch.randint(0, 256, (2, 9, 7))
    x, t = pixels.double() / 255, {"pixels": pixels}
    for severity, sigma, light, scale in ((1, 0.4, 0.05, 0.75), (5, 1.0, 0.3, 0.15)):
        radius = int(4 * sigma + 0.5)
        k = torch.arange(-radius, radius + 1).double()
        kernel = torch.exp(-(k[:, None] ** 2 + k[None, :] ** 2) / (2 * sigma * sigma))
        padded = F.pad(x[:, None], (radius,) * 4, mode="replicate")
        blurred = F.conv2d(padded, (kernel / kernel.sum())[None, None])[:, 0]
        mean = x.mean((1, 2), keepdim=True)
        for name, value in (("gaussian_blur", blurred), ("brightness", x + light), ("contrast", mean + scale * (x - mean))):
            t[f"{name}.{severity}"] = value.clamp(0, 1).float()
    write("corruptions.safetensors", t, note="blur: the two-dimensional kernel, edges repeated")


def attacks():
    """Adversarial examples on an MLP, in normalised units: eps = 8/255 and steps of 2/255 of pixel values, divided by std."""
    mean, std = torch.tensor([0.45, 0.5]).view(1, 2, 1, 1), torch.tensor([0.2, 0.3]).view(1, 2, 1, 1)

    def make():
        model = MLP(2 * 4 * 4, 5)
        # Some pixels near black and white, where the range of pixels ends the move.
        x, y = (torch.rand(6, 2, 4, 4) * 1.1 - 0.05).clamp(0, 1), torch.randint(0, 5, (6,))
        x = (x - mean) / std
        low = torch.maximum(x - 8 / 255 / std, (0 - mean) / std)
        high = torch.minimum(x + 8 / 255 / std, (1 - mean) / std)

        def moved(at, step):
            at = at.detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(F.cross_entropy(model(at)[0], y, reduction="sum"), at)
            return torch.maximum(torch.minimum(at.detach() + step / std * gradient.sign(), high), low)

        Kinks.nearest = math.inf
        fgsm, pgd = moved(x, 8 / 255), x
        for _ in range(20):
            pgd = moved(pgd, 2 / 255)
        return state(model, "model.") | {"x": x, "y": y, "fgsm": fgsm, "pgd": pgd}

    write("attacks.safetensors", away_from_kinks(make, 1e-5), hidden="[32, 24]", mean="[0.45, 0.5]", std="[0.2, 0.3]",
          note="pgd starts at x itself")


FINE_TUNING = {  # name: (frozen prefixes, whether their statistics are fixed, factors of the learning rate)
    "frozen": (["conv1", "bn1", "layer1", "layer2"], False, {}),
    "fixed": (["conv1", "bn1", "layer1", "layer2"], True, {}),
    "within": (["layer2", "fc.bias"], False, {}),
    "within_fixed": (["layer2", "fc.bias"], True, {}),
    "multipliers": ([], False, {"conv1": 0.0625, "layer1": 0.25, "layer3.0.conv2": 2.0, "fc": 4.0}),
    "both": (["conv1", "bn1", "layer1"], True, {"layer2": 0.25})}


def fine_tuning():
    """Ten steps of SGD each from the model of training_adam.safetensors, all on the same batches."""
    values = read("training_adam.safetensors")
    torch.manual_seed(SEED + 7)
    x, y, t = torch.randn(10, 8, 3, 8, 8), torch.randint(0, 10, (10, 8)), {}
    for name, (frozen, fixes, factors) in FINE_TUNING.items():
        model = ResNet8(10, "projection", 3)
        model.load_state_dict({k.removeprefix("model."): v for k, v in values.items() if k.startswith("model.")}, strict=False)
        covers = lambda prefix, key: key == prefix or key.startswith(prefix + ".")
        groups = {}
        for key, parameter in model.named_parameters():
            parameter.requires_grad = not any(covers(prefix, key) for prefix in frozen)
            factor = max([(len(prefix), f) for prefix, f in factors.items() if covers(prefix, key)], default=(0, 1.0))[1]
            groups.setdefault(factor, []).append(parameter)
        optimizer = torch.optim.SGD([{"params": p, "lr": 0.02 * factor} for factor, p in groups.items()],
                                    momentum=0.9, weight_decay=5e-3)
        losses, norms = [], []
        for images, labels in zip(x, y):
            model.train()
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad and fixes:
                    module.eval()
            loss = F.cross_entropy(model(images)[0], labels)
            optimizer.zero_grad()
            loss.backward()
            norms.append(torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 2.0))
            optimizer.step()
            losses.append(loss.detach())
        t |= {f"{name}.losses": torch.stack(losses), f"{name}.norms": torch.stack(norms)}
        t |= {f"{name}.after.{k}": v for k, v in state(model).items() if v.numel() < 1000}
    write("fine_tuning.safetensors", {"x": x, "y": y} | t, optimizer="SGD lr 0.02 momentum 0.9 weight_decay 5e-3", clip=2.0,
          note="NAME.losses, .norms (before clipping) of ten steps; NAME.after.*: parameters and statistics after the last")


def class_weights():
    """The weighted mean of a batch, with and without label smoothing, and what mixup's two targets make of it."""
    torch.manual_seed(SEED + 8)
    model, x, y = MLP(2 * 4 * 4, 5), torch.randn(11, 2, 4, 4), torch.tensor([0, 1, 2, 3, 4, 0, 0, 0, 1, 1, 2])
    weight, partners = torch.tensor([0.5, 1.0, 3.0, 0.25, 2.0]), torch.tensor([1, 0, 3, 2, 5, 4, 7, 6, 9, 10, 8])
    t = state(model, "model.") | {"x": x, "y": y, "weight": weight, "partners": partners}
    logits = model(x)[0]
    for name, smoothing, share in (("plain", 0.0, 1.0), ("smoothed", 0.1, 1.0), ("mixed", 0.1, 0.75)):
        loss = sum(s * F.cross_entropy(logits, labels, weight=weight, label_smoothing=smoothing)
                   for s, labels in ((share, y), (1 - share, y[partners])))
        (gradient,) = torch.autograd.grad(loss, logits, retain_graph=True)
        t |= {f"{name}.loss": loss, f"{name}.gradient": gradient}
    write("class_weights.safetensors", t | {"logits": logits}, hidden="[32, 24]",
          note="NAME.gradient: with respect to the logits; mixed: 0.75 of y, 0.25 of y[partners]")


def schedules():
    def rates(make, epochs, steps_per_epoch, per_epoch):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler, result = make(optimizer), []
        for _ in range(epochs):
            for _ in range(steps_per_epoch):
                result.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if not per_epoch:
                    scheduler.step()
            if per_epoch:
                scheduler.step()
        return result

    def plateau(mode, values):
        """The rate of each epoch, and after the last one, by what the epochs before came to."""
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode=mode, factor=0.5, patience=2, min_lr=0.1 * 0.05, eps=0)
        rates = [0.1]
        for value in values:
            optimizer.step()
            scheduler.step(value)
            rates.append(optimizer.param_groups[0]["lr"])
        return {"values": values, "rates": rates}

    # Falls, then moves up and down about a level; some steps are below the threshold of 1e-4.
    losses = [2.0, 1.5, 1.2, 1.2, 1.19999, 1.19995, 1.1, 1.11, 1.12, 1.13, 1.09] + [1.1 + 0.01 * (i % 3) for i in range(25)]
    kinds = ("uniform", "cosine", "cosine_increasing")
    table = {
        "plateau": {"min": plateau("min", losses), "max": plateau("max", [1 - x / 3 for x in losses])},
        "alpha": {f"epochs={e},warmup={int(r * e)}": [alpha_at(i, int(r * e), e) for i in range(e)]
                  for e in (10, 100) for r in (0, 0.25, 0.5, 0.75, 1)},
        "layer_weights": {f"{k},{n}": layer_weights(n, k) for k in kinds for n in (1, 2, 3, 4, 8)},
        "learning_rate": {
            "cosine": rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 24), 4, 6, False),
            "step": rates(lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2, 3], 0.1), 4, 6, True),
            "one_cycle": rates(lambda o: torch.optim.lr_scheduler.OneCycleLR(
                o, 0.1, total_steps=24, cycle_momentum=False), 4, 6, False)},
        "note": "learning_rate: base 0.1, 4 epochs of 6 steps; milestones 2 and 3, gamma 0.1. "
                "plateau: base 0.1, factor 0.5, patience 2, min_lr 0.005"}
    with open(os.path.join(OUT, "schedules.json"), "w") as file:
        json.dump(table, file, indent=1)
    print("schedules.json")


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    operators()
    network("resnet8", "projection", 3, 16, 3,
            ("conv1", "bn1", "layer1.0.conv1", "layer2.0.bn", "layer2.0.conv1", "layer2.0.downsample", "layer3.0.bn", "fc"))
    network("resnet8_pad", "pad", 1, 12, 2,
            ("conv1", "bn1", "layer1.0.bn", "layer2.0.bn", "layer3.0.bn", "fc"))
    mlp()
    training()
    baselines()
    cutmix()
    mixed()
    soft()
    late()
    reused()
    remembered()
    rules()
    optimizers()
    averages()
    metrics()
    corruptions()
    attacks()
    fine_tuning()
    class_weights()
    schedules()
    total = sum(os.path.getsize(os.path.join(OUT, f)) for f in os.listdir(OUT) if f.endswith((".safetensors", ".json")))
    print(total, "bytes in all")
    assert total < LIMIT, f"{total} bytes, more than {LIMIT}"

"""Five small networks as ONNX files, and their reference values from PyTorch in double precision.

    pip install torch safetensors onnx onnxscript
    python make_onnx.py [OUTPUT_DIR]        (default: this folder)

NAME.onnx as launch/export-model writes it, and NAME_onnx.safetensors: a batch x, a seed at the logits; eval.logits, eval.dx;
train.logits, train.grad.PARAMETER, train.after.BUFFER.
"""
import os, sys, warnings
import torch, torch.nn as nn, torch.nn.functional as F
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../launch"))
from export_model import export  # noqa: E402


def conv(inputs, outputs, kernel, stride=1, groups=1, act=nn.ReLU):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs), act() if act else nn.Identity())


class Head(nn.Module):
    def __init__(self, body, width):
        super().__init__()
        self.body, self.fc = body, nn.Linear(width, 5)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


class Residual(nn.Module):
    """Pre-activation: normalisation alone, and sums without a ReLU."""
    def __init__(self, width):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))


class Squeeze(nn.Module):
    """Depthwise, squeeze and excitation, HardSwish and SiLU."""
    def __init__(self, width):
        super().__init__()
        self.expand, self.depth = conv(width, 24, 1, act=nn.Hardswish), conv(24, 24, 5, 2, 24, nn.SiLU)
        self.down, self.up = nn.Conv2d(24, 8, 1), nn.Conv2d(8, 24, 1)
        self.project = conv(24, width, 1, act=None)

    def forward(self, x):
        x = self.depth(self.expand(x))
        x = x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))
        return self.project(x)


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.BatchNorm2d(8 + 6 * i), nn.ReLU(), nn.Conv2d(
            8 + 6 * i, 6, 3, padding=1, bias=False)) for i in range(3))
        self.last = conv(26, 16, 1)

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return F.avg_pool2d(self.last(x), 2)


class ConvNeXt(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.depth, self.norm = nn.Conv2d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width, 1e-6)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.rand(width, 1, 1))

    def forward(self, x):
        y = self.norm(self.depth(x).permute(0, 2, 3, 1))
        return x + self.scale * self.down(F.gelu(self.up(y))).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Patches, a class token, positions, a block of attention with a table of relative positions and a temperature."""
    def __init__(self, width, heads):
        super().__init__()
        self.patch, self.heads = nn.Conv2d(3, width, 4, 4), heads
        self.class_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 17, width))
        self.table, self.temperature = nn.Parameter(torch.randn(33, heads)), nn.Parameter(torch.tensor(0.3))
        self.register_buffer("places", torch.arange(17)[:, None] - torch.arange(17)[None] + 16)
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm, self.fc = nn.LayerNorm(width), nn.Linear(width, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.places.flatten()].reshape(t, t, self.heads).permute(2, 0, 1)
        y = ((q * self.temperature.exp() * (c // self.heads) ** -0.5) @ k.transpose(-2, -1) + bias).softmax(-1) @ v
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.fc(self.norm(x)[:, 0])


MODELS = {
    "preactivation": lambda: Head(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), Residual(8), nn.MaxPool2d(2),
                                                Residual(8), nn.BatchNorm2d(8), nn.ReLU()), 8),
    "squeeze": lambda: Head(nn.Sequential(conv(3, 12, 3), Squeeze(12), Squeeze(12)), 12),
    "densenet": lambda: Head(nn.Sequential(conv(3, 8, 3), Dense()), 16),
    "convnext": lambda: Head(nn.Sequential(nn.Conv2d(3, 12, 2, 2), ConvNeXt(12), ConvNeXt(12)), 12),
    "attention": lambda: Attention(16, 2),
}


def main():
    for index, (name, make) in enumerate(MODELS.items()):
        torch.manual_seed(20260300 + index)
        model = make()
        for key, buffer in model.named_buffers():
            if "running" in key:
                buffer.copy_(torch.rand_like(buffer) * 0.5 + (0.7 if "var" in key else -0.25))
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.5, 0.5)
        export(model, os.path.join(OUT, f"{name}.onnx"), size=16, metadata={})
        model = model.double().eval()
        x, seed = torch.randn(5, 3, 16, 16).double(), torch.randn(5, 5).double()
        t = {"x": x, "seed": seed}
        image = x.clone().requires_grad_()
        t["eval.logits"] = model(image)
        t["eval.dx"] = torch.autograd.grad((t["eval.logits"] * seed).sum(), image)[0]
        t["train.logits"] = model.train()(x)
        gradients = torch.autograd.grad((t["train.logits"] * seed).sum(), list(model.parameters()))
        t |= {f"train.grad.{k}": g for (k, _), g in zip(model.named_parameters(), gradients)}
        t |= {f"train.after.{k}": b for k, b in model.named_buffers() if "running" in k}
        save_file({k: v.detach().float().contiguous() for k, v in t.items()}, os.path.join(OUT, f"{name}_onnx.safetensors"))
        print(name, sum(p.numel() for p in model.parameters()), "parameters")


main()

"""Reference values of the graph's operators, computed with PyTorch in double precision: graph_operators.safetensors.

    pip install torch safetensors
    python make_operators.py [OUTPUT_DIR]        (default: this folder)

Of each case: x (batch first), parameters p.NAME, y, a random dy, and the gradients dx and g.NAME of sum(y dy). Cases of two
operands hold both in x, one after the other along the channels.
"""
import os, sys
import torch, torch.nn as nn, torch.nn.functional as F
from safetensors.torch import save_file

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(20260301)
MAP, SEQUENCE = (3, 8, 7, 6), (3, 5, 8)  # (batch, channels, height, width), (batch, tokens, features)


class Function(nn.Module):
    def __init__(self, function, **parameters):
        super().__init__()
        self.function = function
        for name, shape in parameters.items():
            self.register_parameter(name, nn.Parameter(torch.randn(shape)))

    def forward(self, x):
        return self.function(x, **dict(self.named_parameters()))


def halves(function):
    return Function(lambda x: function(*x.chunk(2, 1)))


def positive(function):
    return Function(lambda x: function(x.abs() + 0.5))


CASES = {
    "conv": (nn.Conv2d(8, 6, 3, padding=1, bias=False), MAP),
    "conv_bias_stride": (nn.Conv2d(8, 6, (3, 2), stride=(2, 1), padding=(1, 0)), MAP),
    "conv_dilated": (nn.Conv2d(8, 4, 3, dilation=2, padding=2), MAP),
    "conv_groups": (nn.Conv2d(8, 12, 3, groups=4, padding=1, bias=False), MAP),
    "conv_depthwise": (nn.Conv2d(8, 8, 3, groups=8, stride=2, padding=1), MAP),
    "conv_depthwise_5": (nn.Conv2d(8, 8, 5, groups=8, padding=2, bias=False), MAP),
    "conv_pointwise": (nn.Conv2d(8, 20, 1), MAP),
    "conv_asymmetric": (nn.Sequential(nn.ZeroPad2d((0, 1, 2, 1)), nn.Conv2d(8, 6, 3, stride=2, bias=False)), MAP),
    "conv_transposed": (nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1), MAP),
    "conv_transposed_groups": (nn.ConvTranspose2d(8, 4, 2, stride=2, groups=2, bias=False), MAP),
    "batch_norm": (nn.BatchNorm2d(8), MAP),
    "layer_norm": (nn.LayerNorm(8), SEQUENCE),
    "layer_norm_two": (nn.LayerNorm((5, 8)), SEQUENCE),
    "layer_norm_channels": (Function(lambda x, weight, bias: F.layer_norm(
        x.permute(0, 2, 3, 1), (8,), weight, bias, 1e-6).permute(0, 3, 1, 2), weight=8, bias=8), MAP),
    "group_norm": (nn.GroupNorm(4, 8), MAP),
    "relu": (nn.ReLU(), MAP), "leaky_relu": (nn.LeakyReLU(0.2), MAP), "clip": (nn.ReLU6(), MAP),
    "sigmoid": (nn.Sigmoid(), MAP), "silu": (nn.SiLU(), MAP), "hard_sigmoid": (nn.Hardsigmoid(), MAP),
    "hard_swish": (nn.Hardswish(), MAP), "gelu": (nn.GELU(), MAP), "gelu_tanh": (nn.GELU("tanh"), MAP),
    "tanh": (nn.Tanh(), MAP), "elu": (nn.ELU(0.7), MAP), "softplus": (nn.Softplus(), MAP),
    "erf": (Function(torch.erf), MAP), "exp": (Function(torch.exp), MAP), "abs": (Function(torch.abs), MAP),
    "neg": (Function(torch.neg), MAP), "sqrt": (positive(torch.sqrt), MAP), "log": (positive(torch.log), MAP),
    "power": (positive(lambda x: x ** 1.7), MAP), "square": (Function(lambda x: x ** 2), MAP),
    "reciprocal": (positive(lambda x: 1 / x), MAP),
    "softmax_channels": (nn.Softmax(1), MAP), "softmax_last": (nn.Softmax(-1), SEQUENCE),
    "max_pool": (nn.MaxPool2d(3, 2, 1), MAP), "max_pool_ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), MAP),
    "max_pool_dilated": (nn.MaxPool2d((2, 3), (1, 2), dilation=(2, 1)), MAP),
    "average_pool": (nn.AvgPool2d(3, 2, 1), MAP),
    "average_pool_inside": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), MAP),
    "average_pool_ceil": (nn.AvgPool2d(2, 2, ceil_mode=True), MAP),
    "global_pool": (nn.AdaptiveAvgPool2d(1), MAP),
    "mean_tokens": (Function(lambda x: x.mean(1)), SEQUENCE), "sum_last": (Function(lambda x: x.sum(-1, True)), MAP),
    "add": (halves(torch.add), MAP), "sub": (halves(torch.sub), MAP), "mul": (halves(torch.mul), MAP),
    "div": (halves(lambda a, b: a / (b.abs() + 0.5)), MAP),
    "squeeze_excite": (Function(lambda x: x * torch.sigmoid(x.mean((2, 3), True))), MAP),
    "mul_position": (Function(lambda x: x * x.mean(1, True)), MAP),
    "div_channel": (Function(lambda x: x / (x.abs().mean((2, 3), True) + 0.5)), MAP),
    "sub_from": (Function(lambda x: 2 - x), MAP),
    "layer_scale": (Function(lambda x, scale: x * scale, scale=(8, 1, 1)), MAP),
    "position_embedding": (Function(lambda x, table: x + table, table=(1, 5, 8)), SEQUENCE),
    "div_by_parameter": (Function(lambda x, scale: x / (scale * scale + 0.5), scale=(8, 1, 1)), MAP),
    "concat": (Function(lambda x: torch.cat([x, x[:, 2:5] * 2, x[:, :1]], 1)), MAP),
    "concat_width": (Function(lambda x: torch.cat([x, x * x], 3)), MAP),
    "slice": (Function(lambda x: x[:, 1:7:2, 2:, ::3]), MAP),
    "pad": (Function(lambda x: F.pad(x, (1, 2, 0, 3), value=0.5)), MAP),
    "transpose": (Function(lambda x: x.permute(0, 3, 1, 2)), MAP),
    "tokens": (Function(lambda x: x.flatten(2).transpose(1, 2)), MAP),
    "shuffle": (Function(lambda x: x.reshape(-1, 2, 4, 7, 6).transpose(1, 2).reshape(-1, 8, 7, 6)), MAP),
    "flatten": (nn.Flatten(), MAP),
    "expand": (Function(lambda x: x.mean(2, True).expand(-1, -1, 7, -1)), MAP),
    "gather": (Function(lambda x: x[:, [3, 0, 3]]), MAP),
    "class_token": (Function(lambda x, token: torch.cat([token.expand(3, -1, -1), x], 1), token=(1, 1, 8)), SEQUENCE),
    "linear": (nn.Linear(8, 12), SEQUENCE), "linear_map": (Function(
        lambda x, weight: (x.permute(0, 2, 3, 1) @ weight).permute(0, 3, 1, 2), weight=(8, 12)), MAP),
    "matmul": (Function(lambda x: x @ x.tanh().transpose(1, 2)), SEQUENCE),
    "matmul_plain": (Function(lambda x: x.tanh() @ x.sigmoid()), (3, 4, 6, 6)),
    "attention": (Function(lambda x, weight, out: _attention(x, weight, out), weight=(24, 8), out=(8, 8)), SEQUENCE),
}


def _attention(x, weight, out):
    q, k, v = (x @ weight.T).reshape(3, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
    mixed = (q @ k.transpose(-1, -2) / 2).softmax(-1) @ v
    return mixed.transpose(1, 2).reshape(3, 5, 8) @ out.T


def main():
    tensors = {}
    for name, (module, shape) in CASES.items():
        module = module.double()
        for p in module.parameters():
            with torch.no_grad():
                p.copy_((p + 0.3 * torch.randn_like(p)).float())
        x = torch.randn(shape).double().requires_grad_()
        y = module(x)
        dy = torch.randn_like(y).float().double()
        gradients = torch.autograd.grad((y * dy).sum(), [x, *module.parameters()])
        tensors |= {f"{name}.x": x, f"{name}.y": y, f"{name}.dy": dy, f"{name}.dx": gradients[0]}
        for (key, p), g in zip(module.named_parameters(), gradients[1:]):
            tensors |= {f"{name}.p.{key}": p, f"{name}.g.{key}": g}
    tensors = {k: v.detach().float().contiguous() for k, v in tensors.items()}
    save_file(tensors, os.path.join(OUT, "graph_operators.safetensors"))
    print(f"{len(CASES)} cases")


main()

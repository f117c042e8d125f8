"""What bfloat16 costs PyTorch, on the networks of make_fixtures.py: the distance of torch.autocast(bfloat16) from float64.

    pip install torch
    python make_bfloat16.py [OUTPUT_DIR]        (default: this folder)

Reads resnet8.safetensors and resnet8_pad.safetensors, and writes bfloat16.safetensors. Of each network NAME:

    NAME.eval.dx                 the gradient of the summed cross entropy with respect to the images, evaluation mode, float64
    NAME.autocast.eval.logits    how far autocast's logits are: the largest difference over the largest value
    NAME.autocast.eval.dx        and its gradient: the norm of the difference over the norm
    NAME.autocast.eval.signs     the share of the gradient's elements whose sign is float64's
    NAME.autocast.train.logits   as above, in training mode
    NAME.autocast.train.grad     of the gradients that the network's file has, together: the norm of the difference over the norm
"""
import torch, torch.nn.functional as F
from make_fixtures import ResNet8, read, write


def run(model, x, y, dtype, training):
    """Logits, the images' gradient and the parameters'."""
    model.train(training)
    model.zero_grad()
    x = x.clone().requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        logits, _ = model(x)
    loss = F.cross_entropy(logits.to(x.dtype), y, reduction="mean" if training else "sum")
    loss.backward()
    return logits.detach().double(), x.grad.double(), {n: p.grad.double().clone() for n, p in model.named_parameters()}


def largest(a, b):
    return (a - b).abs().max() / b.abs().max()


def relative(a, b):
    return (a - b).norm() / b.norm()


def compare(name, shortcut):
    file = read(f"{name}.safetensors")
    x, y = file["x"], file["y"]
    weights = {k[len("model."):]: v for k, v in file.items() if k.startswith("model.")}
    kept = [k[len("train.grad."):] for k in file if k.startswith("train.grad.")]

    def both(training):
        results = []
        for dtype in (torch.float64, torch.bfloat16):
            model = ResNet8(10, shortcut, x.shape[1])
            model.load_state_dict(weights, strict=False)
            wide = torch.float64 if dtype == torch.float64 else torch.float32
            results.append(run(model.to(wide), x.to(wide), y, dtype, training))
        return results

    (logits, dx, _), (half_logits, half_dx, _) = both(False)
    t = {"eval.dx": dx, "autocast.eval.logits": largest(half_logits, logits), "autocast.eval.dx": relative(half_dx, dx),
         "autocast.eval.signs": (half_dx.sign() == dx.sign()).double().mean()}
    (logits, _, grads), (half_logits, _, half_grads) = both(True)
    flat = lambda gradients: torch.cat([gradients[n].flatten() for n in kept])
    t |= {"autocast.train.logits": largest(half_logits, logits), "autocast.train.grad": relative(flat(half_grads), flat(grads))}
    print(name, {k: float(v) for k, v in t.items() if v.numel() == 1})
    return {f"{name}.{k}": v.float() for k, v in t.items()}


if __name__ == "__main__":
    write("bfloat16.safetensors", compare("resnet8", "projection") | compare("resnet8_pad", "pad"),
          note="distances of torch.autocast(bfloat16) from float64, and float64's input gradients; see make_bfloat16.py")

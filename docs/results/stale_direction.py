"""How much of a fresh direction's effect the last epoch's has: python stale_direction.py DIR (CIFAR-10's binary files).

ResNet-8 at 16 x 16 pixels, 100 images a class, 100 epochs, batch 128, AdamW 1e-2 with a cosine, shifts of up to 4 pixels and flips: the
setting of configs/studies/discovery-mixed.yaml, plain training. At each visit of an image the sign of the input gradient, of the loss
in evaluation mode, is kept in the coordinates of the image as it is. An epoch later it is shifted and flipped as the image now is. Printed: by
how much a step of 0.0179 along it lowers the loss, over what the fresh sign and a random one do, in evaluation mode and at the same weights.
"""
import sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
PAD, SIZE, STEP, EPOCHS, BATCH = 4, 16, 0.0179, 100, 128


def block(a, b, stride):
    return nn.ModuleDict({"conv1": nn.Conv2d(a, b, 3, stride, 1, bias=False), "bn1": nn.BatchNorm2d(b),
                          "conv2": nn.Conv2d(b, b, 3, 1, 1, bias=False), "bn2": nn.BatchNorm2d(b),
                          "short": nn.Sequential() if a == b else nn.Sequential(
                              nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))})


class ResNet8(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.blocks = nn.ModuleList([block(16, 16, 1), block(16, 32, 2), block(32, 64, 2)])
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.stem(x)
        for b in self.blocks:
            x = F.relu(b["short"](x) + b["bn2"](b["conv2"](F.relu(b["bn1"](b["conv1"](x))))))
        return self.fc(x.mean((2, 3)))


def images(folder):
    raw = np.concatenate([np.fromfile(f"{folder}/data_batch_{i}.bin", np.uint8) for i in (1, 2)]).reshape(-1, 3073)
    labels = torch.from_numpy(raw[:, 0].astype(np.int64))
    rows = torch.cat([(labels == c).nonzero()[:100, 0] for c in range(10)])
    x = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32)[rows.numpy()].astype(np.float32)) / 255
    x = F.avg_pool2d(x, 2)
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True), labels[rows]


def view(x, shifts, flips):
    """Each image shifted and flipped; what comes in is 0."""
    padded = F.pad(x, (PAD,) * 4)
    out = torch.stack([p[:, r : r + SIZE, c : c + SIZE] for p, (r, c) in zip(padded, shifts.tolist())])
    return torch.where(flips[:, None, None, None], out.flip(3), out)


def unview(u, shifts, flips):
    u = torch.where(flips[:, None, None, None], u.flip(3), u)
    out = torch.zeros(len(u), 3, SIZE + 2 * PAD, SIZE + 2 * PAD)
    for o, v, (r, c) in zip(out, u, shifts.tolist()):
        o[:, r : r + SIZE, c : c + SIZE] = v
    return out[:, :, PAD:-PAD, PAD:-PAD]


x, y = images(sys.argv[1])
model = ResNet8()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
steps = -(-len(x) // BATCH) * EPOCHS
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
kept = torch.zeros_like(x)
for epoch in range(EPOCHS):
    falls = torch.zeros(3, dtype=torch.float64)
    loss_sum = agree = 0.0
    for rows in torch.randperm(len(x)).split(BATCH):
        shifts, flips = torch.randint(0, 2 * PAD + 1, (len(rows), 2)), torch.rand(len(rows)) < 0.5
        seen, labels = view(x[rows], shifts, flips), y[rows]
        model.eval()
        moved = seen.clone().requires_grad_(True)
        loss = F.cross_entropy(model(moved), labels, reduction="sum")
        (g,) = torch.autograd.grad(loss, moved)
        stale = view(kept[rows], shifts, flips)
        with torch.no_grad():
            for i, d in enumerate((g.sign(), stale, torch.randint(0, 2, g.shape) * 2.0 - 1)):
                falls[i] += loss.item() - F.cross_entropy(model(seen - STEP * d), labels, reduction="sum").item()
        agree += ((g.sign() * stale) > 0).float().mean().item() * len(rows)
        loss_sum += loss.item()
        kept[rows] = unview(g.sign(), shifts, flips)
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(model(seen), labels).backward()
        optimizer.step()
        schedule.step()
    if epoch % 10 == 9 or epoch == 1:
        fresh, stale, random = (falls / len(x)).tolist()
        print(f"epoch {epoch + 1}: loss {loss_sum / len(x):.4f}; falls by {fresh:.4f} along the fresh sign, {stale:.4f} along the "
              f"stale one ({stale / fresh:.2f} of it), {random:.4f} along a random one; {agree / len(x):.3f} of the signs agree", flush=True)

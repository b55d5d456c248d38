"""Trains the built-in model on what render.go made, judges it and exports it.

    python train.py FOLDER    # some minutes on two cores; torch 2.15

It writes model.pt, labels.txt and CARD.md to models/builtin.
"""
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from script import save

folder = pathlib.Path(sys.argv[1])
out = pathlib.Path(__file__).parents[3] / "models" / "builtin"
labels = [f"letter {c}" for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] + [f"digit {c}" for c in "0123456789"]
size, epochs, batch = 40, 8, 128


def load(name):
    x = np.fromfile(folder / f"{name}.raw", np.uint8).reshape(-1, size, size, 3)
    y = np.fromfile(folder / f"{name}.idx", np.uint8).astype(np.int64)
    return torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)


def prepare(x):  # ToTensor and Normalize
    return (x.float() / 255 - 0.5) / 0.25


def layer(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


torch.manual_seed(0)
model = nn.Sequential(
    layer(3, 16), nn.MaxPool2d(2),  # [N, 16, 20, 20]
    layer(16, 32), layer(32, 48), nn.MaxPool2d(2),  # [N, 48, 10, 10]
    layer(48, 64), nn.MaxPool2d(2),  # [N, 64, 5, 5]
    layer(64, 96), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(96, 36),
)
x, y = load("train")
steps = epochs * (len(x) // batch)
opt = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 0.01, total_steps=steps)
for epoch in range(epochs):
    total = 0.0
    for i in torch.randperm(len(x)).split(batch)[: len(x) // batch]:
        loss = F.cross_entropy(model(prepare(x[i])), y[i], label_smoothing=0.05)
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
        total += loss.item()
    print(f"epoch {epoch + 1}: loss {total / (len(x) // batch):.3f}", flush=True)

model.eval()
x, y = load("test")
with torch.no_grad():
    logits = torch.cat([model(prepare(p)) for p in x.split(500)])
accuracy = (logits.argmax(1) == y).float().mean().item()
top5 = (logits.topk(5).indices == y[:, None]).any(1).float().mean().item()
parameters = sum(p.numel() for p in model.parameters())
save(torch.jit.script(model), str(out / "model.pt"))
(out / "labels.txt").write_text("\n".join(labels) + "\n")
(out / "CARD.md").write_text(f"""# The built-in model

It tells the 36 letters and digits of a picture apart, so that the first run of
torchhub needs no weights from the network. It is good for nothing else.

- Input: [N, 3, {size}, {size}], resized and cropped to {size}, mean 0.5, standard deviation 0.25.
- {parameters:,} parameters, TorchScript, trained by testdata/gen/builtin/train.py in {epochs} epochs on
  {len(y) * 10:,} pictures that testdata/gen/builtin/render.go draws from five of the Go fonts.
- Held-out accuracy: top-1 {100 * accuracy:.1f} %, top-5 {100 * top5:.1f} %, on {len(y):,} pictures of other seeds, half of them
  from three fonts that no training picture shows. Many are noisy, blurred and faint.
""")
print(f"top-1 {accuracy:.4f}, top-5 {top5:.4f}, {parameters} parameters")

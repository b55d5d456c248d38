"""The twin of examples/fast_neural_style: trains the same network on the same pictures, and prints the losses.

With --paint it paints a picture by a network in a file, as eval does."""
import argparse

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms


class Conv(nn.Module):
    def __init__(self, channels, out, kernel, stride=1, upsample=1):
        super().__init__()
        self.upsample, self.pad = upsample, [kernel // 2] * 4
        self.conv2d = nn.Conv2d(channels, out, kernel, stride)

    def forward(self, x):
        if self.upsample > 1:
            x = F.interpolate(x, scale_factor=self.upsample, mode="nearest")
        return self.conv2d(F.pad(x, self.pad, mode="reflect"))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.in1 = Conv(channels, channels, 3), nn.InstanceNorm2d(channels, affine=True)
        self.conv2, self.in2 = Conv(channels, channels, 3), nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x):
        return self.in2(self.conv2(self.in1(self.conv1(x)).relu())) + x


class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        for i, (channels, out, kernel, stride) in enumerate([(3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)], 1):
            setattr(self, f"conv{i}", Conv(channels, out, kernel, stride))
            setattr(self, f"in{i}", nn.InstanceNorm2d(out, affine=True))
        for i in range(1, 6):
            setattr(self, f"res{i}", Residual(128))
        for i, (channels, out) in enumerate([(128, 64), (64, 32)], 1):
            setattr(self, f"deconv{i}", Conv(channels, out, 3, upsample=2))
            setattr(self, f"in{i + 3}", nn.InstanceNorm2d(out, affine=True))
        self.deconv3 = Conv(32, 3, 9)

    def forward(self, x):
        for i in 1, 2, 3:
            x = getattr(self, f"in{i}")(getattr(self, f"conv{i}")(x)).relu()
        for i in range(1, 6):
            x = getattr(self, f"res{i}")(x)
        for i in 1, 2:
            x = getattr(self, f"in{i + 3}")(getattr(self, f"deconv{i}")(x)).relu()
        return self.deconv3(x)


def features(vgg, x):
    out = []
    for i, layer in enumerate(vgg):
        if i in (4, 9, 16):
            out.append(x)
        x = layer(x)
    return out + [x]


def gram(y):
    n, c, h, w = y.shape
    y = y.view(n, c, h * w)
    return y.bmm(y.transpose(1, 2)) / (c * h * w)


def normalize(x):
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(-1, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(-1, 1, 1)
    return (x.div_(255.0) - mean) / std


parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--batch-size", type=int, default=4)
parser.add_argument("--dataset")
parser.add_argument("--style-image")
parser.add_argument("--save-model-dir")
parser.add_argument("--image-size", type=int, default=256)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--content-weight", type=float, default=1e5)
parser.add_argument("--style-weight", type=float, default=1e10)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--vgg", choices=["none"])
parser.add_argument("--paint", nargs=3)
args = parser.parse_args()

to_tensor = [transforms.ToTensor(), transforms.Lambda(lambda x: x * 255)]
if args.paint:
    picture, weights, to = args.paint
    model = Painter()
    model.load_state_dict(torch.load(weights))
    with torch.no_grad():
        out = model(transforms.Compose(to_tensor)(Image.open(picture).convert("RGB"))[None])[0]
    Image.fromarray(out.clamp(0, 255).numpy().transpose(1, 2, 0).astype(numpy.uint8)).save(to)
    raise SystemExit

torch.manual_seed(args.seed)
data = datasets.ImageFolder(args.dataset, transforms.Compose([transforms.Resize(args.image_size), transforms.CenterCrop(args.image_size), *to_tensor]))
loader = DataLoader(data, args.batch_size)
model = Painter()
optimizer = optim.Adam(model.parameters(), args.lr)
vgg = models.vgg16().features[:23].requires_grad_(False)
style = transforms.Compose(to_tensor)(Image.open(args.style_image).convert("RGB")).repeat(args.batch_size, 1, 1, 1)
styles = [gram(y) for y in features(vgg, normalize(style))]
for epoch in range(args.epochs):
    for x, _ in loader:
        optimizer.zero_grad()
        y = normalize(model(x))
        x = normalize(x)
        fy, fx = features(vgg, y), features(vgg, x)
        content = F.mse_loss(fy[1], fx[1]) * args.content_weight
        loss = content + sum(F.mse_loss(gram(f), s[: len(x)]) for f, s in zip(fy, styles)) * args.style_weight
        print(loss.item())
        loss.backward()
        optimizer.step()

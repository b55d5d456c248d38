"""The twin of examples/super_resolution: trains the same network on the same pictures, and prints the losses.

With --resolve it enlarges a picture by weights in a file, as super_resolve does."""
import argparse
import os

import numpy
import torch
from PIL import Image
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


class Net(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv4 = nn.Conv2d(32, factor**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(factor)
        for conv in self.conv1, self.conv2, self.conv3:
            nn.init.orthogonal_(conv.weight, nn.init.calculate_gain("relu"))
        nn.init.orthogonal_(self.conv4.weight)

    def forward(self, x):
        for conv in self.conv1, self.conv2, self.conv3:
            x = conv(x).relu()
        return self.shuffle(self.conv4(x))


class Folder(Dataset):
    def __init__(self, folder, factor):
        self.files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        size = 256 - 256 % factor
        self.small = transforms.Compose([transforms.CenterCrop(size), transforms.Resize(size // factor), transforms.ToTensor()])
        self.large = transforms.Compose([transforms.CenterCrop(size), transforms.ToTensor()])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        y = Image.open(self.files[i]).convert("YCbCr").split()[0]
        return self.small(y), self.large(y)


parser = argparse.ArgumentParser()
parser.add_argument("--upscale_factor", type=int, required=True)
parser.add_argument("--batchSize", type=int, default=64)
parser.add_argument("--testBatchSize", type=int, default=10)
parser.add_argument("--nEpochs", type=int, default=2)
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--threads", type=int, default=4)
parser.add_argument("--seed", type=int, default=123)
parser.add_argument("--data")
parser.add_argument("--resolve", nargs=3)
args = parser.parse_args()

torch.manual_seed(args.seed)
if args.resolve:
    picture, weights, to = args.resolve
    model = Net(args.upscale_factor)
    model.load_state_dict(torch.load(weights))
    y, *colors = Image.open(picture).convert("YCbCr").split()
    with torch.no_grad():
        out = model(transforms.ToTensor()(y)[None])[0, 0].numpy()
    y = Image.fromarray(numpy.uint8((out * 255).clip(0, 255)))
    Image.merge("YCbCr", [y] + [c.resize(y.size, Image.BICUBIC) for c in colors]).convert("RGB").save(to)
    raise SystemExit

train = Folder(os.path.join(args.data, "BSDS300/images/train"), args.upscale_factor)
test = Folder(os.path.join(args.data, "BSDS300/images/test"), args.upscale_factor)
train_loader = DataLoader(train, args.batchSize, shuffle=True, num_workers=args.threads)
test_loader = DataLoader(test, args.testBatchSize, num_workers=args.threads)
model = Net(args.upscale_factor)
criterion = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.nEpochs):
    for input, target in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(input), target)
        loss.backward()
        optimizer.step()
        print(loss.item())
    with torch.no_grad():
        for input, target in test_loader:
            criterion(model(input), target)

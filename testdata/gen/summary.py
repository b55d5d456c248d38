"""Writes what torchinfo, which must be installed, prints of the model of torch/nn/summary_test.go."""
import torch
from torch import nn
import torchinfo
class summed(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.GELU(), nn.Sequential(nn.Linear(8, 8)))), nn.Linear(8, 8)])
        self.side = nn.Sequential(nn.Linear(8, 8, bias=False))
        self.twice, self.frozen, self.unused, self.drop = nn.Linear(8, 8), nn.Linear(8, 3), nn.Linear(100, 100), nn.Dropout(0.5)
        self.frozen.requires_grad_(False)
    def forward(self, x):
        x = self.stem(x)
        for b in self.blocks: x = b(x)
        x = self.side(x)
        x = self.twice(self.twice(x))
        return self.frozen(self.drop(x)) * self.scale
m = summed()
for d in (3, 1):
    print(torchinfo.summary(m, input_data=torch.ones(4, 1, 9, 9), depth=d, verbose=0), end="\n\n" if d == 3 else "\n")

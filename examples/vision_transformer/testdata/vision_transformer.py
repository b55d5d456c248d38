"""The twin of examples/vision_transformer: trains the same transformer on the same pictures, and prints the losses."""
import argparse

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Embedding(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.size = args.patch_size
        self.LinearProjection = nn.Linear(self.size**2 * args.n_channels, args.latent_size)
        self.class_token = nn.Parameter(torch.randn(args.batch_size, 1, args.latent_size))
        self.pos_embedding = nn.Parameter(torch.randn(args.batch_size, 1, args.latent_size))

    def forward(self, x):  # [N, C, H, W] -> [N, 1+patches, latent]
        s = self.size
        x = x.unfold(2, s, s).unfold(3, s, s).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        x = torch.cat([self.class_token, self.LinearProjection(x)], 1)
        x += self.pos_embedding
        return x


class Layer(nn.Module):
    def __init__(self, args):
        super().__init__()
        n = args.latent_size
        self.norm = nn.LayerNorm(n)
        self.attention = nn.MultiheadAttention(n, args.num_heads, dropout=args.dropout)
        self.enc_MLP = nn.Sequential(nn.Linear(n, 4 * n), nn.GELU(), nn.Dropout(args.dropout), nn.Linear(4 * n, n), nn.Dropout(args.dropout))

    def forward(self, x):
        y = self.norm(x)
        x = self.attention(y, y, y)[0] + x
        return self.enc_MLP(self.norm(x)) + x


class ViT(nn.Module):
    def __init__(self, args):
        super().__init__()
        n = args.latent_size
        self.embedding = Embedding(args)
        self.encoders = nn.ModuleList([Layer(args) for _ in range(args.num_encoders)])
        self.MLPHead = nn.Sequential(nn.LayerNorm(n), nn.Linear(n, n), nn.Linear(n, args.num_classes))

    def forward(self, x):
        x = self.embedding(x)
        for layer in self.encoders:
            x = layer(x)
        return self.MLPHead(x[:, 0])


parser = argparse.ArgumentParser()
for name, default in {"patch-size": 16, "latent-size": 768, "n-channels": 3, "num-heads": 12, "num-encoders": 12, "img-size": 224, "num-classes": 10,
                      "epochs": 10, "batch-size": 4, "seed": None, "log-interval": 10}.items():
    parser.add_argument("--" + name, type=int, default=default)
for name, default in {"dropout": 0.1, "lr": 1e-2, "weight-decay": 3e-2}.items():
    parser.add_argument("--" + name, type=float, default=default)
parser.add_argument("--data")
args = parser.parse_args()

if args.seed is not None:
    torch.manual_seed(args.seed)
datasets.cifar.check_integrity = lambda *_: True  # the pictures are others than those of CIFAR-10
transform = transforms.Compose([transforms.Resize((args.img_size, args.img_size)), transforms.ToTensor()])
train = datasets.CIFAR10(args.data, train=True, transform=transform)
valid = datasets.CIFAR10(args.data, train=False, transform=transform)
train_loader = DataLoader(train, batch_size=args.batch_size, shuffle=True)
valid_loader = DataLoader(valid, batch_size=args.batch_size, shuffle=True)
model = ViT(args)
optimizer = optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
criterion = nn.CrossEntropyLoss()
for epoch in range(args.epochs):
    model.train()
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        if i % args.log_interval == 0:
            print(loss.item())
    model.eval()
    for x, y in valid_loader:
        criterion(model(x), y)

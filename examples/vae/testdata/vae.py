"""The twin of examples/vae: trains the same autoencoder on the same digits, and prints the losses."""
import argparse

import torch
from torch import nn, optim
import torch.nn.functional as F
from torchvision import datasets, transforms


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def decode(self, z):  # [N, 20] -> [N, 784]
        return self.fc4(self.fc3(z).relu()).sigmoid()

    def forward(self, x):  # [N, 1, 28, 28] -> [N, 784], [N, 20], [N, 20]
        h1 = self.fc1(x.view(-1, 784)).relu()
        mu, logvar = self.fc21(h1), self.fc22(h1)
        std = torch.exp(logvar * 0.5)
        return self.decode(mu + torch.randn_like(std) * std), mu, logvar


def loss_of(x, recon, mu, logvar):
    bce = F.binary_cross_entropy(recon, x.view(-1, 784), reduction="sum")
    return bce + (logvar + 1 - mu.pow(2) - logvar.exp()).sum() * -0.5


parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=128)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=10)
parser.add_argument("--data", required=True)
args = parser.parse_args()

torch.manual_seed(args.seed)
transform = transforms.ToTensor()
train_loader = torch.utils.data.DataLoader(datasets.MNIST(args.data, transform=transform), batch_size=args.batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(datasets.MNIST(args.data, train=False, transform=transform), batch_size=args.batch_size)
model = VAE()
optimizer = optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(args.epochs):
    model.train()
    for i, (data, _) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = loss_of(data, *model(data))
        loss.backward()
        optimizer.step()
        if i % args.log_interval == 0:
            print(loss.item() / len(data))
    model.eval()
    with torch.no_grad():
        for data, _ in test_loader:
            model(data)
        model.decode(torch.randn(64, 20))

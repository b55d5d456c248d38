"""The twin of examples/mnist_forward_forward: trains the same layers on the same digits, and prints the losses."""
import argparse

import torch
from torch import nn, optim
from torchvision import datasets, transforms

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=1000)
parser.add_argument("--lr", type=float, default=0.03)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--train_size", type=int, default=50000)
parser.add_argument("--threshold", type=float, default=2)
parser.add_argument("--log-interval", type=int, default=10)
parser.add_argument("--data", required=True)
args = parser.parse_args()


class Layer(nn.Linear):
    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out)
        self.opt = optim.Adam(self.parameters(), lr=args.lr)

    def forward(self, x):
        direction = x / (x.norm(2, 1, keepdim=True) + 1e-4)
        return (direction.mm(self.weight.T) + self.bias.unsqueeze(0)).relu()

    def learn(self, pos, neg):
        for i in range(args.epochs):
            g_pos = self(pos).pow(2).mean(1)
            g_neg = self(neg).pow(2).mean(1)
            loss = torch.cat([-g_pos + args.threshold, g_neg - args.threshold]).exp().log1p().mean()
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            if i % args.log_interval == 0:
                print(loss.item())
        return self(pos).detach(), self(neg).detach()


def negatives(y):
    wrong = []
    for label in y.tolist():
        allowed = [i for i in range(10) if i != label]
        wrong.append(allowed[torch.randint(len(allowed), (1,)).item()])
    return torch.tensor(wrong)


def overlay(x, y):
    x2 = x.clone()
    x2[:, :10] *= 0
    x2[torch.arange(len(x)), y] = x.max()
    return x2


torch.manual_seed(args.seed)
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,)), transforms.Lambda(torch.flatten)])
loader = torch.utils.data.DataLoader(datasets.MNIST(args.data, transform=transform), batch_size=args.train_size)
layers = [Layer(784, 500), Layer(500, 500)]
x, y = next(iter(loader))
pos, neg = overlay(x, y), overlay(x, negatives(y))
for layer in layers:
    pos, neg = layer.learn(pos, neg)

"""The twin of examples/mnist_rnn: trains the same network on the same digits, and prints the losses."""
import argparse

import torch
from torch import nn, optim
import torch.nn.functional as F
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(28, 64, batch_first=True)
        self.batchnorm = nn.BatchNorm1d(64)
        self.dropout1 = nn.Dropout2d(0.25)
        self.dropout2 = nn.Dropout2d(0.5)
        self.fc1 = nn.Linear(64, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):  # [N, 1, 28, 28] -> [N, 10]
        x, _ = self.rnn(x.reshape(-1, 28, 28))
        x = self.dropout1(self.batchnorm(x[:, -1]))
        x = self.dropout2(self.fc1(x).relu())
        return self.fc2(x).log_softmax(1)


parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--test-batch-size", type=int, default=1000)
parser.add_argument("--epochs", type=int, default=14)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--gamma", type=float, default=0.7)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=10)
parser.add_argument("--data", required=True)
args = parser.parse_args()

torch.manual_seed(args.seed)
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_loader = torch.utils.data.DataLoader(datasets.MNIST(args.data, transform=transform), batch_size=args.batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(datasets.MNIST(args.data, train=False, transform=transform), batch_size=args.test_batch_size, shuffle=True)
model = Net()
optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=args.gamma)
for epoch in range(args.epochs):
    model.train()
    for i, (data, target) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        if i % args.log_interval == 0:
            print(loss.item())
    model.eval()
    with torch.no_grad():
        for data, target in test_loader:
            F.nll_loss(model(data), target, reduction="sum").item()
    scheduler.step()

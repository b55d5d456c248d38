"""The twin of examples/mnist_hogwild with one process: trains the same network on the same digits, and prints the losses."""
import argparse

import torch
from torch import nn, optim
import torch.nn.functional as F
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):  # [N, 1, 28, 28] -> [N, 10]
        x = F.max_pool2d(self.conv1(x), 2).relu()
        x = F.max_pool2d(self.conv2_drop(self.conv2(x)), 2).relu()
        x = self.fc1(x.view(-1, 320)).relu()
        x = F.dropout(x, training=self.training)
        return self.fc2(x).log_softmax(1)


parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--momentum", type=float, default=0.5)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=10)
parser.add_argument("--num-processes", type=int, choices=[1], default=1)  # the losses of several vary from run to run
parser.add_argument("--data", required=True)
args = parser.parse_args()

torch.manual_seed(args.seed)
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
dataset = datasets.MNIST(args.data, transform=transform)
model = Net()
torch.manual_seed(args.seed + 0)  # as the process with rank 0 does
loader = torch.utils.data.DataLoader(dataset, batch_size=args.batch_size, shuffle=True)
optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
for epoch in range(args.epochs):
    for i, (data, target) in enumerate(loader):
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        if i % args.log_interval == 0:
            print(loss.item())

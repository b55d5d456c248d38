"""The twin of examples/siamese_network: trains the same network on the same pairs, and prints the losses."""
import argparse
import random

import torch
from torch import nn, optim
import torchvision
from torchvision import datasets


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        base = torchvision.models.resnet18(weights=None)
        base.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        self.resnet = nn.Sequential(*list(base.children())[:-1])
        self.fc = nn.Sequential(nn.Linear(base.fc.in_features * 2, 256), nn.ReLU(inplace=True), nn.Linear(256, 1))
        for m in self.fc:
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.constant_(m.bias, 0.01)

    def forward(self, x1, x2):  # [N, 1, 28, 28], [N, 1, 28, 28] -> [N, 1]
        y = torch.cat((self.resnet(x1).flatten(1), self.resnet(x2).flatten(1)), 1)
        return self.fc(y).sigmoid()


class Matcher(torch.utils.data.Dataset):
    def __init__(self, mnist):
        self.images = mnist.data.unsqueeze(1)
        self.grouped = [[i for i, c in enumerate(mnist.targets.tolist()) if c == n] for n in range(10)]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        class2 = class1 = random.randint(0, 9)
        random2 = random1 = random.randint(0, len(self.grouped[class1]) - 1)
        if index % 2 == 0:
            while random2 == random1:
                random2 = random.randint(0, len(self.grouped[class2]) - 1)
        else:
            while class2 == class1:
                class2 = random.randint(0, 9)
            random2 = random.randint(0, len(self.grouped[class2]) - 1)
        first, second = self.grouped[class1][random1], self.grouped[class2][random2]
        return self.images[first].float(), self.images[second].float(), torch.tensor(float(class1 == class2))


parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--test-batch-size", type=int, default=1000)
parser.add_argument("--epochs", type=int, default=14)
parser.add_argument("--lr", type=float, default=1.0)
parser.add_argument("--gamma", type=float, default=0.7)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=10)
parser.add_argument("--data", required=True)
args = parser.parse_args()

torch.manual_seed(args.seed)
random.seed(args.seed)
train_loader = torch.utils.data.DataLoader(Matcher(datasets.MNIST(args.data)), batch_size=args.batch_size)
test_loader = torch.utils.data.DataLoader(Matcher(datasets.MNIST(args.data, train=False)), batch_size=args.test_batch_size)
model = SiameseNetwork()
criterion = nn.BCELoss()
optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=args.gamma)
for epoch in range(args.epochs):
    model.train()
    for i, (images1, images2, target) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(images1, images2).squeeze(), target)
        loss.backward()
        optimizer.step()
        if i % args.log_interval == 0:
            print(loss.item())
    model.eval()
    with torch.no_grad():
        for images1, images2, target in test_loader:
            criterion(model(images1, images2).squeeze(), target).item()
    scheduler.step()

"""The twin of examples/transfer: trains the same model on the same pictures, and prints the losses of the epochs."""
import argparse
import os

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--weights", required=True)
parser.add_argument("--epochs", type=int, default=25)
parser.add_argument("--batch-size", type=int, default=4)
parser.add_argument("--workers", type=int, default=4)
parser.add_argument("--step-size", type=int, default=7)
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--gamma", type=float, default=0.1)
parser.add_argument("--fixed", action="store_true")
parser.add_argument("--seed", type=int)
args = parser.parse_args()

end = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
prepare = {"train": [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()], "val": [transforms.Resize(256), transforms.CenterCrop(224)]}
folders = {x: datasets.ImageFolder(os.path.join(args.data, x), transforms.Compose(p + end)) for x, p in prepare.items()}
loaders = {x: DataLoader(f, args.batch_size, shuffle=True, num_workers=args.workers) for x, f in folders.items()}
model = models.resnet18()
model.load_state_dict(torch.load(args.weights))
if args.seed is not None:
    torch.manual_seed(args.seed)
model.requires_grad_(not args.fixed)
model.fc = nn.Linear(model.fc.in_features, len(folders["train"].classes))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD((model.fc if args.fixed else model).parameters(), lr=args.lr, momentum=args.momentum)
scheduler = optim.lr_scheduler.StepLR(optimizer, args.step_size, args.gamma)
for epoch in range(args.epochs):
    for phase in "train", "val":
        model.train(phase == "train")
        total = 0.0
        for x, y in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                loss = criterion(model(x), y)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            total += loss.item() * len(x)
        if phase == "train":
            scheduler.step()
        print(total / len(folders[phase]))

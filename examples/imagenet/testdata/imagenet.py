"""The twin of examples/imagenet: trains the same model on the same pictures, and prints the losses.

With --lines it prints the progress instead. It writes and reads the checkpoints of the program."""
import argparse
import os

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

parser = argparse.ArgumentParser()
parser.add_argument("dir")
parser.add_argument("-a", "--arch", default="resnet18")
parser.add_argument("-j", "--workers", type=int, default=4)
parser.add_argument("--epochs", type=int, default=90)
parser.add_argument("-b", "--batch-size", type=int, default=256)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--wd", "--weight-decay", dest="weight_decay", type=float, default=1e-4)
parser.add_argument("-p", "--print-freq", type=int, default=10)
parser.add_argument("--resume", default="")
parser.add_argument("--seed", type=int)
parser.add_argument("--lines", action="store_true")
parser.add_argument("--checkpoint", default="")
args = parser.parse_args()


def meter(name, fmt, values):
    """The last value, and the average of all, each weighted by its number of pictures."""
    average = sum(v * n for v, n in values) / sum(n for _, n in values)
    return f"{name} {values[-1][0]:{fmt}} ({average:{fmt}})"


class Progress:
    def __init__(self, prefix, batches):
        self.prefix, self.batches, self.loss, self.acc = prefix, batches, [], {1: [], 5: []}

    def update(self, output, target, loss):
        n = len(target)
        self.loss.append((loss.item(), n))
        order = output.detach().topk(5, 1).indices
        for k, values in self.acc.items():
            right = (order[:, :k] == target[:, None]).reshape(-1).float().sum(0, keepdim=True)
            values.append((right.mul_(100.0 / n)[0], n))
        i = len(self.loss) - 1
        if args.lines and i % args.print_freq == 0:
            width = len(str(self.batches))
            print(f"{self.prefix}[{i + 1:{width}d}/{self.batches}]", meter("Loss", ".4e", self.loss), meter("Acc@1", "6.2f", self.acc[1]),
                  meter("Acc@5", "6.2f", self.acc[5]), sep="\t")

    def average(self, k):
        return sum(v * n for v, n in self.acc[k]) / sum(n for _, n in self.acc[k])


if args.seed is not None:
    torch.manual_seed(args.seed)
model = models.get_model(args.arch)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), args.lr, momentum=args.momentum, weight_decay=args.weight_decay)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
start, best = 0, 0
if args.resume:
    c = torch.load(args.resume)
    start, best = c["epoch"], c["best_acc1"]
    model.load_state_dict(c["state_dict"])
    optimizer.load_state_dict(c["optimizer"])
    scheduler.load_state_dict(c["scheduler"])

end = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
train = datasets.ImageFolder(os.path.join(args.dir, "train"), transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), *end]))
val = datasets.ImageFolder(os.path.join(args.dir, "val"), transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), *end]))
train_loader = DataLoader(train, args.batch_size, shuffle=True, num_workers=args.workers)
val_loader = DataLoader(val, args.batch_size, num_workers=args.workers)

if args.resume and "rng_state" in c:
    torch.set_rng_state(c["rng_state"])
for epoch in range(start, args.epochs):
    model.train()
    progress = Progress(f"Epoch: [{epoch}]", len(train_loader))
    for images, target in train_loader:
        output = model(images)
        loss = criterion(output, target)
        if not args.lines:
            print(loss.item())
        progress.update(output, target, loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    progress = Progress("Test: ", len(val_loader))
    with torch.no_grad():
        for images, target in val_loader:
            output = model(images)
            progress.update(output, target, criterion(output, target))
    if args.lines:
        print(f" * Acc@1 {progress.average(1):.3f} Acc@5 {progress.average(5):.3f}")
    scheduler.step()
    best = max(progress.average(1), best)
    if args.checkpoint:
        torch.save({"epoch": epoch + 1, "arch": args.arch, "state_dict": model.state_dict(), "best_acc1": best, "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict()}, args.checkpoint)

"""The twin of examples/dcgan: trains the same networks on the same digits, and prints the losses of both."""
import argparse

import torch
from torch import nn, optim
from torchvision import datasets, transforms

parser = argparse.ArgumentParser()
parser.add_argument("--dataset", choices=["mnist"], required=True)
parser.add_argument("--dataroot", required=True)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--batchSize", type=int, default=64)
parser.add_argument("--imageSize", type=int, default=64)
parser.add_argument("--nz", type=int, default=100)
parser.add_argument("--ngf", type=int, default=64)
parser.add_argument("--ndf", type=int, default=64)
parser.add_argument("--niter", type=int, default=25)
parser.add_argument("--lr", type=float, default=0.0002)
parser.add_argument("--beta1", type=float, default=0.5)
parser.add_argument("--outf", default=".")
parser.add_argument("--manualSeed", type=int, required=True)
args = parser.parse_args()


def generator(nz, n, nc):
    layers = []
    for c_in, c_out, stride, padding in [(nz, n * 8, 1, 0), (n * 8, n * 4, 2, 1), (n * 4, n * 2, 2, 1), (n * 2, n, 2, 1)]:
        layers += [nn.ConvTranspose2d(c_in, c_out, 4, stride, padding, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(n, nc, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(n, nc):
    layers = [nn.Conv2d(nc, n, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for c in (n, n * 2, n * 4):
        layers += [nn.Conv2d(c, c * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(c * 2), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(n * 8, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0))


def weights_init(m):
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0.0, 0.02)
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


torch.manual_seed(args.manualSeed)
transform = transforms.Compose([transforms.Resize(args.imageSize), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
loader = torch.utils.data.DataLoader(datasets.MNIST(args.dataroot, transform=transform), batch_size=args.batchSize, shuffle=True, num_workers=args.workers)
net_g = generator(args.nz, args.ngf, 1).apply(weights_init)
net_d = discriminator(args.ndf, 1).apply(weights_init)
criterion = nn.BCELoss()
fixed_noise = torch.randn(args.batchSize, args.nz, 1, 1)
opt_d = optim.Adam(net_d.parameters(), lr=args.lr, betas=(args.beta1, 0.999))
opt_g = optim.Adam(net_g.parameters(), lr=args.lr, betas=(args.beta1, 0.999))
for epoch in range(args.niter):
    for i, (real, _) in enumerate(loader):
        net_d.zero_grad()
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        err_real = criterion(net_d(real), ones)
        err_real.backward()
        fake = net_g(torch.randn(len(real), args.nz, 1, 1))
        err_fake = criterion(net_d(fake.detach()), zeros)
        err_fake.backward()
        opt_d.step()

        net_g.zero_grad()
        err_g = criterion(net_d(fake), ones)
        err_g.backward()
        opt_g.step()
        print((err_real + err_fake).item(), err_g.item())
        if i % 100 == 0:
            net_g(fixed_noise)  # which changes the running means of its batch normalizations

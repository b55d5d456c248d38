# The twin of examples/time_sequence_prediction: prints each loss.
import argparse

import numpy as np
import torch
from torch import nn, optim

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=15)
parser.add_argument("--waves", type=int, default=100)
parser.add_argument("--length", type=int, default=1000)
parser.add_argument("--future", type=int, default=1000)
args = parser.parse_args()

np.random.seed(2)
start = np.random.randint(-4 * 20, 4 * 20, args.waves)
# torch's sine, since LBFGS makes the last bits of NumPy's, which are others, grow
waves = torch.from_numpy((start[:, None] + np.arange(args.length)) / 20.0).sin()
torch.manual_seed(0)


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 51)
        self.lstm2 = nn.LSTMCell(51, 51)
        self.linear = nn.Linear(51, 1)

    def forward(self, x, future=0):
        zeros = lambda: torch.zeros(x.size(0), 51, dtype=torch.double)
        h, c, h2, c2 = zeros(), zeros(), zeros(), zeros()
        outputs = []
        for x_t in list(x.split(1, dim=1)) + [None] * future:
            h, c = self.lstm1(outputs[-1] if x_t is None else x_t, (h, c))
            h2, c2 = self.lstm2(h, (h2, c2))
            outputs.append(self.linear(h2))
        return torch.cat(outputs, dim=1)


seq = Sequence().double()
criterion = nn.MSELoss()
optimizer = optim.LBFGS(seq.parameters(), lr=0.8)


def closure():
    optimizer.zero_grad()
    loss = criterion(seq(waves[3:, :-1]), waves[3:, 1:])
    print(loss.item())
    loss.backward()
    return loss


for _ in range(args.steps):
    optimizer.step(closure)
    with torch.no_grad():
        seq(waves[:3, :-1], args.future)

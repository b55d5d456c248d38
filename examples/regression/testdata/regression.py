# The twin of examples/regression: prints each loss.
import argparse
import itertools

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--log-interval", type=int)
args = parser.parse_args()

torch.manual_seed(args.seed)
w_target = torch.randn(4, 1) * 5
b_target = torch.randn(1) * 5


def get_batch():
    column = torch.randn(32).unsqueeze(1)
    x = torch.cat([column**i for i in range(1, 5)], 1)
    return x, x.mm(w_target) + b_target.item()


fc = torch.nn.Linear(4, 1)
for _ in itertools.count():
    x, y = get_batch()
    fc.zero_grad()
    output = F.smooth_l1_loss(fc(x), y)
    loss = output.item()
    output.backward()
    for p in fc.parameters():
        p.data.add_(-0.1 * p.grad)
    print(loss)
    if loss < 1e-3:
        break

# The twin of examples/gat: prints the losses of training and validation of each epoch.
import argparse
import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../internal/cora/testdata"))
from cora import load

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=300)
parser.add_argument("--lr", type=float, default=0.005)
parser.add_argument("--l2", type=float, default=5e-4)
parser.add_argument("--dropout-p", type=float, default=0.6)
parser.add_argument("--hidden-dim", type=int, default=64)
parser.add_argument("--val-every", type=int)
parser.add_argument("--num-heads", type=int, default=8)
parser.add_argument("--concat-heads", action="store_true")
parser.add_argument("--seed", type=int, default=13)
parser.add_argument("--data")
args = parser.parse_args()
torch.manual_seed(args.seed)

features, labels, adjacency = load(args.data)
n = len(labels)
idx = torch.randperm(n)
val, train = idx[n * 1200 // 2708 : n * 1600 // 2708], idx[n * 1600 // 2708 :]


class Layer(nn.Module):
    def __init__(self, n_in, n_out, heads, concat):
        super().__init__()
        self.heads, self.concat = heads, concat
        self.hidden = n_out // heads if concat else n_out
        self.W = nn.Parameter(torch.empty(n_in, self.hidden * heads))
        self.a = nn.Parameter(torch.empty(heads, 2 * self.hidden, 1))
        nn.init.xavier_normal_(self.W)
        nn.init.xavier_normal_(self.a)

    def forward(self, x):
        x = F.dropout(torch.mm(x, self.W), args.dropout_p, training=self.training)
        x = x.view(n, self.heads, self.hidden).permute(1, 0, 2)
        source, target = x @ self.a[:, : self.hidden], x @ self.a[:, self.hidden :]
        e = F.leaky_relu(source + target.mT, 0.2)
        e = torch.where(adjacency > 0, e, -9e16 * torch.ones_like(e))
        weights = F.dropout(F.softmax(e, dim=-1), args.dropout_p, training=self.training)
        x = weights @ x
        return x.permute(1, 0, 2).contiguous().view(n, -1) if self.concat else x.mean(dim=0)


class GAT(nn.Module):
    def __init__(self):
        super().__init__()
        self.gat1 = Layer(features.shape[1], args.hidden_dim, args.num_heads, args.concat_heads)
        self.gat2 = Layer(args.hidden_dim, labels.max().item() + 1, 1, False)

    def forward(self):
        return F.log_softmax(self.gat2(F.elu(self.gat1(features))), dim=1)


model = GAT()
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.l2)


def evaluate(mask):
    model.eval()
    with torch.no_grad():
        output = model()[mask]
        output.argmax(dim=1)
        return F.nll_loss(output, labels[mask]).item()


for _ in range(args.epochs):
    model.train()
    optimizer.zero_grad()
    F.nll_loss(model()[train], labels[train]).backward()
    optimizer.step()
    print(evaluate(train), evaluate(val))

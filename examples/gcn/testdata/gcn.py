# The twin of examples/gcn: prints the losses of training and validation of each epoch.
import argparse
import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../internal/cora/testdata"))
from cora import load

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=200)
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--l2", type=float, default=5e-4)
parser.add_argument("--dropout-p", type=float, default=0.5)
parser.add_argument("--hidden-dim", type=int, default=16)
parser.add_argument("--val-every", type=int)
parser.add_argument("--include-bias", action="store_true")
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--data")
args = parser.parse_args()
torch.manual_seed(args.seed)

features, labels, adjacency = load(args.data)
scale = torch.sqrt(1 / adjacency.sum(dim=1))
scale[scale == float("inf")] = 0
scale = torch.diag(scale).to_sparse()
features, adjacency = features.to_sparse(), (scale @ adjacency @ scale).to_sparse()
n = len(labels)
idx = torch.randperm(n)
val, train = idx[n * 1000 // 2708 : n * 1500 // 2708], idx[n * 1500 // 2708 :]


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(n_in, n_out))
        nn.init.xavier_normal_(self.kernel)
        self.bias = nn.Parameter(torch.zeros(n_out)) if args.include_bias else None

    def forward(self, x):
        x = torch.spmm(adjacency, torch.mm(x, self.kernel))
        return x if self.bias is None else x + self.bias


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.gc1 = GraphConv(features.shape[1], args.hidden_dim)
        self.gc2 = GraphConv(args.hidden_dim, labels.max().item() + 1)
        self.dropout = nn.Dropout(args.dropout_p)

    def forward(self):
        return F.log_softmax(self.gc2(self.dropout(F.relu(self.gc1(features)))), dim=1)


model = GCN()
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

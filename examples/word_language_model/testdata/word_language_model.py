# The twin of examples/word_language_model: prints the loss of each step but the first, to whose loss that of the
# first is added.
import argparse
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--model", default="LSTM")
parser.add_argument("--emsize", type=int, default=200)
parser.add_argument("--nhid", type=int, default=200)
parser.add_argument("--nlayers", type=int, default=2)
parser.add_argument("--lr", type=float, default=20)
parser.add_argument("--clip", type=float, default=0.25)
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--batch_size", type=int, default=20)
parser.add_argument("--bptt", type=int, default=35)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--tied", action="store_true")
parser.add_argument("--seed", type=int, default=1111)
parser.add_argument("--log-interval", type=int)
parser.add_argument("--save")
parser.add_argument("--nhead", type=int, default=2)
parser.add_argument("--use-optimizer", action="store_true")
args = parser.parse_args()
torch.manual_seed(args.seed)

numbers = {}


def tokenize(name):
    with open(os.path.join(args.data, name), encoding="utf8") as f:
        words = [w for line in f for w in line.split() + ["<eos>"]]
    return torch.tensor([numbers.setdefault(w, len(numbers)) for w in words])


def batchify(data, n):
    return data[: len(data) // n * n].view(n, -1).t().contiguous()


train, valid = batchify(tokenize("train.txt"), args.batch_size), batchify(tokenize("valid.txt"), 10)
tokenize("test.txt")
ntoken = len(numbers)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(args.dropout)
        self.encoder = nn.Embedding(ntoken, args.emsize)
        name, _, nonlinearity = args.model.partition("_")
        options = {"nonlinearity": nonlinearity.lower()} if nonlinearity else {}
        self.rnn = getattr(nn, name)(args.emsize, args.nhid, args.nlayers, dropout=args.dropout, **options)
        self.decoder = nn.Linear(args.nhid, ntoken)
        if args.tied:
            self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def forward(self, x, hidden):
        x, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return F.log_softmax(self.decoder(self.drop(x)).view(-1, ntoken), dim=1), hidden

    def start(self, n):
        zeros = torch.zeros(args.nlayers, n, args.nhid)
        return (zeros, zeros.clone()) if args.model == "LSTM" else zeros


class Transformer(nn.Transformer):
    def __init__(self):
        super().__init__(args.emsize, args.nhead, dim_feedforward=args.nhid, num_encoder_layers=args.nlayers)
        self.dropout = nn.Dropout(args.dropout)
        self.positions = torch.zeros(5000, args.emsize)
        position = torch.arange(5000, dtype=torch.float).unsqueeze(1)
        scale = torch.exp(torch.arange(0, args.emsize, 2).float() * (-math.log(10000.0) / args.emsize))
        self.positions[:, 0::2] = torch.sin(position * scale)
        self.positions[:, 1::2] = torch.cos(position * scale)
        self.embedding = nn.Embedding(ntoken, args.emsize)
        self.decoder = nn.Linear(args.emsize, ntoken)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def forward(self, x, hidden):
        n = len(x)
        x = self.dropout(self.embedding(x) * math.sqrt(args.emsize) + self.positions[:n, None])
        x = self.decoder(self.encoder(x, mask=torch.log(torch.tril(torch.ones(n, n)))))
        return F.log_softmax(x, dim=-1).view(-1, ntoken), None

    def start(self, n):
        return None


model = Transformer() if args.model == "Transformer" else Recurrent()
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr) if args.use_optimizer else None


def batches(source):
    for i in range(0, len(source) - 1, args.bptt):
        n = min(args.bptt, len(source) - 1 - i)
        yield source[i : i + n], source[i + 1 : i + 1 + n].reshape(-1)


def detach(h):
    return tuple(x.detach() for x in h) if isinstance(h, tuple) else h if h is None else h.detach()


lr, best = args.lr, math.inf
for _ in range(args.epochs):
    model.train()
    hidden, total = model.start(args.batch_size), 0
    for i, (x, y) in enumerate(batches(train)):
        model.zero_grad()
        output, hidden = model(x, detach(hidden))
        loss = F.nll_loss(output, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        if optimizer:
            optimizer.step()
        else:
            for p in model.parameters():
                p.data.add_(p.grad, alpha=-lr)
        total += loss.item()
        if i > 0:
            print(total)
            total = 0
    model.eval()
    hidden, total = model.start(10), 0
    with torch.no_grad():
        for x, y in batches(valid):
            output, hidden = model(x, hidden)
            total += len(x) * F.nll_loss(output, y).item()
    if total < best:
        best = total
    else:
        lr /= 4

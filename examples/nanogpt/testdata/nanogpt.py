# The twin of examples/nanogpt: prints the loss of each step.
import argparse
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
for name, default in {
    "data": "", "out_dir": "", "seed": 1337, "log_interval": 1, "eval_interval": 250, "eval_iters": 20, "max_iters": 500,
    "gradient_accumulation_steps": 1, "batch_size": 12, "block_size": 64, "n_layer": 4, "n_head": 4, "n_embd": 128,
    "warmup_iters": 100, "lr_decay_iters": 500, "dropout": 0.0, "learning_rate": 1e-3, "weight_decay": 1e-1, "beta1": 0.9,
    "beta2": 0.99, "grad_clip": 1.0, "min_lr": 1e-4,
}.items():
    parser.add_argument("--" + name, type=type(default), default=default)
parser.add_argument("--bias", action="store_true")
args = parser.parse_args()
torch.manual_seed(args.seed)

with open(os.path.join(args.data, "input.txt"), encoding="utf8", newline="") as f:
    text = f.read()
numbers = {c: i for i, c in enumerate(sorted(set(text)))}
ids = torch.tensor([numbers[c] for c in text])
train, val = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]


def get_batch(data):
    starts = torch.randint(len(data) - args.block_size, (args.batch_size,))
    return [torch.stack([data[i + j : i + j + args.block_size] for i in starts]) for j in (0, 1)]


def linear(n_in, n_out):
    return nn.Linear(n_in, n_out, bias=args.bias)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn, self.c_proj = linear(args.n_embd, 3 * args.n_embd), linear(args.n_embd, args.n_embd)
        self.drop = nn.Dropout(args.dropout)

    def forward(self, x):
        shape = x.shape
        heads = (t.view(*shape[:2], args.n_head, -1).transpose(1, 2) for t in self.c_attn(x).split(args.n_embd, dim=2))
        dropout = args.dropout if self.training else 0
        y = F.scaled_dot_product_attention(*heads, dropout_p=dropout, is_causal=True)
        return self.drop(self.c_proj(y.transpose(1, 2).contiguous().view(shape)))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_fc, self.c_proj = linear(args.n_embd, 4 * args.n_embd), linear(4 * args.n_embd, args.n_embd)
        self.drop = nn.Dropout(args.dropout)

    def forward(self, x):
        return self.drop(self.c_proj(F.gelu(self.c_fc(x))))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(args.n_embd, bias=args.bias), Attention()
        self.ln_2, self.mlp = nn.LayerNorm(args.n_embd, bias=args.bias), MLP()

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(len(numbers), args.n_embd), nn.Embedding(args.block_size, args.n_embd)
        self.drop = nn.Dropout(args.dropout)
        self.h = nn.ModuleList(Block() for _ in range(args.n_layer))
        self.ln_f = nn.LayerNorm(args.n_embd, bias=args.bias)
        self.lm_head = nn.Linear(args.n_embd, len(numbers), bias=False)
        self.wte.weight = self.lm_head.weight
        self.apply(self.init)
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(p, 0.0, 0.02 / math.sqrt(2 * args.n_layer))

    def init(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, 0.0, 0.02)
        if isinstance(m, nn.Linear) and m.bias is not None:
            nn.init.zeros_(m.bias)

    def forward(self, x, y):
        x = self.drop(self.wte(x) + self.wpe(torch.arange(x.size(1))))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), y.view(-1), ignore_index=-1)


model = GPT()
groups = [
    {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": args.weight_decay},
    {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=args.learning_rate, betas=(args.beta1, args.beta2))


@torch.no_grad()
def evaluate():
    model.eval()
    for split in (train, val):
        for _ in range(args.eval_iters):
            model(*get_batch(split)).item()
    model.train()


def rate(it):
    if it < args.warmup_iters:
        return args.learning_rate * (it + 1) / (args.warmup_iters + 1)
    if it > args.lr_decay_iters:
        return args.min_lr
    ratio = (it - args.warmup_iters) / (args.lr_decay_iters - args.warmup_iters)
    return args.min_lr + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (args.learning_rate - args.min_lr)


batch = get_batch(train)
for it in range(args.max_iters + 1):
    for group in optimizer.param_groups:
        group["lr"] = rate(it)
    if it % args.eval_interval == 0:
        evaluate()
    for _ in range(args.gradient_accumulation_steps):
        loss = model(*batch) / args.gradient_accumulation_steps
        batch = get_batch(train)
        loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), args.grad_clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    print(loss.item() * args.gradient_accumulation_steps)

# The twin of examples/language_translation: prints the loss of each step.
import argparse
import collections
import math
import os
import re

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--src", default="de")
parser.add_argument("--tgt", default="en")
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--lr", type=float, default=1e-4)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--attn_heads", type=int, default=8)
parser.add_argument("--enc_layers", type=int, default=5)
parser.add_argument("--dec_layers", type=int, default=5)
parser.add_argument("--embed_size", type=int, default=512)
parser.add_argument("--dim_feedforward", type=int, default=512)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--logging_dir")
parser.add_argument("--seed", type=int)
parser.add_argument("--log-interval", type=int)
args = parser.parse_args()
torch.manual_seed(args.seed)
UNK, PAD, BOS, EOS = range(4)


def read(name):
    with open(os.path.join(args.data, name), encoding="utf8") as f:
        return [re.findall(r"\w+|[^\w\s]", line) for line in f]


def vocab(sentences):
    counts = collections.Counter(word for s in sentences for word in s)
    words = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return {word: i for i, word in enumerate(["<unk>", "<pad>", "<bos>", "<eos>"] + [w for w, _ in words])}


def ids(v, sentence):
    return torch.tensor([BOS] + [v.get(word, UNK) for word in sentence] + [EOS])


trains = [read("train." + language) for language in (args.src, args.tgt)]
valids = [read("val." + language) for language in (args.src, args.tgt)]
vocabs = [vocab(s) for s in trains]


def loader(parts):
    pairs = [tuple(ids(v, s) for v, s in zip(vocabs, pair)) for pair in zip(*parts)]
    collate = lambda batch: tuple(pad_sequence(side, padding_value=PAD) for side in zip(*batch))
    return torch.utils.data.DataLoader(pairs, batch_size=args.batch, collate_fn=collate)


class PositionalEncoding(nn.Module):
    def __init__(self, emb_size, maxlen=5000):
        super().__init__()
        den = torch.exp(-torch.arange(0, emb_size, 2) * math.log(10000) / emb_size)
        pos = torch.arange(0, maxlen).reshape(maxlen, 1)
        table = torch.zeros((maxlen, emb_size))
        table[:, 0::2] = torch.sin(pos * den)
        table[:, 1::2] = torch.cos(pos * den)
        self.dropout = nn.Dropout(args.dropout)
        self.register_buffer("pos_embedding", table.unsqueeze(-2))

    def forward(self, x):
        return self.dropout(x + self.pos_embedding[: x.size(0), :])


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.src_embedding = nn.Embedding(len(vocabs[0]), args.embed_size)
        self.tgt_embedding = nn.Embedding(len(vocabs[1]), args.embed_size)
        self.pos_enc = PositionalEncoding(args.embed_size)
        self.transformer = nn.Transformer(d_model=args.embed_size, nhead=args.attn_heads, num_encoder_layers=args.enc_layers,
            num_decoder_layers=args.dec_layers, dim_feedforward=args.dim_feedforward, dropout=args.dropout)
        self.ff = nn.Linear(args.embed_size, len(vocabs[1]))
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)

    def forward(self, src, tgt):
        n, m = src.shape[0], tgt.shape[0]
        causal = (torch.triu(torch.ones((m, m))) == 1).transpose(0, 1)
        causal = causal.float().masked_fill(causal == 0, float("-inf")).masked_fill(causal == 1, 0.0)
        src_padding, tgt_padding = (src == PAD).transpose(0, 1), (tgt == PAD).transpose(0, 1)
        out = self.transformer(self.pos_enc(self.src_embedding(src)), self.pos_enc(self.tgt_embedding(tgt)),
            torch.zeros((n, n)).type(torch.bool), causal, None, src_padding, tgt_padding, src_padding)
        return self.ff(out)


model = Translator()
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, betas=(0.9, 0.98), eps=1e-9)
train, valid = loader(trains), loader(valids)


def loss_of(src, tgt):
    logits = model(src, tgt[:-1, :])
    return criterion(logits.reshape(-1, logits.shape[-1]), tgt[1:, :].reshape(-1))


for epoch in range(args.epochs):
    model.train()
    for src, tgt in train:
        loss = loss_of(src, tgt)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())
    model.eval()
    with torch.no_grad():
        for src, tgt in valid:
            loss_of(src, tgt)

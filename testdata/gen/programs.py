"""Writes programs of torch.export for the tests of torch/export, with calls of them: FOLDER/NAME.pt2 and FOLDER/NAME.calls.

The graphs hold no paths of the machine.
"""

import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
Dim = torch.export.Dim


class Net(nn.Module):
    """A batch of pictures."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Linear(16, 5)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.norm(self.conv(x)).relu_(), 2)
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)).softmax(1)


class Containers(nn.Module):
    """Buffers and an input that change, constants, keyword arguments, numbers, and results of every kind."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(3))
        self.register_buffer("scale", torch.full((3,), 2.0), persistent=False)
        self.constant = torch.tensor([1.0, 2.0, 3.0])

    def forward(self, x, flag, *, k, d):
        self.calls.add_(1)
        x.add_(1)
        with torch.no_grad():
            y = x * 2 + self.constant
        n = x.shape[0]
        return {
            "sum": y.reshape(n * 3) + self.scale.sum() + self.calls[0] + d["z"] + d["a"][0].sum(),
            "list": [x.new_zeros(n // 2 + 1, 3), (k, 3, "text", None), n / 2 if flag else n],
            "size": n + 1,
        }


class Parts(nn.Module):
    """Graphs in the graph."""

    def forward(self, x, p):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = x @ x
        return torch.cond(p, lambda x: x.sin() + 1, lambda x: x.cos(), (x,)), y, torch.cond(x.sum() > 0, lambda x: x.clone(), lambda x: -x, (x,))


class Counts(nn.Module):
    """Sizes that depend on values."""

    def forward(self, x, m):
        n = m.sum().item()
        torch._check(n >= 0)
        torch._check(n < 10)
        return x.nonzero(), torch.zeros(n), x[m > 0], torch.arange(n).to(x)


class Sizes(nn.Module):
    """Numbers that are computed of sizes, and conditions on them."""

    def forward(self, x, y):
        h, w = x.shape[2:]
        z = nn.functional.interpolate(x, size=(h * 2, (w + 1) // 3 + 1), mode="bilinear")
        z = nn.functional.interpolate(z, scale_factor=1.5)
        return z, z.shape[3], x[:, :, : h // 2], -h % 5, max(h, 9), h / 4, y[::2] + x.sum((1, 2, 3)), torch.full((h,), 1.5)


class Core(nn.Module):
    """Operators that run_decompositions makes, whose names begin with an underscore."""

    def __init__(self):
        super().__init__()
        self.norm, self.prelu = nn.BatchNorm2d(4), nn.PReLU(4)

    def forward(self, x):
        y = nn.functional.interpolate(x, (5, 6), mode="bilinear", antialias=True)
        z = nn.functional.interpolate(x, scale_factor=0.5, mode="bicubic", antialias=True)
        rows = x[:, 0, 0]
        n = (rows[:, 0] * 0 + 3).long().sum() - rows.shape[0] * 3 + 2
        return (
            self.prelu(self.norm(x)), nn.functional.batch_norm(x, None, None, training=True), nn.functional.instance_norm(y).log_softmax(1),
            z.softmax(3), torch.cdist(rows, rows), nn.functional.adaptive_avg_pool2d(x, (3, 2)), rows.to(torch.float64), n.item() + 1,
            torch.unique(torch.tensor([3, 1, 3])), nn.functional.scaled_dot_product_attention(x, x, x),
        )


class Sequence(nn.Module):
    """Attention and a recurrent network."""

    def __init__(self):
        super().__init__()
        self.embed, self.lstm = nn.Embedding(11, 8), nn.LSTM(8, 8, batch_first=True, bidirectional=True)
        self.attend = nn.TransformerEncoderLayer(16, 2, 16, batch_first=True)

    def forward(self, tokens):
        y, (h, c) = self.lstm(self.embed(tokens))
        return self.attend(y), h, c


def randn(*size):
    return lambda n: torch.randn(*(n if s is None else s for s in size))


# The models, their arguments for a size n, the keyword arguments, the dynamic sizes, and whether run_decompositions follows.
programs = {
    "net": (Net, lambda n: (torch.randn(n, 3, 9, 9),), lambda n: {}, {"x": {0: Dim("batch", max=8)}}, False),
    "net_core": (Net, lambda n: (torch.randn(n, 3, 9, 9),), lambda n: {}, {"x": {0: Dim("batch", max=8)}}, True),
    "parts": (Parts, lambda n: (torch.randn(4, 4), torch.tensor(n % 2 == 0)), lambda n: {}, None, False),
    "counts": (Counts, lambda n: (torch.randn(n), (torch.arange(n) % 2)), lambda n: {}, {"x": {0: Dim.AUTO}, "m": {0: Dim.AUTO}}, False),
    "sizes": (Sizes, lambda n: (torch.randn(n, 2, n + 3, 2 * n + 3), torch.randn(2 * n)), lambda n: {}, {"x": {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}, "y": {0: Dim.AUTO}}, False),
    "core": (Core, lambda n: (torch.randn(n, 4, 8, 8),), lambda n: {}, {"x": {0: Dim.AUTO}}, True),
    "sequence": (Sequence, lambda n: (torch.randint(0, 11, (n, 6)),), lambda n: {}, {"tokens": {0: Dim("batch")}}, False),
}
for core in False, True:
    programs["containers_core" if core else "containers"] = (
        Containers,
        lambda n: (torch.randn(n, 3), True),
        lambda n: {"k": torch.randn(2), "d": {"z": torch.randn(1), "a": [torch.randn(2)]}},
        {"x": {0: Dim("batch")}, "flag": None, "k": None, "d": {"z": None, "a": [None]}},
        core,
    )


def make(name, folder, seed):
    """Writes a program, and the calls of it with three sizes: arguments, what they are after the call, and results."""
    torch.manual_seed(seed)
    model, args, kwargs, dynamic, core = programs[name]
    model = model().eval()
    program = torch.export.export(model, args(4), kwargs(4), dynamic_shapes=dynamic)
    if core:
        program = program.run_decompositions()
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                for key in "stack_trace", "nn_module_stack", "source_fn_stack", "from_node":
                    node.meta.pop(key, None)
    program.example_inputs = None
    torch.export.save(program, f"{folder}/{name}.pt2")
    calls = []
    module = program.module()
    with torch.no_grad():
        for n in 4, 3, 6:
            a, k = args(n), kwargs(n)
            before = [[x.clone() if isinstance(x, torch.Tensor) else x for x in a], dict(k)]
            result = module(*a, **k)
            calls.append(before + [list(a), result])
    torch.save([calls, dict(program.state_dict)], f"{folder}/{name}.calls")


if __name__ == "__main__":
    for name in programs:
        make(name, sys.argv[1], 0)

"""Functions and values of all kinds, for the tests of torchtest.Python."""
import collections, dataclasses, enum
import numpy, torch

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Output:
    logits: torch.Tensor
    loss: float = 0.5


class Color(enum.IntEnum):
    RED = 3


def describe(*xs):
    return [(str(x.dtype), tuple(x.shape), x.layout, x.requires_grad) for x in xs]


def quantized_tensors():
    x = torch.randn(2, 8)
    out = [torch.quantize_per_tensor(x, 0.1, 3, d) for d in (torch.qint8, torch.quint8, torch.qint32)]
    out += [torch.quantize_per_channel(x, torch.tensor([0.1, 0.2]), torch.tensor([1, 2]), 0, torch.qint8)]
    return out + [torch.quantize_per_channel(x, torch.rand(2) + 0.1, torch.rand(2), 0, d) for d in (torch.quint4x2, torch.quint2x4)]


def grad(x):
    x.pow(2).sum().backward()
    return x.grad


def invert(x):
    print("x is", x)
    return 1 // x


def turn():
    while True: pass


if __name__ == "__main__":
    raise SystemExit("not in tests")

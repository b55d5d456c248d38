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

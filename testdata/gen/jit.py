"""Writes containers.pt, a TorchScript module that takes and gives tensors, lists, tuples, dicts and scalars, and parts.pt, one with submodules, objects and extra files."""
import os, sys
from typing import Dict, List, Optional, Tuple
import torch

from script import save

class Containers(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @torch.jit.export
    def everything(self, xs: List[torch.Tensor], d: Dict[str, torch.Tensor], t: Tuple[int, float], name: str,
                   flag: bool = True, none: Optional[torch.Tensor] = None):
        total = xs[0]
        for x in xs[1:]:
            total = total + x
        out: Dict[str, torch.Tensor] = {}
        for k, v in d.items():
            out[k + name] = v + float(t[0]) * t[1]
        return total, [len(xs), len(d)], out, name + "!", flag, none

    @torch.jit.export
    def fails(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(7)

save(torch.jit.script(Containers()), os.path.join(sys.argv[1], "containers.pt"))


@torch.jit.script
class Counter:
    def __init__(self, start: int):
        self.n = start

    def add(self, k: int = 1) -> int:
        self.n += k
        return self.n


class Inner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        self.register_buffer("count", torch.tensor(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


class Parts(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Inner()
        self.second = torch.nn.Linear(2, 1)
        self.tied = torch.nn.Linear(2, 1)
        self.tied.weight = self.second.weight
        self.scale = torch.nn.Parameter(torch.tensor(0.5), requires_grad=False)
        self.names = ["a", "b"]

    def forward(self, x: torch.Tensor, scale: float = 2.0, shift: Optional[torch.Tensor] = None) -> torch.Tensor:
        y = self.first(x) * scale
        return y if shift is None else y + shift

    @torch.jit.export
    def draw(self, n: int, generator: Optional[torch.Generator] = None) -> torch.Tensor:
        return torch.rand([n], generator=generator)

    @torch.jit.export
    def counter(self, start: int) -> Counter:
        return Counter(start)

    @torch.jit.export
    def count(self, c: Counter) -> int:
        return c.add(10)

    @torch.jit.export
    def total(self, xs: List[float], d: Dict[str, List[int]]) -> float:
        s = 0.0
        for x in xs:
            s += x
        for k, v in d.items():
            for i in v:
                s += i
        return s

    @torch.jit.export
    def raises(self, n: int) -> int:
        if n > 0:
            raise ValueError("n must not be positive")
        return n

    @torch.jit.export
    def divide(self, a: int, b: int) -> Tuple[int, int]:
        return a // b, a % b


torch.manual_seed(0)
save(torch.jit.script(Parts()), os.path.join(sys.argv[1], "parts.pt"), {"labels.txt": "cat\ndog\n", "dir/x.bin": b"\x00\xff"})

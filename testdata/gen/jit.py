"""Writes containers.pt: a TorchScript module that takes and gives tensors, lists, tuples, dicts and scalars."""
import os, sys
from typing import Dict, List, Optional, Tuple
import torch

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

torch.jit.save(torch.jit.script(Containers()), os.path.join(sys.argv[1], "containers.pt"))

"""Random tensors of make_tensor."""
import math, random, warnings
import torch
from torch.testing import make_tensor

warnings.simplefilter("ignore")
integral = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64]
made_of = [torch.bool, *integral, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex32, torch.complex64, torch.complex128,
    torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu, torch.qint8]

def tensors(n, seed):
    random.seed(seed)
    out = []
    for i in range(n):
        shape, dtype = random.choice([[], [1], [5], [2, 3], [0, 2], [3, 1], [2, 3, 4, 5], [40]]), made_of[i % len(made_of)]
        o = {}
        bounds = [-3, 0, 1, 2, 7, 200, 0.5, -0.25, 1.5, -1e9, 1e9, math.inf, -math.inf, math.nan, -2**63, 2**63 - 1, 1e300, 3.5e38, 70000.0]
        if random.random() < .25: o["low"] = random.choice(bounds)
        if random.random() < .25: o["high"] = random.choice(bounds)
        for name, p in (("requires_grad", .2), ("noncontiguous", .4), ("exclude_zero", .3)):
            if random.random() < p: o[name] = True
        if random.random() < .1: o["memory_format"] = torch.channels_last
        torch.manual_seed(i)
        case = {"shape": shape, "dtype": str(dtype)[6:], "options": {k: v for k, v in o.items() if k != "memory_format"}, "channels_last": "memory_format" in o}
        try:
            x = make_tensor(shape, dtype=dtype, device="cpu", **o)
        except Exception as e:
            case["error"] = f"{type(e).__name__}: {e}"
        else:
            case |= {"x": x, "grad": x.requires_grad, "leaf": x.is_leaf, "offset": x.storage_offset(), "next": torch.rand(())}
        out.append(case)
    return out

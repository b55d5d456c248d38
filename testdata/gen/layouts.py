"""Writes models/all/testdata/layouts.json: for each model of torchvision the number of
tensors of its state dict, the number of its parameters, and a digest of the names, dtypes and shapes in
order.

    python layouts.py > ../../models/all/testdata/layouts.json
"""
import hashlib
import inspect
import json
import sys

import torch
from torchvision import models
from torchvision.models.regnet import BlockParams

# It computes with tensors, which have no values on the meta device.
params = BlockParams.from_init_params.__func__


def on_cpu(cls, *args, **kwargs):
    with torch.device("cpu"):
        return params(cls, *args, **kwargs)


BlockParams.from_init_params = classmethod(on_cpu)


def build(name):
    builder = models.get_model_builder(name)
    backbone = "weights_backbone" in inspect.signature(builder).parameters
    return builder(weights=None, **({"weights_backbone": None} if backbone else {}))


def layout(model):
    state = [(k, v) for k, v in model.state_dict().items() if isinstance(v, torch.Tensor)]
    text = "".join(f"{k} {str(v.dtype).removeprefix('torch.')} {list(v.shape)}\n" for k, v in state)
    return {"tensors": len(state), "parameters": sum(p.numel() for p in model.parameters()), "digest": hashlib.sha256(text.encode()).hexdigest()[:16]}


if __name__ == "__main__":
    out = {}
    for name in models.list_models():
        with torch.device("meta"):
            out[name] = layout(build(name))
    print("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}")

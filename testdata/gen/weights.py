"""Makes weights of a model's true layout from seeded random numbers.

    python weights.py MODEL FILE [--legacy | --script] [--half]

MODEL is a name of torchvision or one of the four WSL models. The file is a state
dict in the zip layout, one in the layout before PyTorch 1.6 (--legacy), or a
TorchScript archive (--script).
"""
import argparse
import re

import torch
from torchvision.models import get_model
from torchvision.models.resnet import Bottleneck, ResNet


def build(name):
    if m := re.fullmatch(r"resnext101_32x(\d+)d_wsl", name):
        return ResNet(Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=int(m[1]))
    return get_model(name)


def seeded(name, seed=0):
    """Returns the model in evaluation mode. Its running statistics are those of
    no training, but such that every layer matters and logits stay near 1."""
    torch.manual_seed(seed)
    model = build(name)
    with torch.no_grad():
        for key, x in model.state_dict().items():
            if key.endswith("running_mean"):
                x.normal_(0, 0.1)
            elif key.endswith("running_var"):
                x.uniform_(0.5, 1.5)
            elif key.endswith("num_batches_tracked"):
                x.fill_(1234)
    return model.eval()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("file")
    p.add_argument("--legacy", action="store_true")
    p.add_argument("--script", action="store_true")
    p.add_argument("--half", action="store_true")
    a = p.parse_args()
    model = seeded(a.model)
    if a.half:
        model.half()
    if a.script:
        torch.jit.script(model).save(a.file)
    else:
        torch.save(model.state_dict(), a.file, _use_new_zipfile_serialization=not a.legacy)

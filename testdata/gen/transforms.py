"""Writes testdata/transforms.json: the SHA-256 of what Pillow and torchvision make of pictures of random bytes.

    python testdata/gen/transforms.py

A picture is its width and height; its bytes are those of the generator in picture().
"""
import hashlib, json, os

import numpy, PIL, torchvision
from PIL import Image
from torchvision import transforms as T

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "transforms.json")
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def picture(w, h):
    x, out = 1, bytearray()
    for _ in range(3 * w * h):
        x = (x * 1664525 + 1013904223) % 2**32
        out.append(x >> 24)
    return Image.frombytes("RGB", (w, h), bytes(out))


def digest(b):
    return hashlib.sha256(b).hexdigest()


# From and to; the last two lie on both sides of the size from which on the vertical pass comes first.
SIZES = [(64, 48, 31, 23), (31, 23, 64, 48), (40, 120, 16, 16), (7, 5, 7, 90), (300, 2, 9, 9), (1, 1, 4, 3), (50, 90, 40, 70), (50, 90, 40, 69)]
FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", "mks2013", "mks2021"]
# Picture, short side, crop, interpolation.
PRESETS = [(500, 392, 256, 224, "bilinear"), (120, 333, 232, 224, "bilinear"), (333, 120, 64, 64, "bicubic"), (30, 40, 20, 61, "bilinear"), (225, 229, 225, 224, "bicubic")]

resized = []
for w, h, to_w, to_h in SIZES:
    for how in FILTERS:
        p = picture(w, h).resize((to_w, to_h), Image.Resampling[how.upper()])
        resized.append({"from": [w, h], "to": [to_w, to_h], "how": how, "sha256": digest(p.tobytes())})
prepared = []
for w, h, short, crop, how in PRESETS:
    t = T.Compose([T.Resize(short, T.InterpolationMode(how)), T.CenterCrop(crop), T.ToTensor(), T.Normalize(MEAN, STD)])
    x = t(picture(w, h)).numpy().astype("<f4")
    prepared.append({"from": [w, h], "resize": short, "crop": crop, "how": how, "sha256": digest(x.tobytes())})
with open(OUT, "w") as f:
    versions = {"pillow": PIL.__version__, "torchvision": torchvision.__version__}
    json.dump({"versions": versions, "resized": resized, "prepared": prepared}, f, indent=1)
    f.write("\n")

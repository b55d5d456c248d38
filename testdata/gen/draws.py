"""Makes testdata/draws.json: what random transforms of torchvision draw after a seed.

    python testdata/gen/draws.py testdata/draws.json

The keys are kept; a new one is added with any value. The picture and the number
of draws are those of TestDrawsGolden in transforms/draws_golden_test.go.
"""
import json, random, sys, zlib

import numpy as np
import torch
import torchvision.transforms as T
from PIL import Image

W, H, N, SEED = 23, 19, 60, 11
pixels = np.array([(i * i * 7 + i * 13) % 251 for i in range(3 * W * H)], np.uint8)
picture = Image.fromarray(pixels.reshape(H, W, 3))

path = sys.argv[1]
with open(path) as f:
    golden = json.load(f)
for expression in golden:
    torch.manual_seed(SEED)
    random.seed(SEED)
    transform = eval(expression)
    golden[expression] = 0
    for _ in range(N):
        golden[expression] = zlib.crc32(transform(picture).tobytes(), golden[expression])
with open(path, "w") as f:
    json.dump(golden, f, indent=1)
    f.write("\n")

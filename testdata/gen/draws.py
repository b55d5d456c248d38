"""Makes testdata/draws.json: what random transforms of torchvision draw after a seed.

    python testdata/gen/draws.py testdata/draws.json

The keys are kept, and what kind of value each has: a number is a checksum of all results, a
list the means of the first ones. A new key is added with the value 0 or []. The picture and the
number of draws are those of TestDrawsGolden in transforms/draws_golden_test.go.
"""
import json, random, sys, zlib

import numpy as np
import torch
import torchvision.transforms as T
from PIL import Image

W, H, N, MEANS, SEED = 23, 19, 60, 8, 11
pixels = np.array([(i * i * 7 + i * 13) % 251 for i in range(3 * W * H)], np.uint8)
picture = Image.fromarray(pixels.reshape(H, W, 3))

path = sys.argv[1]
with open(path) as f:
    golden = json.load(f)
for expression, kind in golden.items():
    torch.manual_seed(SEED)
    random.seed(SEED)
    transform = eval(expression)
    if isinstance(kind, list):
        source = T.ToTensor()(picture) if "Erasing" in expression else picture
        results = [transform(source) for _ in range(MEANS)]
        golden[expression] = [round(float(r.mean() if torch.is_tensor(r) else np.asarray(r).mean() / 255), 5) for r in results]
        continue
    golden[expression] = 0
    for _ in range(N):
        golden[expression] = zlib.crc32(transform(picture).tobytes(), golden[expression])
with open(path, "w") as f:
    f.write("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in golden.items()) + "\n}\n")

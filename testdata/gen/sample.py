"""The sample of a model's page on pytorch.org/hub, for any model and pictures.

    python sample.py MODEL WEIGHTS PICTURE...

WEIGHTS is a state dict of either layout or a TorchScript archive. For each
picture it prints the five best classes. The preprocessing is the page's.
"""
import sys

import torch
from PIL import Image
from torchvision import transforms

from weights import build

name, weights, *pictures = sys.argv[1:]
try:
    state = torch.load(weights, map_location="cpu", weights_only=True)
except RuntimeError:  # a TorchScript archive
    model = torch.jit.load(weights, "cpu")
else:
    model = build(name)
    model.load_state_dict(state)
model.eval()

preprocess = transforms.Compose([
    transforms.Resize(256),
    transforms.CenterCrop(224),
    transforms.ToTensor(),
    transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
])
for picture in pictures:
    input_batch = preprocess(Image.open(picture).convert("RGB")).unsqueeze(0)
    with torch.no_grad():
        output = model(input_batch)
    probabilities = torch.nn.functional.softmax(output[0], dim=0)
    scores, classes = torch.topk(probabilities, 5)
    for score, index in zip(scores.tolist(), classes.tolist()):
        print(f"{picture}\t{index}\t{score:.6f}")

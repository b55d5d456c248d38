"""Writes models/weights.json: the facts of torchvision about its weights and their labels.

    python records.py > models/weights.json
"""
import inspect
import json
import math
import re

from torchvision import models

# The keys of models.Task by the class of a preset.
TASKS = {"ImageClassification": "classification", "SemanticSegmentation": "segmentation", "ObjectDetection": "detection",
         "VideoClassification": "video_classification", "OpticalFlow": "optical_flow"}
# The names of models.Classes by the number of labels.
CLASSES = {1000: "ImageNet-1K", 21: "Pascal VOC", 91: "COCO", 2: "COCO person", 400: "Kinetics-400"}
# torchvision names only the address of a license.
LICENSES = {"https://github.com/facebookresearch/SWAG/blob/main/LICENSE": "CC-BY-NC 4.0, https://github.com/facebookresearch/SWAG/blob/main/LICENSE"}


def preset(transforms):
    numbers = {k: getattr(transforms, k) for k in ("resize_size", "crop_size", "mean", "std") if getattr(transforms, k, None) is not None}
    if hasattr(transforms, "interpolation"):
        numbers["interpolation"] = transforms.interpolation.value
    task = TASKS[type(transforms).__name__]
    if task in ("classification", "segmentation"):  # one side, in a list
        for k in ("resize_size", "crop_size"):
            if k in numbers:
                (numbers[k],) = numbers[k]
    return {task: numbers}


def legacy(builder):
    """Returns the name of the weights of pretrained=True, or None."""
    while not (arguments := inspect.getclosurevars(builder).nonlocals.get("weights")):
        builder = builder.__wrapped__
    w = arguments["weights"][1]
    if not isinstance(w, models.WeightsEnum) and callable(w):
        w = w({"pretrained": True, "quantize": True})
    return w and w.name


def record(w):
    m = dict(w.meta)
    metrics = {data: {k: v for k, v in of.items() if not math.isnan(v)} for data, of in m["_metrics"].items()}
    out = {"name": w.name, "url": w.url, "preset": preset(w.transforms()), "metrics": {k: v for k, v in metrics.items() if v},
           "params": m["num_params"], "gflops": m["_ops"], "mib": m["_file_size"], "min_size": m["min_size"], "recipe": m["recipe"]}
    if not re.search("-[0-9a-f]{8,64}\\.", w.url):
        out["no_hash"] = True
    if m.get("categories"):
        out["classes"] = CLASSES[len(m["categories"])]
        assert classes.setdefault(out["classes"], list(m["categories"])) == list(m["categories"])
    if "license" in m:
        out["license"] = LICENSES[m["license"]]
    if "unquantized" in m:
        out["unquantized"] = str(m["unquantized"])
    for key, name in (("min_temporal_size", "min_frames"), ("keypoint_names", "keypoints"), ("backend", "backend")):
        if key in m:
            out[name] = m[key]
    return out


classes, all_models = {}, []
for name in models.list_models():
    enum = models.get_model_weights(name)
    lines = ",\n".join("   " + json.dumps(record(w)) for w in enum)
    facts = {"enum": enum.__name__, "default": enum.DEFAULT.name, "pretrained": legacy(models.get_model_builder(name)) or ""}
    all_models.append(f'  {json.dumps(name)}: {json.dumps(facts)[:-1]}, "weights": [\n{lines}\n  ]}}')
labels = ",\n".join(f"  {json.dumps(k)}: {json.dumps(classes[k], ensure_ascii=False)}" for k in CLASSES.values())
print(f'{{"generated": "by testdata/gen/records.py; do not edit",\n "classes": {{\n{labels}\n }},\n "models": {{')
print(",\n".join(all_models) + "\n }\n}")

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
)

// evalScript makes data sets on which a seeded model is right, nearly right and wrong, and
// measures the model as torchvision's reference scripts do.
const evalScript = `
import os, numpy as np, torch
from PIL import Image
from torchvision import models, datasets, transforms as T
from torchvision.transforms.v2 import functional as F
torch.set_num_threads(1)

def seeded(name, file):
    torch.manual_seed(5)
    m = models.get_model(name, weights=None, **({"weights_backbone": None} if "lraspp" in name else {}))
    for b in m.modules(): # else all outputs are alike
        if isinstance(b, torch.nn.BatchNorm2d):
            b.running_mean.uniform_(-0.2, 0.2); b.running_var.uniform_(0.5, 2)
    torch.save(m.state_dict(), file)
    return m.eval()

def noise(seed, w, h):
    g = np.random.default_rng(seed)
    return Image.fromarray(g.integers(0, 256, (h // 8 + 1, w // 8 + 1, 3), dtype=np.uint8)).resize((w, h))

def imagenet(name, root, file, n):
    m, weights = seeded(name, file), models.get_model_weights(name).DEFAULT
    pre, labels = weights.transforms(), weights.meta["categories"]
    for i in range(n):
        img = noise(i, 300 + 17 * i, 280)
        with torch.no_grad():
            order = m(pre(img)[None])[0].argsort(descending=True)
        d = os.path.join(root, "val", labels[order[[0, 3, 50][i % 3]]])
        os.makedirs(d, exist_ok=True)
        img.save(os.path.join(d, f"{i}.png"))
    data = datasets.ImageFolder(os.path.join(root, "val"), pre)
    right = {1: 0, 5: 0}
    with torch.no_grad():
        for x, c in data: # the validation loop, with the folders' names as labels
            top = m(x[None])[0].topk(5).indices.tolist()
            c = labels.index(data.classes[c])
            right[1] += top[0] == c
            right[5] += c in top
    return {f"acc@{k}": v * 100 / len(data) for k, v in right.items()}

def voc(name, root, file, n):
    m, pre = seeded(name, file), models.get_model_weights(name).DEFAULT.transforms()
    d = {k: os.path.join(root, k) for k in ("JPEGImages", "SegmentationClass", os.path.join("ImageSets", "Segmentation"))}
    for v in d.values(): os.makedirs(v)
    counts = torch.zeros(21, 21, dtype=torch.int64)
    for i in range(n):
        img = noise(i, 240, 200 + 20 * i)
        img.save(os.path.join(d["JPEGImages"], f"{i}.jpg"), quality=95)
        img = Image.open(os.path.join(d["JPEGImages"], f"{i}.jpg"))
        with torch.no_grad():
            got = m(pre(img)[None])["out"].argmax(1)[0]
        g = np.random.default_rng(i)
        small = np.asarray(Image.fromarray(got.byte().numpy()).resize(img.size, Image.NEAREST)).copy()
        small[g.random(small.shape) < 0.3] = 0
        small[:21, 0] = range(21)
        small[g.random(small.shape) < 0.05] = 255
        small[30:51, 3] = range(21)
        mask = Image.fromarray(small, "P")
        mask.putpalette(bytes(range(256)) * 3)
        mask.save(os.path.join(d["SegmentationClass"], f"{i}.png"))
        target = F.pil_to_tensor(F.resize(mask, [520], interpolation=T.InterpolationMode.NEAREST))[0].long()
        k = target < 21
        counts += torch.bincount(21 * target[k] + got[k], minlength=441).reshape(21, 21)
    with open(os.path.join(d[os.path.join("ImageSets", "Segmentation")], "val.txt"), "w") as f:
        f.write("".join(f"{i}\n" for i in range(n)))
    h, hit = counts.float(), counts.diag().float()
    return {"miou": (hit / (h.sum(1) + h.sum(0) - hit)).mean().item() * 100, "pixel_acc": (hit.sum() / h.sum()).item() * 100}
`

const cocoScript = evalScript + `
import contextlib, io, json
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

def coco(name, root, file, n):
    torch.manual_seed(5)
    m = models.get_model(name, weights=None, weights_backbone=None).eval()
    torch.save(m.state_dict(), file)
    w = models.get_model_weights(name).DEFAULT
    pre, labels = w.transforms(), w.meta["categories"]
    os.makedirs(os.path.join(root, "annotations")); os.makedirs(os.path.join(root, "val2017"))
    images, truth, found = [], [], []
    for i in range(n):
        img = noise(i, 200 + 40 * i, 180)
        img.save(os.path.join(root, "val2017", f"{i}.png"))
        images.append({"id": 10 + i, "file_name": f"{i}.png", "width": img.width, "height": img.height})
        with torch.no_grad():
            out = m([pre(img)])[0]
        for b, c, s in zip(out["boxes"].tolist(), out["labels"].tolist(), out["scores"].tolist()):
            box = [b[0], b[1], b[2] - b[0], b[3] - b[1]]
            found.append({"image_id": 10 + i, "category_id": c, "bbox": box, "score": s})
            if labels[c] != "N/A" and len(found) % 3 == 0:
                box = [box[0] + 1.5, box[1], box[2], box[3] * 0.8]
                truth.append({"id": len(truth) + 1, "image_id": 10 + i, "category_id": c, "bbox": box, "area": box[2] * box[3], "iscrowd": 0})
    file = os.path.join(root, "annotations", "instances_val2017.json")
    with open(file, "w") as f:
        json.dump({"images": images, "annotations": truth, "categories": [{"id": i, "name": l} for i, l in enumerate(labels) if i and l != "N/A"]}, f)
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO(file)
        e = COCOeval(gt, gt.loadRes(found), "bbox")
        e.evaluate(); e.accumulate(); e.summarize()
    return {"box_map": e.stats[0] * 100, "box_map@50": e.stats[1] * 100, "box_map@75": e.stats[2] * 100}
`

// regionsScript measures models for masks and for key points as coco_eval.py of torchvision's reference scripts does.
const regionsScript = cocoScript + `
from pycocotools import mask as coded

def detector(name, file):
    torch.manual_seed(5)
    m = models.get_model(name, weights=None, weights_backbone=None)
    with torch.no_grad(): # numbers with which scores differ, and boxes are as large as their anchors
        for k, v in m.state_dict().items():
            if k.endswith("running_var"):
                v.uniform_(0.5, 1.5)
            elif k.endswith("bbox_pred.weight"):
                v.normal_(0, 1e-3)
            elif k.endswith(("cls_score.weight", "cls_logits.weight")):
                v.normal_(0, 3e-3)
            elif k.endswith(("mask_fcn_logits.weight", "score_lowres.weight")):
                v.normal_(0, 0.5)
    s = {k: v for k, v in m.state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(s, file)
    return m.eval() # and not with weights=DEFAULT, which would make the epsilon of normalization 0, as that of the published weights is

def regions(name, root, file, n):
    m, w = detector(name, file), models.get_model_weights(name).DEFAULT
    pre, labels = w.transforms(), w.meta["categories"]
    kind, annotations, figure = ("segm", "instances", "mask") if name.startswith("mask") else ("keypoints", "person_keypoints", "kp")
    os.makedirs(os.path.join(root, "annotations")); os.makedirs(os.path.join(root, "val2017"))
    images, truth, found = [], [], []
    g = np.random.default_rng(3)
    for i in range(n):
        img = noise(i, 200 + 40 * i, 180)
        img.save(os.path.join(root, "val2017", f"{i}.png"))
        images.append({"id": 10 + i, "file_name": f"{i}.png", "width": img.width, "height": img.height})
        with torch.no_grad():
            out = m([pre(img)])[0]
        for j in range(len(out["scores"])):
            b, c = out["boxes"][j].tolist(), out["labels"][j].item()
            one = {"image_id": 10 + i, "category_id": c, "bbox": [b[0], b[1], b[2] - b[0], b[3] - b[1]], "score": out["scores"][j].item()}
            there = {**one, "id": len(truth) + 1, "iscrowd": 0}
            there.pop("score")
            if kind == "segm":
                mask = (out["masks"][j, 0] > 0.5).numpy().astype(np.uint8)
                one["segmentation"] = coded.encode(np.asfortranarray(mask))
                mask[: 60 + 2 * j] *= (g.random() < 0.5)
                rle = coded.encode(np.asfortranarray(mask))
                there |= {"segmentation": {"size": rle["size"], "counts": rle["counts"].decode()}, "area": int(mask.sum())}
            else:
                one["keypoints"] = out["keypoints"][j].flatten().tolist()
                near = out["keypoints"][j].numpy() + [[j / 8, 0, 1]] * (g.random((17, 1)) < 0.8)
                there |= {"keypoints": near.flatten().tolist(), "num_keypoints": 17, "area": one["bbox"][2] * one["bbox"][3], "segmentation": []}
            found.append(one)
            if labels[c] not in ("N/A", "__background__") and len(found) % 3 == 0 and there["area"] > 0:
                truth.append(there)
    file = os.path.join(root, "annotations", annotations + "_val2017.json")
    with open(file, "w") as f:
        json.dump({"images": images, "annotations": truth, "categories": [{"id": i, "name": l} for i, l in enumerate(labels) if l not in ("N/A", "__background__") and i]}, f)
    stats = {}
    for iou, name in {"bbox": "box", kind: figure}.items():
        with contextlib.redirect_stdout(io.StringIO()):
            gt = COCO(file)
            of = [{k: v for k, v in x.items() if k in ("image_id", "category_id", "score", {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}[iou])} for x in found]
            e = COCOeval(gt, gt.loadRes(of), iou)
            e.evaluate(); e.accumulate(); e.summarize()
        stats |= {name + "_map" + at: e.stats[i] * 100 for i, at in enumerate(("", "@50", "@75"))}
    return stats
`

// TestEvalRegionsEqualsPython measures the models for masks and key points. They need TORCHHUB_TEST_LARGE, since they take minutes.
func TestEvalRegionsEqualsPython(t *testing.T) {
	reference.Python(t)
	if os.Getenv("TORCHHUB_TEST_LARGE") == "" {
		t.Skip("TORCHHUB_TEST_LARGE is not set")
	}
	p := reference.Start(t, regionsScript)
	for _, model := range []string{"maskrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn"} {
		t.Run(model, func(t *testing.T) {
			dir, file := t.TempDir(), filepath.Join(t.TempDir(), "weights.pth")
			want := map[string]float64{}
			p.Call(&want, "regions", model, dir, file, 1)
			got, stderr, status := evalJSON(t, "-m", model, "--weights", file, dir)
			require.Zero(t, status, stderr)
			require.Len(t, got.Metrics, len(want))
			for name, v := range want {
				require.InDelta(t, v, got.Metrics[name], 0.01, name)
				require.Positive(t, v, name)
				require.Less(t, v, 100., name)
			}
		})
	}
}

type evalOutput struct {
	Model, Weights, Data string
	Pictures, Failed     int
	Metrics, Published   map[string]float64
}

func evalJSON(t *testing.T, args ...string) (r evalOutput, stderr string, status int) {
	t.Helper()
	out, stderr, status := torchhub(t, nil, append([]string{"eval", "--json"}, args...)...)
	if out != "" {
		require.NoError(t, json.Unmarshal([]byte(out), &r), stderr)
	}
	return r, stderr, status
}

// TestEvalEqualsPython measures on synthetic data sets what torchvision's scripts measure.
func TestEvalEqualsPython(t *testing.T) {
	p := reference.Start(t, cocoScript)
	for _, c := range []struct {
		layout, model string
		n             int
		published     string
	}{{"imagenet", "squeezenet1_1", 9, "acc@1"}, {"voc", "lraspp_mobilenet_v3_large", 2, "miou"}, {"coco", "ssdlite320_mobilenet_v3_large", 2, "box_map"}} {
		t.Run(c.layout, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(t.TempDir(), "weights.pth")
			want := map[string]float64{}
			p.Call(&want, c.layout, c.model, dir, file, c.n)
			require.Less(t, want[c.published], 100.)
			require.Positive(t, want[c.published])
			results := filepath.Join(t.TempDir(), "results.jsonl")
			got, stderr, status := evalJSON(t, "-m", c.model, "--weights", file, "--results", results, dir)
			require.Zero(t, status, stderr)
			require.Equal(t, c.n, got.Pictures)
			require.Len(t, got.Metrics, len(want))
			for name, v := range want {
				require.InDelta(t, v, got.Metrics[name], 0.01, name) // of 100; pixels at the edge of two classes
			}

			// A run that ended, and left half a line, goes on.
			whole, err := os.ReadFile(results)
			require.NoError(t, err)
			lines := strings.SplitAfter(string(whole), "\n")
			require.Len(t, lines, c.n+2) // with the head, and nothing at the end
			require.NoError(t, os.WriteFile(results, []byte(strings.Join(lines[:2], "")+lines[2][:10]), 0o644))
			again, stderr, status := evalJSON(t, "-m", c.model, "--weights", file, "--results", results, dir)
			require.Zero(t, status, stderr)
			require.Equal(t, got, again)
			whole, err = os.ReadFile(results)
			require.NoError(t, err)
			require.Len(t, strings.SplitAfter(string(whole), "\n"), c.n+2)

			if c.layout != "imagenet" {
				return
			}
			_, stderr, status = evalJSON(t, "-m", c.model, "--weights", file, "--results", results, "--limit", "4", dir)
			require.Equal(t, 1, status)
			require.Contains(t, stderr, "has the results of another evaluation")
			few, stderr, status := evalJSON(t, "-m", c.model, "--weights", file, "--limit", "4", "--batch", "3", dir)
			require.Zero(t, status, stderr)
			require.Equal(t, 4, few.Pictures)

			// A picture that cannot be read is not counted.
			require.NoError(t, os.WriteFile(filepath.Join(dir, "val", filepath.Base(firstDir(t, filepath.Join(dir, "val"))), "bad.png"), []byte("no picture"), 0o644))
			out, stderr, status := torchhub(t, nil, "eval", "-m", c.model, "--weights", file, dir)
			require.Equal(t, 1, status)
			require.Contains(t, stderr, "bad.png: ")
			require.Contains(t, out, fmt.Sprintf("%s %s on %d pictures of %s\n", c.model, file, c.n, dir))
			require.Contains(t, out, fmt.Sprintf("%.3f", want["acc@1"]))
		})
	}
}

func firstDir(t *testing.T, dir string) string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return entries[0].Name()
}

func TestEvalMistakes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"eval " + dir, 2, "name a model with -m"},
		{"eval -m resnet18", 2, "the arguments do not fit"},
		{"eval -m resnet18 --batch -1 " + dir, 2, "cannot be negative"},
		{"eval -m resnet18 " + filepath.Join(dir, "none"), 1, "none"},
		{"eval -m resnet5 " + dir, 1, "did you mean resnet50"},
	} {
		out, stderr, status := torchhub(t, nil, strings.Fields(c.args)...)
		require.Equal(t, c.status, status, c.args)
		require.Empty(t, out)
		require.Contains(t, stderr, c.want, c.args)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

// TestEvalMasksAndKeypoints measures a model that finds the whole picture, all of whose key points are at one place.
func TestEvalMasksAndKeypoints(t *testing.T) {
	dir := t.TempDir()
	figures := map[string]float64{"box_map": 1, "mask_map": 2, "kp_map": 3}
	models.Register(models.Entry{Name: "whole_person", Repo: "testowner/whole", Build: func() any { return &whole{torch.Zeros(2)} },
		Weights: []models.Weights{{Name: "V1", URL: "https://example.com/whole-01234567.pth", Preset: models.DetectionPreset{}, Classes: models.COCOPerson, Params: 2, Metrics: models.Metrics{"COCO-val2017": figures}}}})
	weights := filepath.Join(dir, "w.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(&whole{torch.Zeros(2)}), weights, nil))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "annotations"), 0o777))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "val2017"), 0o777))
	write(t, filepath.Join(dir, "val2017"), "a.png", pngOf(t, 60, 40))
	annotations := func(segmentation string) {
		points := strings.TrimSuffix(strings.Repeat("1, 1, 2, ", 17), ", ")
		write(t, filepath.Join(dir, "annotations"), "person_keypoints_val2017.json", fmt.Appendf(nil, `{"images": [{"id": 7, "file_name": "a.png", "width": 60, "height": 40}],
			"categories": [{"id": 1, "name": "person"}], "annotations": [{"id": 3, "image_id": 7, "category_id": 1, "bbox": [1, 2, 59, 38], "area": 2400, "iscrowd": 0,
			"segmentation": %s, "keypoints": [%s], "num_keypoints": 17}]}`, segmentation, points))
	}
	annotations(`[[0, 0, 60, 0, 60, 40, 0, 40]]`)
	out, errs, status := inProcess(t, "eval", "--device", "cpu", "-m", "whole_person", "--weights", weights, "--json", dir)
	require.Zero(t, status, errs)
	var r evalReport
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	for _, name := range []string{"box_map", "mask_map", "mask_map@50", "kp_map", "kp_map@75"} {
		require.InDelta(t, 100, r.Metrics[name], 1e-9, name)
	}
	annotations(`[[0, 0]]`)
	_, errs, status = inProcess(t, "eval", "--device", "cpu", "-m", "whole_person", "--weights", weights, dir)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "annotation 3: ")
	require.Contains(t, errs, "a polygon of the segmentation has 2 numbers")
}

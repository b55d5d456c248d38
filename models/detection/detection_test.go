package detection_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/detection"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	torch.SetNumThreads(1) // as Python's in the comparisons: random weights magnify the rounding of other divisions of the work
	os.Exit(m.Run())
}

func Example() {
	model := detection.NewFasterRCNN(detection.RCNNConfig{NumClasses: 3, MinSize: detection.MinSizes{64}, BoxDetections: 10})
	nn.Eval(model)
	torch.NoGrad(func() {
		found := model.Detect([]*torch.Tensor{torch.Rand(3, 64, 96)})
		fmt.Println(found[0].Boxes.Size(0) <= 10, found[0].Boxes.Size(1), found[0].Labels.DType())
	})
	// Output: true 4 int64
}

const script = `
import json
import torch
from torchvision import models

torch.set_num_threads(1)

def close(v):
    return {k: x.contiguous() for k, x in v.items()}

def run(name, arguments, empty):
    torch.manual_seed(0)
    arguments = json.loads(arguments)
    m = models.get_model_builder(name)(weights=None, weights_backbone=None, **arguments)
    first = [[k, v.detach().clone()] for k, v in m.state_dict().items() if k.startswith(("rpn", "roi_heads", "head", "backbone.fpn", "backbone.extra", "backbone.body.bn1", "backbone.body.0", "backbone.features", "backbone.scale"))]
    torch.manual_seed(1)
    with torch.no_grad():
        for k, v in m.state_dict().items():
            if k.endswith("running_var"):
                v.uniform_(0.5, 1.5)
            elif k.endswith("weight") and any(s in k for s in ("cls_score", "bbox_pred", "cls_logits", "bbox_reg", "module_list")):
                v.normal_(0, 0.02)
    images = [torch.rand(3, 60, 80), torch.rand(3, 70, 50)]
    boxes = [torch.tensor([[5., 5, 40, 30], [20, 10, 79, 59]]), torch.tensor([[1.5, 2, 30, 60]])]
    labels = [torch.tensor([1, 1]), torch.tensor([1])]
    if empty:
        boxes[1], labels[1] = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    targets = [{"boxes": b, "labels": l, "masks": (torch.rand(len(b), *x.shape[1:]) > 0.4).byte(), "keypoints": torch.rand(len(b), 17, 3) * 60}
               for b, l, x in zip(boxes, labels, images)]
    with torch.no_grad():
        found = [[[k, x.contiguous()] for k, x in sorted(v.items())] for v in m.eval()(images)]
    torch.manual_seed(2)
    losses = m.train()(images, targets)
    sum(losses.values()).backward()
    grads = [[k, p.grad.abs().sum()] for k, p in m.named_parameters() if p.grad is not None]
    return [first, found, [[k, v.detach()] for k, v in losses.items()], grads]
`

// small are arguments for small pictures, and for scores of random weights.
const small = `{"min_size": 64, "max_size": 96, "box_score_thresh": 0.012, "rpn_post_nms_top_n_test": 50, "rpn_pre_nms_top_n_train": 100, "box_detections_per_img": 20}`

var cases = []struct{ name, arguments string }{
	{"fasterrcnn_resnet50_fpn", small},
	{"fasterrcnn_resnet50_fpn_v2", small},
	{"maskrcnn_resnet50_fpn", small},
	{"maskrcnn_resnet50_fpn_v2", small},
	{"fasterrcnn_mobilenet_v3_large_fpn", strings.Replace(small, "{", `{"rpn_score_thresh": 0, "num_classes": 9, `, 1)},
	{"fasterrcnn_mobilenet_v3_large_320_fpn", `{"box_score_thresh": 0.012, "num_classes": 80, "rpn_score_thresh": 0}`},
	{"retinanet_resnet50_fpn", `{"min_size": 64, "max_size": 96, "detections_per_img": 30}`},
	{"retinanet_resnet50_fpn_v2", `{"min_size": 64, "max_size": 96, "detections_per_img": 30, "score_thresh": 0.01}`},
	{"fcos_resnet50_fpn", `{"min_size": 64, "max_size": 96, "detections_per_img": 30, "score_thresh": 0.07, "num_classes": 5}`},
	{"ssd300_vgg16", `{"num_classes": 6, "detections_per_img": 30}`},
	{"ssdlite320_mobilenet_v3_large", `{"num_classes": 6}`},
	{"keypointrcnn_resnet50_fpn", strings.Replace(small, "64", "[60, 64]", 1)},
}

// TestDetectionLive compares initialization, detections, losses and the sums of gradients with torchvision's after the same seeds.
func TestDetectionLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, script)
	day := time.Now().YearDay()
	for i, c := range cases {
		if os.Getenv("TORCHHUB_TEST_LARGE") == "" && i%12 != day%12 {
			continue
		}
		t.Run(c.name, func(t *testing.T) { torch.Run(func() { compare(t, p, c.name, c.arguments, i%2 == 1) }) })
	}
}

func compare(t *testing.T, p *torchtest.Interpreter, name, arguments string, empty bool) {
	want := p.Call("run", name, arguments, empty).([]torch.Value)
	build, err := models.Configure(name, []byte(arguments))
	require.NoError(t, err)
	torch.ManualSeed(0)
	m := build().(models.Detector)
	s := nn.StateDict(m)
	for _, v := range want[0].([]torch.Value) {
		kv := v.([]torch.Value)
		require.NoError(t, torchtest.CheckClose(s.Get(kv[0].(string)).Detach(), kv[1], torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}), kv[0])
	}
	torch.ManualSeed(1)
	torch.NoGrad(func() {
		for _, e := range s {
			predictor := false
			for _, part := range []string{"cls_score", "bbox_pred", "cls_logits", "bbox_reg", "module_list"} {
				predictor = predictor || strings.Contains(e.Name, part)
			}
			switch {
			case strings.HasSuffix(e.Name, "running_var"):
				e.Tensor.UniformInPlace(0.5, 1.5)
			case predictor && strings.HasSuffix(e.Name, "weight"):
				e.Tensor.NormalInPlace(0, 0.02)
			}
		}
	})
	images, targets := pictures(empty)
	nn.Eval(m)
	torch.NoGrad(func() {
		for i, o := range m.Detect(images) {
			fields := map[string]*torch.Tensor{"boxes": o.Boxes, "labels": o.Labels, "scores": o.Scores, "masks": o.Masks, "keypoints": o.Keypoints, "keypoints_scores": o.KeypointScores}
			require.Positive(t, o.Scores.Numel(), "nothing is found in picture %d", i)
			for _, v := range want[1].([]torch.Value)[i].([]torch.Value) {
				kv := v.([]torch.Value)
				require.NotNil(t, fields[kv[0].(string)], kv[0])
				require.NoError(t, torchtest.CheckClose(fields[kv[0].(string)], kv[1], torchtest.CloseOptions{Rtol: new(1e-4), Atol: new(1e-4)}), "%s of picture %d", kv[0], i)
			}
		}
	})
	nn.Train(m)
	torch.ManualSeed(2)
	losses := m.Losses(images, targets)
	require.Len(t, want[2].([]torch.Value), len(losses))
	var total *torch.Tensor
	for i, l := range losses {
		kv := want[2].([]torch.Value)[i].([]torch.Value)
		require.Equal(t, kv[0], l.Name)
		require.InEpsilon(t, 1+kv[1].(*torch.Tensor).Item(), 1+l.Value.Item(), 1e-4, l.Name)
		if total == nil {
			total = l.Value
		} else {
			total = total.Add(l.Value)
		}
	}
	total.Backward()
	for _, v := range want[3].([]torch.Value) {
		kv := v.([]torch.Value)
		// Batch normalization over few values magnifies the rounding.
		a, b := kv[1].(*torch.Tensor).Item(), s.Get(kv[0].(string)).Grad().Abs().Sum().Item()
		require.LessOrEqual(t, math.Abs(a-b), 0.05*math.Abs(a)+1e-4, "gradient of %s", kv[0])
	}
}

// pictures draws pictures and targets as the script does.
func pictures(empty bool) (images []*torch.Tensor, targets []models.DetectionTarget) {
	images = []*torch.Tensor{torch.Rand(3, 60, 80), torch.Rand(3, 70, 50)}
	boxes := []*torch.Tensor{torch.FromSlice([]float32{5, 5, 40, 30, 20, 10, 79, 59}, 2, 4), torch.FromSlice([]float32{1.5, 2, 30, 60}, 1, 4)}
	if empty {
		boxes[1] = torch.Zeros(0, 4)
	}
	for i, b := range boxes {
		n := b.Size(0)
		targets = append(targets, models.DetectionTarget{
			Boxes: b, Labels: torch.Options{DType: torch.Int64}.Ones(n),
			Masks:     torch.Rand(n, images[i].Size(1), images[i].Size(2)).GtScalar(0.4).ToDType(torch.Uint8),
			Keypoints: torch.Rand(n, 17, 3).MulScalar(60),
		})
	}
	return images, targets
}

func TestMistakes(t *testing.T) {
	m := detection.NewMaskRCNN(detection.RCNNConfig{NumClasses: 2, MinSize: detection.MinSizes{64}})
	images, good := pictures(false)
	with := func(change func(t *models.DetectionTarget)) func() {
		targets := append([]models.DetectionTarget{}, good...)
		change(&targets[1])
		return func() { m.Losses(images, targets) }
	}
	nan := float32(math.NaN())
	for want, f := range map[string]func(){
		"there are no pictures":                                func() { m.Detect(nil) },
		"picture 0 has the shape [1 60 80]; give [3, H, W]":    func() { m.Detect([]*torch.Tensor{torch.Rand(1, 60, 80)}) },
		"picture 0 is uint8":                                   func() { m.Detect([]*torch.Tensor{torch.Options{DType: torch.Uint8}.Zeros(3, 60, 80)}) },
		"picture 0 of 1×5000 pixels is too narrow":             func() { m.Detect([]*torch.Tensor{torch.Rand(3, 1, 5000)}) },
		"there are 0 targets for 2 pictures":                   func() { m.Losses(images, nil) },
		"target 1 lacks masks":                                 with(func(t *models.DetectionTarget) { t.Masks = nil }),
		"target 1 lacks boxes or labels":                       with(func(t *models.DetectionTarget) { t.Labels = nil }),
		"found the invalid box [12.799999":                     with(func(t *models.DetectionTarget) { t.Boxes = torch.FromSlice([]float32{10, 10, 10, 30}, 1, 4) }),
		"found the invalid box [NaN":                           with(func(t *models.DetectionTarget) { t.Boxes = torch.FromSlice([]float32{nan, 10, 20, 30}, 1, 4) }),
		"the boxes of target 1 are float32 [1 5]":              with(func(t *models.DetectionTarget) { t.Boxes = torch.Rand(1, 5) }),
		"the labels of target 1 are float32 [1]; give int64 n": with(func(t *models.DetectionTarget) { t.Labels = torch.Rand(1) }),
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	for arguments, want := range map[string]string{
		`{"min_size": []}`:      "no list of numbers",
		`{"min_size": 0}`:       "give a number from 1",
		`{"box_nms_thresh": 2}`: "box_nms_thresh is 2; give a number from 0 to 1",
		`{"num_clases": 2}`:     `there is no argument "num_clases"`,
	} {
		_, err := models.Configure("fasterrcnn_resnet50_fpn", []byte(arguments))
		require.ErrorContains(t, err, want)
	}
}

// TestPretrained checks what the weights change: frozen batch normalization with their epsilon, and layers that stay.
func TestPretrained(t *testing.T) {
	e, err := models.Lookup("keypointrcnn_resnet50_fpn")
	require.NoError(t, err)
	torch.WithDevice(torch.Meta, func() {
		for name, eps := range map[string]float64{"COCO_LEGACY": 1e-5, "COCO_V1": 0} {
			m := e.BuildFor(&models.Weights{Name: name})
			s := nn.StateDict(m)
			require.Nil(t, s.Get("backbone.body.bn1.num_batches_tracked"))
			require.False(t, s.Get("backbone.body.layer1.0.conv1.weight").RequiresGrad())
			require.True(t, s.Get("backbone.body.layer2.0.conv1.weight").RequiresGrad())
			frozen := 0
			for _, m := range nn.Modules(m) {
				if bn, ok := m.(*ops.FrozenBatchNorm2d); ok {
					require.Equal(t, eps, bn.Eps)
					frozen++
				}
			}
			require.Equal(t, 53, frozen)
		}
	})
}

// TestNumKeypoints gives num_keypoints to models, of which one takes it.
func TestNumKeypoints(t *testing.T) {
	for _, name := range []string{"fasterrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"} {
		_, err := models.Configure(name, []byte(`{"num_keypoints": 5}`))
		require.ErrorContains(t, err, `there is no argument "num_keypoints"; there are trainable_backbone_layers`)
	}
	build, err := models.Configure("keypointrcnn_resnet50_fpn", []byte(`{"num_keypoints": 5, "num_classes": 3}`))
	require.NoError(t, err)
	torch.WithDevice(torch.Meta, func() {
		s := nn.StateDict(build())
		require.Equal(t, []int{512, 5, 4, 4}, s.Get("roi_heads.keypoint_predictor.kps_score_lowres.weight").Shape())
		require.Equal(t, 3, s.Get("roi_heads.box_predictor.cls_score.weight").Size(0))
	})
}

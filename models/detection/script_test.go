package detection_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestScriptLive runs detectors that Python exported as TorchScript, which call torchvision's operators by name.
func TestScriptLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import torch
from torch import nn
from torchvision import models, ops

torch.set_num_threads(1)

class Ops(nn.Module):
    def forward(self, x, rois, offset, weight):
        boxes = rois[:, 1:]
        keep = ops.nms(boxes, rois[:, 3], 0.5)
        return (ops.roi_align(x, rois, [2, 2]), ops.roi_pool(x, rois, [2, 2]), ops.ps_roi_align(x, rois, 2),
                ops.ps_roi_pool(x, rois, 2), ops.deform_conv2d(x, offset, weight), keep)

def plain(v):
    if isinstance(v, torch.Tensor):
        return v.contiguous()
    if isinstance(v, dict):
        v = [v[k] for k in sorted(v)]
    return [plain(x) for x in v]

def detector(path):
    torch.manual_seed(0)
    m = models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=5, rpn_score_thresh=0.0).eval()
    x = torch.rand(3, 90, 120)
    s = torch.jit.script(m)
    s.save(path)
    with torch.no_grad():
        return [x, plain(s([x])[1])]

def operators(path):
    torch.manual_seed(0)
    args = [torch.randn(2, 4, 8, 8), torch.tensor([[0, 1, 1, 6, 7.5], [1, 2, 0, 3, 3], [0, 1, 1, 6, 7]]), torch.randn(2, 18, 6, 6), torch.randn(3, 4, 3, 3)]
    s = torch.jit.script(Ops())
    s.save(path)
    return [args, plain(s(*args))]
`)
	load := func(function string) (m *jit.Module, args, want torch.Value) {
		path := t.TempDir() + "/model.pt"
		answer := p.Call(function, path).([]torch.Value)
		m, err := jit.Load(path)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		return m, answer[0], answer[1]
	}
	m, args, want := load("operators")
	got, err := m.Forward(args.([]torch.Value)...)
	require.NoError(t, err)
	for i, w := range want.([]torch.Value) {
		require.NoError(t, torchtest.CheckClose(got.(torch.Tuple)[i], w), "result %d", i)
	}

	if !strings.HasPrefix(torch.Version(), "2.15.") {
		return // torchvision's detectors call operators that older versions lack
	}
	m, x, want := load("detector")
	torch.NoGrad(func() { got, err = m.Forward([]torch.Value{x}) })
	require.NoError(t, err)
	found, err := torch.Get[map[string]*torch.Tensor](got, 1, 0)
	require.NoError(t, err)
	require.Positive(t, found["scores"].Numel())
	for i, name := range []string{"boxes", "labels", "scores"} {
		w := want.([]torch.Value)[0].([]torch.Value)[i]
		require.NoError(t, torchtest.CheckClose(found[name], w, torchtest.CloseOptions{Rtol: new(1e-4), Atol: new(1e-4)}), name)
	}
}

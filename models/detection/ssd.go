package detection

import (
	"math"
	"strconv"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/mobilenet"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/models/vgg"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// SSDConfig has the arguments of torchvision's functions for SSD and SSDlite.
type SSDConfig struct {
	Pretrained       bool     // for trained weights: some layers are frozen
	TrainableLayers  *int     `json:"trainable_backbone_layers" limits:"0,6"` // of the backbone, if it is Pretrained; default 4 of 5, and 6 of 6 for SSDlite
	NumClasses       int      `json:"num_classes"`                            // with the background; 0 means 91
	ScoreThresh      *float64 `json:"score_thresh"`                           // default 0.01, and 0.001 for SSDlite
	NMSThresh        *float64 `json:"nms_thresh"`                             // default 0.45, and 0.55 for SSDlite
	Detections       int      `json:"detections_per_img"`                     // 0 means 200, and 300 for SSDlite
	IoUThresh        *float64 `json:"iou_thresh"`                             // default 0.5
	TopKCandidates   int      `json:"topk_candidates"`                        // of each class; 0 means 400, and 300 for SSDlite
	PositiveFraction *float64 `json:"positive_fraction" limits:"0.0001,1"`    // share of objects among what is learned; default 0.25

	WeightsBackbone torch.StateDict // of the VGG-16 or MobileNet V3, in which the backbone starts, as if it were Pretrained: weights_backbone; nil means at random
}

// SSD is torchvision.models.detection.SSD. It is a [models.Detector].
//
// https://docs.pytorch.org/vision/stable/models/ssd.html
type SSD struct {
	Backbone pyramid
	Head     *SSDHeads

	boxes     defaultBoxes
	matcher   matcher
	coder     coder
	selection selection // its top is of each class
	negatives float64   // places without an object that are learned, for each with one
	transform *transform
}

// A pyramid computes feature maps of several sizes, from the finest on.
type pyramid interface {
	Forward(x *torch.Tensor) []*torch.Tensor
}

// SSDHeads predict classes and boxes, by layers of their own for each map.
type SSDHeads struct{ ClassificationHead, RegressionHead *SSDHead }

// An SSDHead has a layer for each map: SSDScoringHead.
type SSDHead struct {
	ModuleList []nn.Module
	columns    int
}

// Forward maps the maps to [N, R, columns].
func (m *SSDHead) Forward(maps []*torch.Tensor) *torch.Tensor {
	var all []*torch.Tensor
	for i, x := range maps {
		all = append(all, rows(m.ModuleList[i].Forward(x), m.columns))
	}
	return torch.Cat(all, 1)
}

// Forward returns logits [N, R, classes] and boxes [N, R, 4].
func (m *SSDHeads) Forward(maps []*torch.Tensor) (logits, boxes *torch.Tensor) {
	return m.ClassificationHead.Forward(maps), m.RegressionHead.Forward(maps)
}

// newSSDHeads makes heads of layers for maps with numbers of channels; init draws those of one head.
func newSSDHeads(channels []int, boxes defaultBoxes, classes int, layer func(in, out int) nn.Module, init func(m any)) *SSDHeads {
	head := func(columns int) *SSDHead {
		h := &SSDHead{columns: columns}
		for i, c := range channels {
			h.ModuleList = append(h.ModuleList, layer(c, columns*boxes.perPixel(i)))
		}
		init(h)
		return h
	}
	return &SSDHeads{head(classes), head(4)}
}

// defaultBoxes are boxes around the pixels of feature maps: DefaultBoxGenerator.
type defaultBoxes struct {
	ratios [][]float64 // of each map, besides 1
	scales []float64   // of each map and one more, of the picture's side
	steps  []int       // pixels of the picture for one of the map; nil means by the maps' sizes
}

func (d defaultBoxes) perPixel(i int) int { return 2 + 2*len(d.ratios[i]) }

// forward returns the boxes [R, 4] in pictures of a size.
func (d defaultBoxes) forward(maps []*torch.Tensor, height, width int) *torch.Tensor {
	var out []float32
	for k, m := range maps {
		s, next := d.scales[k], math.Sqrt(d.scales[k]*d.scales[k+1])
		sides := [][2]float64{{s, s}, {next, next}}
		for _, r := range d.ratios[k] {
			w, h := s*math.Sqrt(r), s/math.Sqrt(r)
			sides = append(sides, [2]float64{w, h}, [2]float64{h, w})
		}
		y, x := float64(m.Size(2)), float64(m.Size(3))
		if d.steps != nil {
			y, x = float64(height)/float64(d.steps[k]), float64(width)/float64(d.steps[k])
		}
		for i := range m.Size(2) {
			for j := range m.Size(3) {
				cx, cy := (float32(j)+0.5)/float32(x), (float32(i)+0.5)/float32(y)
				for _, side := range sides {
					w, h := min(float32(side[0]), 1)/2, min(float32(side[1]), 1)/2
					out = append(out, (cx-w)*float32(width), (cy-h)*float32(height), (cx+w)*float32(width), (cy+h)*float32(height))
				}
			}
		}
	}
	return torch.FromSlice(out, len(out)/4, 4).To(maps[0].Device()).ToDType(maps[0].DType())
}

// build fills in what SSD and SSDlite share.
func (c SSDConfig) build(m *SSD, size int, minScore, overlap float64, detections, top int, mean, std []float64) *SSD {
	m.matcher, m.coder = matcher{high: or(c.IoUThresh, 0.5), low: or(c.IoUThresh, 0.5)}, coder{10, 10, 5, 5}
	m.selection = selection{or(c.ScoreThresh, minScore), or(c.NMSThresh, overlap), orInt(c.Detections, detections), orInt(c.TopKCandidates, top)}
	positive := or(c.PositiveFraction, 0.25)
	m.negatives = (1 - positive) / positive
	m.transform = &transform{minSize: []int{size}, maxSize: size, fixed: size, divisor: 1, mean: mean, std: std}
	return m
}

// initConvs draws the weights of all convolutions of m, whose biases become 0.
func initConvs(m any, draw func(weight *torch.Tensor)) {
	for _, m := range nn.Modules(m) {
		if c, ok := m.(*nn.Conv2d); ok {
			draw(c.Weight)
			if c.Bias != nil {
				nn.InitZeros(c.Bias)
			}
		}
	}
}

func xavier(m any) { initConvs(m, func(w *torch.Tensor) { nn.InitXavierUniform(w) }) }
func narrow(m any) { initConvs(m, func(w *torch.Tensor) { nn.InitNormal(w, 0, 0.03) }) }

// ssdVGG is a VGG-16 with more layers: SSDFeatureExtractorVGG.
type ssdVGG struct {
	ScaleWeight *torch.Tensor // [512]
	Features    nn.Sequential
	Extra       []nn.Sequential
}

// NewSSD builds an SSD: torchvision.models.detection.ssd300_vgg16(weights_backbone=None).
func NewSSD(c SSDConfig) *SSD {
	p := newPretrained(c.Pretrained, nil, 0, c.WeightsBackbone)
	net := vgg.New(vgg.Config{
		Stages:      [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}},
		InitWeights: new(p.weights == nil),
	})
	p.load(net)
	f := net.Features
	if p.on {
		frozen := []int{len(f), 23, 16, 9, 4, 0}[min(or(c.TrainableLayers, 4), 5)]
		freeze(f[:frozen])
	}
	f[16] = nn.NewMaxPool2d(2, nn.MaxPool2dOptions{Stride: 2, CeilMode: true})
	scale := torch.Full(20., 512)
	b := &ssdVGG{ScaleWeight: scale.RequireGrad(true), Features: f[:23]}
	relu := func() nn.Module { return &nn.ReLU{InPlace: true} }
	block := func(in, between, out int, o nn.Conv2dOptions) nn.Sequential {
		return nn.Sequential{nn.NewConv2d(in, between, 1), relu(), nn.NewConv2d(between, out, 3, o), relu()}
	}
	half := nn.Conv2dOptions{Stride: 2, Padding: 1}
	extra := []nn.Sequential{block(1024, 256, 512, half), block(512, 128, 256, half), block(256, 128, 256, nn.Conv2dOptions{}), block(256, 128, 256, nn.Conv2dOptions{})}
	xavier(extra)
	fc := nn.Sequential{
		nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 1, Padding: 1}), nn.NewConv2d(512, 1024, 3, nn.Conv2dOptions{Padding: 6, Dilation: 6}), relu(),
		nn.NewConv2d(1024, 1024, 1), relu(),
	}
	xavier(fc)
	b.Extra = append([]nn.Sequential{append(append(nn.Sequential{}, f[23:30]...), fc)}, extra...)
	m := &SSD{Backbone: b, boxes: defaultBoxes{
		ratios: [][]float64{{2}, {2, 3}, {2, 3}, {2, 3}, {2}, {2}},
		scales: []float64{0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05},
		steps:  []int{8, 16, 32, 64, 100, 300},
	}}
	m.Head = newSSDHeads([]int{512, 1024, 512, 256, 256, 256}, m.boxes, orInt(c.NumClasses, 91), func(in, out int) nn.Module {
		return nn.NewConv2d(in, out, 3, nn.Conv2dOptions{Padding: 1})
	}, xavier)
	// The weights are for pixels up to 255, less their means.
	return c.build(m, 300, 0.01, 0.45, 200, 400, []float64{0.48235, 0.45882, 0.40784}, []float64{1. / 255, 1. / 255, 1. / 255})
}

// Forward maps pictures [N, 3, 300, 300] to maps of 38, 19, 10, 5, 3 and 1 pixels.
func (m *ssdVGG) Forward(x *torch.Tensor) []*torch.Tensor {
	x = m.Features.Forward(x)
	out := []*torch.Tensor{m.ScaleWeight.View(1, -1, 1, 1).Mul(F.Normalize(x))}
	for i, block := range m.Extra {
		y := x
		if i > 0 {
			y = out[i]
		}
		out = append(out, block.Forward(y))
	}
	return out
}

// ssdMobileNet is a MobileNet V3 with more layers: SSDLiteFeatureExtractorMobileNet.
type ssdMobileNet struct {
	Features []nn.Module
	Extra    []nn.Module
}

// Forward maps pictures [N, 3, 320, 320] to maps of 20, 10, 5, 3, 2 and 1 pixels.
func (m *ssdMobileNet) Forward(x *torch.Tensor) (out []*torch.Tensor) {
	for _, list := range [][]nn.Module{m.Features, m.Extra} {
		for _, block := range list {
			x = block.Forward(x)
			out = append(out, x)
		}
	}
	return out
}

// NewSSDLite builds an SSDlite: torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights_backbone=None). With
// WeightsBackbone its last stages have all channels of the MobileNet V3.
func NewSSDLite(c SSDConfig) *SSD {
	norm := func(channels int) nn.Module {
		return nn.NewBatchNorm2d(channels, nn.BatchNorm2dOptions{Eps: new(0.001), Momentum: new(0.03)})
	}
	conv := func(in, out, kernel, stride, groups int) nn.Module {
		return ops.NewConv2dNormActivation(in, out, ops.ConvNormActivationOptions{
			Kernel: kernel, Stride: stride, Groups: groups, Norm: norm, Activation: func() nn.Module { return &nn.ReLU6{InPlace: true} },
		})
	}
	p := newPretrained(c.Pretrained, nil, 0, c.WeightsBackbone)
	net := mobilenet.NewV3(mobilenet.ConfigV3{ReducedTail: p.weights == nil, Norm: norm})
	if p.weights == nil {
		narrow(net)
	}
	p.load(net)
	f := net.Features
	if p.on {
		freeze(f[:mobileNetStages(f, or(c.TrainableLayers, 6))])
	}
	const c4 = 13 // the last block with a stride
	last := f[c4].(*mobilenet.InvertedResidual).Block
	rest := nn.SequentialDict{}
	for i, m := range last[1:] {
		rest = append(rest, nn.Child{Name: strconv.Itoa(i + 1), Module: m})
	}
	b := &ssdMobileNet{Features: []nn.Module{
		append(append(nn.Sequential{}, f[:c4]...), last[0]),
		append(nn.Sequential{rest}, f[c4+1:]...),
	}}
	channels := f[len(f)-1].(nn.Sequential)[0].(*nn.Conv2d).Weight.Size(0)
	in := channels
	for _, out := range []int{512, 256, 256, 128} {
		b.Extra = append(b.Extra, nn.Sequential{conv(in, out/2, 1, 1, 1), conv(out/2, out/2, 3, 2, out/2), conv(out/2, out, 1, 1, 1)})
		in = out
	}
	narrow(b.Extra)
	m := &SSD{Backbone: b}
	const least, most, maps = 0.2, 0.95, 6
	for k := range maps {
		m.boxes.ratios = append(m.boxes.ratios, []float64{2, 3})
		m.boxes.scales = append(m.boxes.scales, least+(most-least)*float64(k)/(maps-1))
	}
	m.boxes.scales = append(m.boxes.scales, 1)
	m.Head = newSSDHeads([]int{672, channels, 512, 256, 256, 128}, m.boxes, orInt(c.NumClasses, 91), func(in, out int) nn.Module {
		return nn.Sequential{conv(in, in, 3, 1, in), nn.NewConv2d(in, out, 1)}
	}, narrow)
	half := []float64{0.5, 0.5, 0.5}
	return c.build(m, 320, 0.001, 0.55, 300, 300, half, half)
}

// Detect returns what the model finds in each picture [3, H, W].
func (m *SSD) Detect(images []*torch.Tensor) []models.DetectionOutput {
	return detect(m, m.transform, images)
}

// Losses returns bbox_regression and classification.
func (m *SSD) Losses(images []*torch.Tensor, targets []models.DetectionTarget) []models.Loss {
	return losses(m, m.transform, images, targets)
}

func (m *SSD) detect(b batch) []models.DetectionOutput {
	f := m.Backbone.Forward(b.x)
	logits, deltas := m.Head.Forward(f)
	scores := logits.Softmax(2)
	all := m.boxes.forward(f, b.x.Size(2), b.x.Size(3))
	out := make([]models.DetectionOutput, len(b.sizes))
	for i, size := range b.sizes {
		boxes := ops.ClipBoxesToImage(m.coder.decode(deltas.Select(0, i), all), size.Height, size.Width)
		var of []found
		for label := 1; label < scores.Size(2); label++ {
			score := scores.Select(0, i).Select(1, label)
			kept := where(score.GtScalar(m.selection.minScore))
			best, order := score.Index(kept).TopK(min(m.selection.top, kept.Numel()), 0)
			of = append(of, found{boxes.Index(kept.Index(order)), best, torch.Options{DType: torch.Int64}.FullLike(best, label)})
		}
		out[i] = join(of).suppress(m.selection.overlap, m.selection.perPicture).output()
	}
	return out
}

// match matches as a matcher does; besides, each target gets its best box.
func (m *SSD) match(iou *torch.Tensor) *torch.Tensor {
	matches := m.matcher.match(iou)
	_, best := iou.MaxDim(1)
	matches.SetIndex(torch.Options{DType: torch.Int64, Device: iou.Device()}.Arange(iou.Size(0)), best)
	return matches
}

func (m *SSD) losses(b batch, targets []models.DetectionTarget) []models.Loss {
	f := m.Backbone.Forward(b.x)
	logits, deltas := m.Head.Forward(f)
	all := m.boxes.forward(f, b.x.Size(2), b.x.Size(3))
	n := 0
	var regression, labels []*torch.Tensor
	for i, t := range targets {
		matches := matchAll(m.match, t, all)
		objects := where(matches.GeScalar(0))
		index := matches.Index(objects)
		n += index.Numel()
		target := m.coder.encode(t.Boxes.Index(index), all.Index(objects))
		regression = append(regression, F.SmoothL1Loss(deltas.Select(0, i).Index(objects), target, F.SmoothL1LossOptions{Reduction: "sum"}))
		label := torch.Options{DType: torch.Int64, Device: all.Device()}.Zeros(all.Size(0))
		label.SetIndex(t.Labels.Index(index), objects)
		labels = append(labels, label)
	}
	label := torch.Stack(labels, 0) // [N, R]
	each := F.CrossEntropy(logits.View(-1, logits.Size(2)), label.View(-1), F.CrossEntropyOptions{Reduction: "none"}).View(label.Shape()...)
	object := label.GtScalar(0)
	// The places without an object that are the worst are learned.
	_, order := each.MaskedFill(object, math.Inf(-1)).Sort(torch.SortOptions{Dim: new(1), Descending: true})
	_, rank := order.Sort(torch.SortOptions{Dim: new(1)})
	hard := rank.Lt(object.SumDim(1, torch.SumOptions{KeepDim: true}).MulScalar(m.negatives))
	sum := each.MaskedSelect(object).Sum().Add(each.MaskedSelect(hard).Sum())
	return []models.Loss{
		{Name: "bbox_regression", Value: torch.Stack(regression, 0).Sum().DivScalar(max(1, n))},
		{Name: "classification", Value: sum.DivScalar(max(1, n))},
	}
}

// mobileNetStages returns the number of modules of a MobileNet V3 before its last stages, of which there are 6.
func mobileNetStages(f nn.Sequential, last int) int {
	starts := []int{0}
	for i, m := range f {
		if b, ok := m.(*mobilenet.InvertedResidual); ok && b.Strided {
			starts = append(starts, i)
		}
	}
	starts = append(starts, len(f)-1)
	if last == 0 {
		return len(f)
	}
	return starts[len(starts)-min(last, len(starts))]
}

func init() {
	for _, e := range []struct {
		name, title, paper string
		build              func(SSDConfig) *SSD
		backbone, weights  string
	}{
		{"ssd300_vgg16", "SSD: Single Shot MultiBox Detector", "https://arxiv.org/abs/1512.02325", NewSSD, "vgg16", "IMAGENET1K_FEATURES"},
		{"ssdlite320_mobilenet_v3_large", "Searching for MobileNetV3", "https://arxiv.org/abs/1905.02244", NewSSDLite, "mobilenet_v3_large", "IMAGENET1K_V1"},
	} {
		models.Register(models.Entry{
			Name: e.name, Repo: models.Vision, Title: e.title, Paper: e.paper,
			Build:     func() any { return e.build(SSDConfig{}) },
			Configure: models.Configurer(SSDConfig{}, e.build),
			BuildFor:  func(*models.Weights) any { return e.build(SSDConfig{Pretrained: true}) },
			ConfigureFor: func(_ *models.Weights, arguments []byte) (func() any, error) {
				return models.Configurer(SSDConfig{Pretrained: true}, e.build)(arguments)
			},
			Backbone: models.NewBackbone(e.backbone, e.weights, func(s torch.StateDict) func([]byte) (func() any, error) {
				return models.Configurer(SSDConfig{WeightsBackbone: s}, e.build)
			}),
		})
	}
}

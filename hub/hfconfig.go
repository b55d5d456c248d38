package hub

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/transforms"
)

// A plan says how a repository's files become a model.
type plan struct {
	architecture string // as the repository calls it
	net          models.ResNetConfig
	rename       func(string) string // a tensor's name in the file to its name in the model; nil changes none
	pre          *transforms.Pipeline
	preset       *models.Preset // what pre is, nil where a preset cannot say it
	labels       []string
	license      string
}

// errUnsupported is what cannot be built or prepared here.
func errUnsupported(format string, args ...any) error {
	return fmt.Errorf("unsupported: "+format, args...)
}

// hfConfig is what is read of a config.json: of timm's, and of that of transformers.
type hfConfig struct {
	// timm
	Architecture      string                     `json:"architecture"`
	NumClasses        *int                       `json:"num_classes"`
	GlobalPool        string                     `json:"global_pool"`
	ModelArgs         map[string]json.RawMessage `json:"model_args"`
	LabelNames        json.RawMessage            `json:"label_names"`
	LabelDescriptions map[string]string          `json:"label_descriptions"`
	PretrainedCfg     *timmConfig                `json:"pretrained_cfg"`

	// transformers
	Architectures          []string          `json:"architectures"`
	ModelType              string            `json:"model_type"`
	NumChannels            *int              `json:"num_channels"`
	EmbeddingSize          *int              `json:"embedding_size"`
	HiddenSizes            []int             `json:"hidden_sizes"`
	Depths                 []int             `json:"depths"`
	LayerType              *string           `json:"layer_type"`
	HiddenAct              *string           `json:"hidden_act"`
	DownsampleFirstStage   bool              `json:"downsample_in_first_stage"`
	DownsampleInBottleneck bool              `json:"downsample_in_bottleneck"`
	ID2Label               map[string]string `json:"id2label"`
	NumLabels              *int              `json:"num_labels"`
}

// timmConfig is timm's pretrained_cfg.
type timmConfig struct {
	Tag               string            `json:"tag"`
	InputSize         []int             `json:"input_size"`
	CropPct           float64           `json:"crop_pct"`
	CropMode          string            `json:"crop_mode"`
	Interpolation     string            `json:"interpolation"`
	Mean              []float64         `json:"mean"`
	Std               []float64         `json:"std"`
	NumClasses        *int              `json:"num_classes"`
	License           string            `json:"license"`
	Labels            json.RawMessage   `json:"labels"`
	LabelNames        json.RawMessage   `json:"label_names"`
	LabelDescriptions map[string]string `json:"label_descriptions"`
}

// Limits of what a configuration may ask for: far beyond all that is published.
const (
	maxClasses = 1 << 18
	maxSide    = 1 << 14
	maxBlocks  = 1 << 10
	maxWidth   = 1 << 14
)

// readHFConfig makes a plan of a config.json. The one of transformers needs its
// preprocessor_config.json too, which more fetches.
func readHFConfig(data []byte, more func(file string) ([]byte, error)) (*plan, error) {
	var c hfConfig
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	switch {
	case c.Architecture != "":
		if c.PretrainedCfg == nil { // timm's older configurations are in one piece
			c.PretrainedCfg = new(timmConfig)
			if err := json.Unmarshal(data, c.PretrainedCfg); err != nil {
				return nil, fmt.Errorf("config.json: %w", err)
			}
		}
		return c.timm()
	case slices.Contains(c.Architectures, "ResNetForImageClassification"):
		return c.transformers(more)
	case len(c.Architectures) > 0 || c.ModelType != "":
		return nil, errUnsupported("its architecture is %.100q; timm's ResNets and transformers' ResNetForImageClassification can be built", cmp.Or(strings.Join(c.Architectures, ", "), c.ModelType))
	}
	return nil, errors.New("config.json names no architecture; it is neither one of timm nor of transformers")
}

func (c *hfConfig) timm() (*plan, error) {
	t := c.PretrainedCfg
	net, ok := models.TimmResNet(c.Architecture)
	if !ok {
		return nil, errUnsupported("its architecture is timm's %.100q; those of timm's ResNets can be built that batch-normalize", c.Architecture)
	}
	if c.GlobalPool != "" && c.GlobalPool != "avg" {
		return nil, errUnsupported("%s with the global_pool %.100q", c.Architecture, c.GlobalPool)
	}
	classes := cmp.Or(c.NumClasses, t.NumClasses)
	if err := c.timmArgs(&net, &classes); err != nil {
		return nil, err
	}
	net.NumClasses = 1000
	if classes != nil {
		net.NumClasses = *classes
	}
	if err := c.checkNet(net); err != nil {
		return nil, err
	}
	p := &plan{architecture: c.Architecture, net: net, license: t.License}
	p.rename = func(name string) string { return strings.TrimPrefix(name, "timm_model.") } // of transformers' TimmWrapper
	var err error
	if p.labels, err = c.timmLabels(net.NumClasses); err != nil {
		return nil, err
	}
	return p, p.prepareTimm(t)
}

// timmArgs applies model_args, the arguments of the entry point that the model was made with.
func (c *hfConfig) timmArgs(net *models.ResNetConfig, classes **int) error {
	stem, stemWidth := "", net.StemWidth
	for key, value := range c.ModelArgs {
		var to any
		switch key {
		case "drop_rate", "drop_path_rate", "drop_block_rate", "zero_init_last", "pretrained", "pretrained_cfg", "img_size":
			continue // of training
		case "num_classes":
			*classes = new(int)
			to = *classes
		case "cardinality":
			to = &net.Groups
		case "base_width":
			to = &net.WidthPerGroup
		case "stem_width":
			to = &stemWidth
		case "stem_type":
			to = &stem
		case "replace_stem_pool":
			to = &net.StemConv
		case "avg_down":
			to = &net.AvgDown
		case "down_kernel_size":
			to = &net.DownKernel
		case "block_reduce_first":
			to = &net.ReduceFirst
		case "layers", "channels":
			var n []int
			if err := json.Unmarshal(value, &n); err != nil || len(n) != 4 {
				return errUnsupported("%s with the %s %.100s", c.Architecture, key, value)
			}
			if key == "layers" {
				copy(net.Layers[:], n)
			} else {
				copy(net.Channels[:], n)
			}
			continue
		default:
			// What changes nothing may be said.
			same := map[string]string{"in_chans": "3", "output_stride": "32", "global_pool": `"avg"`}
			if want, ok := same[key]; ok && string(value) == want || string(value) == "null" {
				continue
			}
			return errUnsupported("%s with the argument %.100s = %.100s", c.Architecture, key, value)
		}
		if err := json.Unmarshal(value, to); err != nil {
			return fmt.Errorf("config.json: model_args.%s: %w", key, err)
		}
	}
	if _, ok := c.ModelArgs["stem_type"]; ok {
		kinds := map[string]models.Stem{"": models.PlainStem, "deep": models.DeepStem, "deep_tiered": models.TieredStem}
		if net.Stem, ok = kinds[stem]; !ok {
			return errUnsupported("%s with the stem_type %.100q", c.Architecture, stem)
		}
	}
	if net.StemWidth = stemWidth; net.Stem == models.PlainStem {
		net.StemWidth = 0 // which timm ignores then
	}
	return nil
}

// checkNet refuses numbers that would fill the memory before the weights are seen not to fit.
func (c *hfConfig) checkNet(net models.ResNetConfig) error {
	if net.NumClasses < 1 || net.NumClasses > maxClasses {
		return errUnsupported("%d classes; want 1 to %d", net.NumClasses, maxClasses)
	}
	layers, channels := net.Layers[:], net.Channels[:]
	groups, width := cmp.Or(net.Groups, 1), cmp.Or(net.WidthPerGroup, 64)
	if slices.Min(layers) < 1 || slices.Max(layers) > maxBlocks || slices.Min(channels) < 0 || slices.Max(channels) > maxWidth ||
		groups < 1 || groups > maxWidth || width < 1 || width > maxWidth || groups*width > maxWidth || net.StemWidth < 0 || net.StemWidth > maxWidth ||
		net.DownKernel < 0 || net.DownKernel > 31 || net.ReduceFirst < 0 || net.ReduceFirst > 64 {
		return errors.New("config.json: a number of the architecture is out of range")
	}
	return nil
}

// timmLabels returns the labels' names: the ones in the configuration, or ImageNet's.
func (c *hfConfig) timmLabels(n int) ([]string, error) {
	t := c.PretrainedCfg
	raw, said := c.LabelNames, c.LabelDescriptions
	for _, r := range []json.RawMessage{t.LabelNames, t.Labels} {
		if isNull(raw) {
			raw = r
		}
	}
	if said == nil {
		said = t.LabelDescriptions
	}
	if isNull(raw) {
		if n == 1000 && strings.Contains(t.Tag, "in1k") {
			return models.ImageNet.Labels(), nil
		}
		return numbered(n), nil
	}
	var names []string
	if err := json.Unmarshal(raw, &names); err != nil {
		byID := map[string]string{}
		if err := json.Unmarshal(raw, &byID); err != nil {
			return nil, fmt.Errorf("config.json: label_names: %w", err)
		}
		names = labelsByID(byID, n)
	}
	if len(names) != n {
		return nil, fmt.Errorf("config.json: there are %d label_names for %d classes", len(names), n)
	}
	for i, name := range names {
		names[i] = cmp.Or(said[name], name)
	}
	return names, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// numbered returns names for classes that have none, as transformers calls them.
func numbered(n int) []string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = "LABEL_" + strconv.Itoa(i)
	}
	return labels
}

// labelsByID returns n labels by their numbers.
func labelsByID(byID map[string]string, n int) []string {
	labels := numbered(n)
	for id, label := range byID {
		if i, err := strconv.Atoi(id); err == nil && i >= 0 && i < n {
			labels[i] = label
		}
	}
	return labels
}

// normal is a mean and a standard deviation of the colors.
type normal struct{ mean, std []float64 }

var (
	imageNetNormal = normal{[]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}}
	unitNormal     = normal{[]float64{0.5, 0.5, 0.5}, []float64{0.5, 0.5, 0.5}}
	clipNormal     = normal{[]float64{0.48145466, 0.4578275, 0.40821073}, []float64{0.26862954, 0.26130258, 0.27577711}}
)

// or returns n, what is missing of it taken from another, or says what is wrong with it.
func (n normal) or(d normal) (normal, error) {
	if len(n.mean) == 0 {
		n.mean = d.mean
	}
	if len(n.std) == 0 {
		n.std = d.std
	}
	if len(n.mean) != 3 || len(n.std) != 3 || slices.ContainsFunc(n.std, func(s float64) bool { return !(s > 0) }) {
		return n, fmt.Errorf("the mean %.100v and the standard deviation %.100v are not three numbers each, above 0", n.mean, n.std)
	}
	return n, nil
}

// prepareTimm makes timm's transforms for evaluation:
// timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg)).
//
// https://huggingface.co/docs/timm/reference/data
func (p *plan) prepareTimm(t *timmConfig) error {
	size := t.InputSize
	if len(size) == 0 {
		size = []int{3, 224, 224}
	}
	if len(size) != 3 || size[0] != 3 {
		return errUnsupported("inputs of size %v; want [3, H, W]", size)
	}
	h, w := size[1], size[2]
	pct := cmp.Or(t.CropPct, 0.875)
	scaleH, scaleW := math.Floor(float64(h)/pct), math.Floor(float64(w)/pct)
	if min(h, w) < 1 || !(pct > 0) || min(scaleH, scaleW) < 1 || max(scaleH, scaleW) > maxSide || max(h, w) > maxSide {
		return fmt.Errorf("config.json: the input_size %v and crop_pct %v are out of range", size, pct)
	}
	how := transforms.Interpolation(cmp.Or(t.Interpolation, "bicubic"))
	if _, ok := resamplings[how]; !ok {
		return errUnsupported("the interpolation %.100q", how)
	}
	n, err := normal{t.Mean, t.Std}.or(imageNetNormal)
	if err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	var steps []transforms.Transform
	sh, sw := int(scaleH), int(scaleW)
	switch mode := cmp.Or(t.CropMode, "center"); mode {
	case "squash":
		steps = append(steps, transforms.ResizeTo(sh, sw, transforms.ResizeOptions{Interpolation: how}), transforms.CenterCropTo(h, w))
	case "border":
		var fill [3]uint8
		for i, m := range n.mean {
			fill[i] = uint8(min(max(math.RoundToEven(255*m), 0), 255))
		}
		steps = append(steps, keepRatio{sh, sw, true, how}, cropOrPad{h: h, w: w, fill: fill})
	default: // timm takes any other for "center"
		if sh == sw {
			steps = append(steps, transforms.Resize(sh, transforms.ResizeOptions{Interpolation: how}))
		} else {
			steps = append(steps, keepRatio{sh, sw, false, how})
		}
		steps = append(steps, transforms.CenterCropTo(h, w))
	}
	p.pre = transforms.Compose(append(steps, transforms.ToTensor(), transforms.Normalize(n.mean, n.std))...)
	if sh == sw && h == w && t.CropMode != "squash" && t.CropMode != "border" {
		p.preset = &models.Preset{Resize: sh, Crop: h, Interpolation: string(how), Mean: n.mean, Std: n.std}
	}
	return nil
}

// resamplings are Pillow's filters and their numbers in it; nearest is both.
var resamplings = map[transforms.Interpolation]int{"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}

// transformers makes a plan of a ResNetForImageClassification.
//
// https://huggingface.co/docs/transformers/model_doc/resnet
func (c *hfConfig) transformers(more func(string) ([]byte, error)) (*plan, error) {
	const name = "ResNetForImageClassification"
	or := func(p *int, d int) int {
		if p == nil {
			return d
		}
		return *p
	}
	p := &plan{architecture: name}
	net := &p.net
	expansion := 4
	switch {
	case c.LayerType == nil || *c.LayerType == "bottleneck":
		net.Block = models.Bottlenecks
	case *c.LayerType == "basic":
		net.Block, expansion = models.BasicBlocks, 1
	default:
		return nil, errUnsupported("%s with the layer_type %.100q", name, *c.LayerType)
	}
	switch {
	case or(c.NumChannels, 3) != 3:
		return nil, errUnsupported("%s with pictures of %d channels", name, *c.NumChannels)
	case c.HiddenAct != nil && *c.HiddenAct != "relu":
		return nil, errUnsupported("%s with the hidden_act %.100q", name, *c.HiddenAct)
	case c.DownsampleFirstStage:
		return nil, errUnsupported("%s with downsample_in_first_stage", name)
	}
	hidden, depths := c.HiddenSizes, c.Depths
	if hidden == nil {
		hidden = []int{256, 512, 1024, 2048}
	}
	if depths == nil {
		depths = []int{3, 4, 6, 3}
	}
	if len(hidden) != 4 || len(depths) != 4 {
		return nil, errUnsupported("%s with the hidden_sizes %.100v and depths %.100v; want four of each", name, hidden, depths)
	}
	copy(net.Layers[:], depths)
	for i, n := range hidden {
		if n%expansion != 0 || n <= 0 {
			return nil, errUnsupported("%s with the hidden_sizes %v", name, hidden)
		}
		net.Channels[i] = n / expansion
	}
	net.StemWidth = or(c.EmbeddingSize, 64)
	if net.StemWidth < 1 {
		return nil, errUnsupported("%s with the embedding_size %d", name, net.StemWidth)
	}
	net.StrideFirst = c.DownsampleInBottleneck
	net.NumClasses = or(c.NumLabels, 2) // as transformers, where nothing is said
	if len(c.ID2Label) > 0 {
		net.NumClasses = len(c.ID2Label)
	}
	if err := c.checkNet(*net); err != nil {
		return nil, err
	}
	p.labels = labelsByID(c.ID2Label, net.NumClasses)
	p.rename = renameTransformers
	data, err := more("preprocessor_config.json")
	if err != nil {
		return nil, err
	}
	if err := p.prepareTransformers(data); err != nil {
		return nil, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	return p, nil
}

// renameTransformers returns torchvision's name of a tensor of a
// ResNetForImageClassification: the last convolution of a block is its first, second or third.
func renameTransformers(name string) string {
	part := map[string]string{"convolution": "conv", "normalization": "bn"}
	e := strings.Split(name, ".")
	switch {
	case len(e) == 3 && e[0] == "classifier" && e[1] == "1":
		return "fc." + e[2]
	case len(e) == 5 && strings.HasPrefix(name, "resnet.embedder.embedder.") && part[e[3]] != "":
		return part[e[3]] + "1." + e[4]
	case len(e) < 8 || !strings.HasPrefix(name, "resnet.encoder.stages.") || e[4] != "layers":
		return name
	}
	stage, err := strconv.Atoi(e[3])
	if err != nil {
		return name
	}
	block := fmt.Sprintf("layer%d.%s.", stage+1, e[5])
	switch {
	case e[6] == "shortcut" && e[7] == "convolution" && len(e) == 9:
		return block + "downsample.0." + e[8]
	case e[6] == "shortcut" && e[7] == "normalization" && len(e) == 9:
		return block + "downsample.1." + e[8]
	case e[6] == "layer" && len(e) == 10 && part[e[8]] != "":
		i, err := strconv.Atoi(e[7])
		if err == nil {
			return fmt.Sprintf("%s%s%d.%s", block, part[e[8]], i+1, e[9])
		}
	}
	return name
}

// imageProcessor is what is read of a preprocessor_config.json.
type imageProcessor struct {
	Type          string          `json:"image_processor_type"`
	OldType       string          `json:"feature_extractor_type"`
	DoResize      *bool           `json:"do_resize"`
	DoCenterCrop  *bool           `json:"do_center_crop"`
	DoRescale     *bool           `json:"do_rescale"`
	DoNormalize   *bool           `json:"do_normalize"`
	RescaleFactor *float64        `json:"rescale_factor"`
	Size          json.RawMessage `json:"size"`
	CropSize      json.RawMessage `json:"crop_size"`
	CropPct       *float64        `json:"crop_pct"`
	Resample      *int            `json:"resample"`
	Mean          []float64       `json:"image_mean"`
	Std           []float64       `json:"image_std"`
}

// processorSize is a size in one of the ways it is written: 224, {"shortest_edge": 224} or {"height": 224, "width": 224}.
type processorSize struct{ Short, H, W int }

func readSize(raw json.RawMessage, square bool) (s processorSize, err error) {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		s.Short = n
		if square {
			s = processorSize{H: n, W: n}
		}
	} else {
		var d struct {
			Short int `json:"shortest_edge"`
			H     int `json:"height"`
			W     int `json:"width"`
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			return s, err
		}
		s = processorSize{d.Short, d.H, d.W}
	}
	if s.Short > 0 && s.Short <= maxSide && s.H == 0 && s.W == 0 || s.Short == 0 && min(s.H, s.W) > 0 && max(s.H, s.W) <= maxSide {
		return s, nil
	}
	return s, errUnsupported("the size %.100s", raw)
}

// prepareTransformers makes the transforms of a processor as its version for Pillow does them.
//
// https://huggingface.co/docs/transformers/main_classes/image_processor
func (p *plan) prepareTransformers(data []byte) error {
	var c imageProcessor
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	kind := cmp.Or(c.Type, c.OldType)
	for _, suffix := range []string{"Fast", "Pil"} {
		kind = strings.TrimSuffix(kind, suffix)
	}
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, "ImageProcessor"), "FeatureExtractor")
	no := func(b *bool) bool { return b != nil && !*b }
	if no(c.DoResize) || no(c.DoRescale) || c.RescaleFactor != nil && math.Abs(*c.RescaleFactor*255-1) > 1e-6 {
		return errUnsupported("pictures that are not resized, or not scaled to [0, 1]")
	}
	how, square, size, usual := transforms.Interpolation("bicubic"), false, json.RawMessage(`384`), unitNormal
	switch kind {
	case "ConvNext":
	case "ViT":
		how, square, size = "bilinear", true, json.RawMessage(`224`)
	case "Bit", "CLIP":
		size, usual = json.RawMessage(`224`), clipNormal
	default:
		return errUnsupported("the processor %.100q", cmp.Or(c.Type, c.OldType))
	}
	if c.Resample != nil {
		how = ""
		for name, n := range resamplings {
			if n == *c.Resample {
				how = name
			}
		}
		if how == "" {
			return errUnsupported("the resample %d", *c.Resample)
		}
	}
	n := normal{c.Mean, c.Std}
	if no(c.DoNormalize) {
		n = normal{[]float64{0, 0, 0}, []float64{1, 1, 1}}
	}
	n, err := n.or(usual)
	if err != nil {
		return err
	}
	if !isNull(c.Size) {
		size = c.Size
	}
	s, err := readSize(size, square)
	if err != nil {
		return err
	}
	o := transforms.ResizeOptions{Interpolation: how}
	var steps []transforms.Transform
	crop := processorSize{}
	switch {
	case kind == "ConvNext" && s.Short == 0, kind == "ViT" && s.Short != 0:
		return errUnsupported("the size %.100s for the processor %s", size, kind)
	case kind == "ConvNext" && s.Short < 384:
		pct := 224. / 256
		if c.CropPct != nil {
			pct = *c.CropPct
		}
		short := float64(s.Short) / pct
		if !(pct > 0) || short < 1 || short > maxSide {
			return fmt.Errorf("the crop_pct %v is out of range", pct)
		}
		steps = append(steps, transforms.Resize(int(short), o))
		crop = processorSize{H: s.Short, W: s.Short}
	case kind == "ConvNext":
		steps = append(steps, transforms.ResizeTo(s.Short, s.Short, o))
		crop = processorSize{H: s.Short, W: s.Short}
	case s.Short > 0:
		steps = append(steps, transforms.Resize(s.Short, o))
	default:
		steps = append(steps, transforms.ResizeTo(s.H, s.W, o))
		crop = processorSize{H: s.H, W: s.W}
	}
	if kind == "Bit" || kind == "CLIP" {
		if no(c.DoCenterCrop) {
			return errUnsupported("pictures that are not cropped")
		}
		raw := c.CropSize
		if isNull(raw) {
			raw = json.RawMessage(`224`)
		}
		if crop, err = readSize(raw, true); err != nil {
			return err
		}
		if crop.Short > 0 {
			crop = processorSize{H: crop.Short, W: crop.Short}
		}
	}
	steps = append(steps, cropOrPad{h: crop.H, w: crop.W, floor: true}, transforms.ToTensor(), transforms.Normalize(n.mean, n.std))
	p.pre = transforms.Compose(steps...)
	return nil
}

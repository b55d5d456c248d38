package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
)

// A Model is a model with its weights, ready to run. Task returns its purpose. A model for
// models.Classification has Classify, ClassifyBatch and ClassifyAll, one for models.Segmentation has Segment, one for models.Detection
// has Detect, one for models.VideoClassification has ClassifyVideo, and one for models.OpticalFlow has Flow. For every task there are Preprocess, which makes inputs,
// and Call and Module, which run the model. Any number of goroutines may use a Model at once;
// their forward passes share the threads of torch.Run.
type Model struct {
	name   string
	steps  *Preprocess // nil where nothing is said of pictures
	labels []string    // nil where they have no names

	keypoints []string // the names of key points; nil where they have none

	pre   *transforms.Pipeline
	turns chan struct{} // one for each picture that may be in memory as an input at a time

	mu      sync.RWMutex // held for reading by forward passes, for writing by Close and To
	module  any          // one of the two
	program program
	device  torch.Device

	compiled *graph.Compiled // what computes outputs from pictures, if the model is optimized
	dtype    torch.DType     // in which that computes, as in OptimizeOptions
	released bool            // only compiled remains
	closed   bool
}

// errReleased is the error of a model for what needs parameters that are gone.
var errReleased = errors.New("its parameters were released by Optimize; load it again")

// whole returns an error if there are no parameters any more.
func (m *Model) whole() error {
	switch {
	case m.closed:
		return torch.ErrClosed
	case m.released:
		return errReleased
	}
	return nil
}

// A program is a model that a file holds, architecture and all.
type program interface {
	Forward(inputs ...torch.Value) (torch.Value, error)
	To(torch.Device) error
	Train(bool) error
	Close() error
}

// FromScript makes a model of a TorchScript module. The preset defines its task and how
// inputs are prepared; with nil the caller prepares them. For classification the module
// maps [N, 3, H, W] to logits [N, len(labels)]. The model owns the module and closes it.
// FromScript honors [WithDevice] and [WithOptimize].
func FromScript(ctx context.Context, name string, script *jit.Module, preset models.Preset, labels []string, opts ...Option) (*Model, error) {
	l := newLoader(opts)
	m := &Model{name: name, labels: slices.Clone(labels), program: script}
	if preset != nil {
		m.steps = &Preprocess{Preset: preset}
	}
	err := initialize(ctx, l.device)
	if err == nil {
		m, err = l.start(m)
	}
	if err != nil {
		return nil, newError("model", name, err)
	}
	return m, nil
}

// toRGB is what pictures of other modes need: torchvision.transforms.v2.RGB().
type toRGB struct{}

func (toRGB) String() string { return "RGB()" }

func (t toRGB) Transform(v transforms.Value) transforms.Value {
	switch {
	case v.Parts != nil:
		return v.Map(t.Transform)
	case v.Image == nil:
		return v
	}
	return v.WithImage(transforms.ToRGB(v.Image))
}

// start makes the preprocessing, sets evaluation mode and moves the model.
func (m *Model) start(d torch.Device) (*Model, error) {
	m.device = torch.CPU                                   // where it is made
	m.turns = make(chan struct{}, 2*runtime.GOMAXPROCS(0)) // some prepare while others run
	var err error
	if m.pre == nil {
		if m.pre, err = m.steps.pipeline(); err != nil {
			err = fmt.Errorf("preprocess%w", err)
		}
	}
	if m.pre != nil {
		m.pre = transforms.Compose(toRGB{}, m.pre)
	}
	if err == nil && m.program != nil {
		err = m.program.Train(false)
	} else if err == nil {
		nn.Eval(m.module)
	}
	if err == nil {
		err = m.to(d)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Name returns the name under which the model was loaded.
func (m *Model) Name() string { return m.name }

// Labels returns the names of the classes, in the order of the logits, or nil
// if the model's entry does not give them.
func (m *Model) Labels() []string { return m.labels }

// Task returns the task of the model, or "" if its entry does not say how inputs are prepared.
func (m *Model) Task() models.Task { return m.steps.Task() }

// Preset returns how inputs are prepared; Preprocess returns the transforms. It
// is nil if the entry does not say how, or not by a preset.
func (m *Model) Preset() models.Preset {
	if m.steps == nil || m.steps.Preset == nil {
		return nil
	}
	return m.steps.Preset.WithDefaults()
}

// Preprocess returns the transforms that make an input of the model, on the CPU:
// weights.transforms(). For classification, segmentation and detection they turn a picture
// into [3, H, W], for video classification the frames [T, 3, H, W] into [3, T, H, W], and for
// optical flow two pictures, as the parts of a value, into two tensors. It is nil if the
// model's entry has none.
func (m *Model) Preprocess() *transforms.Pipeline { return m.pre }

// Device returns the device on which the model runs.
func (m *Model) Device() torch.Device {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.device
}

// To moves the model to a device: model.to(device). The zero Device is the default
// device. It waits for forward passes in progress. If it fails, the model may be
// partly on both devices and should be closed.
func (m *Model) To(d torch.Device) error {
	if err := m.to(d); err != nil {
		return newError("move model", m.name, err)
	}
	return nil
}

func (m *Model) to(d torch.Device) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return torch.ErrClosed
	}
	if d == "" {
		d = torch.DefaultDevice()
	}
	var err error
	if m.released {
		if d != m.device {
			err = errReleased
		}
	} else if m.program != nil {
		err = m.program.To(d)
	} else if d != m.device {
		err = torch.Try(func() { nn.To(m.module, d) })
	}
	if err != nil {
		return fmt.Errorf("to %v: %w", d, err)
	}
	if d != m.device {
		m.compiled = nil
	}
	m.device = d
	return nil
}

// Close frees the model's memory. It waits for forward passes in progress;
// later ones fail with torch.ErrClosed. Closing twice does nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.compiled = nil
	return m.free()
}

// free frees the parameters.
func (m *Model) free() error {
	if m.program != nil {
		return m.program.Close()
	}
	if m.module != nil {
		nn.StateDict(m.module).Free()
	}
	return nil
}

// Module returns the Go module of the model, in evaluation mode and on its device; nil for
// a program such as TorchScript. For classification it is an [nn.Module]. Use it to call
// methods that only its type has, such as the Forward of a model for another task. Its
// tensors belong to the model: call it inside [torch.Run], and not after Close or after [Model.Optimize] with Release.
func (m *Model) Module() any { return m.module }

// Forward maps an input x on the model's device to the output: model(x), recorded by autograd
// unless inside [torch.NoGrad]. For classification it maps pictures [N, 3, H, W] to logits
// [N, classes]. It panics with an [*torch.Error] if x does not fit, if the model takes or
// returns anything other than one tensor, or if the model is closed.
func (m *Model) Forward(x *torch.Tensor) *torch.Tensor {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.whole(); err != nil {
		panic(&torch.Error{Op: "hub.Model.Forward", Msg: fmt.Sprintf("model %q: %v", m.name, err)})
	}
	var y *torch.Tensor
	torch.Run(func() { y = m.forward(x) })
	return y
}

// Call runs the model on any inputs and returns its output, for models that take or return
// more than one tensor: model(*inputs). The values are those of torch.Value; the output of a
// [models.Segmenter] is a [*models.SegmentationOutput], and that of a [models.Detector] is a
// []models.DetectionOutput with one for each picture, and that of a [models.FlowEstimator] is a []*torch.Tensor. An error of
// the model is returned. If the model is a Go module, Call needs an nn.Module, which takes
// one tensor; call others through Module.
func (m *Model) Call(ctx context.Context, inputs ...torch.Value) (out torch.Value, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err = m.whole(); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		if terr := torch.Try(func() { torch.Run(func() { out, err = m.call(inputs) }) }); terr != nil {
			err = terr
		}
	}
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return out, nil
}

func (m *Model) call(inputs []torch.Value) (torch.Value, error) {
	if m.program != nil {
		return m.program.Forward(inputs...)
	}
	if d, ok := m.module.(models.Detector); ok {
		return detect(d, inputs)
	}
	if f, ok := m.module.(models.FlowEstimator); ok && len(inputs) == 2 {
		first, ok1 := inputs[0].(*torch.Tensor)
		second, ok2 := inputs[1].(*torch.Tensor)
		if ok1 && ok2 {
			return f.Forward(first, second), nil
		}
	}
	if s, ok := m.module.(models.Segmenter); ok && len(inputs) == 1 {
		if x, ok := inputs[0].(*torch.Tensor); ok {
			return s.Forward(x), nil
		}
	}
	module, ok := m.module.(nn.Module)
	if !ok {
		return nil, fmt.Errorf("its module is a %T, which does not map a tensor to a tensor", m.module)
	}
	if len(inputs) == 1 {
		if x, ok := inputs[0].(*torch.Tensor); ok {
			return module.Forward(x), nil
		}
	}
	return nil, fmt.Errorf("it takes one tensor, and was given %d inputs", len(inputs))
}

func (m *Model) forward(x *torch.Tensor) *torch.Tensor {
	v, err := m.call([]torch.Value{x})
	if e := (*torch.Error)(nil); errors.As(err, &e) {
		panic(e)
	} else if err != nil {
		panic(&torch.Error{Op: "hub.Model.Forward", Msg: err.Error()})
	}
	y, ok := v.(*torch.Tensor)
	if !ok {
		panic(&torch.Error{Op: "hub.Model.Forward", Msg: fmt.Sprintf("model %q gives %s, not a tensor of logits", m.name, torch.Describe(v))})
	}
	return y
}

// Logits returns the outputs of a model for classification on a picture, one for each label.
// A model for another task is a [*TaskError].
func (m *Model) Logits(ctx context.Context, img image.Image) ([]float32, error) {
	logits, err := m.logits(ctx, img)
	if err == nil {
		err = m.checkLabels([][]float32{logits})
	}
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return logits, nil
}

// checkLabels returns an error if there is another number of logits than of labels.
func (m *Model) checkLabels(logits [][]float32) error {
	if m.labels == nil || len(logits[0]) == len(m.labels) {
		return nil
	}
	return &OutputError{fmt.Sprintf("[%d, %d]", len(logits), len(logits[0])), m.wanted(len(logits))}
}

// classes runs the model once, on a gray picture, and returns the number of its logits.
func (m *Model) classes(ctx context.Context) (int, error) {
	logits, err := m.logits(ctx, image.NewGray(image.Rect(0, 0, 256, 256)))
	return len(logits), err
}

func (m *Model) logits(ctx context.Context, img image.Image) (logits []float32, err error) {
	err = m.infer(ctx, models.Classification, transforms.Value{Image: img}, func(output torch.Value) error {
		all, err := m.classify(output, 1)
		if err == nil {
			logits = all[0]
		}
		return err
	})
	return logits, err
}

// ClassifyVideo returns the k most probable labels of a clip, the best one first. The frames are pictures of one size,
// as many as the model takes at a time: most of torchvision's models were trained with 16, of about a second. A model for
// another task is a [*TaskError].
//
// https://docs.pytorch.org/vision/stable/models.html#video-classification
func (m *Model) ClassifyVideo(ctx context.Context, frames []image.Image, k int) ([]Label, error) {
	logits, err := m.VideoLogits(ctx, frames)
	if err != nil {
		return nil, err
	}
	return Top(logits, m.labels, k), nil
}

// VideoLogits returns the outputs of a model for the classification of videos on a clip, one for each label. The frames
// are those of [Model.ClassifyVideo].
func (m *Model) VideoLogits(ctx context.Context, frames []image.Image) ([]float32, error) {
	logits, err := m.clipLogits(ctx, frames)
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return logits[0], nil
}

func (m *Model) clipLogits(ctx context.Context, frames []image.Image) (logits [][]float32, err error) {
	if err := m.isFor(models.VideoClassification); err != nil {
		return nil, err
	}
	if len(frames) == 0 {
		return nil, errors.New("the clip has no frames")
	}
	for i, f := range frames {
		if f.Bounds().Size() != frames[0].Bounds().Size() {
			return nil, fmt.Errorf("frame %d is %s, and frame 0 is %s; give frames of one size", i, pixels(f.Bounds().Size()), pixels(frames[0].Bounds().Size()))
		}
	}
	clip, err := transforms.Batch(ctx, transforms.Compose(toRGB{}, transforms.PILToTensor()), frames) // [T, 3, H, W]
	if err != nil {
		return nil, err
	}
	defer clip.Free()
	err = m.infer(ctx, models.VideoClassification, transforms.Value{Tensor: clip}, func(output torch.Value) (err error) {
		if logits, err = m.classify(output, 1); err == nil {
			err = m.checkLabels(logits)
		}
		return err
	})
	return logits, err
}

// infer prepares a value for a task, and calls run with the model's output for a batch of it, while the model is
// locked and without gradients. Parts of the value become inputs.
func (m *Model) infer(ctx context.Context, task models.Task, v transforms.Value, run func(output torch.Value) error) error {
	x, err := m.prepare(ctx, task, v)
	if err != nil {
		return err
	}
	defer func() { <-m.turns }()
	defer free(x)
	return m.onInputs(ctx, x, run)
}

// prepare returns the inputs of a value, and takes a turn, which the caller gives back by a receive from
// m.turns unless there is an error.
func (m *Model) prepare(ctx context.Context, task models.Task, v transforms.Value) (x []*torch.Tensor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.isFor(task); err != nil {
		return nil, err
	}
	select {
	case m.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	err = torch.Try(func() {
		v = m.pre.Transform(v)
		if v.Parts == nil {
			v.Parts = []transforms.Value{v}
		}
		for _, p := range v.Parts {
			x = append(x, p.Tensor.Unsqueeze(0))
			p.Tensor.Free()
		}
	})
	if err != nil {
		<-m.turns
		return nil, err
	}
	return x, nil
}

// isFor returns an error if the model is not for a task.
func (m *Model) isFor(task models.Task) error {
	if m.pre == nil {
		return ErrNoPreprocess
	}
	if t := m.Task(); t != task {
		return &TaskError{Model: t, Asked: task}
	}
	return nil
}

// onInputs moves inputs to the model's device and calls run with the output for them, while the model is locked and
// without gradients.
func (m *Model) onInputs(ctx context.Context, inputs []*torch.Tensor, run func(output torch.Value) error) (err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return torch.ErrClosed
	}
	terr := torch.Try(func() {
		torch.Run(func() {
			if ctx.Err() == nil { // the wait may have been long
				torch.InferenceMode(func() { err = m.onDevice(ctx, inputs, run) })
			}
		})
	})
	switch {
	case terr != nil:
		return terr
	case err != nil:
		return err
	}
	return ctx.Err()
}

func (m *Model) onDevice(ctx context.Context, inputs []*torch.Tensor, run func(output torch.Value) error) error {
	at := make([]torch.Value, len(inputs))
	for i, x := range inputs {
		y := x.To(m.device)
		if y != x {
			defer y.Free()
		}
		at[i] = y
	}
	y, err := m.output(ctx, at)
	if err != nil {
		return err
	}
	return run(y)
}

func free(x []*torch.Tensor) {
	for _, x := range x {
		x.Free()
	}
}

// classify returns the logits in the output for n pictures, which it frees.
func (m *Model) classify(output torch.Value, n int) ([][]float32, error) {
	y, ok := output.(*torch.Tensor)
	if !ok {
		return nil, &OutputError{torch.Describe(output), m.wanted(n)}
	}
	if y.Dim() != 2 || y.Size(0) != n || !y.DType().IsFloatingPoint() {
		return nil, &OutputError{fmt.Sprintf("%v %v", y.Shape(), y.DType()), m.wanted(n)}
	}
	classes := max(y.Size(1), 1)
	y = y.ToDType(torch.Float32).Then(func(y *torch.Tensor) *torch.Tensor { return y.To(torch.CPU) })
	defer y.Free()
	return slices.Collect(slices.Chunk(torch.Data[float32](y), classes)), nil
}

// wanted describes the shape of the logits of n pictures.
func (m *Model) wanted(n int) string {
	if m.labels == nil {
		return fmt.Sprintf("[%d, classes]", n)
	}
	return fmt.Sprintf("[%d, %d]", n, len(m.labels))
}

// A Label is a class that a picture may show.
type Label struct {
	Index int     `json:"index"` // among the logits
	Name  string  `json:"label"` // such as "golden retriever"
	Score float64 `json:"score"` // its probability by softmax, in [0, 1]
}

// Classify returns the k most probable labels of a picture, the best one first. A
// model for another task is a [*TaskError].
func (m *Model) Classify(ctx context.Context, img image.Image, k int) ([]Label, error) {
	logits, err := m.Logits(ctx, img)
	if err != nil {
		return nil, err
	}
	return Top(logits, m.labels, k), nil
}

// Top returns the k largest of softmax(logits), or all if there are fewer, the
// largest first: torch.topk(torch.softmax(logits, 0), k). Among equal ones the
// lower index comes first. Missing labels are empty.
func Top(logits []float32, labels []string, k int) []Label {
	all := make([]Label, len(logits))
	largest := math.Inf(-1)
	for _, v := range logits {
		largest = max(largest, float64(v))
	}
	sum := 0.0
	for i, v := range logits {
		all[i] = Label{Index: i, Score: math.Exp(float64(v) - largest)}
		if i < len(labels) {
			all[i].Name = labels[i]
		}
		sum += all[i].Score
	}
	for i := range all {
		all[i].Score /= sum
	}
	slices.SortStableFunc(all, func(a, b Label) int { return cmp.Compare(b.Score, a.Score) })
	return all[:min(max(k, 0), len(all))]
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/jit"
)

type prediction struct {
	Image  string      `json:"image"`
	Model  string      `json:"model"`
	Device string      `json:"device"`
	Top    []hub.Label `json:"top"`
	Logits []float32   `json:"logits,omitempty"`
}

type predictFlags struct {
	model, device, weights string
	key, prefix            string
	arguments, labels      string
	repo                   string
	repoFlags
	out          string
	k, frames    int
	minScore     float64
	json, logits bool
	optimize     bool
	many         bool // there are so many pictures that the model is optimized if it is on the CPU
	dtype        string
}

// named reports whether a model is given.
func (f *predictFlags) named() bool { return f.model != "" || f.repo != "" }

// addModel adds the flags that choose the model, its weights and its device.
func (f *predictFlags) addModel(c *cobra.Command) {
	c.Flags().StringVarP(&f.model, "model", "m", "", "the model, one of \"torchhub list\", or hf:OWNER/NAME of the Hugging Face Hub")
	c.Flags().StringVar(&f.repo, "repo", "", "the model's repository: OWNER/REPO[:REF], a folder with --source local, a URL, or hf:OWNER/NAME")
	f.add(c, true)
	c.Flags().StringVar(&f.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	c.Flags().StringVar(&f.weights, "weights", "", "other weights for the model: their name, DEFAULT, pretrained, or the path or URL of a checkpoint or TorchScript archive")
	c.Flags().BoolVar(&f.optimize, "optimize", false, "optimize the model, which takes the time of some pictures (default: on the CPU for 100 pictures and more)")
	c.Flags().StringVar(&f.dtype, "dtype", "float32", "float32, or bfloat16 for an optimized model where the processor has AVX512_BF16")
	c.Flags().StringVar(&f.labels, "labels", "", "the names of the classes: ImageNet-1K, or a file of one name a line")
}

func predictCommand() *cobra.Command {
	var f predictFlags
	c := &cobra.Command{
		Use:   "predict [flags] [IMAGE|DIR|GLOB|URL|-]...",
		Short: "Classify or segment pictures, find objects in them, or classify videos",
		Long: `Classify pictures, give each of their pixels a class, or find the objects in them, as the
model does: files, folders with all pictures below them, globs, URLs, or - for stdin. Without a model and a
picture, a small built-in model classifies a built-in picture.

Videos are the frames of an animated GIF, PNG or WebP, the pages of a TIFF, or the pictures of a
folder or of a quoted glob in the order of their names, of the numbers in them. Other pictures are
the frames of one video together. Models for optical flow take videos too, or pictures two and two.

With --json each picture gives a line. For classification:
  {"image": …, "model": …, "device": …, "top": [{"index": …, "label": …, "score": …}]}
and with --logits, "logits": […] too. For segmentation, with the largest region first, its
share of the pixels and the mean score of these:
  {"image": …, "model": …, "device": …, "width": …, "height": …,
   "regions": [{"index": …, "label": …, "share": …, "score": …}], "annotated": …, "classes": …}
The last two are files that -o DIR writes: DIR/NAME.png is the picture with its regions in
color, and DIR/NAME.classes.png has the class of each pixel as its value. For detection, with
the highest score first and boxes as x1, y1, x2, y2:
  {"image": …, "model": …, "device": …, "width": …, "height": …,
   "objects": [{"index": …, "label": …, "score": …, "box": […],
                "keypoints": [{"name": …, "x": …, "y": …, "score": …}]}], "annotated": …}
For the classification of videos, with the number of frames and how many of them the model used:
  {"video": …, "model": …, "device": …, "frames": …, "used": …, "top": […]}
and with --logits, "logits": […] too.
For optical flow, with the mean and the greatest length of the motion in pixels:
  {"first": …, "second": …, "model": …, "device": …, "width": …, "height": …, "mean": …, "max": …,
   "annotated": …, "flow": …}
The last two are files that -o DIR writes, by the name of the first picture: DIR/NAME.png shows
directions as colors, as torchvision does, and DIR/NAME.flo has the numbers, in Middlebury's format.

A picture that cannot be read is named on stderr, the others go on, and the exit status
is 1.`,
	}
	f.addModel(c)
	c.Flags().IntVarP(&f.k, "top", "k", 5, "how many labels, regions or objects to show")
	c.Flags().StringVarP(&f.out, "out", "o", "", "for segmentation, detection and optical flow: write annotated pictures to this folder")
	c.Flags().IntVar(&f.frames, "frames", 16, "for videos: how many frames to give the model, evenly spaced")
	c.Flags().Float64Var(&f.minScore, "min-score", 0.5, "for detection: leave out objects with a lower score")
	c.Flags().StringVar(&f.key, "key", "", "the state dict's key in the checkpoint, such as model_ema (default: the one that fits)")
	c.Flags().StringVar(&f.prefix, "prefix", "", "what to take off the names of the state dict, such as module. (default: what fits)")
	c.Flags().StringVar(&f.arguments, "arguments", "", `the arguments of the model as JSON, such as '{"num_classes": 10}'`)
	c.Flags().BoolVar(&f.json, "json", false, "print JSON lines")
	c.Flags().BoolVar(&f.logits, "logits", false, "with --json, add the model's outputs")
	c.RunE = func(c *cobra.Command, args []string) error {
		if f.repo == "" {
			f.repo, f.model = splitModel(f.model)
		}
		switch {
		case f.minScore < 0 || f.minScore > 1:
			return usageError{fmt.Errorf("--min-score is %v and must be from 0 to 1", f.minScore)}
		case f.k < 1:
			return usageError{fmt.Errorf("-k is %d and must be at least 1", f.k)}
		case f.frames < 1:
			return usageError{fmt.Errorf("--frames is %d and must be at least 1", f.frames)}
		case f.logits && !f.json:
			return usageError{errors.New("--logits needs --json")}
		case f.model == "" && f.repo != "" && !hub.IsModel(f.repo):
			return usageError{errors.New("--repo needs -m, the name of one of its models")}
		case f.named() && len(args) == 0:
			return usageError{errors.New("name a picture: a file, a folder, a URL, or - for stdin")}
		case !f.named() && f.weights != "":
			return usageError{errors.New("--weights needs -m, the model that they belong to")}
		case !f.named() && len(args) > 0:
			return forgotten(args)
		}
		return predict(c, f, args)
	}
	return c
}

func predict(c *cobra.Command, f predictFlags, args []string) error {
	ctx := c.Context()
	if f.model != "" && f.repo == "" {
		e, err := models.Lookup(f.model)
		if err == nil {
			err = f.fits(e.Task())
		}
		if err != nil {
			return err // before anything is installed or downloaded
		}
	}
	pictures := open(ctx, c.InOrStdin(), args)
	first := pictures[0].open
	pictures[0].open = sync.OnceValues(func() (image.Image, error) { return first() })
	if len(args) == 0 || args[0] != "-" {
		go pictures[0].open() // while the model is loaded
	}

	f.optimizeFor(c, len(pictures))
	model, err := load(ctx, f, c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer model.Close()
	if model.Preprocess() == nil {
		return &aboutError{f.model, hub.ErrNoPreprocess} // once, and not for each picture
	}
	if err := f.fits(model.Task()); err != nil {
		return err
	}
	bad := false
	done := func(err error) {
		if err != nil && ctx.Err() == nil {
			report(c.ErrOrStderr(), err)
			bad = true
		}
	}
	switch model.Task() {
	case models.VideoClassification:
		err = ofClips(ctx, c, model, f, args, clipTask{"videos", classifyVideo, func(clip) int { return 1 }}, done)
	case models.OpticalFlow:
		err = ofClips(ctx, c, model, f, args, clipTask{"flows", flows, flowsOf}, done)
	default:
		err = ofPictures(ctx, c, model, f, pictures, done)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && bad:
		return errReported
	}
	return err
}

// many is the number of pictures for which a model on the CPU is optimized unless the flags say otherwise.
const many = 100

// optimizeFor chooses whether to optimize the model for a number of pictures, unless the user did.
func (f *predictFlags) optimizeFor(c *cobra.Command, pictures int) {
	f.many = pictures >= many && !c.Flags().Changed("optimize")
}

// optimizes reports whether to optimize the model. On a GPU that is done only if asked for, since nobody has measured for how
// many pictures it pays.
func (f *predictFlags) optimizes(device torch.Device) bool {
	return f.optimize || f.many && device.Type() == "cpu"
}

// accepts returns an error if the model is not optimized on the device and the dtype is for models that are.
func (f *predictFlags) accepts(dtype torch.DType, device torch.Device) error {
	if dtype == torch.BFloat16 && !f.optimizes(device) {
		return usageError{errors.New("--dtype bfloat16 is for optimized models; give --optimize too")}
	}
	return nil
}

// ofPictures predicts for pictures, and calls done for each one.
func ofPictures(ctx context.Context, c *cobra.Command, model *hub.Model, f predictFlags, pictures []picture, done func(error)) error {
	run := classifyAll
	switch model.Task() {
	case models.Segmentation:
		run = oneByOne(segment)
	case models.Detection:
		run = oneByOne(detect)
	}
	done, end := counted(c, "pictures", func() int { return len(pictures) }, done)
	defer end()
	return run(ctx, c.OutOrStdout(), model, f, pictures, done)
}

// counted shows a bar that counts the calls of done, if there are several to come, and returns what to call instead of
// done, and at the end.
func counted(c *cobra.Command, name string, total func() int, done func(error)) (counting func(error), end func()) {
	w := terminal.Of(c.ErrOrStderr())
	if w == nil || terminal.Of(c.OutOrStdout()) != nil { // a bar would mix with results on a terminal
		return done, func() {}
	}
	all, n := total(), 0
	if all < 2 {
		return done, func() {}
	}
	bar := terminal.NewCounter(w, name)
	return func(err error) {
		n++
		bar.Set(int64(n), int64(all))
		done(err)
	}, func() { bar.Close(true) }
}

// fits returns an error if a model for a task is not one that the flags are for.
func (f *predictFlags) fits(t models.Task) error {
	name := f.model
	if name == "" {
		name = f.repo
	}
	if name == "" {
		name = builtIn
	}
	switch {
	case t != models.Classification && t != models.VideoClassification && f.logits:
		return usageError{fmt.Errorf("--logits is for classification, and %s is for %s; leave it out", name, t)}
	case (t == models.Classification || t == models.VideoClassification) && f.out != "":
		return usageError{fmt.Errorf("-o is for segmentation, detection and optical flow, and %s is for %s; leave it out", name, t)}
	}
	return nil
}

// dtypeOf returns what the flag --dtype says.
func dtypeOf(dtype string) (torch.DType, error) {
	switch dtype {
	case "float32", "":
		return torch.Float32, nil
	case "bfloat16":
		return torch.BFloat16, nil
	}
	return 0, usageError{fmt.Errorf("--dtype is %q and must be float32 or bfloat16", dtype)}
}

func load(ctx context.Context, f predictFlags, notices io.Writer) (*hub.Model, error) {
	dtype, err := dtypeOf(f.dtype)
	if err != nil {
		return nil, err
	}
	if err := f.accepts(dtype, torch.CPU); err != nil { // before libtorch is installed: no other device accepts it either
		return nil, err
	}
	device, err := chooseDevice(ctx, f.device)
	if err != nil {
		return nil, err
	}
	if err := f.accepts(dtype, device); err != nil {
		return nil, err
	}
	opts := append(f.options(notices, f.repo), hub.WithDevice(device))
	if f.optimizes(device) {
		opts = append(opts, hub.WithOptimize(hub.WithOptimizeOptions{DType: dtype}))
	}
	if !f.named() {
		script, err := jit.LoadBytes(builtin.Model())
		if err != nil {
			return nil, err
		}
		return hub.FromScript(ctx, builtIn, script, builtin.Preset(), builtin.Labels(), opts...)
	}
	if f.weights != "" {
		opts = append(opts, hub.WithWeights(f.weights))
	}
	for _, o := range []struct {
		value string
		with  func(string) hub.Option
	}{{f.key, hub.WithKey}, {f.prefix, hub.WithPrefix}, {f.arguments, hub.WithArguments}} {
		if o.value != "" {
			opts = append(opts, o.with(o.value))
		}
	}
	if f.labels != "" {
		names, err := readLabels(f.labels)
		if err != nil {
			return nil, err
		}
		opts = append(opts, hub.WithLabels(names))
	}
	return hub.Load(ctx, f.repo, f.model, opts...)
}

// builtIn is the name of the default model.
const builtIn = "built-in model"

// readLabels reads the names of classes from a file, or returns those of a known set.
func readLabels(labels string) ([]string, error) {
	if names := models.Classes(labels).Labels(); names != nil {
		return names, nil
	}
	return hub.ReadLabels(labels)
}

func chooseDevice(ctx context.Context, name string) (torch.Device, error) {
	if name == "auto" {
		if err := torch.Init(ctx); err != nil {
			return torch.CPU, err
		}
		if cuda.IsAvailable() {
			return torch.CUDA, nil
		}
		return torch.CPU, nil
	}
	d, err := torch.ParseDevice(name)
	if err != nil || d.Type() != "cpu" && d.Type() != "cuda" {
		return d, usageError{fmt.Errorf("--device is %q and must be auto, cpu, cuda or cuda:N", name)}
	}
	return d, nil
}

// classifyAll prints the labels of pictures, and calls done for each one. Its own error ends the command.
func classifyAll(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, pictures []picture, done func(error)) error {
	sequence := func(yield func(hub.Picture) bool) {
		for _, p := range pictures {
			if !yield(p.open) {
				return
			}
		}
	}
	i := 0
	for logits, err := range model.LogitsAll(ctx, sequence) {
		if ctx.Err() != nil {
			break
		}
		p := pictures[i]
		i++
		var of *pictureError
		switch {
		case errors.As(err, &of):
			done(of.error)
		case err != nil:
			done(&aboutError{p.name, err})
		default:
			if err := printLabels(w, model, f, p.name, logits); err != nil {
				return err
			}
			done(nil)
		}
	}
	return nil
}

func printLabels(w io.Writer, model *hub.Model, f predictFlags, name string, logits []float32) error {
	out := prediction{Image: name, Model: model.Name(), Device: model.Device().String(), Top: hub.Top(logits, model.Labels(), f.k)}
	if f.json {
		if f.logits {
			out.Logits = logits
		}
		return json.NewEncoder(w).Encode(out)
	}
	fmt.Fprintf(w, "%s: %s on %s\n", terminal.Escape(out.Image), terminal.Escape(out.Model), out.Device)
	return writeLabels(w, out.Top)
}

// writeLabels writes labels with their probabilities.
func writeLabels(w io.Writer, top []hub.Label) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, l := range top {
		fmt.Fprintf(t, "%.2f %%\t  %s\n", 100*l.Score, terminal.Escape(className(l.Index, l.Name)))
	}
	return t.Flush()
}

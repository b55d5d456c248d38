package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/transforms"
)

// A picture from a URL or from stdin is held in memory before it is decoded.
const (
	maxPicture   = 256 << 20
	fetchTimeout = 2 * time.Minute
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
	k            int
	json, logits bool
}

// named reports whether a model is given.
func (f *predictFlags) named() bool { return f.model != "" || f.repo != "" }

func predictCommand() *cobra.Command {
	var f predictFlags
	c := &cobra.Command{
		Use:   "predict [flags] [IMAGE|URL|-]...",
		Short: "Classify pictures",
		Long: `Classify pictures: files, URLs, or - for stdin. Without a model and a picture,
a small built-in model classifies a built-in picture.

With --json each picture gives a line
  {"image": …, "model": …, "device": …, "top": [{"index": …, "label": …, "score": …}]}
and with --logits, "logits": […] too. A picture that cannot be read is named on
stderr, the others go on, and the exit status is 1.`,
	}
	c.Flags().StringVarP(&f.model, "model", "m", "", "the model, one of \"torchhub list\", or hf:OWNER/NAME of the Hugging Face Hub")
	c.Flags().StringVar(&f.repo, "repo", "", "the model's repository: OWNER/REPO[:REF], a folder with --source local, a URL, or hf:OWNER/NAME")
	f.add(c, true)
	c.Flags().IntVarP(&f.k, "top", "k", 5, "how many labels to show")
	c.Flags().StringVar(&f.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	c.Flags().StringVar(&f.weights, "weights", "", "other weights for the model: their name, or the path or URL of a checkpoint or TorchScript archive")
	c.Flags().StringVar(&f.key, "key", "", "the state dict's key in the checkpoint, such as model_ema (default: the one that fits)")
	c.Flags().StringVar(&f.prefix, "prefix", "", "what to take off the names of the state dict, such as module. (default: what fits)")
	c.Flags().StringVar(&f.arguments, "arguments", "", `the arguments of the model as JSON, such as '{"num_classes": 10}'`)
	c.Flags().StringVar(&f.labels, "labels", "", "the names of the classes: ImageNet-1K, or a file of one name a line")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON lines")
	c.Flags().BoolVar(&f.logits, "logits", false, "with --json, add the model's outputs")
	c.RunE = func(c *cobra.Command, args []string) error {
		if f.repo == "" {
			f.repo, f.model = splitModel(f.model)
		}
		switch {
		case f.k < 1:
			return usageError{fmt.Errorf("-k is %d and must be at least 1", f.k)}
		case f.logits && !f.json:
			return usageError{errors.New("--logits needs --json")}
		case f.model == "" && f.repo != "" && !hub.IsModel(f.repo):
			return usageError{errors.New("--repo needs -m, the name of one of its models")}
		case f.named() && len(args) == 0:
			return usageError{errors.New("name a picture: a file, a URL, or - for stdin")}
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
		if err != nil {
			return err // before anything is installed or downloaded
		}
		if t := e.Task(); t != models.Classification {
			return &aboutError{f.model, &hub.TaskError{Model: t, Asked: models.Classification}}
		}
	}
	// The first picture is decoded while the model is loaded, each next one
	// while the one before runs.
	pictures := make(chan picture)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(pictures)
		for _, p := range open(ctx, c.InOrStdin(), args) {
			select {
			case pictures <- p():
			case <-ctx.Done():
				return
			}
		}
	}()

	model, err := load(ctx, f, c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer model.Close()
	if model.Preprocess() == nil {
		return &aboutError{f.model, hub.ErrNoPreprocess} // once, and not for each picture
	}
	bad := false
	for {
		var p picture
		more := false
		select {
		case p, more = <-pictures:
		case <-ctx.Done(): // the reader may be blocked on a pipe
		}
		if !more {
			break
		}
		err := p.err
		if err == nil {
			err = classify(ctx, c.OutOrStdout(), model, f, p)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			report(c.ErrOrStderr(), err)
			bad = true
		}
	}
	if bad {
		return errReported
	}
	return ctx.Err()
}

func load(ctx context.Context, f predictFlags, notices io.Writer) (*hub.Model, error) {
	device, err := chooseDevice(ctx, f.device)
	if err != nil {
		return nil, err
	}
	opts := append(f.options(notices, f.repo), hub.WithDevice(device))
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

// A picture is one that was asked for, or why it cannot be had.
type picture struct {
	name  string
	image image.Image
	err   error
}

// open returns the readers of the pictures; without names, that of the built-in
// picture.
func open(ctx context.Context, stdin io.Reader, names []string) []func() picture {
	if len(names) == 0 {
		return []func() picture{func() picture {
			img, err := transforms.Decode(bytes.NewReader(builtin.Picture()))
			return picture{"built-in picture", img, err}
		}}
	}
	out := make([]func() picture, len(names))
	for i, name := range names {
		out[i] = func() picture {
			img, err := read(ctx, stdin, name)
			return picture{name, img, err}
		}
	}
	return out
}

func read(ctx context.Context, stdin io.Reader, name string) (image.Image, error) {
	switch {
	case name == "-":
		return decode("stdin", stdin)
	case strings.HasPrefix(name, "http://"), strings.HasPrefix(name, "https://"):
		return fetch(ctx, name)
	default:
		return openPicture(name)
	}
}

// decode reads all of r, at most maxPicture bytes, so that a decoder never blocks.
func decode(name string, r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPicture+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxPicture {
		return nil, fmt.Errorf("%s: the picture is larger than %d MiB", name, maxPicture>>20)
	}
	img, err := transforms.Decode(bytes.NewReader(data))
	if err != nil {
		err = errors.Unwrap(err) // without what a Go program can do about it
		return nil, &aboutError{name, otherKind(bytes.NewReader(data), int64(len(data)), err)}
	}
	return img, nil
}

// openPicture opens the picture in a file. Its error names the kind of a file
// that is not a picture.
func openPicture(name string) (image.Image, error) {
	img, err := transforms.Open(name)
	if err == nil {
		return img, nil
	}
	err = errors.Unwrap(err) // without what a Go program can do about it
	if f, ferr := os.Open(name); ferr == nil {
		defer f.Close()
		if fi, ferr := f.Stat(); ferr == nil && fi.Mode().IsRegular() {
			err = otherKind(f, fi.Size(), err)
		}
	}
	return nil, &aboutError{name, err}
}

// otherKind describes a file that could not be read as a picture.
func otherKind(r io.ReaderAt, size int64, err error) error {
	k := filekind.Of(r, size)
	switch {
	case !errors.Is(err, transforms.ErrFormat) || k.Class == filekind.Unknown:
		return err
	case k.Class == filekind.Picture:
		return fmt.Errorf("it is %s, which is not read; convert it to PNG or JPEG", k.Name)
	}
	return fmt.Errorf("it is %s, not a picture", k.Name)
}

func fetch(ctx context.Context, address string) (image.Image, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch the picture: %w", err)
	}
	req.Header.Set("User-Agent", "torchhub") // some sites refuse that of Go
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var e *url.Error // its text is for Go programs
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, fmt.Errorf("fetch the picture %s: %w; check the URL and the network", address, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the picture %s: %s; check the URL", address, res.Status)
	}
	return decode(address, res.Body)
}

func classify(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, p picture) error {
	logits, err := model.Logits(ctx, p.image)
	if err != nil {
		return &aboutError{p.name, err}
	}
	out := prediction{Image: p.name, Model: model.Name(), Device: model.Device().String(), Top: hub.Top(logits, model.Labels(), f.k)}
	if f.json {
		if f.logits {
			out.Logits = logits
		}
		return json.NewEncoder(w).Encode(out)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s: %s on %s\n", terminal.Escape(out.Image), terminal.Escape(out.Model), out.Device)
	for _, l := range out.Top {
		name := l.Name
		if name == "" {
			name = fmt.Sprintf("class %d", l.Index)
		}
		fmt.Fprintf(t, "%.2f %%\t  %s\n", 100*l.Score, terminal.Escape(name))
	}
	return t.Flush()
}

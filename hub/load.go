package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
)

// WithDevice puts the model on a device. The default is the CPU.
func WithDevice(d torch.Device) Option { return func(o *options) { o.device = d } }

// WithWeights takes other weights than the entry's newest: the name of one of
// its sets, such as "IMAGENET1K_V1", or the path or URL of a file. A file holds a
// state dict in either layout of torch.save, or it is a TorchScript archive,
// which is then run in place of the architecture. Pictures are prepared as for
// the entry's newest weights.
func WithWeights(weights string) Option { return func(o *options) { o.weights = weights } }

// WithNotice writes what the licence of the weights asks for to w, one line for
// each load; nil writes nothing. The default is stderr.
func WithNotice(w io.Writer) Option { return func(o *options) { o.notice = w } }

// Load returns a model of a repository by its name, ready to classify:
// torch.hub.load(repo, name, pretrained=True).eval(). The repository is one of
// [models.Vision] and [models.WSLImages], with or without a ":ref", which
// changes nothing, or "", which takes the model wherever it is.
//
// The weights come from [Dir]'s folder checkpoints and are downloaded to it
// once; they are mapped into memory and not copied. Load heeds [WithDevice],
// [WithWeights], [WithNotice], [WithCacheDir] and what [DownloadURLToFile]
// heeds. Free the model with Close.
//
// A repository "hf:owner/name" or "hf:owner/name@revision" is one of the Hugging
// Face Hub, whose files [HFDownload] fetches; the name is then empty. Its config.json
// says which architecture it is and how pictures are prepared: that of a ResNet of
// timm, as in timm.create_model("hf-hub:owner/name", pretrained=True) with
// timm.data.create_transform, or of a ResNetForImageClassification of
// transformers. Its weights are model.safetensors, in one file or in shards, or
// pytorch_model.bin. What cannot be built is an error that names it.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load
func Load(ctx context.Context, repo, name string, opts ...Option) (*Model, error) {
	m, err := load(ctx, repo, name, newOptions(opts))
	if err != nil {
		return nil, fmt.Errorf("hub: load %.100q: %w", cmp.Or(name, repo), err)
	}
	return m, nil
}

func load(ctx context.Context, repo, name string, o *options) (*Model, error) {
	if strings.HasPrefix(repo, "hf:") {
		return loadHF(ctx, repo, name, o)
	}
	entry, err := lookup(repo, name)
	if err != nil {
		return nil, err
	}
	weights, file := entry.Default(), ""
	if o.weights != "" {
		i := slices.IndexFunc(entry.Weights, func(w models.Weights) bool { return w.Name == o.weights })
		if i >= 0 {
			weights = &entry.Weights[i]
		} else if file, err = o.file(ctx, o.weights); err != nil {
			return nil, err
		}
	}
	// Loading libtorch takes a quarter of a second, in which the weights are
	// found. For another device it comes first: it says whether there is one.
	ready := make(chan error, 1)
	go func() { ready <- initialise(ctx, o.device) }()
	if o.device.Type != torch.CPUType {
		if err := <-ready; err != nil {
			return nil, err
		}
		ready <- nil
	}
	if file == "" {
		o.say(entry.Name, weights.Licence)
		if file, err = o.cached(ctx, weights.URL); err != nil {
			<-ready
			return nil, err
		}
	}
	if err := <-ready; err != nil {
		return nil, err
	}
	m := &Model{name: entry.Name, preset: weights.Preset, labels: weights.Classes.Labels()}
	if o.weights != "" && isScript(file) { // an official file is never run as a program
		script, err := jit.Load(file)
		if err != nil {
			return nil, err
		}
		m.script = script
	} else if m.module, err = fill(ctx, entry, file); err != nil {
		return nil, err
	}
	return m.start(o.device)
}

// initialise loads libtorch and makes sure of the device, before anything is downloaded for it.
func initialise(ctx context.Context, d torch.Device) error {
	if err := torch.Init(ctx); err != nil {
		return err
	}
	if d.Type == torch.CUDAType {
		n, err := torch.CUDACount(ctx)
		if err != nil {
			return fmt.Errorf("device %v: %w; choose the device cpu", d, err)
		}
		if d.Index >= n {
			return fmt.Errorf("device %v: there are %d CUDA devices, from cuda:0", d, n)
		}
	}
	return nil
}

// file returns the local file of a path or URL of weights.
func (o *options) file(ctx context.Context, weights string) (string, error) {
	if u, err := url.Parse(weights); err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "file") {
		return o.cached(ctx, weights)
	}
	p := expand(weights)
	st, err := os.Stat(p)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("there are no weights %s; give a path, a URL, or the name of a set of weights", p)
	case err != nil:
		return "", err
	case !st.Mode().IsRegular():
		return "", fmt.Errorf("the weights %s are no file", p)
	}
	return p, nil
}

// fill builds a model without memory of its own and gives it the tensors of a file.
func fill(ctx context.Context, entry *models.Entry, file string) (nn.Module, error) {
	state, err := readStateDict(ctx, file)
	if err != nil {
		return nil, err
	}
	defer state.Free()
	var m nn.Module
	err = torch.Try(func() { torch.WithDevice(torch.Meta, func() { m = entry.Build() }) })
	if err == nil {
		err = nn.LoadStateDict(m, state, nn.LoadOptions{Assign: true})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; it is a checkpoint of another model, or not only of a model", file, err)
	}
	return m, nil
}

// lookup finds an entry and checks that the repository has it.
func lookup(repo, name string) (*models.Entry, error) {
	entry, err := models.Lookup(name)
	if err != nil {
		return nil, err
	}
	repo, err = repository(repo)
	if err != nil {
		return nil, err
	}
	if repo != "" && entry.Repo != repo {
		return nil, fmt.Errorf("%s has no such model; it is one of %s", repo, entry.Repo)
	}
	return entry, nil
}

// repository checks a repository's name and takes its ref off.
func repository(repo string) (string, error) {
	base, _, _ := strings.Cut(repo, ":")
	known := []string{models.Vision, models.WSLImages}
	for _, k := range known {
		if strings.EqualFold(base, k) {
			return k, nil
		}
	}
	if base == "" {
		return "", nil
	}
	return "", fmt.Errorf("unknown repository %.100q; there are %s", repo, strings.Join(known, " and "))
}

// List returns the names of the models of a repository, of all for "":
// torch.hub.list. An unknown repository is an error.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.list
func List(repo string) ([]string, error) {
	repo, err := repository(repo)
	if err != nil {
		return nil, fmt.Errorf("hub: list: %w", err)
	}
	var names []string
	for _, name := range models.Names() {
		if e, err := models.Lookup(name); err == nil && (repo == "" || e.Repo == repo) {
			names = append(names, name)
		}
	}
	return names, nil
}

// Help describes a model: its paper, and for each set of weights the file, the
// size, the accuracy on ImageNet-1K and the licence: torch.hub.help.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.help
func Help(repo, name string) (string, error) {
	e, err := lookup(repo, name)
	if err != nil {
		return "", fmt.Errorf("hub: help: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n", e.Name, e.Title, e.Paper)
	for _, w := range e.Weights {
		fmt.Fprintf(&b, "%s: %s, %.1f MiB, %.1fM parameters, top-1 %.1f %%, top-5 %.1f %%", w.Name, path.Base(w.URL), w.MiB, float64(w.Params)/1e6, w.Acc1, w.Acc5)
		if w.Licence != "" {
			fmt.Fprintf(&b, ", licence %s", w.Licence)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

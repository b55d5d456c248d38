package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"

	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/torch"
)

// WithDevice puts the model on a device. The default, also of the zero Device, is the CPU.
func WithDevice(d torch.Device) Option {
	return func(o *options) { o.device = cmp.Or(d, torch.CPU) }
}

// WithWeights takes another artifact than the entry's first: the name of one,
// such as "IMAGENET1K_V1", or the path or URL of a file. Pictures are prepared
// as for the entry's first artifact.
//
// A file is a checkpoint, in either layout of torch.save or of safetensors. The
// state dict in it, under whatever key, and the prefix before its names, such as
// "module.", are those that give the most of the model's names; where two give
// equally many, [WithKey] or [WithPrefix] chooses. Where it has another number of
// classes than the model, the model is built for so many, with the names of classes
// that the checkpoint holds, as class_to_idx or the like, or without names. [WithNotice] gets a line for each of these.
//
// Or the file is a TorchScript archive, which is run in place of the
// architecture, once when it is loaded to count its classes. It is a program:
// that of an http or https URL has to be trusted, see [WithTrust].
func WithWeights(weights string) Option { return func(o *options) { o.weights = weights } }

// WithKey takes the state dict under a key of the checkpoint of weights, such
// as "model_ema" or, two levels down, "ema.state_dict".
func WithKey(key string) Option { return func(o *options) { o.key = &key } }

// WithPrefix takes a prefix, such as "backbone.", off the names of the state
// dict; tensors whose names have it not are left out.
func WithPrefix(prefix string) Option { return func(o *options) { o.prefix = &prefix } }

// WithArguments builds the architecture with other arguments than the entry's,
// an object of JSON such as {"num_classes": 10}, see [models.Configure].
func WithArguments(arguments string) Option { return func(o *options) { o.arguments = &arguments } }

// WithLabels names the classes in place of the entry, see [ReadLabels]. The
// model is run once when it is loaded, and must give as many logits.
func WithLabels(names []string) Option {
	return func(o *options) { o.names = slices.Clone(names) }
}

// WithNotice writes what the license of the weights asks for to w, one line for
// each load; nil writes nothing. The default is stderr.
func WithNotice(w io.Writer) Option { return func(o *options) { o.notice = w } }

// Load returns a model of a repository by its name, ready to use:
// torch.hub.load(repo, name).eval(). A repository is
//
//   - one whose models a Go package has registered, such as "pytorch/vision" and
//     "facebookresearch/WSL-Images", with or without a ":ref", which changes nothing;
//   - "", which is any of them that has the model;
//   - "owner/name" or "owner/name:ref" on GitHub, fetched as [Repository] does,
//     with a hubconf.json at its root;
//   - a folder with a hubconf.json, with [WithSource]("local");
//   - the https URL of a hubconf.json or of its folder.
//
// The artifact is the entry's first one that fits the device and the versions,
// or the one that [WithWeights] names. Weights lie in [Dir]'s folder checkpoints and are
// downloaded to it once; those of a hubconf.json have digits of their SHA-256 in
// the file's name, and SHA-256 and size are checked at each load. State dicts
// are mapped into memory and not copied, and no code in them is run. Where
// weights have a license, [WithNotice] is told it. Labels and preprocessing are the entry's. A
// hubconf.py is Python and is not run; the error says how to export the model.
//
// Load heeds [WithDevice], [WithWeights], [WithKey], [WithPrefix],
// [WithArguments], [WithLabels], [WithNotice], [WithCacheDir],
// [WithNativeCode], [WithSource] and what [Repository] heeds. Free the model with Close.
//
// A repository "hf:owner/name" or "hf:owner/name@revision" is one of the Hugging
// Face Hub, whose files [HFDownload] fetches; the name is then empty. Its config.json
// says which architecture it is and how pictures are prepared: that of a model of
// timm, as in timm.create_model("hf-hub:owner/name", pretrained=True) with
// timm.data.create_transform, or of a class of transformers, such as
// those that [models.FromTimm] and [models.FromTransformers] know. Its weights are
// model.safetensors, in one file or in shards, or
// pytorch_model.bin. An architecture that is not known is an error that names it.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load
func Load(ctx context.Context, repo, name string, opts ...Option) (*Model, error) {
	o := newOptions(opts)
	s, err := o.sourceOf(ctx, repo, name)
	var m *Model
	if err == nil {
		m, err = s.load(ctx, o, name)
	}
	if err != nil {
		return nil, newError("load", cmp.Or(name, repo), err)
	}
	return m, nil
}

// initialize loads libtorch and makes sure of the device, before anything is downloaded for it.
func initialize(ctx context.Context, d torch.Device) error {
	if err := torch.Init(ctx); err != nil {
		return err
	}
	if d.Type() == "cuda" {
		n, err := torch.CUDACount(ctx)
		if err != nil {
			return fmt.Errorf("device %v: %w; choose the device cpu", d, err)
		}
		if d.Index() >= n {
			return fmt.Errorf("device %v: there are %d CUDA devices, from cuda:0", d, n)
		}
	}
	return nil
}

// weightsURL returns the URL that weights are given by; nil where they are given by a name or path.
func weightsURL(weights string) *url.URL {
	u, err := url.Parse(weights)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" {
		return nil
	}
	return u
}

// file returns the local file of a path or URL of weights.
func (o *options) file(ctx context.Context, weights string) (string, error) {
	if weightsURL(weights) != nil {
		return o.cached(ctx, weights)
	}
	p := home.Expand(weights)
	st, err := os.Stat(p)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", &NoWeightsError{Name: weights, File: p}
	case err != nil:
		return "", err
	case !st.Mode().IsRegular():
		return "", checkKind(p)
	}
	return p, nil
}

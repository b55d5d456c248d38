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

// WithWeights selects an artifact other than the entry's first: by its name,
// such as "IMAGENET1K_V1", or by the path or URL of a file. For a file, pictures are
// prepared as for the entry's first artifact. For models of torchvision, "DEFAULT", "pretrained" and names such as
// "ViT_B_16_Weights.IMAGENET1K_V1" are names too, see models.Entry.Find.
//
// A file is a checkpoint, in either layout of torch.save or of safetensors. Of the state dicts in it, under any key,
// and the prefixes of their names, such as "module.", those are chosen that match the most of the model's names; if two
// match equally many, [WithKey] or [WithPrefix] must choose. If it has another number of classes than the model, the
// model is built for that number, with the class names that the checkpoint holds, such as in class_to_idx, or without
// names. Each of these choices is a line to the writer of [WithNotice].
//
// Or the file is a TorchScript archive, which replaces the architecture and is
// run once when it is loaded, to count its classes. It is a program: one at an
// http or https URL must be trusted, see [WithTrust].
func WithWeights(weights string) Option { return func(o *options) { o.weights = weights } }

// WithKey selects the state dict under a key of the checkpoint, such as
// "model_ema" or, two levels down, "ema.state_dict".
func WithKey(key string) Option { return func(o *options) { o.key = &key } }

// WithPrefix removes a prefix, such as "backbone.", from the names of the state
// dict; tensors without the prefix are left out.
func WithPrefix(prefix string) Option { return func(o *options) { o.prefix = &prefix } }

// WithArguments builds the architecture with these arguments in place of the
// entry's: an object of JSON such as {"num_classes": 10}, see models.Configure.
func WithArguments(arguments string) Option { return func(o *options) { o.arguments = &arguments } }

// WithNumClasses replaces the head of a model by a new one of n outputs, for training it on other classes:
//
//	model = models.get_model(name, weights="DEFAULT"); model.fc = nn.Linear(512, n)
//
// The model is loaded as it is, and again built with the argument num_classes of n; the tensors whose shape is the same
// are those that were loaded, and the others are new and random, as [torch.ManualSeed] has it. A line to the writer of
// [WithNotice] names them. The classes have no names but those of [WithLabels]. [nn.RequireGrad] freezes the
// rest. A program such as TorchScript has no head that can be replaced.
//
// https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
func WithNumClasses(n int) Option { return func(o *options) { o.numClasses = &n } }

// WithLabels replaces the entry's names of the classes, see [ReadLabels]. The
// model is run once when it is loaded and must return one logit for each name.
func WithLabels(names []string) Option {
	return func(o *options) { o.names = slices.Clone(names) }
}

// WithNotice writes notices, such as one line about the license of the weights
// for each load, to w; nil discards them. The default is stderr.
func WithNotice(w io.Writer) Option { return func(o *options) { o.notice = w } }

// Load returns a model of a repository by its name, ready to use:
// torch.hub.load(repo, name).eval(). A repository is
//
//   - one whose models a Go package has registered, such as "pytorch/vision" and
//     "facebookresearch/WSL-Images"; a ":ref" is allowed and ignored;
//   - "", which stands for the registered repository that has the model;
//   - "owner/name" or "owner/name:ref" on GitHub, fetched as [Repository] does,
//     with a hubconf.json at its root;
//   - a folder with a hubconf.json, with [WithSource]("local");
//   - the https URL of a hubconf.json or of its folder.
//
// The artifact is the entry's first one that fits the device and the versions, or the one that
// [WithWeights] names. Weights are downloaded once, to [Dir]'s folder checkpoints; those of a
// hubconf.json have digits of their SHA-256 in the file's name, and SHA-256 and size are
// checked at each load. State dicts are mapped into memory and not copied, and no code in them
// is run. A notice about the license of the weights is written to the writer of [WithNotice].
// Labels and preprocessing are the entry's. A hubconf.py is Python and is not run; the error
// explains how to export the model.
//
// Load honors [WithDevice], [WithOptimize], [WithWeights], [WithKey], [WithPrefix], [WithArguments],
// [WithNumClasses], [WithWeightsBackbone], [WithLabels], [WithNotice], [WithCacheDir], [WithNativeCode], [WithSource] and the
// options of [Repository]. Free the model with Close.
//
// A repository "hf:owner/name" or "hf:owner/name@revision" is one of the Hugging Face
// Hub, whose files [HFDownload] fetches; the name is then empty. Its config.json
// defines the architecture and how pictures are prepared. The architecture is a model
// of timm, as in timm.create_model("hf-hub:owner/name", pretrained=True) with
// timm.data.create_transform, or a class of transformers; models.FromTimm and
// models.FromTransformers build them. Its weights are model.safetensors, in one file
// or in shards, or pytorch_model.bin. The error for an unknown architecture names it.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load
func Load(ctx context.Context, repo, name string, opts ...Option) (*Model, error) {
	l := newLoader(opts)
	s, err := l.sourceOf(ctx, repo, name)
	var m *Model
	if err == nil {
		m, err = s.load(ctx, l, name)
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

// weightsURL returns the URL of the weights, or nil if a name or path is given.
func weightsURL(weights string) *url.URL {
	u, err := url.Parse(weights)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" {
		return nil
	}
	return u
}

// file returns the local file of a path or URL of weights.
func (l *loader) file(ctx context.Context, weights string) (string, error) {
	if weightsURL(weights) != nil {
		return l.cached(ctx, weights)
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

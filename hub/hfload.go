package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/hfcache"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

const (
	maxConfig = 32 << 20 // bytes of a JSON file; lists of 20,000 labels are some 2 MB
	maxShards = 1000
	atOnce    = 4 // downloads
)

// hfSource is a repository of the Hugging Face Hub, which is one model.
var hfSource = sourceKind{
	is:     func(repo string) bool { return strings.HasPrefix(repo, "hf:") },
	single: true,
	open: func(_ context.Context, _ *loader, repo string) (source, error) {
		r, err := hfcache.Parse(repo)
		return hfRepository{r, repo}, err
	},
}

type hfRepository struct {
	hfcache.Repo
	text string // as requested
}

// names refuses, since the model has no name.
func (r hfRepository) names() ([]string, error) {
	return nil, fmt.Errorf("%.100q is a repository of the Hugging Face Hub, which has one model without a name and no list of them", r.text)
}

// files returns the configuration's weights.
func (r hfRepository) files(ctx context.Context, l *loader, _ string) ([]string, error) {
	_, files, err := l.hfPlan(ctx, r.Repo)
	return files, err
}

// load returns the model.
func (r hfRepository) load(ctx context.Context, l *loader, name string) (*Model, error) {
	if name != "" {
		return nil, fmt.Errorf("a repository of the Hugging Face Hub holds one model; leave the name empty, it is %.100q", name)
	}
	ready := make(chan error, 1)
	go func() { ready <- initialize(ctx, l.device) }()
	p, files, err := l.hfPlan(ctx, r.Repo)
	if err == nil && l.numClasses != nil {
		err = errors.New("the head of a model of the Hugging Face Hub cannot be replaced while it is loaded; load it with its own classes")
	}
	if rerr := <-ready; err == nil {
		err = rerr
	}
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(p.license) {
	case "apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause": // permissive: no notice required
	default:
		l.sayLicense(r.ID, p.license)
	}
	m := &Model{name: r.ID, steps: &Preprocess{Preset: p.preset}, pre: p.pre, labels: p.labels}
	if l.weights == "" {
		m.module, err = p.fill(ctx, l, files)
	} else {
		var f *filled
		if f, err = l.fill(ctx, p.target(r.ID, l), files[0]); err == nil {
			l.sayFilled(r.ID, files[0], f)
			if m.module = f.module; f.classes > 0 || f.labels != nil {
				m.labels = f.labels
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if m, err = l.start(m); err != nil {
		return nil, err
	}
	return l.nameClasses(ctx, m, false)
}

func (p *plan) build() any { return p.model.Build(p.model.Classes) }

// target describes the module that other weights fill.
func (p *plan) target(model string, l *loader) target {
	return target{
		model: model, rename: p.rename, key: l.key, prefix: l.prefix, classes: len(p.labels),
		build: p.build,
		withClasses: func(n int) (func() any, json.RawMessage, error) {
			return func() any { return p.model.Build(n) }, nil, nil
		},
	}
}

// help describes the model.
func (r hfRepository) help(ctx context.Context, l *loader, _ string) (string, error) {
	p, _, err := l.hfConfig(ctx, r.Repo)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\narchitecture %s, %d classes\n", r.ID, p.architecture, len(p.labels))
	if p.license != "" {
		fmt.Fprintf(&b, "license %s\n", p.license)
	}
	fmt.Fprintf(&b, "preprocess %s\n", strings.Join(strings.Fields(p.pre.String()), " "))
	return b.String(), nil
}

// hfPlan downloads a repository's files and returns a plan for them. If other
// weights are requested, it does not download the repository's own.
func (l *loader) hfPlan(ctx context.Context, r hfcache.Repo) (*plan, []string, error) {
	p, r, err := l.hfConfig(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if l.weights != "" {
		file, err := l.file(ctx, l.weights)
		return p, []string{file}, err
	}
	files, err := l.hfWeights(ctx, r)
	return p, files, err
}

// hfConfig reads the configuration of a repository, and returns the repository at the commit of the
// configuration.
func (l *loader) hfConfig(ctx context.Context, r hfcache.Repo) (*plan, hfcache.Repo, error) {
	path, err := l.hfCache().File(ctx, r, "config.json")
	if err != nil {
		return nil, r, err
	}
	// All files must be of one commit, even if the branch moves meanwhile.
	r = r.AtCommit(path)
	data, err := readSmall(path)
	if err != nil {
		return nil, r, err
	}
	var p *plan
	if terr := torch.Try(func() {
		p, err = readHFConfig(data, func(file string) ([]byte, error) {
			path, err := l.hfCache().File(ctx, r, file)
			if err != nil {
				return nil, err
			}
			return readSmall(path)
		})
	}); terr != nil {
		err = terr
	}
	if err != nil {
		return nil, r, fmt.Errorf("%s: %w", r.ID, err)
	}
	return p, r, nil
}

// readSmall reads a file of settings.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s is longer than %s", path, terminal.Size(maxConfig))
	}
	return data, err
}

// hfWeights fetches the weights, in one file or in several.
func (l *loader) hfWeights(ctx context.Context, r hfcache.Repo) ([]string, error) {
	const one = "model.safetensors"
	var missing error
	for _, name := range []string{one, one + ".index.json", "pytorch_model.bin"} {
		path, err := l.hfCache().File(ctx, r, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if missing == nil {
				missing = err
			}
		case err != nil:
			return nil, err
		case strings.HasSuffix(name, ".json"):
			data, err := readSmall(path)
			if err != nil {
				return nil, err
			}
			shards, err := readIndex(data)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			return l.hfFiles(ctx, r, shards)
		default:
			return []string{path}, nil
		}
	}
	return nil, missing
}

// readIndex returns the files of an index of shards.
func readIndex(data []byte) ([]string, error) {
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var shards []string
	for _, shard := range index.Map {
		if !seen[shard] {
			seen[shard] = true
			shards = append(shards, shard)
		}
	}
	if len(shards) == 0 || len(shards) > maxShards {
		return nil, fmt.Errorf("its weight_map names %d files; want 1 to %d", len(shards), maxShards)
	}
	slices.Sort(shards)
	return shards, nil
}

// hfFiles fetches several files, some at a time.
func (l *loader) hfFiles(ctx context.Context, r hfcache.Repo, names []string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	paths, errs := make([]string, len(names)), make([]error, len(names))
	turns := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			if paths[i], errs[i] = l.hfCache().File(ctx, r, name); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	return paths, errors.Join(errs...)
}

// fill builds the model and gives it the tensors of the files.
func (p *plan) fill(ctx context.Context, l *loader, files []string) (any, error) {
	var state torch.StateDict
	defer func() { state.Free() }()
	for _, file := range files {
		s, err := l.readStateDict(ctx, file)
		if err != nil {
			return nil, err
		}
		for _, e := range s {
			if p.rename != nil {
				e.Name = p.rename(e.Name)
			}
			state = append(state, e)
		}
	}
	m, err := meta(p.build)
	if err == nil {
		err = nn.LoadStateDict(m, state, nn.LoadOptions{Assign: true})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; it is not a checkpoint of a %s", strings.Join(files, ", "), err, p.architecture)
	}
	return m, nil
}

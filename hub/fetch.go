package hub

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/models"
)

// Download fetches the files of a model into the cache, without loading it or
// needing libtorch, and returns their paths: what [Load] with the same arguments
// then finds there. It heeds what Load heeds for files.
func Download(ctx context.Context, repo, name string, opts ...Option) ([]string, error) {
	o := newOptions(opts)
	files, err := o.files(ctx, repo, name)
	if err != nil {
		return nil, fmt.Errorf("hub: download %.100q: %w", cmp.Or(name, repo), err)
	}
	return files, nil
}

func (o *options) files(ctx context.Context, repo, name string) ([]string, error) {
	if strings.HasPrefix(repo, "hf:") {
		r, err := parseHF(repo)
		if err != nil {
			return nil, err
		}
		_, files, err := o.hfPlan(ctx, r)
		return files, err
	}
	entry, err := lookup(repo, name)
	if err != nil {
		return nil, err
	}
	weights := entry.Default()
	if o.weights != "" {
		i := slices.IndexFunc(entry.Weights, func(w models.Weights) bool { return w.Name == o.weights })
		if i < 0 {
			file, err := o.file(ctx, o.weights)
			return []string{file}, err
		}
		weights = &entry.Weights[i]
	}
	o.say(entry.Name, weights.Licence)
	file, err := o.cached(ctx, weights.URL)
	return []string{file}, err
}

// say writes what a licence asks for.
func (o *options) say(model, licence string) {
	if licence != "" && o.notice != nil {
		io.WriteString(o.notice, fmt.Sprintf("torchhub: the weights of %s are licensed under %.100s\n", model, licence))
	}
}

package hub

import (
	"cmp"
	"context"
	"fmt"

	"github.com/torchhub/torchhub/internal/hfcache"
)

// Download fetches the files of a model into the cache, without loading it or
// needing libtorch, and returns their paths: what [Load] with the same arguments
// then finds there. It heeds what Load heeds for files.
func Download(ctx context.Context, repo, name string, opts ...Option) ([]string, error) {
	o := newOptions(opts)
	files, err := o.files(ctx, repo, name)
	if err != nil {
		return nil, newError("download", cmp.Or(name, repo), err)
	}
	return files, nil
}

func (o *options) files(ctx context.Context, repo, name string) ([]string, error) {
	if isHF(repo) {
		r, err := hfcache.Parse(repo)
		if err != nil {
			return nil, err
		}
		_, files, err := o.hfPlan(ctx, r)
		return files, err
	}
	e, at, err := o.entry(ctx, repo, name)
	if err != nil {
		return nil, err
	}
	a, file, err := o.choose(ctx, e, at)
	if err == nil && file == "" {
		o.sayLicense(name, e.license(a))
		file, err = o.artifact(ctx, at, a)
	}
	if err != nil {
		return nil, err
	}
	all := []string{file}
	if e.Labels != nil && e.Labels.File != nil {
		labels, err := o.content(ctx, at, *e.Labels.File)
		if err != nil {
			return nil, fmt.Errorf("labels: %w", err)
		}
		all = append(all, labels)
	}
	return all, nil
}

// sayLicense writes what a license asks for.
func (o *options) sayLicense(model, license string) {
	if license != "" {
		o.say("torchhub: the weights of %s are licensed under %.100s\n", model, license)
	}
}

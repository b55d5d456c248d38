package hub

import (
	"cmp"
	"context"
	"fmt"
)

// Download downloads the files of a model to the cache, where [Load] with the
// same arguments then finds them, and returns their paths. It does not load the
// model and does not need libtorch. It honors the options of [Load] that concern
// files.
func Download(ctx context.Context, repo, name string, opts ...Option) ([]string, error) {
	l := newLoader(opts)
	s, err := l.sourceOf(ctx, repo, name)
	var files []string
	if err == nil {
		files, err = s.files(ctx, l, name)
	}
	if err != nil {
		return nil, newError("download", cmp.Or(name, repo), err)
	}
	return files, nil
}

// filesOf returns the files of an entry.
func (l *loader) filesOf(ctx context.Context, name string, e *Entry, at place) ([]string, error) {
	a, file, err := l.choose(ctx, e, at)
	if err == nil && file == "" {
		l.sayLicense(name, e.license(a))
		file, err = l.artifact(ctx, at, a)
	}
	if err != nil {
		return nil, err
	}
	all := []string{file}
	if e.Labels != nil && e.Labels.File != nil {
		labels, err := l.content(ctx, at, *e.Labels.File)
		if err != nil {
			return nil, fmt.Errorf("labels: %w", err)
		}
		all = append(all, labels)
	}
	return all, nil
}

// sayLicense writes a notice about a license.
func (l *loader) sayLicense(model, license string) {
	if license != "" {
		l.say("torchhub: the weights of %s are licensed under %.100s\n", model, license)
	}
}

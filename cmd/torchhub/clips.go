package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"io"
	"iter"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/transforms"
)

// A source is a file, URL or stdin, which holds a picture or an animation. Each range over the frames reads it again.
type source struct {
	name   string
	base   string // of the files that are written about it
	frames iter.Seq2[image.Image, error]
}

// A clip is a video that was asked for: one animation, or pictures of which each is a frame.
type clip struct {
	name     string
	sources  []source
	animated bool // there is one source, which has several frames
	pairs    bool // the pictures were named one by one, so that for optical flow two and two belong together
}

// A frame is a picture of a clip. The error is one about this picture; those after it may be read.
type frame struct {
	name, base string
	img        image.Image
	err        error
}

// clips returns the clips that arguments name: each animation, and each folder or glob with its pictures in the
// order of their names. Other pictures are one clip together.
func clips(ctx context.Context, stdin io.Reader, args []string) iter.Seq2[clip, error] {
	return func(yield func(clip, error) bool) {
		used := baseNames{}
		single := clip{pairs: true}
		for _, arg := range args {
			s, names, err := sourceOf(ctx, stdin, arg)
			if err != nil {
				if !yield(clip{}, err) {
					return
				}
				continue
			}
			if names == nil && !s.animated() {
				single.sources, single.name = append(single.sources, s), cmp.Or(single.name, s.name)
				continue
			}
			all := []clip{{name: arg, sources: []source{s}, animated: true}}
			if names != nil {
				all = folders(arg, names)
			}
			for _, c := range all {
				if !yield(c.named(used), nil) {
					return
				}
			}
		}
		if len(single.sources) > 0 {
			yield(single.named(used), nil)
		}
	}
}

// A clipTask predicts for a clip, and calls done for each result. Its own error ends the command.
type clipTask struct {
	results string // their name
	run     func(ctx context.Context, w io.Writer, m *hub.Model, f predictFlags, c clip, done func(error)) error
	number  func(clip) int // of the results
}

// ofClips predicts for clips, and calls done for each result.
func ofClips(ctx context.Context, c *cobra.Command, model *hub.Model, f predictFlags, args []string, task clipTask, done func(error)) error {
	all := clips(ctx, c.InOrStdin(), args)
	counting, end := counted(c, task.results, func() (n int) {
		type result struct {
			clip
			err error
		}
		var results []result // what was read of stdin is not there again
		for clip, err := range all {
			results = append(results, result{clip, err})
			if err == nil {
				n += task.number(clip)
			}
		}
		all = func(yield func(clip, error) bool) {
			for _, r := range results {
				if !yield(r.clip, r.err) {
					return
				}
			}
		}
		return n
	}, done)
	defer end()
	for clip, err := range all {
		if err != nil {
			done(err)
			continue
		}
		if err := task.run(ctx, c.OutOrStdout(), model, f, clip, counting); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// named gives the sources the names of what is written about them.
func (c clip) named(used baseNames) clip {
	for i := range c.sources {
		c.sources[i].base = used.of(c.sources[i].base)
	}
	return c
}

// sourceOf returns what an argument names, or the names of the files in a folder or of a glob.
func sourceOf(ctx context.Context, stdin io.Reader, arg string) (s source, names []string, err error) {
	u, err := url.Parse(arg)
	switch {
	case arg == "-":
		return inMemory("stdin", "stdin", func() ([]byte, error) { return readPicture("stdin", stdin) }), nil, nil
	case err == nil && (u.Scheme == "http" || u.Scheme == "https"):
		return inMemory(arg, strings.Trim(path.Base(u.Path), "./"), func() ([]byte, error) { return fetch(ctx, arg) }), nil, nil
	}
	names, err = expand(arg)
	if err != nil {
		return source{}, nil, err
	}
	if len(names) == 1 && names[0] == arg {
		return fileSource(arg, filepath.Base(arg)), nil, nil
	}
	return source{}, names, nil
}

// folders returns the clips of files: one for each folder that holds some of them, and one for each animation.
func folders(arg string, names []string) (all []clip) {
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Or(strings.Compare(filepath.Dir(a), filepath.Dir(b)), compareNumbered(a, b))
	})
	at := map[string]int{} // in all, by folder
	for _, name := range names {
		s := fileSource(name, nameIn(arg, name))
		if mayMove[strings.ToLower(filepath.Ext(name))] && s.animated() {
			all = append(all, clip{name: name, sources: []source{s}, animated: true})
			continue
		}
		dir := filepath.Dir(name)
		i, ok := at[dir]
		if !ok {
			i = len(all)
			at[dir] = i
			all = append(all, clip{name: dir})
		}
		all[i].sources = append(all[i].sources, s)
	}
	return all
}

// mayMove has the extensions of the files in a folder that are opened to learn whether they have several frames.
var mayMove = map[string]bool{".gif": true, ".webp": true, ".tif": true, ".tiff": true}

// compareNumbered compares names, in which it compares numbers by their values, so that frame10 follows frame9.
func compareNumbered(a, b string) int {
	digits := func(s string) int {
		return len(s) - len(strings.TrimLeft(s, "0123456789"))
	}
	for a != "" && b != "" {
		if n, m := digits(a), digits(b); n > 0 && m > 0 {
			x, xerr := strconv.ParseUint(a[:n], 10, 64)
			y, yerr := strconv.ParseUint(b[:m], 10, 64)
			if xerr == nil && yerr == nil && x != y {
				return cmp.Compare(x, y)
			}
			if a[:n] == b[:m] {
				a, b = a[n:], b[m:]
				continue
			}
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func fileSource(name, base string) source {
	return source{name, base, func(yield func(image.Image, error) bool) {
		for f, err := range transforms.OpenFrames(name) {
			if err != nil {
				err = notOpened(name, err)
			}
			if !yield(f.Image, err) {
				return
			}
		}
	}}
}

// inMemory is a source that is read once.
func inMemory(name, base string, read func() ([]byte, error)) source {
	read = sync.OnceValues(read)
	return source{name, base, func(yield func(image.Image, error) bool) {
		data, err := read()
		if err != nil {
			yield(nil, err)
			return
		}
		for f, err := range transforms.DecodeFrames(bytes.NewReader(data)) {
			if err != nil {
				err = notDecoded(name, data, err)
			}
			if !yield(f.Image, err) {
				return
			}
		}
	}}
}

// animated reports whether there are several frames.
func (s source) animated() bool {
	n := 0
	for _, err := range s.frames {
		if n++; n > 1 || err != nil {
			return err == nil
		}
	}
	return false
}

// frames yields the frames in order. An animation ends with its first error.
func (c clip) frames(yield func(frame) bool) {
	for _, s := range c.sources {
		n := 0
		for img, err := range s.frames {
			f := frame{s.name, s.base, img, err}
			if c.animated {
				f.name, f.base = fmt.Sprintf("%s frame %d", s.name, n), fmt.Sprintf("%s-%d", s.base, n)
			}
			if !yield(f) {
				return
			}
			if n++; !c.animated {
				break
			}
		}
	}
}

// pick returns at most n frames, which are evenly spaced from the first to the last, and the number of all frames.
func (c clip) pick(ctx context.Context, n int) (picked []image.Image, all int, err error) {
	if !c.animated {
		all = len(c.sources)
		var chosen []source
		for _, i := range spaced(all, n) {
			chosen = append(chosen, c.sources[i])
		}
		c.sources = chosen
	}
	count := 0
	for f := range c.frames {
		if err := cmp.Or(f.err, ctx.Err()); err != nil {
			return nil, 0, err
		}
		if count++; count <= n {
			picked = append(picked, f.img)
		}
	}
	if !c.animated || count <= n {
		return picked, max(all, count), nil
	}
	wanted, i := spaced(count, n), 0 // the file is read again, so that not all frames are in memory at a time
	picked = picked[:0]
	for f := range c.frames {
		if err := cmp.Or(f.err, ctx.Err()); err != nil {
			return nil, 0, err
		}
		if slices.Contains(wanted, i) {
			picked = append(picked, f.img)
		}
		i++
	}
	return picked, count, nil
}

// spaced returns at most n of the numbers below all, from the first to the last.
func spaced(all, n int) []int {
	n = min(n, all)
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i * (all - 1) / max(1, n-1)
	}
	return numbers
}

package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/whole"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// stateDictFormat is a checkpoint of torch.save, and safetensorsFormat one of Hugging Face's layout.
var (
	stateDictFormat   = format{name: StateDict, is: ofClass(filekind.Checkpoint), load: loadStateDict, stateDict: true}
	safetensorsFormat = format{name: Safetensors, is: ofClass(filekind.Safetensors), load: loadStateDict, stateDict: true}
)

// loadStateDict fills the architecture of an artifact.
func loadStateDict(ctx context.Context, l *loader, m *Model, f modelFile) (*filled, error) {
	t, err := l.target(m.name, f.entry, f.artifact, f.given)
	if err != nil {
		return nil, err
	}
	t.classes = len(m.labels)
	if t.published != nil {
		t.published.classes = t.classes
	}
	filled, err := l.fill(ctx, t, f.path)
	if err != nil {
		return nil, err
	}
	m.module = filled.module
	return filled, nil
}

// A target is a module that a checkpoint is to fill.
type target struct {
	model       string // its name, for messages
	build       func() any
	withClasses func(n int) (build func() any, arguments json.RawMessage, err error) // nil if the number of classes is fixed
	rename      func(string) string                                                  // maps a name in the file to its name in the module; nil changes none
	key, prefix *string                                                              // the place of the state dict; nil is to be found
	newHead     func(n int) (build func() any, arguments json.RawMessage, err error) // for WithNumClasses, like withClasses
	classes     int                                                                  // the number of labels; 0 if the classes have no names
	published   *target                                                              // the module that published weights fill, if it is another, for a file that does not fit this one
}

// A filled is a module with the tensors of a checkpoint, and what was found out on the way.
type filled struct {
	of        target
	module    any
	place     torch.StateDictPlace
	left      []string        // the tensors without the prefix
	classes   int             // the number of classes if it differs from the target's; else 0
	arguments json.RawMessage // the arguments for this number of classes
	labels    []string        // the classes' names that the checkpoint holds, if any
}

// fill builds the target without memory of its own and assigns the tensors of a file
// to it.
func (l *loader) fill(ctx context.Context, t target, file string) (*filled, error) {
	v, err := l.readCheckpoint(ctx, file)
	if err != nil {
		return nil, err
	}
	f, err := t.fill(v)
	var misfit *WeightsError
	switch {
	case errors.As(err, &misfit):
		misfit.File = file
	case err != nil:
		err = fmt.Errorf("%s: %w", file, err)
	case l.numClasses != nil:
		err = l.replaceHead(f, *l.numClasses)
	}
	return f, err
}

// replaceHead builds the target for n classes, and keeps of the loaded tensors those that fit.
func (l *loader) replaceHead(f *filled, n int) error {
	switch {
	case n < 1:
		return fmt.Errorf("the number of classes is %d; give at least 1", n)
	case f.of.newHead == nil:
		return errors.New("the number of classes of the model is fixed, so its head cannot be replaced")
	}
	build, arguments, err := f.of.newHead(n)
	if err != nil {
		return err
	}
	var m any
	if err := torch.Try(func() { m = build() }); err != nil {
		return err
	}
	loaded, fresh := nn.StateDict(f.module), nn.StateDict(m)
	defer loaded.Free()
	var kept torch.StateDict
	var names []string
	for _, e := range fresh {
		if x := loaded.Get(e.Name); x != nil && x.SameShape(e.Tensor) {
			kept = append(kept, torch.Named{Name: e.Name, Tensor: x})
		} else {
			names = append(names, e.Name)
		}
	}
	if err := nn.LoadStateDict(m, kept, nn.LoadOptions{Assign: true, NotStrict: true}); err != nil {
		return err
	}
	if len(names) > 0 {
		l.say("torchhub: %s has new tensors for %d classes, which are to be trained: %s", f.of.model, n, strings.Join(names, ", "))
	}
	f.module, f.classes, f.arguments, f.labels = m, n, arguments, nil
	return nil
}

func (t target) fill(v torch.Value) (*filled, error) {
	f, c, err := t.load(v)
	if c != nil && err != nil && t.published != nil {
		if p, _, perr := t.published.load(v); perr == nil {
			return p, nil
		}
	}
	if c != nil && err != nil {
		err = &WeightsError{Model: t.model, Fits: fitting(c.state), Err: err}
	}
	return f, err
}

// load fills the target with the state dict that it chooses. If that does not fit, it returns both the state dict and an error.
func (t target) load(v torch.Value) (*filled, *candidate, error) {
	m, err := meta(t.build)
	if err != nil {
		return nil, nil, err
	}
	c, err := t.choose(v, names(m))
	if err != nil {
		return nil, nil, err
	}
	f := &filled{of: t, module: m, place: c.place, left: c.left}
	err = nn.LoadStateDict(m, c.state, nn.LoadOptions{Assign: true})
	if n := otherClasses(err); n > 0 && t.withClasses != nil {
		build, arguments, cerr := t.withClasses(n)
		if cerr == nil {
			m, cerr = meta(build)
		}
		if cerr == nil {
			cerr = nn.LoadStateDict(m, c.state, nn.LoadOptions{Assign: true})
		}
		if cerr == nil { // otherwise the first error is reported
			f.module, f.classes, f.arguments, err = m, n, arguments, nil
		}
	}
	if err != nil {
		return nil, c, err
	}
	if n := cmp.Or(f.classes, t.classes); n > 0 {
		f.labels = labelsIn(v, n)
	}
	return f, c, nil
}

// meta builds a module without memory.
func meta(build func() any) (m any, err error) {
	err = torch.Try(func() { torch.WithDevice(torch.Meta, func() { m = build() }) })
	return m, err
}

// names returns the names of a module's tensors.
func names(m any) map[string]bool {
	all := map[string]bool{}
	for _, e := range nn.StateDict(m) {
		all[e.Name] = true
	}
	return all
}

// A candidate is a state dict of a checkpoint with a prefix taken off its names.
type candidate struct {
	place torch.StateDictPlace
	state torch.StateDict
	left  []string
	fits  int // how many names match the module's
}

// choose returns the state dict of a checkpoint, and the prefix of its names, with
// the most of the module's names. If two are equal, the user must choose.
func (t target) choose(v torch.Value, want map[string]bool) (*candidate, error) {
	options := []torch.StateDictOption{torch.WithPrefix("")}
	all := torch.StateDicts(v)
	if t.key != nil {
		options = append(options, torch.WithKey(*t.key))
	}
	if t.key != nil || len(all) == 0 {
		s, at, err := torch.FindStateDict(v, options...)
		if err != nil {
			return nil, err
		}
		all = []torch.PlacedStateDict{{StateDict: s, StateDictPlace: at}}
	}
	var best []candidate
	if t.prefix != nil && !slices.ContainsFunc(all, func(s torch.PlacedStateDict) bool {
		return slices.ContainsFunc(s.StateDict, func(e torch.Named) bool { return strings.HasPrefix(e.Name, *t.prefix) })
	}) {
		return nil, fmt.Errorf("none of its names begins with the prefix %.100q; they are %s", *t.prefix, someTensors(all[0].StateDict))
	}
	for _, s := range all {
		for _, c := range t.prefixes(s, want) {
			if len(best) > 0 && c.fits > best[0].fits {
				best = nil
			}
			if len(best) == 0 || c.fits == best[0].fits {
				best = append(best, c)
			}
		}
	}
	if len(best) == 1 {
		return &best[0], nil
	}
	e := &WeightsError{Model: t.model}
	for _, c := range best {
		if !slices.Contains(e.Keys, c.place.Key) {
			e.Keys = append(e.Keys, c.place.Key)
		}
		if !slices.Contains(e.Prefixes, c.place.Prefix) {
			e.Prefixes = append(e.Prefixes, c.place.Prefix)
		}
	}
	if len(e.Keys) > 1 { // the prefixes may differ by the key
		e.Prefixes = nil
	} else {
		e.Keys = nil
	}
	return nil, e
}

// maxName limits the length of names in which a prefix is searched, since that takes quadratic time.
const maxName = 4096

// someTensors lists the first names of a state dict.
func someTensors(s torch.StateDict) string {
	var names []string
	for _, e := range s[:min(3, len(s))] {
		names = append(names, e.Name)
	}
	if more := len(s) - len(names); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.ReplaceAll(quoted(names), " and ", ", "), more)
	}
	return quoted(names)
}

// prefixes returns a state dict without the given prefix, or without the prefixes whose removal gives the most of the
// module's names.
func (t target) prefixes(s torch.PlacedStateDict, want map[string]bool) []candidate {
	count := map[string]int{}
	for _, e := range s.StateDict {
		for i := 0; i <= len(e.Name) && len(e.Name) <= maxName; i++ {
			if (i == 0 || e.Name[i-1] == '.') && want[t.renamed(e.Name[i:])] {
				count[e.Name[:i]]++
			}
		}
	}
	most := 0
	for _, n := range count {
		most = max(most, n)
	}
	var chosen []string
	switch {
	case t.prefix != nil:
		chosen = []string{*t.prefix}
	case most == 0:
		chosen = []string{""}
	default:
		for _, p := range slices.Sorted(maps.Keys(count)) {
			if count[p] == most {
				chosen = append(chosen, p)
			}
		}
	}
	var out []candidate
	for _, p := range chosen {
		c := candidate{place: torch.StateDictPlace{Key: s.Key, Prefix: p}, fits: count[p]}
		for _, e := range s.StateDict {
			if name, ok := strings.CutPrefix(e.Name, p); ok {
				c.state = append(c.state, torch.Named{Name: t.renamed(name), Tensor: e.Tensor})
			} else {
				c.left = append(c.left, e.Name)
			}
		}
		out = append(out, c)
	}
	return out
}

func (t target) renamed(name string) string {
	if t.rename == nil {
		return name
	}
	return t.rename(name)
}

// otherClasses returns the number of classes of a state dict that fits except for
// that number: all tensors that do not fit differ in their first dimension, and in
// the same way.
func otherClasses(err error) int {
	var e *nn.KeyError
	if !errors.As(err, &e) || len(e.Missing)+len(e.Unexpected) > 0 || len(e.Mismatched) == 0 {
		return 0
	}
	first := e.Mismatched[0]
	for _, m := range e.Mismatched {
		if len(m.Got) == 0 || len(m.Got) != len(m.Want) || m.Got[0] != first.Got[0] || m.Want[0] != first.Want[0] || !slices.Equal(m.Got[1:], m.Want[1:]) {
			return 0
		}
	}
	return first.Got[0]
}

// fitting returns the models of package models that a state dict fits, with any number of classes; of
// those whose names hold another one's, only the other one.
func fitting(s torch.StateDict) []string {
	var all []string
	size := 0
	for _, e := range s {
		size += e.Tensor.Numel()
	}
	for _, name := range slices.SortedFunc(slices.Values(models.Names()), func(a, b string) int { return cmp.Compare(len(a), len(b)) }) {
		e, err := models.Lookup(name)
		if err != nil || !alike(size, e.Default().Params) || slices.ContainsFunc(all, func(other string) bool { return strings.Contains(name, other) }) {
			continue
		}
		build, err := models.Configure(name, nil)
		if err != nil {
			continue
		}
		m, err := meta(build)
		if err != nil {
			continue
		}
		have := names(m)
		fits := true
		for _, e := range s {
			delete(have, e.Name)
		}
		for name := range have { // which old checkpoints lack
			fits = fits && strings.HasSuffix(name, "num_batches_tracked")
		}
		if fits {
			err := nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true})
			if n := otherClasses(err); n > 0 {
				if build, err = models.Configure(name, fmt.Appendf(nil, `{"num_classes": %d}`, n)); err == nil {
					m, err = meta(build)
				}
				if err == nil {
					err = nn.LoadStateDict(m, s, nn.LoadOptions{Assign: true})
				}
			}
			if err == nil {
				all = append(all, name)
			}
		}
	}
	return all
}

// alike reports whether two models may have the same architecture but for the number of classes, by their numbers of
// parameters. Building each model to compare it would take seconds.
func alike(a, b int) bool { return a <= 3*b && b <= 3*a }

// classNames are the keys under which checkpoints hold the names of their classes, in lower case.
var classNames = map[string]bool{
	"classes": true, "class_names": true, "classnames": true, "labels": true, "label_names": true, "categories": true, "names": true,
	"idx_to_class": true, "idx2class": true, "idx2label": true, "id2label": true, "index_to_name": true,
	"class_to_idx": true, "class2idx": true, "label2idx": true, "label2id": true,
}

// labelsIn returns the names of n classes that a checkpoint holds beside the
// tensors, or in a dict beside them; nil if there are none, or several that
// differ.
func labelsIn(v torch.Value, n int) []string {
	var found []string
	for depth, level := 0, []torch.Value{v}; depth < 2; depth++ {
		var next []torch.Value
		for _, v := range level {
			d, ok := v.(*torch.Dict)
			if !ok {
				continue
			}
			for _, e := range d.Entries {
				key, _ := e.Key.(string)
				next = append(next, e.Value)
				if !classNames[strings.ToLower(key)] {
					continue
				}
				if l := labelsOf(e.Value, n); l != nil {
					if found != nil && !slices.Equal(found, l) {
						return nil
					}
					found = l
				}
			}
		}
		level = next
	}
	return found
}

// labelsOf reads a list of n names, a dict of numbers to names, or one of names to numbers.
func labelsOf(v torch.Value, n int) []string {
	var items []torch.Value
	var entries []torch.Entry
	switch v := v.(type) {
	case []torch.Value:
		items = v
	case torch.Tuple:
		items = v
	case *torch.Dict:
		entries = v.Entries
	}
	if len(items)+len(entries) != n {
		return nil
	}
	labels, seen := make([]string, n), make([]bool, n)
	set := func(i int, name torch.Value) bool {
		s, ok := name.(string)
		if !ok || i < 0 || i >= n || seen[i] {
			return false
		}
		labels[i], seen[i] = s, true
		return true
	}
	number := func(v torch.Value) int {
		switch v := v.(type) {
		case int:
			return v
		case string:
			if i, err := strconv.Atoi(v); err == nil {
				return i
			}
		}
		return -1
	}
	for _, e := range entries {
		if !set(number(e.Key), e.Value) && !set(number(e.Value), e.Key) {
			return nil
		}
	}
	for i, name := range items {
		if !set(i, name) {
			return nil
		}
	}
	if slices.Contains(seen, false) {
		return nil
	}
	return labels
}

// readCheckpoint reads a file of torch.save or of safetensors and checks its checksums.
func (l *loader) readCheckpoint(ctx context.Context, path string) (torch.Value, error) {
	if err := checkKind(path, filekind.Checkpoint, filekind.Safetensors); err != nil {
		return nil, err
	}
	if err := torch.Init(ctx); err != nil {
		return nil, err
	}
	checked := make(chan error, 1)
	go func() { checked <- whole.Records(ctx, path) }()
	v, err := torch.Load(path)
	if err != nil {
		err = inFile(path, err)
	}
	if cerr := <-checked; err == nil && cerr != nil {
		v, err = nil, cerr
	}
	if err != nil && !errors.Is(err, torch.ErrUnsupported) && !errors.Is(err, os.ErrNotExist) && ctx.Err() == nil {
		err = l.damaged(path, err)
	}
	return v, err
}

// inFile adds the file to an error of package torch, and removes the name of that package.
func inFile(path string, err error) error {
	return fmt.Errorf("%s: %w", path, cmp.Or(errors.Unwrap(err), err))
}

// checkKind refuses a file that is recognized as of a kind other than the expected ones. Unknown files
// pass.
func checkKind(path string, want ...filekind.Class) error {
	k, err := filekind.OfFile(path)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, oserror.Cause(err))
	case k.Class == filekind.Unknown, slices.Contains(want, k.Class):
		return nil
	case k.Class == filekind.Archive && slices.Contains(want, filekind.Checkpoint): // a zip may wrap a checkpoint
		return nil
	}
	return fmt.Errorf("%s: %w", path, &filekind.MismatchError{Kind: k, Want: "weights"})
}

// damaged returns an error that a file is damaged, with advice. Only files of the caches may be deleted.
func (l *loader) damaged(path string, err error) error {
	advice := "copy or download it again"
	for _, dir := range []string{home.Expand(l.dir), filepath.Join(Dir(), "checkpoints"), HFCacheDir()} {
		if dir == "" {
			continue
		}
		if rel, rerr := filepath.Rel(dir, path); rerr == nil && filepath.IsLocal(rel) {
			advice = "delete " + path + " and try again"
		}
	}
	if text := err.Error(); strings.HasSuffix(text, "damaged") {
		return fmt.Errorf("%w; %s", err, advice)
	}
	return fmt.Errorf("%w; the file is damaged, %s", err, advice)
}

// sayFilled writes what was changed to make a given checkpoint fit.
func (l *loader) sayFilled(model, file string, f *filled) {
	if p := f.place.String(); p != "" {
		l.say("torchhub: the weights of %s are those of %s %s", model, file, p)
	}
	if n := len(f.left); n > 0 {
		l.say("torchhub: %s holds %d tensors that %s has not, such as %.100q; they are left out", file, n, model, f.left[0])
	}
	if f.classes > 0 {
		named := "without names"
		if f.labels != nil {
			named = "named by the checkpoint"
		}
		l.say("torchhub: %s has %d classes in %s, %s", model, f.classes, file, named)
	}
}

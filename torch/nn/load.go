package nn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// LoadOptions are the options of [LoadStateDict].
type LoadOptions struct {
	// Assign makes the module use the tensors of the state dict, without a copy
	// if their dtype is the parameter's. It is needed for a module on the meta
	// device.
	Assign bool
	// NotStrict allows missing and unexpected keys: strict=False.
	NotStrict bool
}

// A KeyError lists all differences between a state dict and a module.
type KeyError struct {
	Missing    []string   // in the module, not in the state dict
	Unexpected []string   // in the state dict, not in the module
	Mismatched []Mismatch // of another shape
}

// A Mismatch is a tensor of a state dict whose shape differs from the module's.
type Mismatch struct {
	Name      string
	Got, Want []int // in the state dict, in the module
}

// Error returns the keys in one line, of each long list the first five.
func (e *KeyError) Error() string {
	var parts []string
	add := func(what string, names []string) {
		if len(names) == 0 {
			return
		}
		const most = 5
		more := ""
		if len(names) > most {
			more = fmt.Sprintf(" and %d more", len(names)-most)
			names = names[:most]
		}
		parts = append(parts, what+" "+strings.Join(names, ", ")+more)
	}
	var shapes []string
	for _, m := range e.Mismatched {
		shapes = append(shapes, fmt.Sprintf("%.100q %s for %s", m.Name, shape(m.Got), shape(m.Want)))
	}
	add("missing", quoted(e.Missing))
	add("unexpected", quoted(e.Unexpected))
	add("of the wrong shape", shapes)
	return "the state dict does not fit the module: " + strings.Join(parts, "; ")
}

// shape writes a shape as PyTorch does.
func shape(sizes []int) string { return strings.ReplaceAll(fmt.Sprint(sizes), " ", ", ") }

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%.100q", n)
	}
	return out
}

// LoadStateDict sets the parameters and buffers of a module: m.load_state_dict(s). With the option Assign it is
// load_state_dict(s, assign=True), except that a dtype other than the parameter's is then converted too. If a
// key is missing, unexpected or of another shape, it sets nothing and returns a [*KeyError]. As in PyTorch,
// BatchNorm's num_batches_tracked may be missing, since checkpoints before 0.4.1 lack it. Modules that are a
// [StateUpgrader] load older state dicts.
//
// The tensors of s remain the caller's to free.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
func LoadStateDict(m any, s torch.StateDict, options ...LoadOptions) error {
	o := torch.Only(options)
	entries, given, e, err := compare(m, s)
	if err != nil {
		return err
	}
	if len(e.Mismatched) > 0 || !o.NotStrict && len(e.Missing)+len(e.Unexpected) > 0 {
		return e
	}
	return set(entries, given, o.Assign)
}

// LoadMatching sets the parameters and buffers of a module that a state dict has in the same shape, and leaves the
// others as they are, such as the head of a model for other classes:
//
//	own = model.state_dict()
//	own.update({k: v for k, v in s.items() if k in own and v.shape == own[k].shape})
//	model.load_state_dict(own)
//
// What was left out is in left, whose text is a line for a notice; nil means nothing. If nothing fits, nothing is set,
// and err is a [*KeyError]. The option NotStrict has no effect. The state dict is otherwise read as [LoadStateDict] does.
//
// https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html#warmstarting-model-using-parameters-from-a-different-model
func LoadMatching(m any, s torch.StateDict, options ...LoadOptions) (left *KeyError, err error) {
	o := torch.Only(options)
	entries, given, e, err := compare(m, s)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(to entry) bool {
		return given[to.name] == nil || !given[to.name].SameShape(*to.at)
	})
	if len(entries) == 0 {
		return nil, e
	}
	if len(e.Missing)+len(e.Unexpected)+len(e.Mismatched) > 0 {
		left = e
	}
	return left, set(entries, given, o.Assign)
}

// compare returns the tensors of a module, those of a state dict by name, as the module upgrades them, and what differs.
func compare(m any, s torch.StateDict) (entries []entry, given map[string]*torch.Tensor, e *KeyError, err error) {
	given = make(map[string]*torch.Tensor, len(s))
	for _, e := range s {
		given[e.Name] = e.Tensor
	}
	if upgrades := walkAll(m, nil).upgrade; len(upgrades) > 0 {
		err := torch.Try(func() {
			for _, u := range upgrades {
				u.UpgradeState(given, u.prefix)
			}
		})
		if err != nil {
			return nil, nil, nil, err
		}
		s = upgraded(s, given)
	}
	entries, e = walk(m, nil), &KeyError{}
	known := make(map[string]bool, len(entries))
	for _, to := range entries {
		known[to.name] = true
		from, ok := given[to.name]
		switch {
		case !ok && to.optional:
		case !ok:
			e.Missing = append(e.Missing, to.name)
		case !from.SameShape(*to.at):
			e.Mismatched = append(e.Mismatched, Mismatch{to.name, from.Shape(), (*to.at).Shape()})
		}
	}
	for _, from := range s {
		if !known[from.Name] {
			e.Unexpected = append(e.Unexpected, from.Name)
		}
	}
	return entries, given, e, nil
}

// set sets the tensors of a module to those given.
func set(entries []entry, given map[string]*torch.Tensor, assign bool) error {
	if !assign {
		i := slices.IndexFunc(entries, func(to entry) bool { return (*to.at).Device() == torch.Meta })
		if i >= 0 {
			return fmt.Errorf("nn: %q is on the meta device; load with LoadOptions{Assign: true}", entries[i].name)
		}
	}
	return torch.Try(func() {
		torch.NoGrad(func() {
			for _, to := range entries {
				from := given[to.name]
				switch {
				case from == nil && to.optional && (*to.at).Device() == torch.Meta:
					replace(to.at, zeros(*to.at))
				case from == nil:
				case assign:
					replace(to.at, taken(from, (*to.at).DType()))
				default:
					(*to.at).CopyInPlace(from)
				}
			}
		})
	})
}

// SaveStateDict writes the parameters and buffers of a module to a file:
// torch.save(m.state_dict(), path), which PyTorch's module of the same structure
// loads. [torch.Save] documents the file.
//
//	err := nn.SaveStateDict("net.pth", net)
//
// https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
func SaveStateDict(path string, m any) error {
	w := walkAll(m, nil)
	d := &torch.Dict{Class: torch.OrderedDict, Metadata: &torch.Dict{Class: torch.OrderedDict}}
	var detached torch.StateDict
	defer func() { detached.Free() }()
	err := torch.Try(func() {
		for _, e := range w.entries {
			x := (*e.at).Detach()
			detached = append(detached, torch.Named{Name: e.name, Tensor: x})
			d.Entries = append(d.Entries, torch.Entry{Key: e.name, Value: x})
		}
	})
	if err != nil {
		return fmt.Errorf("nn: save %s: %w", path, err)
	}
	for _, m := range w.modules {
		version := &torch.Dict{Entries: []torch.Entry{{Key: "version", Value: m.version}}}
		d.Metadata.Entries = append(d.Metadata.Entries, torch.Entry{Key: m.name, Value: version})
	}
	return torch.Save(path, d)
}

// LoadStateDictFile sets the parameters and buffers of a module from a file:
// m.load_state_dict(torch.load(path, weights_only=True)). The file is one that
// [SaveStateDict] or Python wrote, or another that [torch.LoadStateDict] reads. The
// errors are those of torch.LoadStateDict and [LoadStateDict], with the path.
//
//	err := nn.LoadStateDictFile("net.pth", net)
//
// https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
func LoadStateDictFile(path string, m any, options ...LoadOptions) error {
	s, err := torch.LoadStateDict(path)
	if err != nil {
		return err
	}
	defer s.Free()
	if err := LoadStateDict(m, s, options...); err != nil {
		return fmt.Errorf("nn: load %s: %w", path, err)
	}
	return nil
}

// upgraded returns the entries of given, in the order of s; those that s lacks come last.
func upgraded(s torch.StateDict, given map[string]*torch.Tensor) torch.StateDict {
	out := make(torch.StateDict, 0, len(given))
	seen := make(map[string]bool, len(given))
	for _, e := range s {
		if x := given[e.Name]; x != nil && !seen[e.Name] {
			out = append(out, torch.Named{Name: e.Name, Tensor: x})
		}
		seen[e.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !seen[name] {
			out = append(out, torch.Named{Name: name, Tensor: given[name]})
		}
	}
	return out
}

// taken returns another reference to x, converted where its dtype is not d. A quantized tensor stays as it is.
func taken(x *torch.Tensor, d torch.DType) *torch.Tensor {
	if x.DType() != d && !x.IsQuantized() {
		return x.ToDType(d)
	}
	return x.Detach()
}

func zeros(like *torch.Tensor) *torch.Tensor {
	return torch.Options{DType: like.DType(), Device: torch.CPU}.Empty(like.Shape()...).FillInPlace(0)
}

func replace(at **torch.Tensor, by *torch.Tensor) {
	by.RequireGrad((*at).RequiresGrad())
	(*at).Free()
	*at = by
}

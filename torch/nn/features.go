package nn

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// NamedModules returns a module and its submodules by name, a module before those in it:
// m.named_modules(). The name of m is "". Lists of modules, torch.nn.ModuleList, are left
// out.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_modules
func NamedModules(m any) []Child {
	var named []Child
	for _, v := range walkAll(m, nil).modules {
		if v.module != nil {
			named = append(named, Child{v.name, v.module})
		}
	}
	return named
}

// A FeatureExtractor runs a model and returns the outputs of modules inside it:
// torchvision.models.feature_extraction.create_feature_extractor. It runs the whole
// model, whose own hooks are not called.
//
// https://docs.pytorch.org/vision/stable/feature_extraction.html
type FeatureExtractor struct {
	model Module
	names []string
}

// NewFeatureExtractor makes an extractor of the outputs of the modules with the given
// names, such as "layer4" or "layer1.0.conv1": those of [NamedModules], and so the
// beginnings of the names in a state dict. A name that there is not is an error that
// lists similar ones. torchvision's names of modules are the same. It has names of
// functions too, such as "flatten" and "add", and of the calls of one module, such as
// "layer4.2.relu_2": they are not known here, and a module that is called several times
// gives its last output.
//
//	e, err := nn.NewFeatureExtractor(model, "layer2", "layer4")
//	features := e.Forward(x) // features["layer4"] is [N, 512, H/32, W/32]
func NewFeatureExtractor(m Module, names ...string) (*FeatureExtractor, error) {
	known := NamedModules(m)
	for _, name := range names {
		i := slices.IndexFunc(known, func(c Child) bool { return c.Name == name })
		switch {
		case i < 0:
			return nil, fmt.Errorf("nn: a %T has no module %.100q%s", m, name, childrenOf(known, name))
		case name != "" && !isModule(known[i].Module):
			return nil, fmt.Errorf("nn: %q is a %T, which does not map a tensor to a tensor", name, known[i].Module)
		}
	}
	return &FeatureExtractor{m, slices.Clone(names)}, nil
}

func isModule(m any) bool { _, ok := m.(Module); return ok }

// childrenOf lists the modules beside the one that name lacks.
func childrenOf(known []Child, name string) string {
	var parts []string
	for outer := name; parts == nil; {
		i := strings.LastIndexByte(outer, '.')
		outer = outer[:max(i, 0)]
		prefix := outer
		if prefix != "" {
			prefix += "."
		}
		for _, c := range known {
			rest, ok := strings.CutPrefix(c.Name, prefix)
			if ok && rest != "" && !strings.Contains(rest, ".") {
				parts = append(parts, c.Name)
			}
		}
		if outer == "" {
			break
		}
	}
	if parts == nil {
		return ""
	}
	if len(parts) > 12 {
		parts = append(parts[:12], "…")
	}
	return "; there are " + strings.Join(parts, ", ")
}

var opAlias = torch.NewOp("aten::alias", "")

// Forward runs the model on x and returns the outputs by name. Of a module that is
// called several times it returns the last output. As in PyTorch, an operator in place
// that follows a module changes its output too. Several goroutines may call it at once.
// It panics with a *torch.Error if the model does, or if a module was not called as
// [RegisterForwardHook] requires.
func (e *FeatureExtractor) Forward(x *torch.Tensor) map[string]*torch.Tensor {
	// The hooks belong to a copy of the modules, so that no other call meets them.
	m := (&copier{done: map[any]reflect.Value{}}).copied(reflect.ValueOf(e.model)).Interface().(Module)
	out := map[string]*torch.Tensor{}
	for _, c := range NamedModules(m) {
		if !slices.Contains(e.names, c.Name) {
			continue
		}
		defer RegisterForwardHook(c.Module.(Module), func(_ Module, _, y *torch.Tensor) *torch.Tensor {
			var call torch.Call
			call.Tensor(y)
			out[c.Name] = call.One(opAlias)
			return nil
		})()
	}
	y := Call(m, x)
	if !slices.Contains(e.names, "") && y != x {
		y.Free()
	}
	for _, name := range e.names {
		if out[name] == nil {
			fail("FeatureExtractor: the model did not call %q with hooks", name)
		}
	}
	return out
}

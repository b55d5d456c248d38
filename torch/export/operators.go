package export

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/opschema"
)

// An operator is one of libtorch that a program may call.
type operator struct {
	name   string // "aten::add.Tensor"
	schema *opschema.Schema
}

var operators sync.Map // by name

// operatorOf returns the operator of a target such as torch.ops.aten.add.Tensor.
func operatorOf(target string, trusted bool) (*operator, error) {
	parts := strings.Split(strings.TrimPrefix(target, "torch.ops."), ".")
	if len(parts) != 3 {
		return nil, unsupported("the operator %q", badfile.Clip(target))
	}
	space, base, overload := parts[0], parts[1], parts[2]
	if why := refused(space, base); why != "" && !trusted {
		return nil, unsupported("the operator %s::%s, %s", badfile.Clip(space), badfile.Clip(base), why)
	}
	if overload == "default" {
		overload = ""
	}
	name := space + "::" + base
	full := strings.TrimSuffix(name+"."+overload, ".")
	if o, ok := operators.Load(full); ok {
		return o.(*operator), nil
	}
	var text string
	if err := torch.Try(func() { text = torch.NewOp(name, overload).Schema() }); err != nil {
		return nil, unsupported("the operator %s, which this libtorch lacks", badfile.Clip(full))
	}
	schema, err := opschema.Parse(text)
	if err != nil {
		return nil, err
	}
	o, _ := operators.LoadOrStore(full, &operator{full, schema})
	return o.(*operator), nil
}

func unsupported(format string, args ...any) error {
	return &badfile.UnsupportedError{Feature: fmt.Sprintf(format, args...)}
}

// refused returns why a file may not call an operator; "" if it may.
func refused(space, base string) string {
	switch {
	case space == "torchvision":
		return ""
	case space != "aten":
		return "which is not one of libtorch's own; set Trusted for a file that you trust"
	case strings.HasPrefix(base, "_") && !private[base]:
		return "which trusts its arguments; set Trusted for a file that you trust"
	case base == "from_file":
		return "which reads files"
	case strings.HasPrefix(base, "set_") || strings.HasPrefix(base, "resize_"):
		return "which exchanges the memory of tensors"
	}
	return ""
}

// private are the operators with a leading underscore that programs of torch.export have, and that check their
// arguments: of what run_decompositions makes, and of asserts.
var private = map[string]bool{
	"_adaptive_avg_pool2d": true, "_adaptive_avg_pool3d": true, "_assert_async": true, "_assert_scalar": true,
	"_assert_tensor_metadata": true, "_conj": true, "_log_softmax": true, "_prelu_kernel": true, "_safe_softmax": true,
	"_softmax": true, "_to_copy": true, "_unique2": true, "_unsafe_view": true, "_upsample_bicubic2d_aa": true,
	"_upsample_bilinear2d_aa": true,
}

// public are the operators that compute the same as ones that trust their arguments, and check them, with the arguments
// that they have besides.
var public = map[string]struct {
	target string
	more   map[string]pt2.Union
}{
	"torch.ops.aten._cdist_forward.default":           {target: "torch.ops.aten.cdist.default"},
	"torch.ops.aten._local_scalar_dense.default":      {target: "torch.ops.aten.item.default"},
	"torch.ops.aten._native_batch_norm_legit.default": {target: "torch.ops.aten.native_batch_norm.default"},
	"torch.ops.aten._native_batch_norm_legit.no_stats": {"torch.ops.aten.native_batch_norm.default", map[string]pt2.Union{
		"running_mean": pt2.Of("as_none", true), "running_var": pt2.Of("as_none", true),
	}},
	"torch.ops.aten._native_batch_norm_legit_no_training.default": {"torch.ops.aten.native_batch_norm.default", map[string]pt2.Union{
		"training": pt2.Of("as_bool", false),
	}},
	"torch.ops.aten._pdist_forward.default": {target: "torch.ops.aten.pdist.default"},
}

// checked returns a call that checks its arguments in place of one that does not, where there is one.
func checked(f *pt2.Node) *pt2.Node {
	p, ok := public[f.Target]
	if !ok {
		return f
	}
	n := *f
	n.Target, n.Inputs = p.target, slices.Clone(f.Inputs)
	for name, arg := range p.more {
		n.Inputs = append(n.Inputs, pt2.NamedArgument{Name: name, Arg: arg})
	}
	return &n
}

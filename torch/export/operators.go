package export

import (
	"fmt"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/badfile"
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
func operatorOf(target string) (*operator, error) {
	parts := strings.Split(strings.TrimPrefix(target, "torch.ops."), ".")
	if len(parts) != 3 {
		return nil, unsupported("the operator %q", badfile.Clip(target))
	}
	space, base, overload := parts[0], parts[1], parts[2]
	if why := refused(space, base); why != "" {
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
		return "which is not one of libtorch's own"
	case strings.HasPrefix(base, "_") && !private[base]:
		return "which trusts its arguments"
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
	"_assert_tensor_metadata": true, "_conj": true, "_local_scalar_dense": true, "_log_softmax": true,
	"_native_batch_norm_legit": true, "_native_batch_norm_legit_no_training": true, "_prelu_kernel": true,
	"_safe_softmax": true, "_softmax": true, "_to_copy": true, "_unsafe_view": true, "_upsample_bicubic2d_aa": true,
	"_upsample_bilinear2d_aa": true,
}

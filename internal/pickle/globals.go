package pickle

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/torchhub/torchhub/internal/badfile"
)

// global is a class, function or dtype of Python that a pickle may name.
type global struct {
	name    string                                    // as in Python: module.name
	call    func(m *machine, args Tuple) (any, error) // nil for globals that may be named but not called
	class   bool                                      // NEWOBJ may make it as well
	storage string                                    // a storage type's dtype
	untyped bool
}

// storageTypes are the types of storages that PyTorch had before 2.0, by their dtypes. Tensors of later dtypes have an UntypedStorage.
var storageTypes = map[string]string{
	"float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage",
	"int64": "LongStorage", "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage", "bool": "BoolStorage",
	"complex128": "ComplexDoubleStorage", "complex64": "ComplexFloatStorage",
	"qint8": "QInt8Storage", "qint32": "QInt32Storage", "quint8": "QUInt8Storage", "quint4x2": "QUInt4x2Storage", "quint2x4": "QUInt2x4Storage",
}

// globals is the whole allow list, by module.name. A file cannot add to it. What torch.load allows and this list lacks needs more than
// strided tensors on the CPU: see unsupportedGlobals.
var globals = map[string]*global{}

func init() {
	allow := func(g global, names ...string) {
		for _, name := range names {
			g := g
			g.name = name
			globals[name] = &g
		}
	}
	allow(global{call: orderedDict, class: true}, "collections.OrderedDict")
	allow(global{call: counter, class: true}, "collections.Counter")
	allow(global{call: set, class: true}, "builtins.set")
	allow(global{call: frozenSet, class: true}, "builtins.frozenset")
	allow(global{call: complexNumber}, "builtins.complex")
	allow(global{call: byteArray}, "builtins.bytearray")
	allow(global{call: byteString}, "builtins.bytes")
	allow(global{call: encode}, "_codecs.encode")
	allow(global{call: torchSize, class: true}, "torch.Size")
	allow(global{call: device}, "torch.device")
	allow(global{call: layout}, "torch.serialization._get_layout")
	allow(global{call: rebuildTensor}, "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
	allow(global{call: rebuildTensorV3}, "torch._utils._rebuild_tensor_v3")
	allow(global{call: rebuildQuantized}, "torch._utils._rebuild_qtensor")
	allow(global{call: rebuildSparse}, "torch._utils._rebuild_sparse_tensor")
	allow(global{call: rebuildMeta}, "torch._utils._rebuild_meta_tensor_no_storage")
	allow(global{call: rebuildDevice}, "torch._utils._rebuild_device_tensor_from_cpu_tensor")
	allow(global{call: rebuildParameter}, "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
	allow(global{call: rebuildFromType}, "torch._tensor._rebuild_from_type_v2")
	allow(global{}, "torch.Tensor", "torch.nn.parameter.Parameter")
	allow(global{storage: "uint8", untyped: true}, "torch.storage.UntypedStorage")
	for dtype, name := range storageTypes {
		allow(global{storage: dtype}, "torch."+name)
		if !quantized[dtype] {
			allow(global{storage: dtype}, "torch.cuda."+name)
		}
	}
	for _, scheme := range []string{"per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams"} {
		dtypes["torch."+scheme] = QScheme("torch." + scheme)
	}
	for dtype := range elements {
		dtypes["torch."+dtype] = DType(dtype)
	}
}

// dtypes holds the globals that are values.
var dtypes = map[string]any{}

// IsQScheme reports whether a name is that of a torch.qscheme, such as "torch.per_tensor_affine".
func IsQScheme(name string) bool {
	_, ok := dtypes[name].(QScheme)
	return ok
}

// unsupportedGlobals describes globals that torch.load allows, or that are common, in words for users.
var unsupportedGlobals = map[string]string{
	"torch._utils._rebuild_nested_tensor":               "a nested tensor: save its parts",
	"torch.nested._internal.nested_tensor._rebuild_njt": "a nested tensor: save its parts",
	"torch.nested._internal.nested_tensor.NestedTensor": "a nested tensor: save its parts",
	"torch._utils._rebuild_wrapper_subclass":            "a tensor of a wrapper subclass: save a plain copy",
	"torch._utils._rebuild_device_tensor_from_numpy":    "a tensor of a device without storages: save a copy on the CPU",
	"torch.storage.TypedStorage":                        "a storage without a type",
	"torch.distributed.tensor._api.DTensor":             "a distributed tensor: save its full_tensor()",
	"numpy.core.multiarray._reconstruct":                "a NumPy array: save it as a tensor",
	"numpy._core.multiarray._reconstruct":               "a NumPy array: save it as a tensor",
	"numpy.core.multiarray.scalar":                      "a NumPy scalar: save it as a float or an int",
	"numpy._core.multiarray.scalar":                     "a NumPy scalar: save it as a float or an int",
}

// renamed maps the modules of Python 2.
var renamed = map[string]string{"__builtin__": "builtins", "copy_reg": "copyreg"}

// global pushes the value of a module and a name.
func (m *machine) global(module, name string) error {
	if err := m.spend(64 + 4*(len(module)+len(name))); err != nil {
		return err
	}
	if to := renamed[module]; to != "" {
		module = to
	}
	full := module + "." + name
	if g := arrayGlobals[full]; g != nil && m.arrays {
		return m.push(g)
	}
	if g := globals[full]; g != nil {
		return m.push(g)
	}
	if d := dtypes[full]; d != nil {
		return m.push(d)
	}
	if m.script {
		return m.push(&global{name: full})
	}
	if feature := unsupportedGlobals[full]; feature != "" {
		return m.unsupported("%s (it names %s)", feature, full)
	}
	return m.unsupported("the global %s is not on the allow list; save only tensors and plain containers, such as a state_dict", strconv.Quote(badfile.Clip(full)))
}

// call pushes f(*args).
func (m *machine) call(f, args any, newObject bool) error {
	g, ok := f.(*global)
	if !ok {
		return m.malformed("%s is called", describe(f))
	}
	t, ok := args.(Tuple)
	if !ok {
		return m.malformed("%s is called with %s, not with a tuple", g.name, describe(args))
	}
	if m.script {
		return m.scriptCall(g, t, newObject)
	}
	if g.call == nil || newObject && !g.class {
		return m.unsupported("a call of %s: save a state_dict with a newer PyTorch", g.name)
	}
	v, err := g.call(m, t)
	return m.give(v, 0, err)
}

// build gives an object its attributes, of which only an OrderedDict's _metadata is kept.
func (m *machine) build(obj, state any) error {
	if o, ok := obj.(*scriptObject); ok {
		o.state = state
		return nil
	}
	if is, err := m.buildArray(obj, state); is {
		return err
	}
	d, ok := obj.(*Dict)
	if !ok || d.Class != "OrderedDict" {
		return m.unsupported("attributes of %s: save a state_dict with a newer PyTorch", describe(obj))
	}
	attributes, ok := state.(*Dict)
	if !ok {
		return m.malformed("an OrderedDict's attributes are %s, not a dict", describe(state))
	}
	if meta, ok := attributes.Get("_metadata"); ok {
		d.Metadata = meta
	}
	return nil
}

// wrong returns the error that args do not fit a function.
func (m *machine) wrong(function string, args Tuple) error {
	kinds := make([]string, 0, 8)
	for _, a := range args[:min(len(args), 8)] {
		kinds = append(kinds, describe(a))
	}
	return m.malformed("%s is called with %d arguments that do not suit it: %s", function, len(args), strings.Join(kinds, ", "))
}

// orderedDict is OrderedDict() or, of Python 2, OrderedDict([[key, value], …]).
func orderedDict(m *machine, args Tuple) (any, error) {
	d := &Dict{Class: "OrderedDict"}
	if err := m.spend(costContainer); err != nil || len(args) == 0 {
		return d, err
	}
	pairs, ok := items(args[0])
	if !ok || len(args) > 1 {
		return nil, m.wrong("OrderedDict", args)
	}
	for _, p := range pairs {
		kv, ok := items(p)
		if !ok || len(kv) != 2 {
			return nil, m.malformed("an OrderedDict is made of %s, not of pairs", describe(p))
		}
		if err := m.setItems(d, kv); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// counter is Counter() or Counter({item: count, …}).
func counter(m *machine, args Tuple) (any, error) {
	c := &Dict{Class: "Counter"}
	if err := m.spend(costContainer); err != nil || len(args) == 0 {
		return c, err
	}
	d, ok := args[0].(*Dict)
	if !ok || len(args) > 1 {
		return nil, m.wrong("Counter", args)
	}
	for i, k := range d.Keys {
		if err := m.setItems(c, []any{k, d.Values[i]}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func set(m *machine, args Tuple) (any, error)       { return makeSet(m, "set", args) }
func frozenSet(m *machine, args Tuple) (any, error) { return makeSet(m, "frozenset", args) }

func makeSet(m *machine, function string, args Tuple) (any, error) {
	s := &Set{}
	if err := m.spend(costContainer); err != nil || len(args) == 0 {
		return s, err
	}
	members, ok := items(args[0])
	if !ok || len(args) > 1 {
		return nil, m.wrong(function, args)
	}
	return s, m.addItems(s, members)
}

// items returns the elements of a list, tuple or set.
func items(v any) ([]any, bool) {
	switch v := v.(type) {
	case Tuple:
		return v, true
	case *List:
		return v.Items, true
	case *Set:
		return v.Items, true
	}
	return nil, false
}

func complexNumber(m *machine, args Tuple) (any, error) {
	if len(args) == 2 {
		re, ok1 := float(args[0])
		im, ok2 := float(args[1])
		if ok1 && ok2 {
			return complex(re, im), m.spend(costNumber)
		}
	}
	return nil, m.wrong("complex", args)
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// byteArray is bytearray(), bytearray(bytes) or bytearray(str, encoding); bytearray(n) would make n bytes of nothing.
func byteArray(m *machine, args Tuple) (any, error) {
	switch {
	case len(args) == 0:
		return []byte{}, nil
	case len(args) == 1:
		if b, ok := args[0].([]byte); ok {
			return append([]byte{}, b...), m.spend(len(b))
		}
		if _, ok := args[0].(int64); ok {
			return nil, m.unsupported("a call of bytearray with a size")
		}
	case len(args) == 2:
		return encode(m, args)
	}
	return nil, m.wrong("bytearray", args)
}

// byteString is bytes(), how protocol 2 writes b"".
func byteString(m *machine, args Tuple) (any, error) {
	if len(args) > 0 {
		return nil, m.unsupported("a call of bytes with arguments")
	}
	return []byte{}, nil
}

// encode is _codecs.encode(str, encoding), how protocol 2 writes bytes. Only plain text encodings are known.
func encode(m *machine, args Tuple) (any, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, m.wrong("_codecs.encode", args)
	}
	s, ok := args[0].(string)
	name := "utf-8"
	if ok && len(args) == 2 {
		name, ok = args[1].(string)
	}
	if !ok {
		return nil, m.wrong("_codecs.encode", args)
	}
	if err := m.spend(costNumber + len(s)); err != nil {
		return nil, err
	}
	limit := rune(math.MaxInt32)
	switch strings.ReplaceAll(strings.ToLower(badfile.Clip(name)), "_", "-") {
	case "latin1", "latin-1", "iso-8859-1", "iso8859-1":
		limit = 0xff
	case "ascii", "us-ascii":
		limit = 0x7f
	case "utf-8", "utf8":
		if !utf8.ValidString(s) {
			return nil, m.malformed("a str with a lone surrogate is encoded as UTF-8")
		}
		return []byte(s), nil
	default:
		return nil, m.unsupported("the encoding %s: only latin1, ascii and utf-8 are known", strconv.Quote(badfile.Clip(name)))
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > limit {
			return nil, m.malformed("a str with the rune %U is encoded as %s", r, name)
		}
		b = append(b, byte(r))
	}
	return b, nil
}

func torchSize(m *machine, args Tuple) (any, error) {
	if len(args) == 1 {
		if n, ok := ints(args[0]); ok {
			return Size(n), m.spend(costContainer + 8*len(n))
		}
	}
	return nil, m.wrong("torch.Size", args)
}

// device is torch.device("cuda:0"), torch.device("cuda") or torch.device("cuda", 0).
func device(m *machine, args Tuple) (any, error) {
	if err := m.spend(costContainer); err != nil {
		return nil, err
	}
	if len(args) < 1 || len(args) > 2 {
		return nil, m.wrong("torch.device", args)
	}
	name, ok := text(args[0])
	if !ok || len(name) > 64 {
		return nil, m.wrong("torch.device", args)
	}
	kind, index, indexed := strings.Cut(name, ":")
	d := Device{kind, -1}
	if indexed {
		n, err := strconv.ParseUint(index, 10, 15)
		if err != nil {
			return nil, m.malformed("the device %q has no index", name)
		}
		d.Index = int(n)
	}
	if len(args) == 2 {
		n, ok := args[1].(int64)
		if !ok || indexed || n < 0 || n > math.MaxInt16 {
			return nil, m.wrong("torch.device", args)
		}
		d.Index = int(n)
	}
	if kind == "" {
		return nil, m.malformed("the device %q has no type", name)
	}
	return d, nil
}

// layout is _get_layout("torch.strided").
func layout(m *machine, args Tuple) (any, error) {
	if len(args) == 1 {
		switch s, _ := text(args[0]); s {
		case "torch.strided", "torch.sparse_coo", "torch.sparse_csr", "torch.sparse_csc", "torch.sparse_bsr", "torch.sparse_bsc", "torch._mkldnn", "torch.jagged":
			return Layout(s), m.spend(costNumber)
		}
	}
	return nil, m.wrong("torch.serialization._get_layout", args)
}

// rebuildTensor is _rebuild_tensor(storage, offset, size, stride) or _rebuild_tensor_v2 with
// (…, requires_grad, backward_hooks[, {"conj": bool, "neg": bool}]) besides. Hooks would be functions, of which there are none.
func rebuildTensor(m *machine, args Tuple) (any, error) {
	if n := len(args); n != 4 && n != 6 && n != 7 {
		return nil, m.wrong("torch._utils._rebuild_tensor_v2", args)
	}
	t, err := m.plain(args[0], storageType(args[0]), args[1:4])
	if err != nil || len(args) == 4 {
		return t, err
	}
	return m.attributes(t, args[4], args[6:])
}

// storageType returns the dtype of a storage, "" of anything else.
func storageType(v any) string {
	switch s := v.(type) {
	case *Storage:
		return s.DType
	case *storageView:
		return s.DType
	}
	return ""
}

// plain makes a tensor over a storage from an offset, size and stride; one of a quantized dtype would need a quantizer.
func (m *machine) plain(over any, dtype string, shape Tuple) (*Tensor, error) {
	if quantized[dtype] {
		return nil, m.malformed("a tensor of dtype %s has no scale", dtype)
	}
	return m.tensor(over, dtype, shape[0], shape[1], shape[2])
}

// rebuildTensorV3 is _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, backward_hooks, dtype[, {"conj": bool, "neg": bool}]).
func rebuildTensorV3(m *machine, args Tuple) (any, error) {
	if n := len(args); n != 7 && n != 8 {
		return nil, m.wrong("torch._utils._rebuild_tensor_v3", args)
	}
	dtype, ok := args[6].(DType)
	if !ok {
		return nil, m.wrong("torch._utils._rebuild_tensor_v3", args)
	}
	t, err := m.plain(args[0], string(dtype), args[1:4])
	if err != nil {
		return nil, err
	}
	return m.attributes(t, args[4], args[7:])
}

// rebuildQuantized is _rebuild_qtensor(storage, offset, size, stride, quantizer, requires_grad, backward_hooks). The quantizer is
// (qscheme, scale, zero point) or (qscheme, scales, zero points, axis).
func rebuildQuantized(m *machine, args Tuple) (any, error) {
	if len(args) != 7 {
		return nil, m.wrong("torch._utils._rebuild_qtensor", args)
	}
	params, ok := args[4].(Tuple)
	dtype := storageType(args[0])
	if !ok || !quantized[dtype] {
		return nil, m.wrong("torch._utils._rebuild_qtensor", args)
	}
	t, err := m.tensor(args[0], dtype, args[1], args[2], args[3])
	if err != nil {
		return nil, err
	}
	if t.Quantizer, err = m.quantizer(params, t.Size); err != nil {
		return nil, err
	}
	return m.attributes(t, args[5], nil)
}

// quantizer reads the quantizer of a tensor of a size.
func (m *machine) quantizer(params Tuple, size []int) (*Quantizer, error) {
	if err := m.spend(costTensor); err != nil {
		return nil, err
	}
	q := &Quantizer{}
	scheme := any(nil)
	if len(params) > 0 {
		scheme = params[0]
	}
	switch scheme {
	case QScheme("torch.per_tensor_affine"):
		if len(params) == 3 {
			var ok1, ok2 bool
			q.Scale, ok1 = float(params[1])
			q.ZeroPoint, ok2 = params[2].(int64)
			if ok1 && ok2 {
				q.Scheme = scheme.(QScheme)
				return q, nil
			}
		}
	case QScheme("torch.per_channel_affine"), QScheme("torch.per_channel_affine_float_qparams"):
		q.Scheme = scheme.(QScheme)
		if len(params) != 4 {
			break
		}
		zero := "int64"
		if q.Scheme == "torch.per_channel_affine_float_qparams" {
			zero = "float32"
		}
		var err error
		if q.Scales, err = m.channels(params[1], "float64"); err != nil {
			return nil, err
		}
		if q.ZeroPoints, err = m.channels(params[2], zero); err != nil {
			return nil, err
		}
		axis, ok := params[3].(int64)
		if q.Scales == nil || q.ZeroPoints == nil || !ok {
			break
		}
		if axis < 0 || axis >= int64(len(size)) || q.Scales.Size[0] != size[axis] || q.ZeroPoints.Size[0] != size[axis] {
			return nil, m.malformed("a quantized tensor of the size %v has %d scales and %d zero points for the axis %d", size, q.Scales.Size[0], q.ZeroPoints.Size[0], axis)
		}
		q.Axis = int(axis)
		if strings.Contains(q.ZeroPoints.DType, "float") { // as PyTorch does, which writes per_channel_affine for both
			q.Scheme = "torch.per_channel_affine_float_qparams"
		}
		return q, nil
	default:
		if s, ok := scheme.(QScheme); ok {
			return nil, m.unsupported("a quantized tensor of the scheme %s", s)
		}
	}
	return nil, m.wrong("torch._utils._rebuild_qtensor with a quantizer that", params)
}

// channels returns the 1-d tensor of the scales or zero points, which may be a list of numbers; nil if it is neither.
func (m *machine) channels(v any, dtype string) (*Tensor, error) {
	switch v := v.(type) {
	case *Tensor:
		if len(v.Size) == 1 && v.Quantizer == nil {
			return v, nil
		}
	case *List:
		if err := m.spend(costTensor + 8*len(v.Items)); err != nil {
			return nil, err
		}
		var b []byte
		for _, x := range v.Items {
			f, ok := float(x)
			if !ok {
				return nil, nil
			}
			switch dtype {
			case "float64":
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
			case "float32":
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(f)))
			default:
				b = binary.LittleEndian.AppendUint64(b, uint64(int64(f)))
			}
		}
		s := &Storage{DType: dtype, Data: b, Offset: -1, size: len(b)}
		return &Tensor{Storage: s, DType: dtype, Size: []int{len(v.Items)}, Stride: []int{1}}, nil
	}
	return nil, nil
}

// attributes sets requires_grad and the bits that are in a dict in rest, if any.
func (m *machine) attributes(t *Tensor, grad any, rest Tuple) (any, error) {
	var ok bool
	if t.RequiresGrad, ok = truth(grad); !ok {
		return nil, m.malformed("a tensor's requires_grad is %s, not a bool", describe(grad))
	}
	if len(rest) == 0 || rest[0] == nil {
		return t, nil
	}
	d, ok := rest[0].(*Dict)
	if !ok {
		return nil, m.malformed("a tensor's metadata are %s, not a dict", describe(rest[0]))
	}
	for k, v := range d.All() {
		bit, ok := truth(v)
		switch {
		case k == "conj" && ok:
			t.Conj = bit
		case k == "neg" && ok:
			t.Neg = bit
		default:
			return nil, m.unsupported("a tensor with metadata besides conj and neg")
		}
	}
	return t, nil
}

func truth(v any) (bool, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case int64:
		return v != 0, true
	}
	return false, false
}

// rebuildParameter is _rebuild_parameter(data, requires_grad, backward_hooks) or _rebuild_parameter_with_state, whose fourth argument,
// Python attributes, is left aside.
func rebuildParameter(m *machine, args Tuple) (any, error) {
	if n := len(args); n != 3 && n != 4 {
		return nil, m.wrong("torch._utils._rebuild_parameter", args)
	}
	grad, ok := truth(args[1])
	if err := m.spend(costTensor); err != nil {
		return nil, err
	}
	switch data := args[0].(type) {
	case *Tensor:
		if ok {
			p := *data
			p.RequiresGrad, p.Parameter = grad, true
			return &p, nil
		}
	case *Meta:
		if ok {
			p := *data
			p.RequiresGrad = grad
			return &p, nil
		}
	case *Sparse:
		if ok {
			return data, nil // a Sparse does not record requires_grad
		}
	}
	return nil, m.wrong("torch._utils._rebuild_parameter", args)
}

// rebuildSparse is _rebuild_sparse_tensor(layout, (indices, values, size[, is_coalesced])) or, of compressed layouts,
// (layout, (compressed indices, plain indices, values, size)).
func rebuildSparse(m *machine, args Tuple) (any, error) {
	if err := m.spend(costTensor); err != nil {
		return nil, err
	}
	if len(args) != 2 {
		return nil, m.wrong("torch._utils._rebuild_sparse_tensor", args)
	}
	layout, ok1 := args[0].(Layout)
	data, ok2 := args[1].(Tuple)
	if !ok1 || !ok2 {
		return nil, m.wrong("torch._utils._rebuild_sparse_tensor", args)
	}
	s := &Sparse{Layout: layout}
	parts := 3
	switch layout {
	case "torch.sparse_coo":
		parts = 2
		if len(data) == 4 && data[3] != nil {
			var ok bool
			if s.Coalesced, ok = data[3].(bool); !ok {
				return nil, m.wrong("torch._utils._rebuild_sparse_tensor", data)
			}
		}
		data = data[:min(len(data), 3)]
	case "torch.sparse_csr", "torch.sparse_csc", "torch.sparse_bsr", "torch.sparse_bsc":
	default:
		return nil, m.unsupported("a sparse tensor of the layout %s", layout)
	}
	if len(data) != parts+1 {
		return nil, m.wrong("torch._utils._rebuild_sparse_tensor", data)
	}
	for i, p := range data[:parts] {
		t, ok := p.(*Tensor)
		if !ok {
			return nil, m.wrong("torch._utils._rebuild_sparse_tensor", data)
		}
		if i < parts-1 && t.DType != "int64" && t.DType != "int32" {
			return nil, m.malformed("a sparse tensor's indices are of the dtype %s", t.DType)
		}
		s.Parts = append(s.Parts, t)
	}
	var ok bool
	if s.Size, ok = ints(data[parts]); !ok || len(s.Size) > maxDims || !fits(0, s.Size, make([]int, len(s.Size)), 1) || slices.ContainsFunc(s.Size, negative) {
		return nil, m.malformed("a sparse tensor's size is %s of no use", describe(data[parts]))
	}
	return s, nil
}

// rebuildMeta is _rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad).
func rebuildMeta(m *machine, args Tuple) (any, error) {
	if err := m.spend(costTensor); err != nil {
		return nil, err
	}
	if len(args) != 4 {
		return nil, m.wrong("torch._utils._rebuild_meta_tensor_no_storage", args)
	}
	dtype, ok1 := args[0].(DType)
	size, ok2 := ints(args[1])
	stride, ok3 := ints(args[2])
	grad, ok4 := truth(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, m.wrong("torch._utils._rebuild_meta_tensor_no_storage", args)
	}
	// as if there were a storage, which at most has all that can be addressed
	if len(size) != len(stride) || len(size) > maxDims || slices.ContainsFunc(size, negative) || slices.ContainsFunc(stride, negative) ||
		!fits(0, size, stride, math.MaxInt/16) {
		return nil, m.malformed("a meta tensor has the size %v and stride %v", size, stride)
	}
	return &Meta{string(dtype), size, stride, grad}, nil
}

// rebuildDevice is _rebuild_device_tensor_from_cpu_tensor(data, dtype, device, requires_grad), of devices that have no storages.
func rebuildDevice(m *machine, args Tuple) (any, error) {
	if len(args) != 4 {
		return nil, m.wrong("torch._utils._rebuild_device_tensor_from_cpu_tensor", args)
	}
	data, ok1 := args[0].(*Tensor)
	dtype, ok2 := args[1].(DType)
	grad, ok3 := truth(args[3])
	if !ok1 || !ok2 || !ok3 {
		return nil, m.wrong("torch._utils._rebuild_device_tensor_from_cpu_tensor", args)
	}
	if string(dtype) != data.DType {
		return nil, m.unsupported("a tensor that was saved as %s and was %s", data.DType, dtype)
	}
	if err := m.spend(costTensor); err != nil {
		return nil, err
	}
	t := *data
	t.RequiresGrad = grad
	return &t, nil
}

// rebuildFromType is _rebuild_from_type_v2(function, type, args, state), how a tensor with Python attributes is written. They are left aside.
func rebuildFromType(m *machine, args Tuple) (any, error) {
	if len(args) != 4 {
		return nil, m.wrong("torch._tensor._rebuild_from_type_v2", args)
	}
	f, ok1 := args[0].(*global)
	kind, ok2 := args[1].(*global)
	inner, ok3 := args[2].(Tuple)
	if !ok1 || !ok2 || !ok3 || !strings.HasPrefix(f.name, "torch._utils._rebuild_") {
		return nil, m.wrong("torch._tensor._rebuild_from_type_v2", args)
	}
	v, err := f.call(m, inner)
	if err != nil {
		return nil, err
	}
	if kind.name != "torch.Tensor" && kind.name != "torch.nn.parameter.Parameter" {
		return nil, m.malformed("a tensor of the class %s", kind.name)
	}
	if t, ok := v.(*Tensor); ok && kind.name == "torch.nn.parameter.Parameter" {
		t.Parameter = true
	}
	return v, nil
}

package pickle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"
)

// tree turns a value into the JSON that dump in testdata/gen/checkpoints.py writes for Python's value.
func tree(v any) string {
	b, err := json.Marshal(node(v, map[*Storage]int{}, map[any]bool{}))
	if err != nil {
		panic(err)
	}
	return string(b)
}

type object map[string]any

// node turns a value into what JSON has for it. Open are the containers that it is in.
func node(v any, storages map[*Storage]int, open map[any]bool) any {
	list := func(items []any) []any {
		out := make([]any, len(items))
		for i, x := range items {
			out[i] = node(x, storages, open)
		}
		return out
	}
	if id := container(v); id != nil {
		if open[id] {
			return object{"itself": true}
		}
		open[id] = true
		defer delete(open, id)
	}
	switch v := v.(type) {
	case nil, bool:
		return v
	case int64:
		return object{"int": strconv.FormatInt(v, 10)}
	case *big.Int:
		return object{"int": v.String()}
	case float64:
		return object{"float": bitsOf(v)}
	case complex128:
		return object{"complex": bitsOf(real(v)) + bitsOf(imag(v))}
	case string:
		if !utf8.ValidString(v) {
			return object{"str": hex.EncodeToString([]byte(v))}
		}
		return v
	case []byte:
		return object{"bytes": hex.EncodeToString(v)}
	case Size:
		return object{"size": v}
	case Tuple:
		return object{"tuple": list(v)}
	case *List:
		return list(v.Items)
	case *Set:
		members := []string{}
		for _, x := range v.Items {
			members = append(members, python(node(x, storages, open)))
		}
		slices.Sort(members)
		return object{"set": members}
	case *Dict:
		entries := []any{}
		for k, x := range v.All() {
			entries = append(entries, []any{node(k, storages, open), node(x, storages, open)})
		}
		d := object{"class": v.Class, "items": entries}
		if v.Metadata != nil {
			d["metadata"] = node(v.Metadata, storages, open)
		}
		return d
	case DType:
		return object{"dtype": v}
	case Device:
		return object{"device": []any{v.Type, v.Index}}
	case Layout:
		return object{"layout": v}
	case *Tensor:
		id, ok := storages[v.Storage]
		if !ok {
			id = len(storages)
			storages[v.Storage] = id
		}
		d := object{
			"storage": id, "dtype": v.DType, "offset": v.Offset, "size": v.Size, "stride": v.Stride,
			"grad": v.RequiresGrad, "parameter": v.Parameter, "conj": v.Conj, "neg": v.Neg, "values": digest(elementsOf(v)),
		}
		if q := v.Quantizer; q != nil && q.Scales == nil {
			d["quantizer"] = object{"scheme": q.Scheme, "scale": bitsOf(q.Scale), "zero_point": q.ZeroPoint}
		} else if q != nil {
			d["quantizer"] = object{"scheme": q.Scheme, "axis": q.Axis, "scales": digest(elementsOf(q.Scales)), "zero_points": digest(elementsOf(q.ZeroPoints))}
		}
		return object{"tensor": d}
	case QScheme:
		return object{"qscheme": v}
	case *Meta:
		return object{"meta": object{"dtype": v.DType, "size": v.Size, "stride": v.Stride, "grad": v.RequiresGrad}}
	case *Sparse:
		parts := []any{}
		for _, p := range v.Parts {
			parts = append(parts, object{"dtype": p.DType, "size": p.Size, "values": digest(elementsOf(p))})
		}
		return object{"sparse": object{"layout": v.Layout, "parts": parts, "size": v.Size, "coalesced": v.Coalesced}}
	case *Storage:
		return object{"storage": digest(v.Data)}
	}
	panic(fmt.Sprintf("a %T", v))
}

func bitsOf(f float64) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, math.Float64bits(f)))
}

func digest(b []byte) string {
	if len(b) <= 64 {
		return hex.EncodeToString(b)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// elementsOf returns the bytes of a tensor's elements in row-major order.
func elementsOf(t *Tensor) []byte {
	n, size := t.Numel(), ElementSize(t.DType)
	if p := Packed(t.DType); p > 1 { // goldens have them whole
		return t.Storage.Data[:(n+p-1)/p]
	}
	out := make([]byte, 0, n*size)
	index := make([]int, len(t.Size))
	for range n {
		at := t.Offset
		for d, i := range index {
			at += i * t.Stride[d]
		}
		out = append(out, t.Storage.Data[at*size:(at+1)*size]...)
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < t.Size[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// python writes v as Python's json.dumps does with sort_keys: a space behind each separator. Members of the sets at hand need no escapes.
func python(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out []byte
	quoted := false
	for _, c := range b {
		out = append(out, c)
		if c == '"' {
			quoted = !quoted
		}
		if !quoted && (c == ',' || c == ':') {
			out = append(out, ' ')
		}
	}
	return string(out)
}

package pt2

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// An Input describes the tensors that a model takes as one input. Compiled code uses the memory as it is, and checks
// none of this.
type Input struct {
	name   string
	DType  string // PyTorch's name
	Device int    // c10::DeviceType; -1 if the sources do not define it
	dims   []dim
}

// A dim defines the allowed size and stride of a dimension. Empty expressions
// allow any.
type dim struct{ size, stride string }

// The sources of a compiled model hold checks of its inputs, which run where an environment variable is set. Those are too strict for use: a
// size that may vary has bounds that the compiler assumed for speed, such as from 2 to 15, beyond which its code is right, too. So the rest of
// them is read out of the sources.
var (
	handleLine = regexp.MustCompile(`ConstantHandle (\w+) = ConstantHandle\(input_handles\[(\d+)\]\);`)
	dtypeLine  = regexp.MustCompile(`int32_t (\w+)_expected_dtype = aoti_torch_dtype_(\w+)\(\);`)
	deviceLine = regexp.MustCompile(`int32_t (\w+)_expected_device_type = (\d+);`)
	checkLine  = regexp.MustCompile(`if \((?:(-?\d+) != (\w+)_(size|stride)\[(\d+)\]|(\w+)_size\[(\d+)\] [<>] -?\d+)\) \{`)
	symbolLine = regexp.MustCompile(`int64_t (\w+) = (\w+)(?:_size|\.sizes\(\))\[(\d+)\];`)
	assertLine = regexp.MustCompile(`assert_size_stride\((\w+), \{([^{}]*)\}, \{([^{}]*)\}, "input"\)`)
	checksLine = "__check_inputs_outputs("
)

// parseInputs reads the inputs of a model from the source of its wrapper. ok is false if the source does not define
// them.
func parseInputs(source string) (inputs []*Input, ok bool) {
	byName := map[string]*Input{}
	at := func(name, index string) *dim {
		in := byName[name]
		i, err := strconv.Atoi(index)
		if in == nil || err != nil || i >= 64 {
			return &dim{}
		}
		for len(in.dims) <= i {
			in.dims = append(in.dims, dim{})
		}
		return &in.dims[i]
	}
	symbols := map[string]bool{}
	for line := range strings.Lines(source) {
		ok = ok || strings.Contains(line, checksLine)
		if m := handleLine.FindStringSubmatch(line); m != nil {
			if i, err := strconv.Atoi(m[2]); err != nil || i != len(inputs) {
				return nil, false
			}
			in := &Input{name: m[1], Device: -1}
			byName[m[1]] = in
			inputs = append(inputs, in)
		} else if m := dtypeLine.FindStringSubmatch(line); m != nil && byName[m[1]] != nil {
			byName[m[1]].DType = m[2]
		} else if m := deviceLine.FindStringSubmatch(line); m != nil && byName[m[1]] != nil {
			byName[m[1]].Device, _ = strconv.Atoi(m[2])
		} else if m := checkLine.FindStringSubmatch(line); m != nil {
			switch {
			case m[3] == "size":
				at(m[2], m[4]).size = m[1]
			case m[3] == "stride":
				at(m[2], m[4]).stride = m[1]
			default: // the bounds only show that the dimension exists
				at(m[5], m[6])
			}
		} else if m := symbolLine.FindStringSubmatch(line); m != nil && byName[m[2]] != nil && !symbols[m[1]] {
			symbols[m[1]] = true
			at(m[2], m[3]).size = m[1]
		} else if m := assertLine.FindStringSubmatch(line); m != nil && byName[m[1]] != nil {
			for i, e := range expressions(m[2]) {
				at(m[1], strconv.Itoa(i)).size = e
			}
			for i, e := range expressions(m[3]) {
				at(m[1], strconv.Itoa(i)).stride = e
			}
		}
	}
	for _, in := range inputs {
		ok = ok && in.DType != ""
	}
	return inputs, ok
}

// expressions splits "s77, 4L, ".
func expressions(s string) []string {
	var all []string
	for e := range strings.SplitSeq(s, ",") {
		if e = strings.TrimSpace(e); e != "" {
			all = append(all, e)
		}
	}
	return all
}

// Check returns an error if a model does not accept tensors of these sizes and strides. It does not check dtypes and
// devices.
func Check(inputs []*Input, sizes, strides [][]int) error {
	if len(sizes) != len(inputs) {
		return fmt.Errorf("it takes %d tensors, not %d", len(inputs), len(sizes))
	}
	symbols := map[string]int{}
	for i, in := range inputs {
		if len(sizes[i]) != len(in.dims) {
			return fmt.Errorf("input %d has %d dimensions, and must have %d", i, len(sizes[i]), len(in.dims))
		}
		for d, want := range in.dims {
			if _, known := symbols[want.size]; !known && isName(want.size) {
				symbols[want.size] = sizes[i][d]
			}
		}
	}
	for i, in := range inputs {
		empty := false
		for d, want := range in.dims {
			n := sizes[i][d]
			empty = empty || n == 0
			if v, ok := evaluate(want.size, symbols); ok && v != n {
				return fmt.Errorf("input %d has the size %d in dimension %d, and must have %d", i, n, d, v)
			}
		}
		for d, want := range in.dims {
			// with at most one element, the stride is not used
			if v, ok := evaluate(want.stride, symbols); ok && !empty && sizes[i][d] > 1 && v != strides[i][d] {
				return fmt.Errorf("input %d has the stride %d in dimension %d, and must have %d: call Contiguous, or convert it to the memory format of the example input", i, strides[i][d], d, v)
			}
		}
	}
	return nil
}

func isName(s string) bool {
	return s != "" && (s[0] == '_' || s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}

// evaluate computes a C expression of numbers, symbols, sums, differences and products; ok is false for any other.
func evaluate(s string, symbols map[string]int) (v int, ok bool) {
	e := &evaluator{s, symbols, s != "" && len(s) < 256}
	if !e.ok {
		return 0, false
	}
	v = e.sum()
	return v, e.ok && e.rest == ""
}

type evaluator struct {
	rest    string
	symbols map[string]int
	ok      bool
}

// take consumes and returns the next character if it is one of some, and
// returns 0 otherwise.
func (e *evaluator) take(chars string) byte {
	e.rest = strings.TrimLeft(e.rest, " ")
	if e.rest == "" || !strings.Contains(chars, e.rest[:1]) {
		return 0
	}
	c := e.rest[0]
	e.rest = e.rest[1:]
	return c
}

func (e *evaluator) sum() int {
	v := e.product()
	for {
		switch e.take("+-") {
		case '+':
			v += e.product()
		case '-':
			v -= e.product()
		default:
			return v
		}
	}
}

func (e *evaluator) product() int {
	v := e.term()
	for e.take("*") != 0 {
		v *= e.term()
	}
	return v
}

func (e *evaluator) term() int {
	if e.take("(") != 0 {
		v := e.sum()
		e.ok = e.ok && e.take(")") != 0
		return v
	}
	if e.take("-") != 0 {
		return -e.term()
	}
	n := 0
	for n < len(e.rest) && (e.rest[n] == '_' || e.rest[n] >= '0' && e.rest[n] <= '9' || e.rest[n]|0x20 >= 'a' && e.rest[n]|0x20 <= 'z') {
		n++
	}
	word := e.rest[:n]
	e.rest = e.rest[n:]
	if v, ok := e.symbols[word]; ok {
		return v
	}
	v, err := strconv.Atoi(strings.TrimRight(word, "L"))
	e.ok = e.ok && err == nil
	return v
}

package transforms

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// The judge evaluates a Python expression of x, a picture or a tensor, and
// describes the result, or says what was raised.
const judge = `
import base64, random, warnings, zlib, math
import numpy as np, torch, torchvision
import torchvision.transforms as T, torchvision.transforms.functional as TF
from torchvision.transforms import _presets as P
from torchvision.transforms import InterpolationMode as M, AutoAugmentPolicy
from PIL import Image
from torch import tensor
warnings.simplefilter("ignore")

def load(c):
    data = base64.b64decode(c["data"])
    if c["mode"]:
        m, w, h = c["mode"], c["w"], c["h"]
        kind = {"I": np.int32, "F": np.float32, "I;16": np.uint16}.get(m, np.uint8)
        bands = len(Image.new(m, (1, 1)).getbands())
        if m == "1":
            a = np.frombuffer(data, np.uint8).reshape(h, w)
            return Image.fromarray(a).point(lambda v: 255 if v else 0, "1") if w * h else Image.new("1", (w, h))
        im = Image.frombytes(m, (w, h), data) if w * h else Image.new(m, (w, h))
        if m in ("P", "PA"):
            im.putpalette([(i * 7 + k * 31) % 256 for i in range(256) for k in range(3)])
        return im
    dtype = getattr(torch, c["dtype"])
    x = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
    x = x.reshape(c["shape"])
    if c["layout"] == "last":   # the channels lie innermost
        x = x.movedim(-1, -3)
    elif c["layout"] == "turned":
        x = x.transpose(-1, -2)
    elif c["layout"] == "every":
        x = x[..., ::2]
    return x

def describe(y):
    if isinstance(y, (list, tuple)):
        return {"parts": [describe(p) for p in y]}
    if isinstance(y, Image.Image):
        a = np.ascontiguousarray(np.array(y))
        if y.mode == "1":
            a = (a.view(np.uint8) != 0) * np.uint8(255) # a fill leaves other bytes than 0 and 1
        pal = bytes(y.getpalette() or []) if y.mode in ("P", "PA") else b""
        return {"mode": y.mode, "shape": [y.size[1], y.size[0]], "data": base64.b64encode(a.tobytes() + pal).decode()}
    if isinstance(y, torch.Tensor):
        z = y.detach().contiguous()
        data = z.reshape(-1).clone(memory_format=torch.contiguous_format).view(torch.uint8).numpy().tobytes() if z.numel() and z.dim() else b""
        if z.dtype == torch.bool: data = bytes(b != 0 for b in data)
        if not z.dim(): data = z.reshape(1).view(torch.uint8).numpy().tobytes()
        return {"mode": "", "dtype": str(z.dtype)[6:], "shape": list(z.shape), "data": base64.b64encode(data).decode()}
    raise TypeError(f"cannot describe {type(y)}")

def judge(cases):
    out = []
    for c in cases:
        try:
            torch.manual_seed(c["seed"]); random.seed(c["seed"])
            x = load(c)
            if c["made"]:
                t = eval(c["made"])
                y = describe(t(x))
                y["text"] = str(t)
            else:
                y = describe(eval(c["expr"], globals(), {"x": x}))
            y["next"] = torch.randint(1 << 30, (1,)).item()
            y["random"] = random.getrandbits(30)
            out.append(y)
        except Exception as e:
            out.append({"error": f"{type(e).__name__}: {e}"[:300]})
    return out

def digests(c, n):
    x = load(c)
    torch.manual_seed(c["seed"]); random.seed(c["seed"])
    t = eval(c["made"])
    out = []
    for _ in range(n):
        y = t(x)
        d = 0
        for p in (y if isinstance(y, tuple) else [y]):
            d = zlib.crc32(base64.b64decode(describe(p)["data"]), d)
        out.append(d)
    return out

def names():
    import torchvision.transforms.autoaugment as A, torchvision.transforms.transforms as C, inspect
    fs = [n for n, f in vars(TF).items() if inspect.isfunction(f) and not n.startswith("_") and f.__module__ == TF.__name__]
    return {"classes": C.__all__ + A.__all__, "functionals": fs}
`

// An input is a picture or a tensor, as both sides make it.
type input struct {
	Mode   string `json:"mode"`
	W      int    `json:"w"`
	H      int    `json:"h"`
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Layout string `json:"layout"`
	Data   []byte `json:"data"`
	Expr   string `json:"expr"` // of x
	Made   string `json:"made"` // or a transform
	Seed   int64  `json:"seed"`
}

type verdict struct {
	Mode   string
	DType  string
	Shape  []int
	Data   []byte
	Parts  []verdict
	Text   string
	Next   int // of torch's generator
	Random int // and of Python's
	Error  string
}

// value makes the Go side of an input.
func (in *input) value() Value {
	if in.Mode != "" {
		p := &pillow.Image{Mode: Mode(in.Mode), W: in.W, H: in.H, Pix: slices.Clone(in.Data)}
		if in.Mode == "P" || in.Mode == "PA" {
			p.Palette = &pillow.Palette{Mode: pillow.ModeRGB}
			for i := range 256 {
				for k := range 3 {
					p.Palette.Colors = append(p.Palette.Colors, uint8(i*7+k*31))
				}
			}
		}
		return Value{Image: p}
	}
	dtype, err := torch.ParseDType(in.DType)
	if err != nil {
		panic(err)
	}
	size := dtype.Size()
	x := torch.FromSlice(slices.Concat(in.Data, []byte{0})).Narrow(0, 0, len(in.Data)).Clone()
	if size > 1 || dtype != torch.Uint8 {
		x = x.ViewDType(dtype)
	}
	x = x.Reshape(in.Shape...)
	switch in.Layout {
	case "last":
		x = x.Movedim(-1, -3)
	case "turned":
		x = x.Transpose(-1, -2)
	case "every":
		x = x.SliceDim(-1, 0, math.MaxInt, 2)
	}
	return Value{Tensor: x}
}

// pix returns the bytes of a value as describe does.
func pix(v Value) []byte {
	if v.Tensor != nil {
		if v.Tensor.Numel() == 0 {
			return nil
		}
		x := aten.Clone(v.Tensor.Reshape(-1), new(torch.ContiguousFormat)) // one element may have any stride
		return torch.Data[uint8](x.ViewDType(torch.Uint8))
	}
	p := pillow.From(v.Image)
	out := slices.Clone(p.Pix[:p.W*p.H*p.Mode.BytesPerPixel()])
	if p.Mode == pillow.Mode1 {
		for i, v := range out {
			out[i] = 255 * min(v, 1)
		}
	}
	if (p.Mode == pillow.ModeP || p.Mode == pillow.ModePA) && p.Palette != nil {
		n := p.Palette.Mode.Bands()
		for i := 0; i+n <= len(p.Palette.Colors); i += n {
			out = append(out, p.Palette.Colors[i:i+3]...)
		}
	}
	return out
}

// agree says how a value and a verdict differ, or "".
func agree(v Value, want verdict) string {
	if len(want.Parts) > 0 || v.Parts != nil {
		if len(want.Parts) != len(v.Parts) {
			return fmt.Sprintf("%d parts; want %d", len(v.Parts), len(want.Parts))
		}
		for i, p := range v.Parts {
			if d := agree(p, want.Parts[i]); d != "" {
				return fmt.Sprintf("part %d: %s", i, d)
			}
		}
		return ""
	}
	var head, wanted string
	if v.Tensor != nil {
		head, wanted = fmt.Sprintf("%v %v", v.Tensor.DType(), v.Tensor.Shape()), fmt.Sprintf("%v %v", want.DType, want.Shape)
	} else if v.Image != nil {
		p := pillow.From(v.Image)
		head, wanted = fmt.Sprintf("%v %v", p.Mode, []int{p.H, p.W}), fmt.Sprintf("%v %v", want.Mode, want.Shape)
	}
	if head != wanted {
		return fmt.Sprintf("%s; want %s", head, wanted)
	}
	got := pix(v)
	if slices.Equal(got, want.Data) {
		return ""
	}
	n, most := 0, 0
	for i := range min(len(got), len(want.Data)) {
		if d := int(got[i]) - int(want.Data[i]); d != 0 {
			n++
			most = max(most, d, -d)
		}
	}
	if v.Tensor != nil && v.Tensor.DType().IsFloatingPoint() {
		x := v.Tensor.ToDType(torch.Float64).Contiguous().Reshape(-1)
		y := (&input{DType: want.DType, Shape: want.Shape, Data: want.Data}).value().Tensor.ToDType(torch.Float64).Reshape(-1)
		d := x.Sub(y).Abs()
		nan := x.IsNaN().BitwiseXor(y.IsNaN()).Any().Item()
		bothNaN := x.IsNaN().BitwiseAnd(y.IsNaN())
		if nan == 0 && d.MaskedFill(bothNaN, 0).NanToNum().Max().Item() == 0 && x.Eq(y).BitwiseOr(bothNaN).All().Item() != 0 {
			return "" // NaNs of other bits, zeros of another sign
		}
		return fmt.Sprintf("%d of %d bytes differ, by %v at most", n, len(got), d.NanToNum().Max().Item())
	}
	return fmt.Sprintf("%d of %d bytes differ, by %d at most; %d wanted", n, len(got), most, len(want.Data))
}

// A trial draws random parameters: the expression in Python and the same in Go.
type trial func(g *gen) (expr string, f func(Value) Value)

// A class draws the parameters of a transform: how Python makes it, and Go.
type class func(g *gen) (expr string, f func() Transform)

// A row compares one class or functional with Python's.
type row struct {
	name   string // Python's
	kinds  string // "picture", "tensor" or "" for both
	trial  trial  // of a functional
	class  class  // or of a class
	silent bool   // Python writes the transform in another way than Go
	uint8  bool   // tensors are uint8, as the operation takes no other
	reason string // why Go refuses what Python takes
	refuse func(in *input, message string) bool
}

// A gen draws inputs and parameters.
type gen struct {
	*rand.Rand
	in    *input
	large bool
}

func (g *gen) int(lo, hi int) int { return lo + g.IntN(hi-lo+1) }
func (g *gen) float(lo, hi float64) float64 {
	x := lo + g.Float64()*(hi-lo)
	if g.IntN(4) == 0 {
		x = math.Round(x*10) / 10
	}
	return x
}
func pick[T any](g *gen, xs ...T) T { return xs[g.IntN(len(xs))] }

// sides draws a width and a height: mostly small, and else a photograph's or a strip's.
func (g *gen) sides() (w, h int) {
	if g.large {
		return reference.LargeSides(g.Rand)
	}
	return g.side(), g.side()
}

func (g *gen) side() int {
	switch g.IntN(10) {
	case 0:
		return g.int(1, 3)
	case 1:
		return g.int(60, 200)
	}
	return g.int(2, 40)
}

var modes = []string{"RGB", "RGB", "RGB", "L", "L", "RGBA", "1", "P", "LA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "RGBX", "La", "RGBa", "PA"}

func (g *gen) picture(mode string, w, h int) *input {
	in := &input{Mode: mode, W: w, H: h, Data: []byte{}}
	bands := Mode(mode).Bands()
	n := w * h
	style := g.IntN(4)
	at := func(i, k int) int {
		switch style {
		case 0:
			return g.IntN(256)
		case 1:
			return (i/w*3 + i%w*5 + 40*k) % 256
		case 2:
			return 100 + 30*k
		}
		return 64*g.IntN(4) + k
	}
	for i := range n {
		switch mode {
		case "I":
			v := uint32(at(i, 0)) - uint32(g.IntN(3)*40)
			in.Data = append(in.Data, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		case "F":
			v := math.Float32bits(float32(at(i, 0)) + float32(g.Float64()))
			in.Data = append(in.Data, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		case "I;16":
			in.Data = append(in.Data, byte(at(i, 0)), byte(g.IntN(3)*g.IntN(128)))
		case "1":
			in.Data = append(in.Data, byte(at(i, 0)>>7)*255)
		default:
			for k := range bands {
				in.Data = append(in.Data, byte(at(i, k)))
			}
		}
	}
	return in
}

func (g *gen) tensor(bytes bool) *input {
	in := &input{DType: "uint8"}
	if !bytes {
		in.DType = pick(g, "uint8", "uint8", "uint8", "float32", "float32", "float32", "float64", "float16", "int8", "int16", "int32", "int64", "bool", "bfloat16")
	}
	if g.large && (in.DType == "float16" || in.DType == "bfloat16") { // torch.nn.functional.grid_sample reads beyond such: Python crashes, Go refuses
		in.DType = "float32"
	}
	c := pick(g, 3, 3, 3, 3, 1, 1, 2, 4)
	w, h := g.sides()
	switch g.IntN(12) {
	case 0:
		in.Shape = []int{h, w}
	case 1:
		in.Shape = []int{2, g.int(1, 2), c, min(h, 20), min(w, 20)}
	case 2, 3, 4:
		n := g.int(1, 3)
		if g.large {
			n = 1
		}
		in.Shape = []int{n, c, h, w}
	default:
		in.Shape = []int{c, h, w}
	}
	if len(in.Shape) > 2 {
		in.Layout = pick(g, "", "", "", "last", "turned", "every")
	}
	g.fill(in)
	return in
}

// fill draws the numbers of a tensor whose shape, seen through its layout, is in.Shape.
func (g *gen) fill(in *input) {
	s := in.Shape
	n := len(s)
	switch in.Layout {
	case "last":
		s = append(append([]int{}, s[:n-3]...), s[n-2], s[n-1], s[n-3])
	case "turned":
		s = append(append([]int{}, s[:n-2]...), s[n-1], s[n-2])
	case "every":
		s = append(append([]int{}, s[:n-1]...), 2*s[n-1])
	}
	in.Shape = s
	numel := 1
	for _, k := range s {
		numel *= k
	}
	dtype, _ := torch.ParseDType(in.DType)
	style := g.IntN(3)
	xs := make([]float64, numel)
	for i := range xs {
		u := g.Float64()
		if style == 1 {
			u = float64(i%97) / 97
		} else if style == 2 {
			u = float64(g.IntN(4)) / 4
		}
		switch in.DType {
		case "uint8":
			xs[i] = math.Floor(u * 256)
		case "int8":
			xs[i] = math.Floor(u * 128)
		case "bool":
			xs[i] = math.Floor(u * 2)
		case "int16":
			xs[i] = math.Floor(u * 32768)
		case "int32":
			xs[i] = math.Floor(u * 2147483648)
		case "int64":
			xs[i] = math.Floor(u * 1e15)
		default:
			xs[i] = u
		}
	}
	x := torch.FromSlice(xs).ToDType(dtype)
	in.Data = torch.Data[uint8](x.ViewDType(torch.Uint8))
}

func (g *gen) input(r *row) *input {
	kinds := r.kinds
	if kinds == "" {
		kinds = pick(g, "picture", "tensor")
	}
	if kinds == "tensor" {
		return g.tensor(r.uint8 && g.IntN(8) != 0)
	}
	w, h := g.sides()
	return g.picture(pick(g, modes...), w, h)
}

// dims returns what get_dimensions would.
func (in *input) dims() (c, h, w int) { return functional.GetDimensions(in.value()) }

// Python's spelling.
func py(x any) string {
	switch x := x.(type) {
	case nil:
		return "None"
	case float64:
		return float(x)
	case []float64:
		if x == nil {
			return "None"
		}
		return list(x)
	case []int:
		return "[" + joined(x, strconv.Itoa) + "]"
	case bool:
		return boolean(x)
	case Interpolation:
		return enum(x)[len("InterpolationMode."):]
	case string:
		return strconv.Quote(x)
	}
	return fmt.Sprint(x)
}

// call writes a Python call with the arguments.
func call(name string, args ...any) string {
	parts := make([]string, len(args))
	for i, a := range args {
		if s, ok := a.(verbatim); ok {
			parts[i] = string(s)
			continue
		}
		parts[i] = py(a)
		if h, ok := a.(Interpolation); ok {
			parts[i] = "M." + py(h)
		}
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

type verbatim string

const x = verbatim("x")

// cases returns the number that an environment variable holds: TORCHHUB_TRIALS
// is how many trials a row has, TORCHHUB_SEED what they are drawn from.
func cases(env string, standard int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return standard
}

// compare runs n trials of a row on both sides.
func compare(t *testing.T, p *reference.Process, r *row, seed uint64, n int) {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, uint64(crc32.ChecksumIEEE([]byte(r.name)))))}
	var text string
	var ins []*input
	var fs []func(Value) Value
	large := 1
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		large = 6
	}
	for i := range n + large {
		g.large = i >= n
		in := g.input(r)
		g.in = in
		var f func(Value) Value
		if r.class != nil {
			var construct func() Transform
			in.Made, construct = r.class(g)
			f = func(v Value) Value {
				transform := construct()
				text = transform.(fmt.Stringer).String()
				return transform.Transform(v)
			}
		} else {
			in.Expr, f = r.trial(g)
		}
		in.Seed = int64(g.IntN(1<<40)) - 1<<20
		ins, fs = append(ins, in), append(fs, f)
	}
	var want []verdict
	p.Call(&want, "judge", ins)
	bad, refused := 0, 0
	for i, in := range ins {
		v := in.value()
		mine := i%2 == 0 // half of them draw from generators of their own
		if mine {
			v.Generator, v.Random = torch.NewGenerator(torch.CPU).ManualSeed(in.Seed), pyrandom.New(in.Seed)
		} else {
			torch.ManualSeed(in.Seed)
			pyrandom.Seed(in.Seed)
		}
		before := v
		var out Value
		err := torch.Try(func() { out = fs[i](v) })
		w := want[i]
		var problem string
		switch {
		case err != nil && w.Error == "":
			if r.refuse != nil && r.refuse(in, err.Error()) {
				refused++
				continue
			}
			problem = "refused: " + err.Error()
		case err == nil && w.Error != "":
			problem = "accepted: " + w.Error
		case err != nil:
			var e *torch.Error
			if !errors.As(err, &e) || e.Op == "" {
				problem = "no torch.Error"
			}
		default:
			problem = agree(out, w)
			if problem == "" && out.Parts == nil && (out.Generator != before.Generator || out.Random != before.Random) {
				problem = "the generators are lost"
			}
			if next := randint(v, 0, 1<<30); problem == "" && next != w.Next {
				problem = "another number of draws"
			}
			if problem == "" && r.class != nil && !r.silent && text != w.Text {
				problem = "is written as " + text + "; want " + w.Text
			}
		}
		if problem != "" {
			if bad++; bad <= 6 {
				t.Errorf("%s: %s of %v %dx%d %s%v %s: %s", r.name, in.Expr+in.Made, in.Mode, in.W, in.H, in.DType, in.Shape, in.Layout, problem)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d trials differ", r.name, bad, n)
	}
	ok := 0
	for _, w := range want {
		if w.Error == "" {
			ok++
		}
	}
	t.Logf("%s: %d trials, of which Python takes %d; %d refused here alone", r.name, len(ins), ok, refused)
	require.GreaterOrEqual(t, 3*ok, min(n, 30)/2, "Python refuses nearly all trials")
}

package v2_test

import (
	"bytes"
	_ "embed"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	v1 "github.com/torchhub/torchhub/transforms/functional"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

//go:embed testdata/live.py
var script string

// A packed value is one that travels to Python and back.
type packed struct {
	Kind     string           `json:"kind"` // of tvtensors.Kind.String
	DType    string           `json:"dtype,omitempty"`
	Array    *reference.Array `json:"array,omitempty"`
	Strides  []int            `json:"strides,omitempty"`
	Format   string           `json:"format,omitempty"`
	Canvas   []int            `json:"canvas,omitempty"`
	Clamping string           `json:"clamping,omitempty"`
	Mode     string           `json:"mode,omitempty"`
	Several  []packed         `json:"several,omitempty"`
	Error    string           `json:"error,omitempty"`
}

func array(x *torch.Tensor) *reference.Array {
	var a reference.Array
	s := x.Shape()
	switch x.DType() {
	case torch.Uint8:
		a = reference.NewArray(torch.Data[uint8](x), s...)
	case torch.Int8:
		a = reference.NewArray(torch.Data[int8](x), s...)
	case torch.Int16:
		a = reference.NewArray(torch.Data[int16](x), s...)
	case torch.Uint16:
		a = reference.NewArray(torch.Data[uint16](x), s...)
	case torch.Int32:
		a = reference.NewArray(torch.Data[int32](x), s...)
	case torch.Int64:
		a = reference.NewArray(torch.Data[int64](x), s...)
	case torch.Bool:
		a = reference.NewArray(torch.Data[bool](x), s...)
	case torch.Float32:
		a = reference.NewArray(torch.Data[float32](x), s...)
	case torch.Float64:
		a = reference.NewArray(torch.Data[float64](x), s...)
	default: // float16 and bfloat16 fit into float32
		a = reference.NewArray(torch.Data[float32](x.ToDType(torch.Float32)), s...)
	}
	return &a
}

// pack makes a value ready to travel.
func pack(v any) packed {
	switch v := v.(type) {
	case []any:
		out := packed{Kind: "several"}
		for _, e := range v {
			out.Several = append(out.Several, pack(e))
		}
		return out
	case int:
		return packed{Kind: "others", Mode: fmt.Sprint(v)}
	}
	p := packed{Kind: tv.KindOf(v).String()}
	if img, ok := v.(image.Image); ok {
		p.Mode = modeOf(img)
		if b := img.Bounds(); b.Empty() {
			channels := map[string]int{"RGB": 3, "YCbCr": 3, "HSV": 3, "LA": 2, "RGBA": 4, "CMYK": 4}
			p.Array = &reference.Array{DType: "uint8", Shape: []int{b.Dy(), b.Dx(), max(1, channels[p.Mode])}}
			return p
		}
		p.Array = array(v1.PILToTensor(img).Permute(1, 2, 0))
		return p
	}
	x := tv.TensorOf(v)
	p.DType, p.Array, p.Strides = x.DType().String(), array(x), x.Strides()
	switch v := v.(type) {
	case tv.BoundingBoxes:
		p.Format, p.Canvas, p.Clamping = v.Format.String(), v.CanvasSize[:], v.ClampingMode.String()
	case tv.KeyPoints:
		p.Canvas = v.CanvasSize[:]
	}
	return p
}

func modeOf(img image.Image) string {
	switch img := img.(type) {
	case *v1.Picture:
		return string(img.Mode)
	case *image.Gray:
		return "L"
	case *image.NRGBA:
		return "RGBA"
	case *image.CMYK:
		return "CMYK"
	}
	return "RGB"
}

// same reports how two values differ, within a number of steps for the values of pictures and images.
func same(want, got packed, steps float64) string {
	if want.Kind != got.Kind || want.DType != got.DType || want.Format != got.Format || want.Clamping != got.Clamping ||
		want.Mode != got.Mode || fmt.Sprint(want.Canvas) != fmt.Sprint(got.Canvas) || len(want.Several) != len(got.Several) {
		return fmt.Sprintf("Python has %v, Go %v", brief(want), brief(got))
	}
	for i := range want.Several {
		if why := same(want.Several[i], got.Several[i], steps); why != "" {
			return fmt.Sprintf("value %d: %s", i, why)
		}
	}
	if want.Array == nil {
		return ""
	}
	if fmt.Sprint(want.Array.Shape) != fmt.Sprint(got.Array.Shape) {
		return fmt.Sprintf("Python has %v, Go %v", brief(want), brief(got))
	}
	if bytes.Equal(want.Array.Data, got.Array.Data) { // of empty ones too
		return ""
	}
	a, b := numbers(*want.Array), numbers(*got.Array)
	wrong, most := 0, 0.0
	for i := range a {
		if a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i]) {
			continue
		}
		d := math.Abs(a[i] - b[i])
		if d <= steps {
			continue
		}
		wrong++
		most = max(most, d)
	}
	if wrong == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d numbers differ, by %g at most: %v", wrong, len(a), most, brief(want))
}

func brief(p packed) string {
	if p.Error != "" {
		return "error " + p.Error
	}
	if p.Array == nil {
		return fmt.Sprintf("%s %s of %d", p.Kind, p.Mode, len(p.Several))
	}
	return strings.TrimSpace(fmt.Sprintf("%s %v %s %s %s %v %s", p.Kind, p.Array.Shape, p.DType, p.Mode, p.Format, p.Canvas, p.Clamping))
}

func numbers(a reference.Array) (out []float64) {
	switch a.DType {
	case "uint8":
		return convert(reference.Data[uint8](a))
	case "int8":
		return convert(reference.Data[int8](a))
	case "int16":
		return convert(reference.Data[int16](a))
	case "uint16":
		return convert(reference.Data[uint16](a))
	case "int32":
		return convert(reference.Data[int32](a))
	case "int64":
		return convert(reference.Data[int64](a))
	case "float32":
		return convert(reference.Data[float32](a))
	case "float64":
		return reference.Data[float64](a)
	}
	for _, b := range a.Data {
		out = append(out, float64(b))
	}
	return out
}

func convert[E uint8 | int8 | int16 | uint16 | int32 | int64 | float32](v []E) []float64 {
	out := make([]float64, len(v))
	for i, e := range v {
		out[i] = float64(e)
	}
	return out
}

// A maker makes random samples.
type maker struct {
	*rand.Rand
	c     int           // channels of images, videos and pictures; 0 is random
	dtype []torch.DType // of images and videos; nil is all
	large bool          // they are as large as photographs, one or two in a sample, and have no more dimensions than they must
}

func (r maker) between(low, high int) int { return low + r.IntN(high-low+1) }

// float draws a number; the conversion forbids a fused multiply-add.
func (r maker) float(low, high float64) float64 { return low + float64(r.Float64()*(high-low)) }

func (r maker) pick(names ...string) string { return names[r.IntN(len(names))] }

func pickOf[T any](r maker, v ...T) T { return v[r.IntN(len(v))] }

// size returns a height and width, often small, sometimes of extreme aspect.
func (r maker) size() (h, w int) {
	if r.large {
		w, h = reference.LargeSides(r.Rand)
		return h, w
	}
	switch r.IntN(10) {
	case 0:
		return 1, 1
	case 1:
		return r.between(1, 4), r.between(20, 90)
	case 2:
		return r.between(20, 90), r.between(1, 4)
	}
	return r.between(3, 60), r.between(3, 60)
}

var imageDTypes = []torch.DType{torch.Uint8, torch.Uint8, torch.Uint8, torch.Float32, torch.Float32, torch.Float64,
	torch.Int8, torch.Int16, torch.Uint16, torch.Int32, torch.Int64, torch.Float16, torch.BFloat16, torch.Bool}

// pixels returns random numbers in the range of a dtype.
func (r maker) pixels(d torch.DType, shape ...int) *torch.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	data := make([]float64, n)
	flat := r.IntN(12) == 0 // one color, for histograms
	for i := range data {
		data[i] = r.Float64()
		if flat && i > 0 {
			data[i] = data[0]
		}
	}
	x := torch.FromSlice(data, shape...)
	switch d {
	case torch.Bool:
		return x.GtScalar(0.5)
	case torch.Float32, torch.Float64:
		return x.ToDType(d)
	case torch.Float16, torch.BFloat16: // by way of float32, as libtorch converts on some processors and not on others
		return x.ToDType(torch.Float32).ToDType(d)
	case torch.Int64:
		return x.MulScalar(1e15).ToDType(d)
	}
	top := map[torch.DType]float64{torch.Uint8: 255.999, torch.Int8: 127.999, torch.Int16: 32767, torch.Uint16: 65535, torch.Int32: 2147483647}[d]
	return x.MulScalar(top).ToDType(d)
}

// kind returns a dtype and a number of channels.
func (r maker) kind(channels ...int) (torch.DType, int) {
	ds, c := imageDTypes, pickOf(r, channels...)
	if r.dtype != nil {
		ds = r.dtype
	}
	if r.large { // torch.nn.functional.grid_sample reads beyond such: Python crashes, Go refuses
		ds = slices.DeleteFunc(slices.Clone(ds), func(d torch.DType) bool { return d == torch.Float16 || d == torch.BFloat16 })
	}
	if r.c > 0 {
		c = r.c
	}
	return pickOf(r, ds...), c
}

func (r maker) image(h, w int) *torch.Tensor {
	d, c := r.kind(3, 3, 3, 1, 1, 2, 4)
	if r.large {
		return r.pixels(d, c, h, w)
	}
	switch r.IntN(6) {
	case 0:
		return r.pixels(d, 2, c, h, w)
	case 1:
		return r.pixels(d, 2, 1, c, h, w)
	case 2: // the memory of a picture
		return r.pixels(d, h, w, c).Permute(2, 0, 1)
	}
	return r.pixels(d, c, h, w)
}

func (r maker) video(h, w int) *torch.Tensor {
	d, c := r.kind(3, 3, 1)
	if r.large {
		return r.pixels(d, 1, c, h, w)
	}
	if r.IntN(3) == 0 {
		return r.pixels(d, 2, 3, c, h, w)
	}
	return r.pixels(d, 4, c, h, w)
}

func (r maker) mask(h, w int) *torch.Tensor {
	d := pickOf(r, torch.Uint8, torch.Int64, torch.Bool, torch.Float32)
	if r.large {
		return r.pixels(d, 1, h, w)
	}
	switch r.IntN(3) {
	case 0:
		return r.pixels(d, h, w)
	case 1:
		return r.pixels(d, 2, 2, h, w)
	}
	return r.pixels(d, 3, h, w)
}

// boxes returns boxes of a format, some of them out of the canvas.
func (r maker) boxes(h, w int, formats ...tv.BoundingBoxFormat) tv.BoundingBoxes {
	f := pickOf(r, formats...)
	n := pickOf(r, 3, 3, 3, 1, 5, 0)
	d := pickOf(r, torch.Float32, torch.Float32, torch.Float64, torch.Int64, torch.Int32)
	if f.Rotated() {
		d = pickOf(r, torch.Float32, torch.Float64)
	}
	var data []float64
	for range n {
		cx, cy := r.float(-0.1, 1.1)*float64(w), r.float(-0.1, 1.1)*float64(h)
		bw, bh := r.float(0.02, 0.8)*float64(w)+0.5, r.float(0.02, 0.8)*float64(h)+0.5
		angle := r.float(-200, 200)
		sin, cos := math.Sincos(angle * math.Pi / 180)
		switch f {
		case tv.XYXY:
			data = append(data, cx-bw/2, cy-bh/2, cx+bw/2, cy+bh/2)
		case tv.XYWH:
			data = append(data, cx-bw/2, cy-bh/2, bw, bh)
		case tv.CXCYWH:
			data = append(data, cx, cy, bw, bh)
		case tv.XYWHR:
			data = append(data, cx-(bw*cos+bh*sin)/2, cy+(bw*sin-bh*cos)/2, bw, bh, angle)
		case tv.CXCYWHR:
			data = append(data, cx, cy, bw, bh, angle)
		case tv.XYXYXYXY:
			for _, c := range [][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
				dx, dy := c[0]*bw/2, c[1]*bh/2
				data = append(data, cx+dx*cos+dy*sin, cy-dx*sin+dy*cos)
			}
		}
	}
	x := torch.FromSlice(data, n, f.Numbers()).ToDType(d)
	return tv.NewBoundingBoxes(x, f, h, w, pickOf(r, tv.Soft, tv.Soft, tv.Hard, tv.NoClamp))
}

func (r maker) points(h, w int) tv.KeyPoints {
	n := pickOf(r, 4, 4, 1, 0)
	data := make([]float64, 2*n)
	for i := range data {
		data[i] = r.float(-0.1, 1.1) * float64([]int{w, h}[i%2])
	}
	d := pickOf(r, torch.Float32, torch.Float64, torch.Int64)
	shape := []int{n, 2}
	if n == 4 && r.IntN(3) == 0 {
		shape = []int{2, 2, 2}
	}
	return tv.NewKeyPoints(torch.FromSlice(data, shape...).ToDType(d), h, w)
}

func (r maker) picture(h, w int) image.Image {
	switch r.c {
	case 1:
		return v1.ToPILImage(r.pixels(torch.Uint8, 1, h, w))
	case 3:
		return v1.ToPILImage(r.pixels(torch.Uint8, 3, h, w))
	}
	switch r.pick("RGB", "RGB", "L", "RGBA", "LA", "F", "I", "I;16", "CMYK", "YCbCr", "HSV") {
	case "RGB":
		return v1.ToPILImage(r.pixels(torch.Uint8, 3, h, w))
	case "L":
		return v1.ToPILImage(r.pixels(torch.Uint8, 1, h, w))
	case "RGBA":
		return v1.ToPILImage(r.pixels(torch.Uint8, 4, h, w))
	case "LA":
		return v1.ToPILImage(r.pixels(torch.Uint8, 2, h, w))
	case "F":
		return v1.ToPILImage(r.pixels(torch.Float32, 1, h, w), "F")
	case "I":
		return v1.ToPILImage(r.pixels(torch.Int32, 1, h, w), "I")
	case "I;16":
		return v1.ToPILImage(r.pixels(torch.Int16, 1, h, w), "I;16")
	case "CMYK":
		return v1.ToPILImage(r.pixels(torch.Uint8, 4, h, w), "CMYK")
	case "YCbCr":
		return v1.ToPILImage(r.pixels(torch.Uint8, 3, h, w), "YCbCr")
	}
	return v1.ToPILImage(r.pixels(torch.Uint8, 3, h, w), "HSV")
}

var (
	upright = []tv.BoundingBoxFormat{tv.XYXY, tv.XYWH, tv.CXCYWH}
	formats = []tv.BoundingBoxFormat{tv.XYXY, tv.XYWH, tv.CXCYWH, tv.XYWHR, tv.CXCYWHR, tv.XYXYXYXY}
)

// sample returns values of one size and of all kinds.
func (r maker) sample() []any {
	h, w := r.size()
	all := []any{
		tv.Image{Tensor: r.image(h, w)}, tv.Video{Tensor: r.video(h, w)}, tv.Mask{Tensor: r.mask(h, w)},
		r.boxes(h, w, formats...), r.points(h, w), r.picture(h, w), r.image(h, w), r.Int(),
	}
	var out []any
	for _, v := range all {
		if r.IntN(3) > 0 != r.large {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		out = all[:1]
	}
	return out
}

func packAll(vs []any) []packed {
	out := make([]packed, len(vs))
	for i, v := range vs {
		out[i] = pack(v)
	}
	return out
}

// A live is a Python beside the test.
type live struct{ *reference.Process }

func start(t *testing.T) live {
	return live{reference.Start(t, script)}
}

// seeded calls f on one thread, as the script computes, after a seed, and returns
// the error that f panics with. The number of threads decides which kernel resizes.
func seeded(seed int, f func()) error {
	torch.SetNumThreads(1)
	return torch.Try(func() {
		torch.Run(func() {
			torch.ManualSeed(int64(seed))
			f()
		})
	})
}

// transform returns what Python makes of a sample after torch.manual_seed.
func (p live) transform(expr string, seed int, sample []any) (out []packed, raised string) {
	var answer struct {
		Out   []packed
		Error string
	}
	p.Call(&answer, "transform", expr, seed, packAll(sample))
	return answer.Out, answer.Error
}

// functional returns what Python's functional makes of each value.
func (p live) functional(expr string, seed int, sample []any) []packed {
	var out []packed
	p.Call(&out, "functional", expr, seed, packAll(sample))
	return out
}

func briefs(ps []packed) string {
	var out []string
	for _, p := range ps {
		out = append(out, brief(p))
	}
	return strings.Join(out, "; ")
}

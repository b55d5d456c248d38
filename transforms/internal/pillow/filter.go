package pillow

import "math"

// An Interpolation is the way in which a pixel is computed from its neighbors. The
// values are the names of torchvision's InterpolationMode and of Pillow's Resampling
// filters.
type Interpolation string

// Pillow's resampling filters. All but Nearest are widened by the scale when a
// picture shrinks (torchvision's antialias, which pictures always have).
const (
	Nearest  Interpolation = "nearest"
	Box      Interpolation = "box"
	Bilinear Interpolation = "bilinear" // torchvision's default
	Hamming  Interpolation = "hamming"
	Bicubic  Interpolation = "bicubic" // a = -0.5
	Lanczos  Interpolation = "lanczos" // of three lobes
	MKS2013  Interpolation = "mks2013" // Magic Kernel Sharp, of 2013 and of 2021; not in torchvision
	MKS2021  Interpolation = "mks2021"
)

// Valid reports whether how is one of the filters above.
func (how Interpolation) Valid() bool {
	_, ok := filters[how]
	return ok || how == Nearest
}

// A filter is the weight of a pixel at distance x, which is zero from support on.
type filter struct {
	support float64
	weight  func(x float64) float64
}

// filters holds every Interpolation but Nearest, which weighs nothing. The
// conversions to float64 forbid the fused multiply-add that some processors have
// and that Pillow's numbers are made without.
var filters = map[Interpolation]filter{
	Box: {0.5, func(x float64) float64 {
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	}},
	Bilinear: {1, func(x float64) float64 {
		return max(0, 1-math.Abs(x))
	}},
	Hamming: {1, func(x float64) float64 {
		switch x = math.Abs(x); {
		case x == 0:
			return 1
		case x >= 1:
			return 0
		}
		x *= math.Pi
		// Pillow's constants are float32.
		sin, cos := sincos(x)
		return sin / x * (float64(float32(0.54)) + float64(float64(float32(0.46))*cos))
	}},
	Bicubic: {2, func(x float64) float64 {
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return float64((float64((a+2)*x)-(a+3))*x*x) + 1
		case x < 2:
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
		return 0
	}},
	Lanczos: {3, func(x float64) float64 {
		if -3 <= x && x < 3 {
			return sinc(x) * sinc(x/3)
		}
		return 0
	}},
	MKS2013: {2.5, func(x float64) float64 {
		switch x = math.Abs(x); {
		case x < 0.5:
			return 1.0625 - float64(x*x*1.75)
		case x < 1.5:
			return (1 - x) * (1.75 - x)
		case x < 2.5:
			return (x - 2.5) * (x - 2.5) * -0.125
		}
		return 0
	}},
	MKS2021: {4.5, func(x float64) float64 {
		switch x = math.Abs(x); {
		case x < 0.5:
			return 577./576 - float64(x*x*(239./144))
		case x < 1.5:
			return (x - 1) * (35. / 36) * (x - 239./140)
		case x < 2.5:
			return (x - 2) * (1. / 6) * (65./24 - x)
		case x < 3.5:
			return (x - 3) * (1. / 36) * (x - 3.75)
		case x < 4.5:
			return (x - 4.5) * (x - 4.5) * (-1. / 288)
		}
		return 0
	}},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return sine(x) / x
}

// precision is the number of fractional bits of a tap. 8 bits are the pixel's, 2
// are left for sums beyond them.
const precision = 32 - 8 - 2

// An axis describes how the pixels of one dimension are computed from those of
// the source: output i is the sum of taps[i*size+j] times the source's pixel
// first[i]+j, for j < count[i].
type axis struct {
	first, count []int
	taps         []int32   // fixed point, with precision fractional bits, for bytes
	weights      []float64 // the same for wider elements
	size         int
	same         bool // output i is the source's pixel first[i]; there are no taps
}

// newAxis returns the outputs lo to hi of the part from begin to end of in pixels
// resampled to out. Pillow hands that over in float32.
func newAxis(in, out, lo, hi int, begin, end float32, f filter, kind kind) *axis {
	a := &axis{first: make([]int, hi-lo), count: make([]int, hi-lo)}
	a.same = in == out && begin == 0 && end == float32(in)
	if a.same {
		for i := range a.first {
			a.first[i], a.count[i] = lo+i, 1
		}
		return a
	}
	scale := float64(end-begin) / float64(out)
	stretch := max(scale, 1)
	shrink := 1 / stretch
	support := float64(f.support * stretch)
	a.size = min(in, 2*int(math.Ceil(support))+1)
	if kind == bytes8 {
		a.taps = make([]int32, (hi-lo)*a.size)
	} else {
		a.weights = make([]float64, (hi-lo)*a.size)
	}
	weights := make([]float64, a.size)
	for i := range a.first {
		center := float64(begin) + float64((float64(lo+i)+0.5)*scale)
		first := max(0, int(center-support+0.5))
		count := min(in, int(center+support+0.5)) - first
		if kind != bytes8 {
			weights = a.weights[i*a.size:][:a.size]
		}
		sum := 0.0
		for j := range count {
			weights[j] = f.weight((float64(j+first) - center + 0.5) * shrink)
			sum += weights[j]
		}
		for j := range count {
			if sum != 0 {
				weights[j] /= sum
			}
			if kind == bytes8 {
				a.taps[i*a.size+j] = int32(float64(weights[j]*(1<<precision)) + math.Copysign(0.5, weights[j]))
			}
		}
		a.first[i], a.count[i] = first, count
	}
	return a
}

// span returns the range of the source's pixels that the outputs are made of.
func (a *axis) span() (lo, hi int) {
	n := len(a.first) - 1 // both ends of the outputs' ranges only grow
	return a.first[0], a.first[n] + a.count[n]
}

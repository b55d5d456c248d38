package pillow

import (
	"math"
	"strconv"
)

// The C library's sine and cosine, which Pillow and Python use, are correctly
// rounded but for one argument in thousands; Go's are not, and a last bit may
// move a pixel. So they are computed here with twice the bits, and rounded once.

// A pair is the sum of two numbers, the second less than half a unit of the first's last place.
type pair struct{ hi, lo float64 }

// sum and product are exact only if no addition is fused with a multiplication, which the conversions to float64 forbid.
func sum(a, b float64) pair {
	a, b = float64(a), float64(b)
	s := a + b
	t := s - a
	return pair{s, (a - (s - t)) + (b - t)}
}

func product(a, b float64) pair {
	p := float64(a * b)
	return pair{p, math.FMA(a, b, -p)}
}

func (a pair) add(b pair) pair {
	s := sum(a.hi, b.hi)
	return sum(s.hi, s.lo+(a.lo+b.lo))
}

func (a pair) mul(b pair) pair {
	p := product(a.hi, b.hi)
	return sum(p.hi, p.lo+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a pair) over(d float64) pair {
	q := a.hi / d
	p := product(q, d)
	return sum(q, ((a.hi-p.hi)-p.lo+a.lo)/d)
}

// sincos returns the sine and cosine of x, which is not larger than a few turns.
func sincos(x float64) (sin, cos float64) {
	// π/2 in three parts, of which the first two times a small integer are exact.
	const (
		part1 = 0x1.921fb544p+0
		part2 = 0x1.0b4611a6p-34
		part3 = 0x1.3198a2e037073p-69
	)
	k := math.Round(x / (math.Pi / 2))
	r := sum(x-k*part1, -k*part2)
	r = r.add(product(-k, part3))
	square := r.mul(r)
	s, c := r, pair{1, 0}
	term, power := r, pair{1, 0}
	for i := 1.0; i < 28; i += 2 {
		power = power.mul(square).over(-i * (i + 1))
		term = term.mul(square).over(-(i + 1) * (i + 2))
		c, s = c.add(power), s.add(term)
	}
	switch int(k) & 3 {
	case 1:
		return c.hi, -s.hi
	case 2:
		return -s.hi, -c.hi
	case 3:
		return -c.hi, s.hi
	}
	return s.hi, c.hi
}

// sine is the sine of x.
func sine(x float64) float64 {
	s, _ := sincos(x)
	return s
}

// round15 is Python's round(x, 15).
func round15(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 15, 64), 64)
	return y
}

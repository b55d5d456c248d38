package draw

import "math"

// direction returns cos(atan2(y, x)) and sin(atan2(y, x)), each step rounded to the
// nearest float64, as the C library's functions that Python calls are but for rare
// cases. Those of package math are a bit off more often, and a long dashed line adds that up.
func direction(x, y float64) (cos, sin float64) {
	angle := math.Atan2(y, x)
	// One step of Newton's: the angle between (x, y) and the direction of the first guess.
	s, c := sincos(angle)
	across := mul(c, pair{y, 0}).add(mul(s, pair{-x, 0}))
	along := float64(c.hi*x) + float64(s.hi*y)
	angle = pair{angle, 0}.add(pair{across.hi / along, 0}).hi
	s, c = sincos(angle)
	return c.hi, s.hi
}

// A pair is the sum of two numbers of which the first is the sum rounded: some 106 bits.
type pair struct{ hi, lo float64 }

func (a pair) add(b pair) pair {
	s := a.hi + b.hi
	t := s - a.hi
	e := (a.hi - (s - t)) + (b.hi - t) + a.lo + b.lo
	hi := s + e
	return pair{hi, e - (hi - s)}
}

func (a pair) neg() pair { return pair{-a.hi, -a.lo} }

func mul(a, b pair) pair {
	p := a.hi * b.hi
	e := math.FMA(a.hi, b.hi, -p) + (float64(a.hi*b.lo) + float64(a.lo*b.hi))
	hi := p + e
	return pair{hi, e - (hi - p)}
}

// quarterTurn is half of pi.
var quarterTurn = pair{math.Pi / 2, 6.123233995736766e-17}

// sincos computes both by their power series, for angles from -pi to pi.
func sincos(angle float64) (sin, cos pair) {
	turns := math.Round(angle / (math.Pi / 2))
	x := pair{angle, 0}.add(mul(pair{-turns, 0}, quarterTurn))
	x2 := mul(x, x).neg()
	series := func(term pair, n float64) pair {
		sum := term
		for ; math.Abs(term.hi) > 0x1p-110*math.Abs(sum.hi); n += 2 {
			term = mul(term, x2)
			d := n * (n + 1)
			q := term.hi / d // divided by a whole number
			r := math.FMA(-q, d, term.hi) + term.lo
			term = pair{q, 0}.add(pair{r / d, 0})
			sum = sum.add(term)
		}
		return sum
	}
	s, c := series(x, 2), series(pair{1, 0}, 1)
	switch int(turns) & 3 {
	case 1:
		s, c = c, s.neg()
	case 2:
		s, c = s.neg(), c.neg()
	case 3:
		s, c = c.neg(), s
	}
	return s, c
}

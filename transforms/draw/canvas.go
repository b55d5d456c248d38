package draw

import (
	"image/color"
	"math"
	"slices"
)

// A canvas draws on pixels of three bytes by the rules of Pillow's ImageDraw,
// whose shapes include both of their ends.
type canvas struct {
	pix   []uint8 // 3*w*h
	w, h  int
	blend bool // alpha counts, as with ImageDraw.Draw(img, "RGBA")
}

// maxCoordinate limits coordinates. Up to here whole numbers are exact in
// float32, which Pillow keeps coordinates in.
const maxCoordinate = 1 << 24

// A point is a place in a picture, in pixels from its top left corner.
type point struct{ x, y int }

func (c *canvas) dot(x, y int, ink color.NRGBA) {
	if 0 <= y && y < c.h {
		c.row(x, y, x, ink)
	}
}

// row draws the pixels x0 to x1 of row y.
func (c *canvas) row(x0, y, x1 int, ink color.NRGBA) {
	x0, x1 = max(x0, 0), min(x1, c.w-1)
	if y < 0 || y >= c.h || x0 > x1 {
		return
	}
	p := c.pix[3*(y*c.w+x0) : 3*(y*c.w+x1+1)]
	for ; len(p) > 0; p = p[3:] {
		if c.blend {
			c.mix(p, ink, ink.A)
		} else {
			p[0], p[1], p[2] = ink.R, ink.G, ink.B
		}
	}
}

// mix blends a pixel with an ink of coverage a.
func (c *canvas) mix(p []uint8, ink color.NRGBA, a uint8) {
	for i, v := range [3]uint8{ink.R, ink.G, ink.B} {
		s := int(p[i])*(255-int(a)) + int(v)*int(a) + 128
		p[i] = uint8((s>>8 + s) >> 8)
	}
}

// segment draws a line of one pixel without its last one.
func (c *canvas) segment(from, to point, ink color.NRGBA) {
	dx, dy := to.x-from.x, to.y-from.y
	sx, sy := sign(dx), sign(dy)
	dx, dy = dx*sx, dy*sy
	n := max(dx, dy)
	// Bresenham's steps in closed form, so that those outside the picture cost nothing.
	first, last := 0, n-1
	if dx > dy {
		first, last = visible(from.x, sx, c.w, last)
	} else {
		first, last = visible(from.y, sy, c.h, last)
	}
	for i := first; i <= last; i++ {
		p := point{from.x + sx*i, from.y + sy*i}
		if dx > dy {
			p.y = from.y + sy*((2*dy*i+dx)/(2*dx))
		} else {
			p.x = from.x + sx*((2*dx*i+dy)/(2*dy))
		}
		c.dot(p.x, p.y, ink)
	}
}

// visible returns the steps 0 to last from a start whose places are in 0 to size-1.
func visible(start, step, size, last int) (int, int) {
	if step < 0 {
		start = size - 1 - start
	}
	return max(0, -start), min(last, size-1-start)
}

func sign(v int) int {
	if v < 0 {
		return -1
	}
	return 1
}

// line is ImageDraw.line of two points.
func (c *canvas) line(from, to point, ink color.NRGBA, width int) {
	switch width {
	case 0:
	case 1:
		c.segment(from, to, ink)
		c.dot(to.x, to.y, ink)
	default:
		c.wide(from, to, ink, width)
	}
}

// wide draws a line as a polygon of four corners.
func (c *canvas) wide(from, to point, ink color.NRGBA, width int) {
	if from == to {
		c.dot(from.x, from.y, ink)
		return
	}
	dx, dy := float64(to.x-from.x), float64(to.y-from.y)
	long, short := math.Hypot(dx, dy), float64(width-1)/2
	outer, inner := float64(roundUp(short))/long, float64(roundDown(short))/long
	x0, x1 := roundDown(inner*dy), roundDown(outer*dy)
	y0, y1 := roundDown(inner*dx), roundDown(outer*dx)
	corners := [4]point{
		{from.x - x0, from.y + y1},
		{to.x - x0, to.y + y1},
		{to.x + x1, to.y - y0},
		{from.x + x1, from.y - y0},
	}
	var edges [4]edge
	for i := range corners {
		edges[i] = newEdge(corners[i], corners[(i+1)%4])
	}
	c.fill(edges[:], ink)
}

// Halves are rounded away from zero, or towards it.
func roundUp(v float64) int   { return int(math.Copysign(math.Floor(math.Abs(v)+0.5), v)) }
func roundDown(v float64) int { return int(math.Copysign(math.Ceil(math.Abs(v)-0.5), v)) }

// rectangle is ImageDraw.rectangle of an outline; where filling is not nil the inside is drawn first.
func (c *canvas) rectangle(from, to point, outline color.NRGBA, width int, filling *color.NRGBA) {
	if filling != nil {
		for y := max(from.y, 0); y <= min(to.y, c.h-1); y++ {
			c.row(from.x, y, to.x, *filling)
		}
		if *filling == outline {
			return
		}
	}
	for i := range width {
		c.row(from.x, from.y+i, to.x, outline)
		c.row(from.x, to.y-i, to.x, outline)
		for _, x := range [2]int{to.x - i, from.x + i} {
			c.segment(point{x, from.y + width}, point{x, to.y - width + 1}, outline)
		}
	}
}

// polygon is ImageDraw.polygon without an outline.
func (c *canvas) polygon(corners []point, ink color.NRGBA) {
	var edges []edge
	last := len(corners) - 1
	for i, p := range corners[:last] {
		q := corners[i+1]
		if i > 0 && p.y == q.y && p.y == corners[i-1].y { // goes on level
			before, e := corners[i-1].x, &edges[len(edges)-1]
			if q.x > p.x && p.x > before {
				e.max.x = q.x
				continue
			}
			if q.x < p.x && p.x < before {
				e.min.x = q.x
				continue
			}
		}
		edges = append(edges, newEdge(p, q))
	}
	if corners[last] != corners[0] {
		edges = append(edges, newEdge(corners[last], corners[0]))
	}
	c.fill(edges, ink)
}

// An edge is a side of a polygon.
type edge struct {
	from, min, max point
	slope          float32 // columns a row
}

func newEdge(p, q point) edge {
	e := edge{from: p, min: point{min(p.x, q.x), min(p.y, q.y)}, max: point{max(p.x, q.x), max(p.y, q.y)}}
	if p.y != q.y {
		e.slope = float32(q.x-p.x) / float32(q.y-p.y)
	}
	return e
}

func (e *edge) level() bool { return e.min.y == e.max.y }

// at returns the column where the edge is in row y. It is computed in float32, as in Pillow.
func (e *edge) at(y int) float32 {
	return float32(float32(y-e.from.y)*e.slope) + float32(e.from.x)
}

func (e *edge) reaches(y int) bool { return e.min.y <= y && y <= e.max.y }

// fill fills a polygon row by row, between its edges from left to right.
func (c *canvas) fill(edges []edge, ink color.NRGBA) {
	top, bottom := c.h-1, 0
	var slanted []*edge
	for i := range edges {
		e := &edges[i]
		top, bottom = min(top, e.min.y), max(bottom, e.max.y)
		switch {
		case !e.level():
			slanted = append(slanted, e)
		case !c.blend: // else rows are drawn once only, below
			c.row(e.min.x, e.min.y, e.max.x, ink)
		}
	}
	var xs []float32
	for y := max(top, 0); y <= min(bottom, c.h); y++ {
		xs = crossings(xs[:0], slanted, y, min(bottom, c.h))
		if !c.blend {
			for i := 1; i < len(xs); i += 2 {
				c.row(roundUp32(xs[i-1]), y, roundDown32(xs[i]), ink)
			}
			continue
		}
		// No pixel may be blended twice: next is the first one that is still free.
		next := 0
		if len(xs) == 0 {
			next = -1
		}
		for i := 1; i < len(xs); i += 2 {
			end := roundDown32(xs[i])
			if end < next {
				continue
			}
			next = c.levels(edges, y, next, ink)
			if end >= next {
				c.row(max(roundUp32(xs[i-1]), next), y, end, ink)
				next = end + 1
			}
		}
		c.levels(edges, y, next, ink)
	}
}

// levels draws the level edges of row y that begin at the column next or before
// it, and returns the column behind them. A next of -1 takes all.
func (c *canvas) levels(edges []edge, y, next int, ink color.NRGBA) int {
	for i := range edges {
		e := &edges[i]
		if !e.level() || e.min.y != y || next != -1 && next < e.min.x || e.max.x < next {
			continue
		}
		c.row(max(e.min.x, next), y, e.max.x, ink)
		next = e.max.x + 1
	}
	return next
}

// crossings appends the columns where edges cross row y, in order.
func crossings(xs []float32, edges []*edge, y, bottom int) []float32 {
	for i, e := range edges {
		if !e.reaches(y) {
			continue
		}
		x := e.at(y)
		switch {
		case y == e.max.y && y < bottom:
			xs = append(xs, x) // twice, so that the next edge begins a new pair
		case (y == e.min.y || y == e.max.y) && e.slope != 0:
			x = corner(x, e, edges[:i], y)
		}
		xs = append(xs, x)
	}
	slices.Sort(xs)
	return xs
}

// corner moves the end x of an edge in row y where another one ends there too and
// both come from the same side, so that their pixels touch those of the row beside it.
func corner(x float32, e *edge, others []*edge, y int) float32 {
	beside := y + 1
	if y == e.max.y {
		beside = y - 1
	}
	for _, o := range others {
		if y != o.min.y && y != o.max.y || o.slope == 0 || round32(x) != round32(o.at(y)) || !o.reaches(beside) {
			continue
		}
		a, b := e.at(beside), o.at(beside)
		switch {
		case x > a+1 && x > b+1:
			return round32(max(a, b)) + 1
		case x < a-1 && x < b-1:
			return round32(min(a, b)) - 1
		}
		return x
	}
	return x
}

func round32(v float32) float32 { return float32(math.Round(float64(v))) }

// As roundUp and roundDown, but Pillow adds the half to a positive number in float32.
func roundUp32(v float32) int {
	if v >= 0 {
		return int(math.Floor(float64(v + 0.5)))
	}
	return roundUp(float64(v))
}

func roundDown32(v float32) int {
	if v >= 0 {
		return int(math.Ceil(float64(v - 0.5)))
	}
	return roundDown(float64(v))
}

// maxRadius bounds an ellipse's half axes, for the sake of its equation in int64.
const maxRadius = 1 << 14

// ellipse fills the ellipse within a rectangle; one of a single pixel is not drawn, as in Pillow.
func (c *canvas) ellipse(from, to point, ink color.NRGBA) {
	a, b := to.x-from.x, to.y-from.y
	if a < 0 || b < 0 || a+b == 0 {
		return
	}
	// The outline of a quarter, in half pixels from the center, so that both
	// parities of a and b are whole numbers.
	q := quarter{a: a, b: b, x: a, y: b % 2}
	for {
		x, y := q.x, q.y
		more := q.next()
		for more && q.y <= y {
			more = q.next()
		}
		for _, y := range [2]int{-y, y} {
			c.row(from.x+(a-x)/2, from.y+(b+y)/2, from.x+(a+x)/2, ink)
			if y == 0 {
				break
			}
		}
		if !more {
			return
		}
	}
}

// A quarter walks along a quarter of an ellipse of the half axes a and b, from
// (a, 0) to (0, b), by steps of two.
type quarter struct{ a, b, x, y int }

// away is how far a point is from the ellipse, by its equation.
func (q *quarter) away(x, y int) int64 {
	a2, b2 := int64(q.a)*int64(q.a), int64(q.b)*int64(q.b)
	d := a2*int64(y)*int64(y) + b2*int64(x)*int64(x) - a2*b2
	return max(d, -d)
}

// next goes one step on, and reports false at the end.
func (q *quarter) next() bool {
	if q.x == q.a%2 && q.y == q.b {
		return false
	}
	x, y := q.x, q.y+2
	least := q.away(x, y)
	if q.x > 1 {
		for _, p := range [2]point{{q.x - 2, q.y + 2}, {q.x - 2, q.y}} {
			if d := q.away(p.x, p.y); d < least {
				x, y, least = p.x, p.y, d
			}
		}
	}
	q.x, q.y = x, y
	return true
}

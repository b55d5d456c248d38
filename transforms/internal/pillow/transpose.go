package pillow

import "fmt"

// A Transpose is a way to flip or turn a picture; the values are Pillow's.
type Transpose int

// The ways of img.transpose. Turns are counterclockwise.
const (
	FlipLeftRight Transpose = iota
	FlipTopBottom
	Rotate90
	Rotate180
	Rotate270
	Transposed // rows become columns
	Transverse // the other diagonal
)

// Transpose flips or turns the picture: img.transpose(how).
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.transpose
func (p *Image) Transpose(how Transpose) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	// flip is true if the columns and rows of the source are reversed.
	var swap, flipX, flipY bool
	switch how {
	case FlipLeftRight:
		flipX = true
	case FlipTopBottom:
		flipY = true
	case Rotate90:
		swap, flipX = true, true
	case Rotate180:
		flipX, flipY = true, true
	case Rotate270:
		swap, flipY = true, true
	case Transposed:
		swap = true
	case Transverse:
		swap, flipX, flipY = true, true, true
	default:
		return nil, fmt.Errorf("no transpose has the number %d", how)
	}
	var q *Image
	if !swap {
		q = p.like(p.W, p.H)
	} else {
		q = p.like(p.H, p.W)
	}
	switch n := p.Mode.BytesPerPixel(); {
	case !swap:
		Parallel(p.H, p.W*n, func(lo, hi int) {
			for y := lo; y < hi; y++ {
				from := p.row(y)
				if flipY {
					from = p.row(p.H - 1 - y)
				}
				if to := q.row(y); flipX {
					mirror(to, from, n)
				} else {
					copy(to, from)
				}
			}
		})
	case p.W*p.H > 0:
		turn(q, p, n, flipX, flipY)
	}
	return q, nil
}

// Mirror copies a row of pixels of three bytes backwards.
func Mirror(to, from []uint8) { mirror(to, from, 3) }

// mirror copies a row of pixels of n bytes backwards.
func mirror(to, from []uint8, n int) {
	j := len(from)
	switch n {
	case 1:
		for i := range to {
			j--
			to[i] = from[j]
		}
	case 3:
		for i := 0; i+3 <= len(to); i += 3 {
			j -= 3
			f, t := from[j:j+3], to[i:i+3]
			t[0], t[1], t[2] = f[0], f[1], f[2]
		}
	default:
		for i := 0; i < len(to); i += n {
			j -= n
			copy(to[i:i+n], from[j:j+n])
		}
	}
}

// turn sets q's pixel (x, y) to p's pixel (y, x), with p's columns and rows flipped
// as asked. It goes by squares, whose rows and columns both stay in the cache.
func turn(q, p *Image, n int, flipX, flipY bool) {
	const side = 32
	Parallel((q.H+side-1)/side, side*q.W*n, func(lo, hi int) {
		for top := lo * side; top < min(hi*side, q.H); top += side {
			for left := 0; left < q.W; left += side {
				for y := top; y < min(top+side, q.H); y++ {
					u := y
					if flipX {
						u = p.W - 1 - y
					}
					to := q.row(y)[n*left : n*min(left+side, q.W)]
					at, step := n*(left*p.W+u), n*p.W
					if flipY {
						at, step = n*((p.H-1-left)*p.W+u), -step
					}
					switch n {
					case 1:
						for i := range to {
							to[i] = p.Pix[at]
							at += step
						}
					case 3:
						for ; len(to) >= 3; to = to[3:] {
							from := p.Pix[at : at+3 : at+3]
							to[0], to[1], to[2] = from[0], from[1], from[2]
							at += step
						}
					case 4:
						for ; len(to) >= 4; to = to[4:] {
							*(*[4]uint8)(to) = [4]uint8(p.Pix[at : at+4])
							at += step
						}
					default:
						for ; len(to) >= n; to = to[n:] {
							copy(to[:n], p.Pix[at:])
							at += step
						}
					}
				}
			}
		}
	})
}

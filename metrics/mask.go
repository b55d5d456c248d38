package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// A Mask is the pixels of an object in a picture, by the lengths of runs: COCO's "RLE".
//
// https://github.com/cocodataset/cocoapi/blob/master/PythonAPI/pycocotools/mask.py
type Mask struct {
	Height, Width int
	Counts        []int // of pixels outside and inside in turns, first outside, column by column
}

// maxMask limits the number of pixels of a mask in a file.
const maxMask = 1 << 28

// NewMask makes a mask of pixels in rows: mask.encode.
func NewMask(pixels []bool, height, width int) *Mask {
	m := &Mask{Height: height, Width: width}
	inside, run := false, 0
	for x := range width {
		for y := range height {
			if p := pixels[y*width+x]; p != inside {
				m.Counts = append(m.Counts, run)
				inside, run = p, 0
			}
			run++
		}
	}
	m.Counts = append(m.Counts, run)
	return m
}

// ParseMask reads the segmentation of an annotation of COCO, for a picture of the given size: a list of polygons, each
// x, y, x, y, …, or an object {"size": [height, width], "counts": …} with a list of counts or with COCO's string for one:
// COCO.annToRLE.
func ParseMask(segmentation []byte, height, width int) (*Mask, error) {
	var polygons [][]float64
	if json.Unmarshal(segmentation, &polygons) == nil {
		if len(polygons) == 0 {
			return nil, fmt.Errorf("metrics: the segmentation has no polygons")
		}
		if height < 1 || width < 1 || height > maxMask/width {
			return nil, fmt.Errorf("metrics: a picture of %d×%d pixels has no mask", width, height)
		}
		m := &Mask{height, width, []int{height * width}}
		for _, p := range polygons {
			of, err := polygon(p, height, width)
			if err != nil {
				return nil, err
			}
			m = m.union(of)
		}
		return m, nil
	}
	m := new(Mask)
	if err := json.Unmarshal(segmentation, m); err != nil {
		return nil, fmt.Errorf("metrics: the segmentation is neither polygons nor a mask: %w", err)
	}
	return m, nil
}

// UnmarshalJSON reads {"size": [height, width], "counts": …}, with a list or COCO's string.
func (m *Mask) UnmarshalJSON(data []byte) error {
	var in struct {
		Size   []int
		Counts json.RawMessage
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if len(in.Size) != 2 || in.Size[0] < 1 || in.Size[1] < 1 || in.Size[0] > maxMask/in.Size[1] {
		return fmt.Errorf("the size of the mask is %v; it is height and width", in.Size)
	}
	m.Height, m.Width = in.Size[0], in.Size[1]
	var text string
	err := json.Unmarshal(in.Counts, &m.Counts)
	if json.Unmarshal(in.Counts, &text) == nil {
		m.Counts, err = parseCounts(text)
	}
	if err != nil {
		return err
	}
	sum := 0
	for _, n := range m.Counts {
		if n < 0 || n > m.Height*m.Width-sum {
			return fmt.Errorf("the runs of the mask do not fill its %d×%d pixels", m.Width, m.Height)
		}
		sum += n
	}
	if sum != m.Height*m.Width {
		return fmt.Errorf("the runs of the mask are of %d pixels, and it has %d", sum, m.Height*m.Width)
	}
	return nil
}

// MarshalJSON writes the mask as an object with COCO's string.
func (m Mask) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"size": []int{m.Height, m.Width}, "counts": m.String()})
}

// String returns COCO's string for the counts: characters of five bits from the lowest on, of the count or, from the
// fourth count on, of its difference from the one two before.
func (m Mask) String() string {
	var s []byte
	for i, n := range m.Counts {
		if i > 2 {
			n -= m.Counts[i-2]
		}
		for more := true; more; {
			c := byte(n & 31)
			n >>= 5
			more = n != 0 && c&16 == 0 || n != -1 && c&16 != 0
			if more {
				c |= 32
			}
			s = append(s, c+48)
		}
	}
	return string(s)
}

// parseCounts reads the string of [Mask.String].
func parseCounts(s string) ([]int, error) {
	var counts []int
	n, shift := 0, 0
	for i := range len(s) {
		c := int(s[i]) - 48
		if c < 0 || c > 63 || shift > 30 {
			return nil, fmt.Errorf("the counts of the mask are not COCO's string: byte %d is %q", i, s[i])
		}
		n |= c & 31 << shift
		shift += 5
		if c&32 != 0 {
			continue
		}
		if c&16 != 0 {
			n |= -1 << shift
		}
		if k := len(counts); k > 2 {
			n += counts[k-2]
		}
		counts = append(counts, n)
		n, shift = 0, 0
	}
	if shift > 0 {
		return nil, fmt.Errorf("the counts of the mask are cut short")
	}
	return counts, nil
}

// Area returns the number of pixels: mask.area.
func (m *Mask) Area() int {
	area := 0
	for i := 1; i < len(m.Counts); i += 2 {
		area += m.Counts[i]
	}
	return area
}

// runs calls f with the lengths of the runs in which neither of two masks changes.
func runs(a, b *Mask, f func(n int, inA, inB bool)) {
	i, j, restA, restB := 0, 0, 0, 0
	for {
		for ; restA == 0 && i < len(a.Counts); i++ {
			restA = a.Counts[i]
		}
		for ; restB == 0 && j < len(b.Counts); j++ {
			restB = b.Counts[j]
		}
		n := min(restA, restB)
		if n == 0 {
			return
		}
		f(n, i%2 == 0, j%2 == 0)
		restA, restB = restA-n, restB-n
	}
}

// union returns the pixels of both masks, which are of the same size.
func (m *Mask) union(other *Mask) *Mask {
	out := &Mask{m.Height, m.Width, []int{0}}
	runs(m, other, func(n int, in, also bool) {
		if inside := len(out.Counts)%2 == 0; inside != (in || also) {
			out.Counts = append(out.Counts, 0)
		}
		out.Counts[len(out.Counts)-1] += n
	})
	return out
}

// iou returns the intersection over union of two masks, or over the first alone if the second is a crowd: mask.iou.
func (m *Mask) iou(other *Mask, crowd bool) float64 {
	if m.Height != other.Height || m.Width != other.Width {
		return -1
	}
	both := 0
	runs(m, other, func(n int, in, also bool) {
		if in && also {
			both += n
		}
	})
	switch {
	case both == 0:
		return 0
	case crowd:
		return float64(both) / float64(m.Area())
	}
	return float64(both) / float64(m.Area()+other.Area()-both)
}

// polygon returns the pixels inside of a polygon x, y, x, y, …, as pycocotools finds them: the boundary is drawn at five
// times the size, and where it enters another column of pixels, what is below changes sides.
func polygon(xy []float64, height, width int) (*Mask, error) {
	if len(xy) < 6 || len(xy)%2 != 0 {
		return nil, fmt.Errorf("metrics: a polygon of the segmentation has %d numbers; it is three or more points x, y", len(xy))
	}
	const scale = 5
	n := len(xy) / 2
	corner := func(i int) (x, y int) {
		i %= n
		return int(float64(scale*xy[2*i]) + 0.5), int(float64(scale*xy[2*i+1]) + 0.5)
	}
	for _, v := range xy {
		if !(math.Abs(v) <= 1<<20) {
			return nil, fmt.Errorf("metrics: a polygon of the segmentation has the coordinate %v", v)
		}
	}
	var changes []int // the pixels, counted column by column, from which on the side is another
	lastX, lastY, first := 0, 0, true
	point := func(x, y int) {
		if !first && x != lastX {
			left := x - 1 // of the two
			if x < lastX {
				left = x
			}
			column := (float64(left)+0.5)/scale - 0.5
			if column == math.Floor(column) && column >= 0 && column <= float64(width-1) {
				row := (float64(min(y, lastY))+0.5)/scale - 0.5
				changes = append(changes, int(column)*height+int(math.Ceil(max(0, min(row, float64(height))))))
			}
		}
		lastX, lastY, first = x, y, false
	}
	for i := range n {
		fromX, fromY := corner(i)
		toX, toY := corner(i + 1)
		line(fromX, fromY, toX, toY, point)
	}
	changes = append(changes, height*width)
	slices.Sort(changes)
	m := &Mask{Height: height, Width: width}
	at := 0
	for i := 0; i < len(changes); i++ {
		n := changes[i] - at
		at = changes[i]
		if n == 0 && len(m.Counts) > 0 { // two changes at one place are none
			if i++; i < len(changes) {
				m.Counts[len(m.Counts)-1] += changes[i] - at
				at = changes[i]
			}
			continue
		}
		m.Counts = append(m.Counts, n)
	}
	return m, nil
}

// line calls point with the points of a line, from one end to the other. Rounding is that of the line from left to right or,
// if it is steep, from top to bottom.
func line(fromX, fromY, toX, toY int, point func(x, y int)) {
	dx, dy := toX-fromX, toY-fromY
	steps := max(dx, -dx, dy, -dy)
	wide := max(dx, -dx) >= max(dy, -dy)
	startX, startY, back := fromX, fromY, wide && dx < 0 || !wide && dy < 0
	if back {
		startX, startY, dx, dy = toX, toY, -dx, -dy
	}
	for i := range steps + 1 {
		d := i
		if back {
			d = steps - i
		}
		switch {
		case steps == 0:
			point(startX, startY)
		case wide:
			point(startX+d, rounded(startY, float64(dy)/float64(dx), d))
		default:
			point(rounded(startX, float64(dx)/float64(dy), d), startY+d)
		}
	}
}

func rounded(start int, slope float64, d int) int {
	return int(float64(start) + float64(slope*float64(d)) + 0.5) // not a fused operation
}

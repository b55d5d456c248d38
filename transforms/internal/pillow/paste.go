package pillow

// Paste puts src, of the same mode, onto p with its upper left pixel at (x, y): p.paste(src, (x, y)).
// Pixels outside p are lost. alphas, unless nil, is the mask: a weight for each pixel of src.
func (p *Image) Paste(src *Image, x, y int, alphas []uint8) {
	if alphas == nil {
		p.paste(src, x, y)
		return
	}
	n := p.Mode.BytesPerPixel()
	for v := max(y, 0); v < min(y+src.H, p.H); v++ {
		to, from, weights := p.row(v), src.row(v-y), alphas[(v-y)*src.W:][:src.W]
		for i, a := range weights {
			if a == 0 || x+i < 0 || x+i >= p.W {
				continue
			}
			for c := range n {
				q := &to[n*(x+i)+c]
				sum := uint32(*q)*(255-uint32(a)) + uint32(from[n*i+c])*uint32(a) + 128
				*q = uint8((sum>>8 + sum) >> 8)
			}
		}
	}
}

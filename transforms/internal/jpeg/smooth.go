package jpeg

// A kernel weighs the DC coefficients of a block and of the 24 around it, row by row, in 1/256. It estimates another
// coefficient of the block.
type kernel [25]int64

// mean estimates the DC coefficients of a block that has no others.
var mean = kernel{
	-2, -6, -8, -6, -2,
	-6, 6, 42, 6, -6,
	-8, 42, 152, 42, -8,
	-6, 6, 42, 6, -6,
	-2, -6, -8, -6, -2,
}

// gradients estimate the first nine AC coefficients of a block that has none.
var gradients = []kernel{
	{
		-1, -1, 0, 1, 1,
		-3, 13, 0, -13, 3,
		-3, 38, 0, -38, 3,
		-3, 13, 0, -13, 3,
		-1, -1, 0, 1, 1,
	}, {
		-1, -3, -3, -3, -1,
		-1, 13, 38, 13, -1,
		0, 0, 0, 0, 0,
		1, -13, -38, -13, 1,
		1, 3, 3, 3, 1,
	}, {
		2: 1,
		6: 2, 7: 7, 8: 2,
		11: -5, 12: -14, 13: -5,
		16: 2, 17: 7, 18: 2,
		22: 1,
	}, {
		0: -1, 4: 1,
		6: 9, 8: -9,
		16: -9, 18: 9,
		20: 1, 24: -1,
	}, {
		6: 2, 7: -5, 8: 2,
		10: 1, 11: 7, 12: -14, 13: 7, 14: 1,
		16: 2, 17: -5, 18: 2,
	},
	{6: 1, 8: -1, 11: 2, 13: -2, 16: 1, 18: -1},
	{6: 1, 7: -3, 8: 1, 16: -1, 17: 3, 18: -1},
	{6: 1, 8: -1, 11: -3, 13: 3, 16: 1, 18: -1},
	{6: 1, 7: 2, 8: 1, 16: -1, 17: -2, 18: -1},
}

// slopes estimate the first five AC coefficients of a block that has some.
var slopes = []kernel{
	{10: -7, 11: 50, 13: -50, 14: 7},
	{2: -7, 7: 50, 17: -50, 22: 7},
	{2: -1, 7: 13, 12: -24, 17: 13, 22: -1},
	{
		1: -1, 3: 1,
		5: -1, 6: 10, 8: -10, 9: 1,
		15: 1, 16: -10, 18: 10, 19: -1,
		21: 1, 23: -1,
	},
	{10: -1, 11: 13, 12: -24, 13: 13, 14: -1},
}

// smooth reports whether coefficients are estimated: where those of the first nine that no scan brought in full
// can be had of the DC ones around.
func (d *decoder) smooth() bool {
	missing := false
	for _, c := range d.comps {
		if !d.progressive || c.bits[0] < 0 {
			return false
		}
		for k, b := range c.bits[:10] {
			if c.quant[zigzag[k]] == 0 {
				return false
			}
			missing = missing || k > 0 && b != 0
		}
	}
	return missing
}

// estimate fills in the coefficients of a block that are missing. The block is a copy of that of the component.
func (d *decoder) estimate(c *component, x, y int, block *[128]int16) {
	bits := &c.bits
	if y/c.tall > d.good { // where the last scan ended early
		bits = &c.before
		if d.scans == 1 {
			bits = &unknown
		}
	}
	none := true
	for _, b := range bits[1:10] {
		none = none && b == -1
	}
	var around [25]int64
	for i, row := range d.rowsAround(c, y) {
		if row >= c.ph {
			continue // a row that fills up the last MCU of a component that is alone
		}
		for j := range 5 {
			around[5*i+j] = int64(c.block(min(max(x+j-2, 0), c.bw-1), row)[0])
		}
	}
	kernels := slopes
	if none {
		kernels = gradients
	}
	for i := range kernels {
		k := i + 1
		if at := zigzag[k]; bits[k] != 0 && block[at] == 0 {
			v := kernels[i].estimate(&around, c.quant[0], c.quant[at])
			if most := int64(1)<<max(bits[k], 0) - 1; bits[k] > 0 {
				v = min(max(v, -most), most)
			}
			block[at] = int16(v)
		}
	}
	if none {
		block[0] = int16(mean.estimate(&around, c.quant[0], c.quant[0]))
	}
}

// unknown has the bits of the unknown coefficients.
var unknown = func() (bits [64]int8) {
	for k := range bits {
		bits[k] = -1
	}
	return bits
}()

// estimate returns a coefficient as it is quantized.
func (k *kernel) estimate(around *[25]int64, dcQuant, quant uint16) int64 {
	sum := int64(0)
	for i, v := range around {
		sum += k[i] * v
	}
	q := int64(quant)
	sum *= int64(dcQuant)
	if sum < 0 {
		return -((q<<7 - sum) / (q << 8))
	}
	return (q<<7 + sum) / (q << 8)
}

// rowsAround returns the rows of blocks from two above y to two below. At the picture's edges they repeat; libjpeg sees
// the edges where they are if all rows of MCUs have as many rows of blocks as the one that y is in.
func (d *decoder) rowsAround(c *component, y int) [5]int {
	mcus := ceil(c.bh, c.tall)
	tall := c.tall
	if y/c.tall == mcus-1 {
		tall = c.bh - (mcus-1)*c.tall
	}
	n := y/c.tall*tall + y%c.tall
	rows := [5]int{y, y, y, y, y}
	if n > 0 {
		rows[1], rows[0] = y-1, y-1
	}
	if n > 1 {
		rows[0] = y - 2
	}
	if n < mcus*tall-1 {
		rows[3], rows[4] = y+1, y+1
	}
	if n < mcus*tall-2 {
		rows[4] = y + 2
	}
	return rows
}

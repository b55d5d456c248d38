package pillow

// The enhancements blend a picture with a poorer one. Factor 1 is the picture, 0
// the poorer one; larger factors exaggerate. An alpha of the modes LA and RGBA
// stays. They accept the same modes as [Blend].

// AdjustBrightness blends with black: ImageEnhance.Brightness(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Brightness
func AdjustBrightness(p *Image, factor float64) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if q := withConstant(p, 0, factor); q != nil {
		return q, nil
	}
	return enhance(p, New(p.Mode, p.W, p.H), factor)
}

// AdjustContrast blends with the gray of the picture's mean:
// ImageEnhance.Contrast(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Contrast
func AdjustContrast(p *Image, factor float64) (*Image, error) {
	gray, err := p.Convert(ModeL)
	if err != nil {
		return nil, err
	}
	sum, n := 0, p.W*p.H
	for _, v := range gray.Pix[:n] {
		sum += int(v)
	}
	mean := 0.0
	if n > 0 {
		mean = float64(sum) / float64(n)
	}
	if q := withConstant(p, uint8(int(mean+0.5)), factor); q != nil {
		return q, nil
	}
	flat := New(ModeL, p.W, p.H)
	flat.flood([]uint8{uint8(int(mean + 0.5))})
	poor, err := flat.Convert(p.Mode)
	if err != nil {
		return nil, err
	}
	return enhance(p, poor, factor)
}

// AdjustSaturation blends with gray: ImageEnhance.Color(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Color
func AdjustSaturation(p *Image, factor float64) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if f := float32(factor); p.Mode == ModeRGB && p.Transparency == nil && f != 0 && f != 1 { // at once, without pictures between
		q := p.like(p.W, p.H)
		mix := newMixer(f)
		Parallel(p.H, 6*p.W, func(lo, hi int) {
			to := q.Pix[3*p.W*lo : 3*p.W*hi]
			for from := p.Pix[3*p.W*lo:]; len(to) >= 3 && len(from) >= 3; to, from = to[3:], from[3:] {
				v := luma(from)
				if mix.steps == nil {
					to[0], to[1], to[2] = mix.one(v, from[0]), mix.one(v, from[1]), mix.one(v, from[2])
					continue
				}
				l, base := int(v), 255-int(v)
				to[0] = mix.steps[(int(from[0])+base)&511].plus(l)
				to[1] = mix.steps[(int(from[1])+base)&511].plus(l)
				to[2] = mix.steps[(int(from[2])+base)&511].plus(l)
			}
		})
		return q, nil
	}
	via := ModeL
	switch p.Mode {
	case ModeLA, ModePA, ModeRGBA:
		via = ModeLA
	}
	poor, err := p.Convert(via)
	if err == nil {
		poor, err = poor.Convert(p.Mode)
	}
	if err != nil {
		return nil, err
	}
	return enhance(p, poor, factor)
}

// AdjustSharpness blends with the picture smoothed: ImageEnhance.Sharpness(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Sharpness
func AdjustSharpness(p *Image, factor float64) (*Image, error) {
	poor, err := Smooth(p)
	if err != nil {
		return nil, err
	}
	return enhance(p, poor, factor)
}

// withConstant blends gray or colors with one level, by a table. It returns nil
// for what has alpha, or is to be refused.
func withConstant(p *Image, level uint8, factor float64) *Image {
	f := float32(factor)
	if p.Mode != ModeL && p.Mode != ModeRGB || f == 0 || f == 1 {
		return nil
	}
	mix := newMixer(f)
	plain := *p
	plain.Transparency = nil
	q, _ := plain.lut(tableOf(func(v int) int { return int(mix.one(level, uint8(v))) }), false)
	return q
}

// enhance blends p with the poorer picture, which gets p's alpha.
func enhance(p, poor *Image, factor float64) (*Image, error) {
	if n := p.Mode.Bands(); p.Mode == ModeLA || p.Mode == ModeRGBA {
		poor = poor.Copy()
		for i := n - 1; i < n*p.W*p.H; i += n {
			poor.Pix[i] = p.Pix[i]
		}
	}
	q, err := Blend(poor, p, factor)
	if err != nil {
		return nil, err
	}
	return q, nil
}

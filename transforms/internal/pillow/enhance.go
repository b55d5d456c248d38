package pillow

// The enhancements blend a picture with a poorer one. Factor 1 is the picture,
// 0 the poorer one; larger factors exaggerate. An alpha of the modes LA and RGBA
// stays. They take what [Blend] takes.

// AdjustBrightness blends with black: ImageEnhance.Brightness(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Brightness
func AdjustBrightness(p *Image, factor float64) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return enhance(p, New(p.Mode, p.W, p.H), factor)
}

// AdjustContrast blends with the grey of the picture's mean:
// ImageEnhance.Contrast(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Contrast
func AdjustContrast(p *Image, factor float64) (*Image, error) {
	grey, err := p.Convert(ModeL)
	if err != nil {
		return nil, err
	}
	sum, n := 0, p.W*p.H
	for _, v := range grey.Pix[:n] {
		sum += int(v)
	}
	mean := 0.0
	if n > 0 {
		mean = float64(sum) / float64(n)
	}
	flat := New(ModeL, p.W, p.H)
	flat.flood([]uint8{uint8(int(mean + 0.5))})
	poor, err := flat.Convert(p.Mode)
	if err != nil {
		return nil, err
	}
	return enhance(p, poor, factor)
}

// AdjustSaturation blends with grey: ImageEnhance.Color(p).enhance(factor).
//
// https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html#PIL.ImageEnhance.Color
func AdjustSaturation(p *Image, factor float64) (*Image, error) {
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

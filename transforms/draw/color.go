package draw

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"
)

// Color returns the color that a text names, as [ParseColor] does, and panics
// with a [*torch.Error] if it names none.
func Color(text string) color.NRGBA {
	c, err := ParseColor(text)
	if err != nil {
		refuse("Color", "%v", err)
	}
	return c
}

// hex matches the digits of a color such as #f80 or #ff8800cc.
var hex = regexp.MustCompile(`^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$`)

// functions are the other ways of CSS. \d+ of any length is taken, as Pillow does.
var functions = []struct {
	pattern *regexp.Regexp
	color   func(v []float64) []float64 // in units of 1/255
}{
	{regexp.MustCompile(`^rgba?\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$`), func(v []float64) []float64 { return v }},
	{regexp.MustCompile(`^rgb\(\s*(\d+)%\s*,\s*(\d+)%\s*,\s*(\d+)%\s*\)$`), func(v []float64) []float64 {
		for i := range v {
			v[i] = math.Floor(v[i]*255/100 + 0.5)
		}
		return v
	}},
	{regexp.MustCompile(`^hsl\(\s*(\d+\.?\d*)\s*,\s*(\d+\.?\d*)%\s*,\s*(\d+\.?\d*)%\s*\)$`), func(v []float64) []float64 {
		return hsl(v[0]/360, v[1]/100, v[2]/100)
	}},
	{regexp.MustCompile(`^hs[bv]\(\s*(\d+\.?\d*)\s*,\s*(\d+\.?\d*)%\s*,\s*(\d+\.?\d*)%\s*\)$`), func(v []float64) []float64 {
		return hsv(v[0]/360, v[1]/100, v[2]/100)
	}},
}

// ParseColor reads a color: ImageColor.getrgb(text). It takes the names of CSS
// ("red", "rebeccapurple"), "#f00", "#ff0000", each also with an alpha, "rgb(255, 0, 0)",
// "rgb(100%, 0%, 0%)", "rgba(255, 0, 0, 128)", "hsl(0, 100%, 50%)" and "hsv(0, 100%, 100%)".
//
// https://pillow.readthedocs.io/en/stable/reference/ImageColor.html
func ParseColor(text string) (color.NRGBA, error) {
	const longest = 100
	if len(text) > longest {
		return color.NRGBA{}, fmt.Errorf("a color's text has %d characters; want %d at most", len(text), longest)
	}
	s := strings.ToLower(text)
	if c, ok := colornames.Map[s]; ok {
		return color.NRGBA(c), nil
	}
	if s == "rebeccapurple" { // younger than the package of the others
		return color.NRGBA{0x66, 0x33, 0x99, 255}, nil
	}
	if hex.MatchString(s) {
		v := s[1:]
		if len(v) < 6 {
			var b strings.Builder
			for _, d := range v {
				b.WriteString(strings.Repeat(string(d), 2))
			}
			v = b.String()
		}
		if len(v) == 6 {
			v += "ff"
		}
		n, err := strconv.ParseUint(v, 16, 32)
		return color.NRGBA{uint8(n >> 24), uint8(n >> 16), uint8(n >> 8), uint8(n)}, err
	}
	for _, f := range functions {
		m := f.pattern.FindStringSubmatch(s)
		if m == nil || len(m) == 5 && (m[4] != "") != strings.HasPrefix(s, "rgba") {
			continue
		}
		var v []float64
		for _, d := range m[1:] {
			if d == "" {
				d = "255" // the alpha
			}
			n, err := strconv.ParseFloat(d, 64)
			if err != nil {
				return color.NRGBA{}, fmt.Errorf("the color %q is not one: %w", text, errors.Unwrap(err))
			}
			v = append(v, n)
		}
		c := [4]uint8{3: 255}
		for i, n := range f.color(v) {
			if n < 0 || n > 255 {
				return color.NRGBA{}, fmt.Errorf("the color %q has a part beyond 255", text)
			}
			c[i] = uint8(n)
		}
		return color.NRGBA{c[0], c[1], c[2], c[3]}, nil
	}
	return color.NRGBA{}, fmt.Errorf("no color is called %q; want a name of CSS, #rrggbb or rgb(r, g, b)", text)
}

// hsl is Python's colorsys.hls_to_rgb, times 255 and rounded.
func hsl(h, s, l float64) []float64 {
	m2 := l + s - float64(l*s)
	if l <= 0.5 {
		m2 = l * (1 + s)
	}
	m1 := 2*l - m2
	var out []float64
	for _, h := range []float64{h + 1./3, h, h - 1./3} {
		h -= math.Floor(h)
		v := m1
		switch {
		case s == 0:
			v = l
		case h < 1./6:
			v = m1 + float64(float64((m2-m1)*h)*6)
		case h < 0.5:
			v = m2
		case h < 2./3:
			v = m1 + float64(float64((m2-m1)*(2./3-h))*6)
		}
		out = append(out, whole(v))
	}
	return out
}

// hsv is Python's colorsys.hsv_to_rgb, times 255 and rounded.
func hsv(h, s, v float64) []float64 {
	i := math.Trunc(h * 6)
	f := float64(h*6) - i
	p, q, t := v*(1-s), v*(1-float64(s*f)), v*(1-float64(s*(1-f)))
	rgb := [6][3]float64{{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}}[int(math.Mod(i, 6))]
	if s == 0 {
		rgb = [3]float64{v, v, v}
	}
	return []float64{whole(rgb[0]), whole(rgb[1]), whole(rgb[2])}
}

func whole(v float64) float64 { return math.Trunc(float64(v*255) + 0.5) }

// palette returns torchvision's colors for n objects.
func palette(n int) []color.NRGBA {
	colors := make([]color.NRGBA, n)
	for i := range colors {
		part := func(p int) uint8 { return uint8(i * p % 255) }
		colors[i] = color.NRGBA{part(1<<25 - 1), part(1<<15 - 1), part(1<<21 - 1), 255}
	}
	return colors
}

// colorsFor returns a color for each of n objects: a single color is for all, and without
// colors it returns those of otherwise.
func colorsFor(op, what string, given []color.Color, n int, otherwise []color.NRGBA) []color.NRGBA {
	if len(given) == 0 {
		return otherwise
	}
	if len(given) != 1 && len(given) < n {
		refuse(op, "there are %d %s for %d of them; want one for each, or one for all", len(given), what, n)
	}
	colors := make([]color.NRGBA, n)
	for i := range colors {
		c := given[min(i, len(given)-1)]
		if c == nil {
			refuse(op, "%s[%d] is nil", what, min(i, len(given)-1))
		}
		colors[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	return colors
}

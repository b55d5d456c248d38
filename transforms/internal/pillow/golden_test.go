package pillow

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "ask Python for the goldens and write them")

const goldens = "../../../testdata/pillow.json"

// digest is a hash of all that there is to a picture, or "refused".
func digest(p *Image, refused bool) string {
	if refused {
		return "refused"
	}
	p = plain(p)
	h := sha256.New()
	fmt.Fprintln(h, p.Mode, p.W, p.H, p.Transparency, p.Alphas)
	if p.Palette != nil {
		fmt.Fprintln(h, p.Palette.Mode, p.Palette.Colors)
	}
	h.Write(p.Pix)
	return fmt.Sprintf("%x", h.Sum(nil)[:12])
}

// TestGoldens does what TestAgainstPillow does first, on machines without Python.
func TestGoldens(t *testing.T) {
	want := map[string]string{}
	if *update {
		python := start(t)
		for _, mode := range modes {
			for i := range 2 {
				p, ops := sample(mode, i)
				for _, o := range ops {
					var r result
					python.Call(&r, "run", o.name, sent(p), append([]any{}, o.args...))
					want[fmt.Sprint(mode, " ", i, " ", o.name)] = digest(r.image(), r.Error != "")
				}
			}
		}
		text, err := json.MarshalIndent(want, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(goldens, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(goldens)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	require.NotEmpty(t, want)
	n := 0
	for _, mode := range modes {
		for i := range 2 {
			p, ops := sample(mode, i)
			for _, o := range ops {
				q, err := o.here(p)
				require.Equal(t, want[fmt.Sprint(mode, " ", i, " ", o.name)], digest(q, err != nil), "%s %v of a %v", o.name, brief(o.args), p)
				n++
			}
		}
	}
	require.Len(t, want, n)
}

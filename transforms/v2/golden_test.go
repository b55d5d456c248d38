package v2_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/cpu"

	"github.com/torchhub/torchhub/transforms/v2"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew, with the live Python's numbers")

const golden = "testdata/golden.txt"

// machine says which kernels libtorch takes: their last bits differ.
func machine() string {
	kind := "default"
	switch {
	case runtime.GOARCH != "amd64":
		kind = runtime.GOARCH
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasFMA:
		kind = "AVX512"
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		kind = "AVX2"
	}
	return kind
}

// mark returns a digest of a value: everything that same compares.
func mark(p packed) string {
	h := sha256.New()
	var add func(p packed)
	add = func(p packed) {
		fmt.Fprintln(h, p.Kind, p.DType, p.Format, p.Clamping, p.Mode, p.Canvas, len(p.Several))
		for _, s := range p.Several {
			add(s)
		}
		if p.Array != nil {
			fmt.Fprintln(h, p.Array.Shape)
			for _, v := range numbers(*p.Array) {
				if math.IsNaN(v) {
					v = math.Inf(1)
				}
				fmt.Fprint(h, v+0, " ") // without the sign of 0
			}
		}
	}
	add(p)
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// goldenCases returns what is kept: for each row a few seeds, and how Go and Python compute them.
func goldenCases() (names []string, ours func(i int) string, python func(p live, i int) string) {
	const seeds = 4
	names = append(names, "")
	for _, r := range classes {
		for seed := range seeds {
			names = append(names, fmt.Sprintf("%s %d", r.name, seed))
		}
	}
	for _, r := range functionals {
		for seed := range seeds {
			names = append(names, fmt.Sprintf("%s %d", r.name, seed))
		}
	}
	names = names[1:]
	at := func(i int) (m made, f func(any) any, seed int) {
		seed = 1000 + i%seeds
		r := maker{Rand: rand.New(rand.NewPCG(uint64(seed), 5))}
		if i /= seeds; i < len(classes) {
			return classes[i].make(r), nil, seed
		}
		m.python, f = functionals[i-len(classes)].make(r)
		m.sample = r.sample()
		return m, f, seed
	}
	ours = func(i int) string {
		m, f, seed := at(i)
		if f == nil {
			var out []any
			if seeded(seed, func() { out = v2.Apply(m.t, m.sample) }) != nil {
				return "refused"
			}
			return mark(pack(out))
		}
		var marks []string
		for _, v := range m.sample {
			var out any
			if seeded(seed, func() { out = f(v) }) != nil {
				marks = append(marks, "refused")
				continue
			}
			marks = append(marks, mark(pack(out)))
		}
		return strings.Join(marks, " ")
	}
	python = func(p live, i int) string {
		m, f, seed := at(i)
		if f == nil {
			out, raised := p.transform(m.python, seed, m.sample)
			if raised != "" {
				return "refused"
			}
			return mark(packed{Kind: "several", Several: out})
		}
		var marks []string
		for _, out := range p.functional(m.python, seed, m.sample) {
			if out.Error != "" {
				marks = append(marks, "refused")
				continue
			}
			marks = append(marks, mark(out))
		}
		return strings.Join(marks, " ")
	}
	return names, ours, python
}

// TestGolden compares with what Python gave, without Python. It is of one kind of
// processor: on others the live tests alone tell.
func TestGolden(t *testing.T) {
	names, ours, python := goldenCases()
	if *update {
		p := start(t)
		var b strings.Builder
		fmt.Fprintln(&b, machine())
		for i, n := range names {
			fmt.Fprintf(&b, "%s: %s\n", n, python(p, i))
		}
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	data, err := os.ReadFile(golden)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if lines[0] != machine() {
		t.Skipf("the goldens are of a processor with %s; this one has %s", lines[0], machine())
	}
	want := map[string]string{}
	for _, l := range lines[1:] {
		name, marks, _ := strings.Cut(l, ": ")
		want[name] = marks
	}
	for i, n := range names {
		require.Equal(t, want[n], ours(i), n)
		delete(want, n)
	}
	require.Empty(t, want, "goldens without a row")
}

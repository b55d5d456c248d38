package jit_test

import (
	"archive/zip"
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/frugal"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
)

const pickled = "\x80\x02c__torch__\nM\nq\x00)\x81}(X\x08\x00\x00\x00training\x89X\x04\x00\x00\x00listNub."

// scripted makes an archive of a module whose forward returns an expression of an int x.
func scripted(t testing.TB, expression, pickle string, more ...string) []byte {
	code := `class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  list : Optional[int]
  def forward(self: __torch__.M,
    x: int,
    t: Tensor) -> ` + expression + "\n"
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	files := append([]string{"code/__torch__.py", code, "data.pkl", pickle, "constants.pkl", "\x80\x02).", "version", "3\n", "byteorder", "little"}, more...)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "m/" + files[i]})
		require.NoError(t, err)
		_, err = io.WriteString(w, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// TestNested loads scripts that are nested too deep for libtorch, and some that are just not.
func TestNested(t *testing.T) {
	rep := strings.Repeat
	for name, expression := range map[string]func(n int) string{
		"brackets": func(n int) string { return "int:\n    return " + rep("(", n) + "x" + rep(")", n) },
		"minus":    func(n int) string { return "int:\n    return " + rep("-", n) + "x" },
		"plus":     func(n int) string { return "int:\n    return x" + rep(" + x", n/2) },
		"not":      func(n int) string { return "bool:\n    return " + rep("not ", n) + "True" },
		"property": func(n int) string { return "Tensor:\n    return t" + rep(".T", n/2) },
		"index":    func(n int) string { return "Tensor:\n    return t" + rep("[None]", n/2) },
		"lists":    func(n int) string { return "int:\n    y = " + rep("[", n) + "x" + rep("]", n) + "\n    return x" },
		"call":     func(n int) string { return "Tensor:\n    return " + rep("torch.neg(", n/6) + "t" + rep(")", n/6) },
		"mixed": func(n int) string {
			return "int:\n    return " + rep("(", n/4) + "x" + rep(" + x)", n/4)
		},
		"blocks": func(n int) string {
			var b strings.Builder
			b.WriteString("int:\n")
			for i := range n / 50 {
				b.WriteString(rep(" ", 4+i) + "if True:\n")
			}
			return b.String() + rep(" ", 4+n/50) + "pass\n    return x"
		},
		"type": func(n int) string {
			return "int:\n    y : " + rep("List[", n/2) + "int" + rep("]", n/2) + " = x\n    return x"
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := jit.LoadBytes(scripted(t, expression(3000), pickled))
			if err == nil { // else the compiler refuses it
				_, err = m.Forward(1, torch.Ones(2, 2))
				t.Log(name, err)
				require.NoError(t, m.Close())
			}
			frugal.Do(t, func() { _, err = jit.LoadBytes(scripted(t, expression(200_000), pickled)) })
			require.ErrorIs(t, err, torch.ErrUnsupported)
			require.ErrorContains(t, err, "nested deeper")
		})
	}
	wide := "List[List[int]]:\n    return [" + rep("[x, -1, 2], ", 20_000) + "]"
	_, err := jit.LoadBytes(scripted(t, wide, pickled))
	require.NoError(t, err)
	_, err = jit.LoadBytes(scripted(t, "int:\n    return ((((x))))", pickled), jit.WithLimits(torch.Limits{Depth: 4}))
	require.ErrorContains(t, err, "raise Limits.Depth")
}

// TestHostilePickles loads pickles that libtorch would take.
func TestHostilePickles(t *testing.T) {
	const end = "\x89X\x04\x00\x00\x00list"
	at := strings.Index(pickled, end) + len(end)
	with := func(value string) string { return pickled[:at] + value + "ub." }
	tensor := func(size string) string {
		return "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00" + size + "\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
	}
	_, err := jit.LoadBytes(scripted(t, "int:\n    return x", pickled))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		pickle string
		kind   error
		says   string
	}{
		"deep":   {with(strings.Repeat("(", 1<<20) + strings.Repeat("t", 1<<20)), torch.ErrUnsupported, "Limits."},
		"lists":  {with(strings.Repeat("]", 1000) + strings.Repeat("a", 999)), torch.ErrUnsupported, "nested deeper"},
		"beyond": {with(tensor("M\x00\x10")), torch.ErrMalformed, "exceeds its storage"},
		"cut":    {pickled[:40], torch.ErrMalformed, ""},
		"tag":    {with("ctorch.jit._pickle\nrestore_type_tag\n(]X\x88\x13\x00\x00" + strings.Repeat("List[", 1000) + "t" + "R"), torch.ErrUnsupported, "a type nested"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jit.LoadBytes(scripted(t, "int:\n    return x", c.pickle, "data/0", "01234567"))
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestGuardedOperators calls operators that trust their arguments, with arguments that would end the process.
func TestGuardedOperators(t *testing.T) {
	for name, c := range map[string]struct{ code, want string }{
		"bags":   {"y, _0, _1, _2, = torch.embedding_bag(t, torch.arange(x), torch.arange(0), False, 2)\n    return y", "no bag"},
		"rows":   {"y, _0, _1, _2, = torch.embedding_bag(t, torch.arange(x + 100000000), torch.arange(1), False, 2)\n    return y", "the indices must lie from 0"},
		"pivots": {"return torch.linalg_lu_solve(t, torch.to(torch.mul(torch.arange(3), 100000000), 3), t)", "the pivots must lie from"},
	} {
		m, err := jit.LoadBytes(scripted(t, "Tensor:\n    "+c.code, pickled))
		require.NoError(t, err, name)
		_, err = m.Forward(3, torch.Ones(3, 3))
		require.ErrorContains(t, err, c.want, name)
	}
}

// TestDivision divides by zero and out of range where the compiler could fold it.
func TestDivision(t *testing.T) {
	for _, e := range []string{"5 % 0", "5 // 0", "x % 0", "x // 0", "x // -1", "x % -1"} {
		m, err := jit.LoadBytes(scripted(t, "int:\n    return "+e, pickled))
		if err == nil {
			_, err = m.Forward(math.MinInt, torch.Ones(1))
		}
		require.Error(t, err, e)
	}
}

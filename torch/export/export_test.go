package export_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/export"
)

//go:generate $TORCHHUB_REFERENCE ../../testdata/gen/programs.py testdata

// programs are those of testdata/gen/programs.py.
var programs = []string{"net", "net_core", "containers", "containers_core", "parts", "counts", "sizes", "core", "sequence"}

// TestKept runs programs that Python exported, with the arguments of three sizes, as Python did on another machine.
func TestKept(t *testing.T) {
	for _, name := range programs {
		t.Run(name, func(t *testing.T) { runProgram(t, "testdata", name) })
	}
}

// TestLive runs programs that Python exports now.
func TestLive(t *testing.T) {
	source, err := os.ReadFile("../../testdata/gen/programs.py")
	require.NoError(t, err)
	p := reference.Start(t, "__name__ = 'programs'\n"+string(source))
	for i, name := range programs {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p.Call(nil, "make", name, dir, i+1)
			runProgram(t, dir, name)
		})
	}
}

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	torch.SetNumThreads(1) // as the reference, for sums in the same order
	os.Exit(m.Run())
}

// runProgram compares the calls of a program with those of Python. Sums are in another order on another machine.
func runProgram(t *testing.T, dir, name string) {
	t.Helper()
	p, err := export.Load(filepath.Join(dir, name+".pt2"))
	require.NoError(t, err)
	kept, err := torch.Load(filepath.Join(dir, name+".calls"))
	require.NoError(t, err)
	calls := kept.([]torch.Value)[0].([]torch.Value)
	require.NotEmpty(t, calls)
	for i, c := range calls {
		at := fmt.Sprintf("call %d", i)
		call := c.([]torch.Value)
		args := call[0].([]torch.Value)
		named := export.Kwargs{}
		for _, e := range call[1].(*torch.Dict).Entries {
			named[e.Key.(string)] = e.Value
		}
		if len(named) > 0 {
			args = append(args, named)
		}
		var got torch.Value
		torch.NoGrad(func() { got, err = p.Forward(args...) })
		require.NoError(t, err, at)
		same(t, at, call[3], got)
		same(t, at+": arguments after it", call[2], args[:len(call[2].([]torch.Value))])
	}
	state := p.StateDict()
	want := kept.([]torch.Value)[1].(*torch.Dict)
	require.Len(t, state, len(want.Entries))
	for _, e := range want.Entries {
		same(t, fmt.Sprint("state ", e.Key), e.Value, state.Get(e.Key.(string)))
	}
}

// same compares values of any structure.
func same(t *testing.T, at string, want, got torch.Value) {
	t.Helper()
	switch want := want.(type) {
	case *torch.Tensor:
		x, ok := got.(*torch.Tensor)
		require.True(t, ok, "%s: %T", at, got)
		require.Equal(t, want.DType(), x.DType(), at)
		require.Equal(t, want.Shape(), x.Shape(), at)
		if want.Equal(x) {
			return
		}
		tolerance := 1e-5 // sums of float32 in another order
		if want.DType() == torch.BFloat16 {
			tolerance = 1e-2 // a bit of its 8
		}
		most := 0.0
		if want.Numel() > 0 {
			most = want.ToDType(torch.Float64).Abs().Max().Item()
		}
		require.True(t, x.AllClose(want, tolerance, tolerance*most), "%s: the largest difference is %v of %v", at, want.Sub(x).Abs().Max(), most)
		t.Logf("%s: bits differ, by at most %v of %v", at, want.Sub(x).Abs().Max().Item(), most)
	case *torch.Dict:
		d, ok := got.(*torch.Dict)
		require.True(t, ok, "%s: %T", at, got)
		require.Len(t, d.Entries, len(want.Entries), at)
		for i, e := range want.Entries {
			require.Equal(t, e.Key, d.Entries[i].Key, at)
			same(t, fmt.Sprintf("%s[%v]", at, e.Key), e.Value, d.Entries[i].Value)
		}
	case torch.Tuple:
		list, ok := got.(torch.Tuple)
		require.True(t, ok, "%s: %T", at, got)
		same(t, at, []torch.Value(want), []torch.Value(list))
	case []torch.Value:
		list, ok := got.([]torch.Value)
		require.True(t, ok, "%s: %T", at, got)
		require.Len(t, list, len(want), at)
		for i := range want {
			same(t, fmt.Sprintf("%s[%d]", at, i), want[i], list[i])
		}
	default:
		require.Equal(t, want, got, at)
	}
}

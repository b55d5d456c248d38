package torch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
)

// TestSaveWhatIsLoaded saves what was loaded of each golden, and loads it again.
func TestSaveWhatIsLoaded(t *testing.T) {
	paths, err := filepath.Glob(checkpoints + "*.pt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 40)
	dir := t.TempDir()
	for _, p := range paths {
		if strings.Contains(p, "protocol") {
			continue // which have an int that protocol 2 cannot have
		}
		var want any
		b, err := os.ReadFile(strings.TrimSuffix(p, ".pt") + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &want))
		v, err := torch.Load(p)
		require.NoError(t, err)
		to := filepath.Join(dir, filepath.Base(p))
		require.NoError(t, torch.Save(to, v), p)
		again, err := torch.Load(to)
		require.NoError(t, err)
		requireTree(t, p, want, again)
	}
}

// What cannot be saved is named with its place, and no file is left.
func TestSaveErrors(t *testing.T) {
	itself := torch.Tuple{nil}
	itself[0] = []any{itself}
	deep := any(nil)
	for range 100_001 {
		deep = []any{deep}
	}
	x := torch.Ones(2)
	freed := torch.Ones(2)
	freed.Free()
	for says, v := range map[string]any{
		`["a"][1]: a struct {} cannot be saved, since it has no exported fields`: map[string]any{"a": []any{1, struct{}{}}},
		`["a"]["At"]: a time.Time cannot be saved, since it has no exported fields`: map[string]any{"a": struct {
			At any `torch:"At"`
		}{time.Time{}}},
		`["net"]: a *torch_test.net cannot be saved, since it is a module; save its`: struct{ Net *net }{&net{}},
		`a chan int cannot be saved`:                                                 make(chan int),
		`["w"]: torch: Save: tensor used after Free`:                                 torch.StateDict{{Name: "w", Tensor: freed}},
		`a dict has the key w twice`:                                                 torch.StateDict{{Name: "w", Tensor: x}, {Name: "w", Tensor: x}},
		`a list cannot be a key of a dict`:                                           &torch.Dict{Entries: []torch.Entry{{Key: []int{1}}}},
		`a dict cannot be a member of a set`:                                         torch.Set{map[string]int{}},
		`a tuple, set or Counter that contains itself cannot be saved`:               itself,
		`values are nested more than 100000 deep`:                                    deep,
		`the string "\xff" cannot be saved, since it is not UTF-8; save it as bytes`: "\xff",
		`unknown device "gpu"; use cpu, cuda or cuda:N`:                              torch.Device("gpu"),
		`there is no torch.DType dtype(200)`:                                         torch.DType(200),
		`there is no torch.Layout torch.layout(9)`:                                   torch.Layout(9),
		`["q"]: there is no torch.QScheme torch.none`:                                map[string]any{"q": torch.QScheme("torch.none")},
		`a nested tensor cannot be saved`:                                            nested(),
		`tensors of the dtypes float32 and int32 that share memory cannot be saved`:  []*torch.Tensor{x, x.ViewDType(torch.Int32)},
		`a Parameter must be dense`:                                                  torch.Parameter{Tensor: torch.Options{Device: torch.Meta}.Empty(1)},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.pt")
		err := torch.Save(path, v)
		require.ErrorContains(t, err, "torch: save "+path+": ", says)
		require.ErrorContains(t, err, says)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	}
	if runtime.GOOS == "linux" {
		require.ErrorIs(t, torch.Save("/dev/full", x), syscall.ENOSPC)
	}
	err := torch.Save(filepath.Join(t.TempDir(), "none", "x.pt"), 1)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A writer that fails ends Save with its error.
func TestSaveToFails(t *testing.T) {
	r, w := io.Pipe()
	require.NoError(t, r.CloseWithError(io.ErrShortBuffer))
	require.ErrorIs(t, torch.SaveTo(w, torch.Ones(1<<20)), io.ErrShortBuffer)
}

// Views are saved with their memory, once, and share it again.
func TestSaveShares(t *testing.T) {
	x := torch.Zeros(4, 4)
	list := []any{1}
	path := filepath.Join(t.TempDir(), "x.pt")
	require.NoError(t, torch.Save(path, map[string]any{"a": x.Select(0, 2), "b": x.T(), "c": x, "d": list, "e": list, "f": x.Neg()}))
	v, err := torch.Load(path)
	require.NoError(t, err)
	d := v.(*torch.Dict)
	get := func(key string) *torch.Tensor {
		v, ok := d.Get(key)
		require.True(t, ok)
		return v.(*torch.Tensor)
	}
	get("c").FillInPlace(3)
	require.Equal(t, []float32{3, 3, 3, 3}, torch.Data[float32](get("a")))
	require.Equal(t, 3.0, get("b").Min().Item())
	require.Equal(t, 0.0, get("f").Max().Item())
	one, _ := d.Get("d")
	two, _ := d.Get("e")
	require.Same(t, &one.([]torch.Value)[0], &two.([]torch.Value)[0])
}

type net struct{ W *torch.Tensor }

func (n *net) Forward(x *torch.Tensor) *torch.Tensor { return x.Mul(n.W) }

// A struct is written as Get reads it, and one that several pointers point to is written once.
func TestSaveStruct(t *testing.T) {
	type group struct {
		LR     float64
		Params []int
	}
	type state struct {
		Epoch     int
		StateDict torch.StateDict
		BestAcc1  *torch.Tensor `torch:"best"`
		Groups    []*group
		Rest      *group `torch:",optional"`
		Note      string `torch:"-"`
		hidden    int
	}
	path := filepath.Join(t.TempDir(), "x.pt")
	g := &group{0.1, []int{1, 2}}
	was := state{Epoch: 3, StateDict: torch.StateDict{{Name: "w", Tensor: torch.Ones(2)}}, BestAcc1: torch.Scalar(0.5), Groups: []*group{g, g}, Note: "x", hidden: 1}
	require.NoError(t, torch.Save(path, was))
	v, err := torch.Load(path)
	require.NoError(t, err)
	var keys []any
	for _, e := range v.(*torch.Dict).Entries {
		keys = append(keys, e.Key)
	}
	require.Equal(t, []any{"epoch", "state_dict", "best", "groups", "rest"}, keys)
	groups, err := torch.Get[[]*torch.Dict](v, "groups")
	require.NoError(t, err)
	require.Same(t, groups[0], groups[1])
	got, err := torch.Get[state](v)
	require.NoError(t, err)
	require.Equal(t, 3, got.Epoch)
	require.Equal(t, []float32{1, 1}, torch.Data[float32](got.StateDict.Get("w")))
	require.Equal(t, 0.5, got.BestAcc1.Item())
	require.Equal(t, *g, *got.Groups[1])
	require.Nil(t, got.Rest)
	require.Empty(t, got.Note)
}

// Save leaves no tensor behind.
func TestSaveKeepsNothing(t *testing.T) {
	x := torch.Ones(1 << 20)
	before := torch.LiveBytes()
	for range 3 {
		require.NoError(t, torch.SaveTo(io.Discard, torch.Tuple{x, x.Select(0, 1)}))
	}
	require.LessOrEqual(t, torch.LiveBytes(), before+1<<10)
	x.Free()
}

func ExampleSave() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "checkpoint.pt")
	weight := torch.NewTensor([][]float32{{1, 2}, {3, 4}})
	err = torch.Save(path, map[string]any{
		"epoch": 3, "model": torch.StateDict{{Name: "weight", Tensor: weight}}, "losses": []float64{0.7, 0.4},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := torch.Load(path) // in Python: torch.load(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range v.(*torch.Dict).Entries {
		fmt.Printf("%v: %T\n", e.Key, e.Value)
	}
	// Output:
	// epoch: int
	// losses: []interface {}
	// model: *torch.Dict
}

func ExampleSaveTo() {
	var b bytes.Buffer
	if err := torch.SaveTo(&b, torch.Ones(2, 3)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Len() > 24, strings.HasPrefix(b.String(), "PK"))
	// Output: true true
}

// made makes a value of bytes, which decide its types and its numbers.
func made(data *[]byte, depth int, seen *[]torch.Value) torch.Value {
	next := func() int {
		if len(*data) == 0 {
			return 0
		}
		b := (*data)[0]
		*data = (*data)[1:]
		return int(b)
	}
	text := func() string { return strings.ToValidUTF8(string([]byte{byte(next()), byte(next())}), "é") }
	kind := next() % 16
	if depth > 6 {
		kind %= 8
	}
	var v torch.Value
	switch kind {
	case 0:
		return nil
	case 1:
		return next()%2 == 0
	case 2:
		return (next() - 128) << (next() % 56)
	case 3:
		return float64(next()) / 7
	case 4:
		return text()
	case 5:
		return []byte{byte(next())}
	case 6:
		return complex(float64(next()), -1)
	case 7:
		if n := len(*seen); n > 0 {
			return (*seen)[next()%n]
		}
		return torch.DType(next()%12 + 1)
	case 8, 9, 10:
		x := torch.Options{DType: torch.DType(next()%8 + 1)}.Zeros(next()%3, next()%4).FillInPlace(next() % 2)
		if kind == 10 {
			x = x.T()
		}
		v = x
	case 11:
		v = torch.Size{next(), next()}
	case 12, 13:
		d := &torch.Dict{Class: torch.DictClass(next() % 3)}
		for range next() % 4 {
			d.Set(text(), made(data, depth+1, seen))
		}
		v = d
	case 14:
		l := make([]torch.Value, next()%4)
		for i := range l {
			l[i] = made(data, depth+1, seen)
		}
		v = l
	default:
		l := make(torch.Tuple, next()%5)
		for i := range l {
			l[i] = made(data, depth+1, seen)
		}
		v = l
	}
	*seen = append(*seen, v)
	return v
}

// FuzzSave saves values and loads them: they are equal, with what they share.
func FuzzSave(f *testing.F) {
	f.Add([]byte("\x0c\x01\x03ab\x08\x06\x02\x03\x01cd\x07\x00ef\x0e\x02\x04gh\x02\x03\x04"))
	f.Add([]byte("\x0f\x04\x0a\x00\x02\x02\x01\x07\x00\x07\x00\x0b\x01\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		torch.Scope(func() {
			var seen []torch.Value
			v := made(&data, 0, &seen)
			var file bytes.Buffer
			require.NoError(t, torch.SaveTo(&file, v))
			got, err := torch.LoadFrom(&file)
			require.NoError(t, err)
			requireEqual(t, v, got, map[any]any{})
		})
	})
}

// requireEqual compares values, of which known are those that were compared before.
func requireEqual(t *testing.T, want, got torch.Value, known map[any]any) {
	require.IsType(t, want, got)
	once := func(want, got any) bool {
		before, ok := known[want]
		known[want] = got
		require.True(t, !ok || before == got, "another value is shared")
		return !ok
	}
	list := func(want, got []torch.Value) {
		require.Len(t, got, len(want))
		if len(want) > 0 && once(&want[0], &got[0]) {
			for i, w := range want {
				requireEqual(t, w, got[i], known)
			}
		}
	}
	switch want := want.(type) {
	case *torch.Tensor:
		got := got.(*torch.Tensor)
		require.Equal(t, want.Shape(), got.Shape())
		require.Equal(t, want.Strides(), got.Strides())
		require.Equal(t, want.String(), got.String())
	case *torch.Dict:
		got := got.(*torch.Dict)
		require.Equal(t, want.Class, got.Class)
		require.Len(t, got.Entries, len(want.Entries))
		if once(want, got) {
			for i, e := range want.Entries {
				requireEqual(t, e.Key, got.Entries[i].Key, known)
				requireEqual(t, e.Value, got.Entries[i].Value, known)
			}
		}
	case []torch.Value:
		list(want, got.([]torch.Value))
	case torch.Tuple:
		list(want, got.(torch.Tuple))
	default:
		require.Equal(t, want, got)
	}
}

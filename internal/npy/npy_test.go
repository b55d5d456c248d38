package npy

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/frugal"
)

//go:generate $TORCHHUB_REFERENCE ../../testdata/gen/npy.py

// file makes a file of a header and bytes behind it.
func file(major byte, head string, size int) []byte {
	b := append([]byte(magic), major, 0)
	if major == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(head)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	}
	return append(append(b, head...), make([]byte, size)...)
}

func read(data []byte) (*Header, error) {
	return Read(data[:min(len(data), MaxData)], int64(len(data)))
}

func dict(descr, order, shape string) string {
	return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }"
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want Header
	}{
		{file(1, dict("'<f4'", "False", "(2, 3)")+"  \n", 24), Header{"float32", []int{2, 3}, false, 1, 0, 24}},
		{file(2, dict("'>f8'", "True", "(2,)")+"\n", 16), Header{"float64", []int{2}, true, 8, 0, 16}},
		{file(3, dict("'>c16'", "False", "()")+"\n", 16), Header{"complex128", []int{}, false, 8, 0, 16}},
		{file(1, dict("'|b1'", "False", "(0, 4)"), 0), Header{"bool", []int{0, 4}, false, 1, 0, 0}},
		{file(1, dict("'>i1'", "False", "(3,)"), 3), Header{"int8", []int{3}, false, 1, 0, 3}},
		{file(1, `{"shape": (2L, 1L,), "descr": "=u2", "fortran_order": False}`, 4), Header{"uint16", []int{2, 1}, false, 1, 0, 4}},
	} {
		h, err := read(c.data)
		require.NoError(t, err)
		c.want.Data = len(c.data) - c.want.Size
		require.Equal(t, &c.want, h)
	}
}

// TestSpellings reads each dtype under the names that np.dtype knows, see testdata/gen/npy.py.
func TestSpellings(t *testing.T) {
	text, err := os.ReadFile("testdata/dtypes.json")
	require.NoError(t, err)
	var spellings map[string]string // to PyTorch's name, behind which a ! stands for the other byte order
	require.NoError(t, json.Unmarshal(text, &spellings))
	require.Greater(t, len(spellings), 150)
	for descr, want := range spellings {
		h, err := read(file(1, dict("'"+descr+"'", "False", "(2,)")+"\n", 32))
		if want == "" {
			require.ErrorIs(t, err, badfile.ErrUnsupported, descr)
			continue
		}
		require.NoError(t, err, descr)
		require.Equal(t, strings.TrimSuffix(want, "!"), h.DType, descr)
		require.Equal(t, strings.HasSuffix(want, "!"), h.Swap > 1, descr)
	}
}

// TestBehind ignores what follows an array, as numpy.load does.
func TestBehind(t *testing.T) {
	one := file(1, dict("u'<f4'", "False", "(2,)")+"\n", 8)
	for _, more := range [][]byte{one, []byte("x"), make([]byte, 100)} {
		h, err := read(append(bytes.Clone(one), more...))
		require.NoError(t, err)
		require.Equal(t, len(one), h.Data+h.Size)
	}
}

// TestHostile reads files that no reader should take.
func TestHostile(t *testing.T) {
	M, U := badfile.ErrMalformed, badfile.ErrUnsupported
	good := dict("'<f4'", "False", "(2,)")
	for name, c := range map[string]struct {
		kind error
		says string
		data []byte
	}{
		"empty":            {M, "not a .npy", nil},
		"magic":            {M, "not a .npy", []byte("\x93NUMPX\x01\x00")},
		"magic only":       {M, "cut short", []byte(magic)},
		"version 0":        {U, "version 0.0", file(0, good, 8)},
		"version 4":        {U, "version 4.0", file(4, good, 8)},
		"cut length":       {M, "cut short", file(2, good, 8)[:11]},
		"cut header":       {M, "are left", file(1, good, 8)[:30]},
		"header huge":      {U, "more than", append([]byte(magic), 2, 0, 0xff, 0xff, 0xff, 0xff, '{')},
		"header long":      {U, "more than", file(1, good+strings.Repeat(" ", 10000), 8)},
		"cut data":         {M, "are left", file(1, good, 7)},
		"objects":          {U, "pickled", file(1, dict("'|O'", "False", "(2,)"), 16)},
		"objects 8":        {U, "pickled", file(1, dict("'O8'", "False", "(2,)"), 16)},
		"structured":       {U, "structured", file(1, dict("[('a', '<f4')]", "False", "(2,)"), 8)},
		"text":             {U, "<U5", file(1, dict("'<U5'", "False", "(2,)"), 40)},
		"date":             {U, "M8", file(1, dict("'<M8[s]'", "False", "(2,)"), 16)},
		"void":             {U, "V2", file(1, dict("'|V2'", "False", "(2,)"), 4)},
		"long double":      {U, "f16", file(1, dict("'<f16'", "False", "(2,)"), 32)},
		"dtype empty":      {U, "dtype", file(1, dict("''", "False", "(2,)"), 8)},
		"order of a name":  {U, "<float32", file(1, dict("'<float32'", "False", "(2,)"), 8)},
		"named object":     {U, "pickled", file(1, dict("'object'", "False", "(2,)"), 16)},
		"dtype number":     {M, "string", file(1, dict("4", "False", "(2,)"), 8)},
		"code":             {M, "header", file(1, "__import__('os').system('true')", 8)},
		"code inside":      {M, "size here", file(1, dict("'<f4'", "False", "(exit(),)"), 8)},
		"no dict":          {M, "no {", file(1, "[]", 0)},
		"open dict":        {M, "string here", file(1, "{'descr': '<f4', ", 8)},
		"open string":      {M, "end of a string", file(1, "{'descr", 8)},
		"escape":           {M, "end of a string", file(1, `{'de\x73cr': '<f4'}`, 8)},
		"no colon":         {M, "no :", file(1, "{'descr' '<f4'}", 8)},
		"no comma":         {M, ", or }", file(1, "{'descr': '<f4' 'shape': (2,)}", 8)},
		"behind":           {M, "behind", file(1, good+"x", 8)},
		"nul behind":       {M, "behind", file(1, good+"\x00", 8)},
		"key twice":        {M, "two", file(1, "{'descr': '<f4', 'descr': '<f4'}", 8)},
		"key unknown":      {M, "key", file(1, "{'other': 1}", 8)},
		"key missing":      {M, "lacks", file(1, "{'descr': '<f4', 'shape': (2,)}", 8)},
		"order":            {M, "True or False", file(1, dict("'<f4'", "1", "(2,)"), 8)},
		"shape list":       {M, "tuple", file(1, dict("'<f4'", "False", "[2]"), 8)},
		"shape no tuple":   {M, "no ,", file(1, dict("'<f4'", "False", "(2)"), 8)},
		"size negative":    {M, "size here", file(1, dict("'<f4'", "False", "(-2,)"), 8)},
		"size float":       {M, "no ,", file(1, dict("'<f4'", "False", "(2.0,)"), 8)},
		"size zeros":       {M, "size here", file(1, dict("'<f4'", "False", "(02,)"), 8)},
		"size none":        {M, "size here", file(1, dict("'<f4'", "False", "(,)"), 8)},
		"size beyond 64":   {M, "size here", file(1, dict("'<f4'", "False", "(99999999999999999999,)"), 8)},
		"size wraps":       {M, "counted", file(1, dict("'<f4'", "False", "(4611686018427387905, 4)"), 16)},
		"size wraps empty": {M, "counted", file(1, dict("'<f4'", "False", "(0, 4294967296, 4294967296)"), 0)},
		"size huge":        {M, "are left", file(1, dict("'<f4'", "False", "(1099511627776,)"), 8)},
		"dims 65":          {U, "dimensions", file(1, dict("'<f4'", "False", "("+strings.Repeat("1, ", 65)+")"), 4)},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			frugal.Do(t, func() { _, err = read(c.data) })
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestWrite(t *testing.T) {
	for _, d := range dtypes {
		for _, shape := range [][]int{{}, {3}, {2, 0}, {1, 2, 3}} {
			head, err := Write(d.torch, shape)
			require.NoError(t, err)
			require.Zero(t, len(head)%align)
			n, _ := badfile.Bytes(shape, d.size)
			h, err := read(append(head, make([]byte, n)...))
			require.NoError(t, err)
			require.Equal(t, &Header{d.torch, shape, false, 1, len(head), n}, h)
		}
	}
	_, err := Write("bfloat16", []int{1})
	require.ErrorContains(t, err, "bfloat16")
}

// sound reads data and checks what users of a result rely on.
func sound(t *testing.T, data []byte) {
	h, err := read(data)
	if err != nil {
		require.True(t, errors.Is(err, badfile.ErrMalformed) || errors.Is(err, badfile.ErrUnsupported), "%v", err)
		return
	}
	require.LessOrEqual(t, h.Data+h.Size, len(data))
	require.LessOrEqual(t, h.Data, MaxData)
	require.Positive(t, h.Swap)
	for _, d := range h.Shape {
		require.GreaterOrEqual(t, d, 0)
	}
	head, err := Write(h.DType, h.Shape)
	require.NoError(t, err)
	again, err := read(append(head, data[h.Data:h.Data+h.Size]...))
	require.NoError(t, err)
	require.Equal(t, []any{h.DType, h.Shape, h.Size}, []any{again.DType, again.Shape, again.Size})
}

func TestDamaged(t *testing.T) {
	good := file(1, dict("'<f4'", "False", "(2, 3)")+"\n", 24)
	for i := range good {
		for c := range 256 {
			bad := bytes.Clone(good)
			bad[i] = byte(c)
			sound(t, bad)
		}
		_, err := read(good[:i])
		require.ErrorIs(t, err, badfile.ErrMalformed)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(1, dict("'<f4'", "False", "(2, 3)")+"\n", 24))
	f.Add(file(2, dict("'>c16'", "True", "()")+"\n", 16))
	f.Add(file(3, `{"shape": (2L,), "descr": "|b1", "fortran_order": False}`, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		sound(t, data)
		sound(t, file(1, string(data[:min(len(data), 1<<15)]), 8)) // the same bytes as a header whose length is right
	})
}

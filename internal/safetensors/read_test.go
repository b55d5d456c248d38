package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/frugal"
)

// file makes a file of a header and bytes behind it.
func file(head string, size int) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...), make([]byte, size)...)
}

// read reads by both doors, which must agree.
func read(t testing.TB, data []byte) (*Header, error) {
	t.Helper()
	h, err := Read(data)
	h2, err2 := ReadAt(bytes.NewReader(data), int64(len(data)))
	require.Equal(t, h, h2)
	require.Equal(t, err, err2)
	return h, err
}

func TestRead(t *testing.T) {
	head := ` { "b" : {"shape":[ 2 , 3 ],"data_offsets":[8,32],"dtype":"F32"},
		"__metadata__":{"format":"pt","a\u00e9\ud83d\ude00\n":""},	"a\"":{"dtype":"I64","shape":[],"data_offsets":[0,8]},
		"none":{"dtype":"BF16","shape":[4,0],"data_offsets":[8,8]} }   `
	head = strings.TrimPrefix(head, " ")
	h, err := read(t, file(head, 32))
	require.NoError(t, err)
	at := 8 + len(head)
	require.Equal(t, &Header{
		Metadata: map[string]string{"format": "pt", "aé😀\n": ""},
		Tensors: []Tensor{
			{`a"`, "int64", []int{}, at, at + 8},
			{"none", "bfloat16", []int{4, 0}, at + 8, at + 8},
			{"b", "float32", []int{2, 3}, at + 8, at + 32},
		},
	}, h)
	for _, empty := range []string{"{}", "{ }", `{"__metadata__":{}}`} {
		h, err = read(t, file(empty, 0))
		require.NoError(t, err)
		require.Empty(t, h.Tensors)
	}
}

func TestDTypes(t *testing.T) {
	for _, d := range dtypes {
		h, err := read(t, file(fmt.Sprintf(`{"x":{"dtype":%q,"shape":[3],"data_offsets":[0,%d]}}`, d.name, 3*d.size), 3*d.size))
		require.NoError(t, err)
		require.Equal(t, d.torch, h.Tensors[0].DType)
		_, err = read(t, file(fmt.Sprintf(`{"x":{"dtype":%q,"shape":[3],"data_offsets":[0,%d]}}`, d.name, 3*d.size+1), 3*d.size+1))
		require.ErrorIs(t, err, badfile.ErrMalformed)
	}
}

func entry(name, dtype, shape, offsets string) string {
	return fmt.Sprintf(`"%s":{"dtype":"%s","shape":%s,"data_offsets":%s}`, name, dtype, shape, offsets)
}

// TestHostile reads files that no reader should take. Each must fail by its kind, with a word on why and where.
func TestHostile(t *testing.T) {
	M, U := badfile.ErrMalformed, badfile.ErrUnsupported
	a := entry("a", "F32", "[2]", "[0,8]")
	many := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(f(i))
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		kind error
		says string
		data []byte
	}{
		"empty":              {M, "cut short", nil},
		"seven bytes":        {M, "cut short", make([]byte, 7)},
		"no header":          {M, "brace", make([]byte, 8)},
		"length huge":        {M, "are left", append(bytes.Repeat([]byte{0xff}, 8), "{}"...)},
		"length negative":    {M, "are left", append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...)},
		"length more":        {M, "are left", file("{"+a+"}", 8)[:40]},
		"length less":        {M, "ends where", append(binary.LittleEndian.AppendUint64(nil, 1), "{}"...)},
		"space first":        {M, "brace", file(" {}", 0)},
		"list":               {M, "brace", file("[]", 0)},
		"no JSON":            {M, `'"' should be`, file("{a:1}", 0)},
		"comma at the end":   {M, `'"' should be`, file("{"+a+",}", 8)},
		"comma missing":      {M, "'}' should be", file("{"+a+a+"}", 8)},
		"two objects":        {M, "behind its object", file("{"+a+"}{}", 8)},
		"nul behind":         {M, "behind its object", file("{"+a+"}\x00", 8)},
		"open":               {M, "ends where", file("{"+a, 8)},
		"open string":        {M, "no end", file(`{"a`, 0)},
		"open escape":        {M, "no end", file(`{"a\`, 0)},
		"control character":  {M, "control", file("{\"a\n\":{}}", 0)},
		"control after \\":   {M, "control", file("{\"\\\"a\n\":{}}", 0)},
		"not UTF-8":          {M, "UTF-8", file("{\"\xff\":{}}", 0)},
		"not UTF-8 after \\": {M, "UTF-8", file("{\"\\n\xff\":{}}", 0)},
		"bad escape":         {M, "escape", file(`{"\x41":{}}`, 0)},
		"half surrogate":     {M, "no character", file(`{"\ud83d":{}}`, 0)},
		"half surrogate 2":   {M, "no character", file(`{"\ud83dab":{}}`, 0)},
		"low surrogate":      {M, "no character", file(`{"\ude00\ud83d":{}}`, 0)},
		"bad hex":            {M, "no character", file(`{"\u00g0":{}}`, 0)},
		"cut hex":            {M, "no character", file(`{"\u00`, 0)},
		"twice":              {M, "two entries", file("{"+a+","+a+"}", 8)},
		"twice by escape":    {M, "two entries", file("{"+a+","+entry(`\u0061`, "F32", "[2]", "[0,8]")+"}", 8)},
		"metadata twice":     {M, "two entries", file(`{"__metadata__":{},"__metadata__":{}}`, 0)},
		"metadata key twice": {M, "two metadata", file(`{"__metadata__":{"a":"","a":""}}`, 0)},
		"metadata number":    {M, `'"' should be`, file(`{"__metadata__":{"a":1}}`, 0)},
		"metadata list":      {M, "'{' should be", file(`{"__metadata__":[]}`, 0)},
		"metadata huge":      {U, "metadata", file(`{"__metadata__":{`+many(1<<19, func(i int) string { return fmt.Sprintf(`"%d":""`, i) })+`}}`, 0)},
		"metadata long":      {U, "metadata", file(`{"__metadata__":{"a":"`+strings.Repeat("x", 20<<20)+`"}}`, 0)},
		"tensor null":        {M, "'{' should be", file(`{"a":null}`, 0)},
		"tensor deep":        {M, "'{' should be", file(strings.Repeat(`{"a":[`, 1), 0)},
		"nested deep":        {U, `entry "a"`, file(strings.Repeat(`{"a":`, 1<<20), 0)},
		"lists deep":         {M, "without a sign", file(`{"a":{"shape":`+strings.Repeat("[", 1<<20), 0)},
		"no dtype":           {M, "lacks", file(`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8)},
		"no shape":           {M, "lacks", file(`{"a":{"dtype":"F32","data_offsets":[0,8]}}`, 8)},
		"no offsets":         {M, "lacks", file(`{"a":{"dtype":"F32","shape":[2]}}`, 8)},
		"one offset":         {M, "lacks", file("{"+entry("a", "F32", "[2]", "[0]")+"}", 8)},
		"three offsets":      {M, "more than 2", file("{"+entry("a", "F32", "[2]", "[0,8,16]")+"}", 8)},
		"dtype twice":        {M, "two entries", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8)},
		"shape twice":        {M, "two entries", file(`{"a":{"dtype":"F32","shape":[],"shape":[2],"data_offsets":[0,8]}}`, 8)},
		"offsets twice":      {M, "two entries", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[],"data_offsets":[0,8]}}`, 8)},
		"unknown entry":      {U, "code", file(`{"a":{"code":"F32","shape":[2],"data_offsets":[0,8]}}`, 8)},
		"dtype number":       {M, `'"' should be`, file(`{"a":{"dtype":7}}`, 8)},
		"dtype F4":           {U, "F4", file("{"+entry("a", "F4", "[2]", "[0,1]")+"}", 1)},
		"dtype F6_E2M3":      {U, "F6_E2M3", file("{"+entry("a", "F6_E2M3", "[4]", "[0,3]")+"}", 3)},
		"dtype F6_E3M2":      {U, "F6_E3M2", file("{"+entry("a", "F6_E3M2", "[4]", "[0,3]")+"}", 3)},
		"dtype unknown":      {U, "f32", file("{"+entry("a", "f32", "[2]", "[0,8]")+"}", 8)},
		"dtype empty":        {U, "dtype", file("{"+entry("a", "", "[2]", "[0,8]")+"}", 8)},
		"size negative":      {M, "without a sign", file("{"+entry("a", "F32", "[-2]", "[0,8]")+"}", 8)},
		"size plus":          {M, "without a sign", file("{"+entry("a", "F32", "[+2]", "[0,8]")+"}", 8)},
		"size fraction":      {M, "not whole", file("{"+entry("a", "F32", "[2.0]", "[0,8]")+"}", 8)},
		"size exponent":      {M, "not whole", file("{"+entry("a", "F32", "[2e0]", "[0,8]")+"}", 8)},
		"size zeros":         {M, "no number", file("{"+entry("a", "F32", "[02]", "[0,8]")+"}", 8)},
		"size string":        {M, "without a sign", file("{"+entry("a", "F32", `["2"]`, "[0,8]")+"}", 8)},
		"size beyond 64":     {M, "no number", file("{"+entry("a", "F32", "[18446744073709551618]", "[0,8]")+"}", 8)},
		"size long":          {M, "no number", file("{"+entry("a", "F32", "["+strings.Repeat("9", 1<<20)+"]", "[0,8]")+"}", 8)},
		"size wraps":         {M, "does not take", file("{"+entry("a", "F32", "[4611686018427387905,2]", "[0,8]")+"}", 8)},
		"size wraps to 0":    {M, "does not take", file("{"+entry("a", "F32", "[4294967296,4294967296]", "[0,0]")+"}", 0)},
		"size hollow":        {M, "does not take", file("{"+entry("a", "F32", "[0,4294967296,4294967296]", "[0,0]")+"}", 0)},
		"size less":          {M, "does not take", file("{"+entry("a", "F32", "[1]", "[0,8]")+"}", 8)},
		"size more":          {M, "does not take", file("{"+entry("a", "F32", "[3]", "[0,8]")+"}", 8)},
		"dims 65":            {M, "more than 64", file("{"+entry("a", "F32", "["+many(65, func(int) string { return "1" })+"]", "[0,4]")+"}", 4)},
		"dims million":       {M, "more than 64", file("{"+entry("a", "F32", "["+many(1<<20, func(int) string { return "1" })+"]", "[0,4]")+"}", 4)},
		"backwards":          {M, "before it begins", file("{"+entry("a", "F32", "[2]", "[8,0]")+"}", 8)},
		"offset negative":    {M, "without a sign", file("{"+entry("a", "F32", "[2]", "[-8,0]")+"}", 8)},
		"gap at the start":   {M, "belong to none", file("{"+entry("a", "F32", "[2]", "[4,12]")+"}", 12)},
		"gap":                {M, "belong to none", file("{"+a+","+entry("b", "F32", "[2]", "[9,17]")+"}", 17)},
		"gap at the end":     {M, "follow", file("{"+a+"}", 9)},
		"nothing but bytes":  {M, "follow", file("{}", 1)},
		"overlap":            {M, "overlaps", file("{"+a+","+entry("b", "F32", "[2]", "[4,12]")+"}", 12)},
		"alias":              {M, "overlaps", file("{"+a+","+entry("b", "F32", "[2]", "[0,8]")+"}", 8)},
		"inside":             {M, "overlaps", file("{"+a+","+entry("b", "U8", "[2]", "[2,4]")+"}", 8)},
		"hollow inside":      {M, "overlaps", file("{"+a+","+entry("b", "U8", "[0]", "[2,2]")+"}", 8)},
		"beyond":             {M, "ends at", file("{"+a+"}", 7)},
		"far beyond":         {M, "ends at", file("{"+entry("a", "U8", "[9223372036854775807]", "[0,9223372036854775807]")+"}", 8)},
		"name long":          {U, "name of", file("{"+entry(strings.Repeat("n", 1<<20), "F32", "[2]", "[0,8]")+"}", 8)},
		"tensors many":       {U, "more than", file("{"+many(1<<17+1, func(i int) string { return entry(fmt.Sprint(i), "U8", "[0]", "[0,0]") })+"}", 0)},
		"header huge":        {U, "header of", file("{"+strings.Repeat(" ", maxHeader)+"}", 0)},
		"header of spaces":   {M, "ends where", file("{"+strings.Repeat(" ", 50<<20), 0)},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			frugal.Do(t, func() { _, err = Read(c.data) })
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
			if len(c.data) < 1<<20 {
				_, err2 := ReadAt(bytes.NewReader(c.data), int64(len(c.data)))
				require.Equal(t, err, err2)
			}
		})
	}
}

// TestDamaged overwrites a good header byte by byte: whatever is still read must be sound.
func TestDamaged(t *testing.T) {
	good := file("{"+entry("a", "F32", "[2]", "[0,8]")+`,"__metadata__":{"k":"v\u0041"},`+entry("b", "U8", "[2,2]", "[8,12]")+"}", 12)
	for i := range good {
		for c := range 256 {
			bad := bytes.Clone(good)
			bad[i] = byte(c)
			sound(t, bad)
		}
		_, err := read(t, good[:i])
		require.ErrorIs(t, err, badfile.ErrMalformed)
	}
}

// sound reads data and checks what users of a result rely on.
func sound(t testing.TB, data []byte) {
	h, err := Read(data)
	if err != nil {
		require.True(t, errors.Is(err, badfile.ErrMalformed) || errors.Is(err, badfile.ErrUnsupported), "%v", err)
		return
	}
	end := 8 + int(binary.LittleEndian.Uint64(data))
	for _, e := range h.Tensors {
		require.Equal(t, end, e.Begin)
		end = e.End
		n := sizeOf(e.DType)
		require.Positive(t, n)
		for _, d := range e.Shape {
			require.GreaterOrEqual(t, d, 0)
			n *= d
		}
		require.Equal(t, n, e.End-e.Begin)
	}
	require.Equal(t, len(data), end)

	// what is read can be written, and is then read alike
	again := &Header{Metadata: h.Metadata, Tensors: append([]Tensor(nil), h.Tensors...)}
	again.Sort()
	head, err := again.Write()
	require.NoError(t, err)
	got, err := Read(append(head, make([]byte, len(data)-8-int(binary.LittleEndian.Uint64(data)))...))
	require.NoError(t, err)
	require.Equal(t, h.Metadata, got.Metadata)
	require.ElementsMatch(t, again.Tensors, got.Tensors)
}

func sizeOf(torch string) int {
	for _, d := range dtypes {
		if d.torch == torch {
			return d.size
		}
	}
	return math.MinInt
}

func FuzzRead(f *testing.F) {
	f.Add(file("{"+entry("a", "F32", "[2]", "[0,8]")+`,"__metadata__":{"k":"v\u0041"},`+entry("b", "U8", "[2,2]", "[8,12]")+"}", 12))
	f.Add(file("{}", 0))
	f.Add(file("{"+entry(`\ud83d\ude00`, "BF16", "[]", "[0,2]")+"}  ", 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		sound(t, data)
		sound(t, file(string(data), 8)) // the same bytes as a header whose length is right
	})
}

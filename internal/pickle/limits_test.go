package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/frugal"
)

// entry is a record for pack.
type entry struct {
	name   string
	data   []byte
	packed []byte // deflated, if any
}

// pack makes a zip file.
func pack(entries ...entry) []byte {
	var out, dir []byte
	le := binary.LittleEndian
	for _, e := range entries {
		method, body := uint16(0), e.data
		if e.packed != nil {
			method, body = 8, e.packed
		}
		at := len(out)
		head := le.AppendUint16(nil, 20)
		head = le.AppendUint16(head, 0)
		head = le.AppendUint16(head, method)
		head = le.AppendUint32(head, 0)
		head = le.AppendUint32(head, crc32.ChecksumIEEE(e.data))
		head = le.AppendUint32(head, uint32(len(body)))
		head = le.AppendUint32(head, uint32(len(e.data)))
		head = le.AppendUint16(head, uint16(len(e.name)))
		head = le.AppendUint16(head, 0)
		out = append(append(append(append(out, "PK\x03\x04"...), head...), e.name...), body...)
		dir = append(append(append(dir, "PK\x01\x02\x14\x00"...), head...), make([]byte, 10)...)
		dir = append(le.AppendUint32(dir, uint32(at)), e.name...)
	}
	end := append([]byte("PK\x05\x06"), 0, 0, 0, 0)
	end = le.AppendUint16(end, uint16(len(entries)))
	end = le.AppendUint16(end, uint16(len(entries)))
	end = le.AppendUint32(end, uint32(len(dir)))
	end = le.AppendUint32(end, uint32(len(out)))
	return append(append(append(out, dir...), end...), 0, 0)
}

// checkpoint makes a zip file of a pickle.
func checkpoint(pickle string, more ...entry) []byte {
	return pack(append([]entry{{name: "a/data.pkl", data: []byte(pickle)}, {name: "a/version", data: []byte("3\n")}}, more...)...)
}

func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// TestFloods reads pickles of many megabytes that ask for more than they should. Each must fail soon and in little memory.
func TestFloods(t *testing.T) {
	if frugal.Race {
		t.Skip("it is one goroutine, and slow with the race detector")
	}
	const many = 8 << 20
	long := str(strings.Repeat("k", 4<<20))
	memo := func() string { // a new index each time
		var b strings.Builder
		for i := range uint32(3 << 20) {
			b.WriteString("r" + string(binary.LittleEndian.AppendUint32(nil, i*0x9e3779b1)))
		}
		return b.String()
	}
	for name, pickle := range map[string]string{
		"none":        strings.Repeat("N", many),
		"mark":        strings.Repeat("(", many),
		"proto":       strings.Repeat("\x80\x02", many),
		"put":         "N" + strings.Repeat("q\x00", many),
		"put_sparse":  "N" + memo(),
		"get":         "Nq\x00" + strings.Repeat("h\x00", many),
		"get_pop":     "Nq\x00" + strings.Repeat("h\x000", many),
		"list":        strings.Repeat("]", many),
		"list_pop":    strings.Repeat("]0", many),
		"dict":        strings.Repeat("}", many),
		"set":         strings.Repeat("\x8f", many),
		"tuple":       "N" + strings.Repeat("\x85", many),
		"empty_tuple": strings.Repeat(")", many),
		"float":       strings.Repeat("Gabcdefgh", many/2),
		"long":        strings.Repeat("\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09", many/8),
		"append":      "]" + strings.Repeat("Na", many),
		"appends":     "]q\x00(" + strings.Repeat("N", 1<<20) + "e" + strings.Repeat("h\x00a", 1000),
		"dict_ints": "}(" + func() string {
			var b strings.Builder
			for i := range uint32(1 << 20) {
				b.WriteString("J" + string(binary.LittleEndian.AppendUint32(nil, i)) + "N")
			}
			return b.String()
		}() + "u",
		"text":       strings.Repeat(str(strings.Repeat("t", 1<<20)), 100),
		"text_once":  str(strings.Repeat("t", 100<<20)),
		"surrogates": str(strings.Repeat("\xed\xa0\x80", 30<<20)),
		"bytes":      strings.Repeat("B\x00\x00\x10\x00"+strings.Repeat("b", 1<<20), 100),
		"long4":      "\x8b\x00\x00\x00\x03" + strings.Repeat("\x7f", 3<<24),
		// the same long key, hashed again and again
		"long_key":   "}" + long + "q\x00" + strings.Repeat("Ns}h\x00", 1<<20),
		"bytes_key":  "}B\x00\x00\x40\x00" + strings.Repeat("b", 4<<20) + "q\x00" + strings.Repeat("Ns}h\x00", 1<<20),
		"int_key":    "}\x8b\x00\x00\x40\x00" + strings.Repeat("\x7f", 4<<20) + "q\x00" + strings.Repeat("Ns}h\x00", 1<<20),
		"tuple_key":  "}(" + strings.Repeat("K\x01", 400) + "tq\x00" + strings.Repeat("Ns}h\x00", 1<<20),
		"encode":     "c_codecs\nencode\nq\x01" + long + "\x85q\x00" + strings.Repeat("Rh\x01h\x00", 1<<20),
		"set_again":  "cbuiltins\nset\nq\x01(" + strings.Repeat("J\x01\x02\x03\x04", 1000) + "t\x85q\x00" + strings.Repeat("Rh\x01h\x00", 1<<20),
		"size_again": "ctorch\nSize\nq\x01(" + strings.Repeat("K\x01", 100000) + "t\x85q\x00" + strings.Repeat("Rh\x01h\x00", 1<<20),
		"globals":    strings.Repeat("ctorch\nfloat32\n", many/8),
		"ordered":    "ccollections\nOrderedDict\nq\x00" + strings.Repeat("h\x00)R", many),
		"widths": func() string { // every list holds the last one a thousand times
			b := "]q\x00"
			for i := range 200 {
				b += "](" + strings.Repeat(fmt.Sprintf("h%c", i), 1000) + fmt.Sprintf("eq%c", i+1)
			}
			return b
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			limits := Options{MaxMemory: 64 << 20, MaxNodes: 4 << 20} // what a small file has
			read := func(data []byte) (err error) {
				frugal.Do(t, func() { _, err = Read(data, limits) })
				return err
			}
			requireKind(t, read(checkpoint(pickle+".")), "unsupported")
			legacy := append([]byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."), pickle+"."...)
			requireKind(t, read(legacy), "unsupported")
		})
	}
}

// TestLimitsFollowSize reads what Python writes for long vocabularies and the like, and floods of the same size, which may take no more.
func TestLimitsFollowSize(t *testing.T) {
	if frugal.Race {
		t.Skip("it is one goroutine, and slow with the race detector")
	}
	entries := func(n int, entry func(i uint32) string) string {
		var b strings.Builder
		b.WriteString("}(")
		for i := range uint32(n) {
			b.WriteString(entry(i))
		}
		return b.String() + "u"
	}
	number := func(i uint32) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, i)) }
	put := func(i uint32) string { return "r" + string(binary.LittleEndian.AppendUint32(nil, i)) }
	for name, pickle := range map[string]string{
		"words":   entries(300_000, func(i uint32) string { return str(fmt.Sprint("word", i)) + put(i) + number(i) }),
		"numbers": entries(300_000, func(i uint32) string { return number(i) + "N" }),
		"bools":   "]" + strings.Repeat("("+strings.Repeat("\x88", 1000)+"e", 2000),
		"pairs":   "](" + strings.Repeat("](K\x01K\x02e", 200_000) + "e",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(checkpoint(pickle+"."), Options{})
			require.NoError(t, err)
		})
	}
	for _, flood := range []string{"]", "}", "\x8f"} {
		data := checkpoint(strings.Repeat(flood, 3<<19) + ".")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(data, Options{})
		runtime.ReadMemStats(&after)
		requireKind(t, err, "unsupported")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(memoryFloor+(memoryFactor+10)*len(data)), "%q", flood)
	}
	// weights do not count
	data := checkpoint(strings.Repeat("]", 2<<20)+".", entry{name: "a/data/0", data: make([]byte, 64<<20)})
	_, err := Read(data, Options{})
	requireKind(t, err, "unsupported")
}

// TestBombs inflates what grows by a factor of a thousand.
func TestBombs(t *testing.T) {
	// fixed Huffman blocks of matches of length 258 take long to write by hand: let compress/flate do it
	var storages []entry
	var pickle strings.Builder
	pickle.WriteString("](")
	bomb := deflated(t, make([]byte, 20<<20))
	for i := range 50 {
		storages = append(storages, entry{fmt.Sprintf("a/data/%d", i), bomb.data, bomb.packed})
		pickle.WriteString("(" + str("storage") + "ctorch\nByteStorage\n" + str(fmt.Sprint(i)) + str("cpu") + "J\x00\x00\x40\x01tQ")
	}
	err := frugally(t, checkpoint(pickle.String()+"e.", storages...))
	requireKind(t, err, "unsupported")
	require.ErrorContains(t, err, "Limits.Inflate")

	_, err = Read(checkpoint(pickle.String()+"e.", storages[:1]...), Options{MaxInflate: 1 << 20})
	require.ErrorContains(t, err, "Limits.Inflate")

	list := deflated(t, bytes.Repeat([]byte("]"), 20<<20))
	err = frugally(t, pack(entry{"a/data.pkl", list.data, list.packed}, entry{name: "a/version", data: []byte("3")}))
	requireKind(t, err, "unsupported")
}

// TestManyRecords has as many records as a zip file without zip64 can.
func TestManyRecords(t *testing.T) {
	more := make([]entry, 65000)
	for i := range more {
		more[i] = entry{name: fmt.Sprintf("a/data/%d", i)}
	}
	require.NoError(t, frugally(t, checkpoint("N.", more...)))
}

// TestManyDeflated has many small storages, each deflated by itself.
func TestManyDeflated(t *testing.T) {
	small := deflated(t, make([]byte, 4))
	var pickle strings.Builder
	pickle.WriteString("](")
	more := make([]entry, 20000)
	for i := range more {
		more[i] = entry{fmt.Sprintf("a/data/%d", i), small.data, small.packed}
		pickle.WriteString("(" + str("storage") + "ctorch\nIntStorage\n" + str(fmt.Sprint(i)) + str("cpu") + "K\x01tQ")
	}
	require.NoError(t, frugally(t, checkpoint(pickle.String()+"e.", more...)))
}

// TestWrapped reads a zip file in a zip file, in which offsets are still those of the whole.
func TestWrapped(t *testing.T) {
	inner, err := os.ReadFile(filepath.Join(testdata, "zip_views.pt"))
	require.NoError(t, err)
	data := pack(entry{name: "folder/model.pth", data: inner})
	v, err := Read(data, Options{VerifyCRC: true})
	require.NoError(t, err)
	require.Greater(t, v.(*Dict).Values[0].(*Tensor).Storage.Offset, int64(64))
	requireSound(t, data, v)
	_, err = Read(pack(entry{name: "model.pth", data: data}), Options{})
	requireKind(t, err, "malformed")
	require.ErrorContains(t, err, `only record "model.pth"`)
}

// TestOptions raises and lowers each limit around what a file needs.
func TestOptions(t *testing.T) {
	deep := strings.Repeat("]", 1000) + strings.Repeat("a", 999)
	for name, c := range map[string]struct {
		pickle    string
		fits, not Options
	}{
		"depth":  {deep, Options{MaxDepth: 1000}, Options{MaxDepth: 999}},
		"nodes":  {"](" + strings.Repeat("N", 97) + "e", Options{MaxNodes: 101}, Options{MaxNodes: 99}},
		"memory": {str(strings.Repeat("x", 1000)), Options{MaxMemory: 1100}, Options{MaxMemory: 900}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(checkpoint(c.pickle+"."), c.fits)
			require.NoError(t, err)
			_, err = Read(checkpoint(c.pickle+"."), c.not)
			requireKind(t, err, "unsupported")
			require.ErrorContains(t, err, "raise Limits.")
		})
	}
}

// TestDepthOfShared counts a container's depth where it lies deepest.
func TestDepthOfShared(t *testing.T) {
	// x holds 3 levels; the outer list holds it at level 2 and, after that, at level 4
	x := "]]]aaq\x00"
	pickle := "](" + x + "]]h\x00aae."
	_, err := Read(checkpoint(pickle), Options{MaxDepth: 6})
	require.NoError(t, err)
	_, err = Read(checkpoint(pickle), Options{MaxDepth: 5})
	require.ErrorContains(t, err, "nested deeper than 5")
}

// TestChecksums flips one bit in a storage, then in the pickle.
func TestChecksums(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(testdata, "zip_state_dict.pt"))
	require.NoError(t, err)
	v, err := Read(good, Options{VerifyCRC: true})
	require.NoError(t, err)
	weight, _ := v.(*Dict).Get("conv.weight")
	at := weight.(*Tensor).Storage.Offset
	require.Positive(t, at)

	flipped := bytes.Clone(good)
	flipped[at] ^= 1
	_, err = Read(flipped, Options{VerifyCRC: true})
	requireKind(t, err, "malformed")
	require.ErrorContains(t, err, "checksum")
	_, err = Read(flipped, Options{})
	require.NoError(t, err)
	_, err = Read(flipped, Options{VerifyCRC: true, SkipCRC: true})
	require.NoError(t, err)

	flipped = bytes.Clone(good)
	flipped[bytes.Index(flipped, []byte("conv.weight"))] ^= 1
	_, err = Read(flipped, Options{})
	require.ErrorContains(t, err, "checksum")
	v, err = Read(flipped, Options{SkipCRC: true})
	require.NoError(t, err)
	_, ok := v.(*Dict).Get("bonv.weight")
	require.True(t, ok)
}

// TestTruncated cuts good files at every byte.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"zip_state_dict", "legacy_state_dict", "zip_deflated", "wrapped_legacy", "legacy_storage_views"} {
		good, err := os.ReadFile(filepath.Join(testdata, name+".pt"))
		require.NoError(t, err)
		for n := range good {
			_, err := Read(good[:n], Options{})
			requireKind(t, err, "malformed")
		}
	}
}

// TestDamaged overwrites good files byte by byte: whatever is still read must be sound.
func TestDamaged(t *testing.T) {
	if frugal.Race {
		t.Skip("it is one goroutine, and slow with the race detector")
	}
	for _, name := range []string{"zip_views", "legacy_views", "zip_protocol4", "zip_deflated", "legacy_storage_views"} {
		good, err := os.ReadFile(filepath.Join(testdata, name+".pt"))
		require.NoError(t, err)
		for i := range good {
			for _, c := range []byte{0, 1, 0x7f, 0x80, 0xff, '(', '.', 'R', good[i] + 1, good[i] ^ 0x20} {
				bad := bytes.Clone(good)
				bad[i] = c
				if v, err := Read(bad, Options{SkipCRC: true, MaxMemory: 1 << 20, MaxInflate: 1 << 20}); err == nil {
					requireSound(t, bad, v)
				}
			}
		}
	}
}

func TestIsTorchScript(t *testing.T) {
	for name, want := range map[string]bool{"hostile/torchscript": true, "hostile/pt2": false, "zip_state_dict": false, "legacy_state_dict": false, "hostile/empty": false, "hostile/zip_cut": false} {
		data, err := os.ReadFile(filepath.Join(testdata, name+".pt"))
		require.NoError(t, err)
		require.Equal(t, want, IsTorchScript(data), name)
	}
}

// TestAliasing checks that nothing is copied where bytes can be used as they lie, and that offsets are the input's.
func TestAliasing(t *testing.T) {
	for name, want := range map[string]bool{
		"zip_views": true, "legacy_views": true, "legacy_storage_views": true, "zip_repacked": true, "wrapped_legacy": true,
		"zip_deflated": false, "wrapped_zip": false, "zip_big_endian": false,
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(testdata, name+".pt"))
			require.NoError(t, err)
			v, err := Read(data, Options{})
			require.NoError(t, err)
			requireSound(t, data, v)
			s := v.(*Dict).Values[0].(*Tensor).Storage
			require.Equal(t, want, s.Offset > 0)
			if name == "zip_views" {
				require.Zero(t, s.Offset%64)
			}
		})
	}
}

func TestAligned(t *testing.T) {
	buf := make([]float64, 4)
	data := floatBytes(buf)
	require.True(t, (&Storage{DType: "float64", Data: data[8:]}).Aligned())
	require.False(t, (&Storage{DType: "float64", Data: data[4:]}).Aligned())
	require.True(t, (&Storage{DType: "float32", Data: data[4:]}).Aligned())
	require.True(t, (&Storage{DType: "complex128", Data: data[8:]}).Aligned())
	require.True(t, (&Storage{DType: "bool", Data: data[1:]}).Aligned())
	require.True(t, (&Storage{DType: "float64"}).Aligned())
}

func TestDictGet(t *testing.T) {
	v, err := Read(checkpoint("}(K\x01"+str("one")+"(K\x01"+str("x")+"t"+str("pair")+"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"+str("big")+"u."), Options{})
	require.NoError(t, err)
	d := v.(*Dict)
	require.Equal(t, 3, d.Len())
	for _, k := range []any{1, int64(1), 1.0, true, complex(1, 0)} {
		got, ok := d.Get(k)
		require.True(t, ok, "%v", k)
		require.Equal(t, "one", got)
	}
	got, _ := d.Get(Tuple{true, "x"})
	require.Equal(t, "pair", got)
	got, _ = d.Get(float64(1 << 62 * 4))
	require.Equal(t, "big", got)
	for _, k := range []any{2, "1", nil, Tuple{int64(1)}, Tuple{"1", "x"}, &List{}} {
		_, ok := d.Get(k)
		require.False(t, ok, "%v", k)
	}
}

package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// texts are contents of every kind: empty, repetitive, random, mixed.
func texts() [][]byte {
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(n, values int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(values))
		}
		return b
	}
	mixed := append(random(5000, 256), bytes.Repeat(random(300, 7), 400)...)
	return [][]byte{nil, {7}, make([]byte, 300000), random(70000, 256), random(200000, 3), random(90000, 40), append(mixed, random(100000, 20)...)}
}

func compressed(t testing.TB, text []byte, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// readAll reads a stream in pieces of in and out bytes.
func readAll(src []byte, in, out int) (text []byte, err error) {
	z := NewReader(src)
	dst := make([]byte, out)
	for limit := in; ; limit += in {
		for {
			n, err := z.Read(dst, limit)
			text = append(text, dst[:n]...)
			if err != nil {
				return text, err
			}
			if n < len(dst) {
				break
			}
		}
		if limit >= len(src) {
			return text, io.ErrUnexpectedEOF
		}
	}
}

func TestRead(t *testing.T) {
	for i, text := range texts() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			src := compressed(t, text, level)
			for _, pieces := range [][2]int{{len(src), len(text) + 1}, {1, 1000}, {7, 13}, {1 << 16, 3000}, {100, 70000}} {
				got, err := readAll(src, pieces[0], pieces[1])
				require.ErrorIs(t, err, io.EOF)
				require.True(t, bytes.Equal(text, got), "text %d, level %d, %v", i, level, pieces)
			}
		}
	}
}

// TestErrors damages streams: what is decompressed before the error is what compress/zlib decompresses.
func TestErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, text := range texts()[1:] {
		src := compressed(t, text[:min(len(text), 20000)], 6)
		for range 300 {
			d := bytes.Clone(src)
			d[rng.IntN(len(d))] ^= 1 << rng.IntN(8)
			if rng.IntN(3) == 0 {
				d = d[:rng.IntN(len(d))]
			}
			got, err := readAll(d, 1+rng.IntN(len(d)+1), 1+rng.IntN(1000))
			var want []byte
			r, wantErr := zlib.NewReader(bytes.NewReader(d))
			if wantErr == nil {
				want, wantErr = io.ReadAll(r)
			}
			if wantErr == nil {
				require.ErrorIs(t, err, io.EOF)
				require.True(t, bytes.Equal(want, got))
				continue
			}
			require.Error(t, err)
			require.NotErrorIs(t, err, io.EOF)
			n := min(len(want), len(got))
			require.True(t, bytes.Equal(want[:n], got[:n]))
		}
	}
}

// TestOffset reads no further than zlib does.
func TestOffset(t *testing.T) {
	text := bytes.Repeat([]byte("abcdefgh"), 100)
	src := compressed(t, text, flate.BestCompression)
	z := NewReader(append(src, "behind"...))
	dst := make([]byte, len(text))
	n, err := z.Read(dst, len(src)-1) // all but a byte of the checksum
	require.NoError(t, err)
	require.Equal(t, text, dst[:n])
	n, err = z.Read(dst, len(src)+3)
	require.ErrorIs(t, err, io.EOF)
	require.Zero(t, n)
	require.Equal(t, len(src), z.Offset())

	src[len(src)-1]++ // The checksum is compared in the call that fills dst, where its input has it.
	_, err = NewReader(src).Read(dst, len(src))
	require.ErrorIs(t, err, ErrChecksum)
	_, err = NewReader(src).Read(dst, len(src)-1)
	require.NoError(t, err)
	_, err = NewReader(src).Read(dst[:len(dst)-1], len(src))
	require.NoError(t, err)
}

func FuzzRead(f *testing.F) {
	for _, text := range texts() {
		f.Add(compressed(f, text[:min(len(text), 3000)], 6), 100, 100)
	}
	f.Fuzz(func(t *testing.T, src []byte, in, out int) {
		in, out = max(1, in%(1+len(src))), max(1, out%(1<<16))
		if out < 1<<12 && len(src) > 1<<12 {
			return // it would take long
		}
		got, err := readAll(src, in, out)
		again, err2 := readAll(src, len(src)+1, len(got)+1)
		if !bytes.Equal(got, again[:min(len(got), len(again))]) || (err == io.EOF) != (err2 == io.EOF) {
			t.Fatalf("%d bytes, %v in pieces of %d and %d; %d bytes, %v at once", len(got), err, in, out, len(again), err2)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for name, text := range map[string][]byte{"skewed": texts()[5], "mixed": texts()[6], "random": texts()[3]} {
		src := compressed(b, text, 6)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			dst := make([]byte, 4000)
			for b.Loop() {
				z := NewReader(src)
				for {
					if _, err := z.Read(dst, len(src)); err != nil {
						require.ErrorIs(b, err, io.EOF)
						break
					}
				}
			}
		})
		b.Run(name+"-zlib", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			dst := make([]byte, 4000)
			for b.Loop() {
				z, err := zlib.NewReader(bytes.NewReader(src))
				require.NoError(b, err)
				for err == nil {
					_, err = io.ReadFull(z, dst)
				}
			}
		})
	}
}

package tiff

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/frugal"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// gray8 returns a TIFF of 8-bit gray in one compressed strip.
func gray8(w, h, compression int, strip []byte) []byte {
	le := binary.LittleEndian
	out := []byte("II*\x00\x08\x00\x00\x00\x08\x00")
	for _, tag := range [][2]int{{tagWidth, w}, {tagHeight, h}, {tagBits, 8}, {tagCompression, compression}, {tagPhotometric, blackIsZero},
		{tagStripOffsets, 8 + 2 + 8*12 + 4}, {tagRowsPerStrip, h}, {tagStripByteCounts, len(strip)}} {
		out = le.AppendUint16(out, uint16(tag[0]))
		out = le.AppendUint16(out, 4) // LONG
		out = le.AppendUint32(out, 1)
		out = le.AppendUint32(out, uint32(tag[1]))
	}
	return append(append(out, 0, 0, 0, 0), strip...)
}

// contained is first for files whose decoder panics.
func contained(data []byte) (img *pillow.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if img, err = first(data); err != nil {
		return nil, err
	}
	return img, img.Check()
}

// first decodes the first page of a file.
func first(data []byte) (*pillow.Image, error) {
	f, err := Open(data)
	if err != nil {
		return nil, err
	}
	p, err := f.Next()
	if err != nil {
		return nil, err
	}
	const most = 1 << 24
	if p.W < 1 || p.H < 1 || p.W > most/p.H {
		return nil, errors.New("too large")
	}
	return p.Decode(most)
}

// TestDamagedDeflate damages deflate data: the pixels must not change in silence.
func TestDamagedDeflate(t *testing.T) {
	const w, h = 13, 9
	pix := make([]byte, w*h)
	for i := range pix {
		pix[i] = byte(i * i)
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := z.Write(pix)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	strip := b.Bytes()

	p, err := first(gray8(w, h, deflate, strip))
	require.NoError(t, err)
	require.Equal(t, pix, p.Pix)
	for i := range strip {
		for bit := range 8 {
			damaged := bytes.Clone(strip)
			damaged[i] ^= 1 << bit
			if p, err := first(gray8(w, h, deflate, damaged)); err == nil {
				require.Equal(t, pix, p.Pix, "bit %d of byte %d", bit, i)
			}
		}
	}
	p, err = first(gray8(w, h, deflate, strip[:len(strip)-4]))
	require.NoError(t, err, "libtiff does not ask for the checksum")
	require.Equal(t, pix, p.Pix)
	p, err = first(gray8(w, h-2, deflate, strip))
	require.NoError(t, err, "libtiff does not read the rows that are too many")
	require.Equal(t, pix[:w*(h-2)], p.Pix)
}

// TestFrugalTiles promises a tile of a fax that is far wider than the picture.
func TestFrugalTiles(t *testing.T) {
	le := binary.LittleEndian
	out := []byte("II*\x00\x08\x00\x00\x00\x09\x00")
	for _, tag := range [][2]int{{tagWidth, 9}, {tagHeight, 9}, {tagCompression, ccittG4}, {tagPhotometric, blackIsZero}, {tagSamples, 1},
		{tagTileWidth, 1 << 30}, {tagTileLength, 16}, {tagTileOffsets, 8}, {tagTileByteCounts, 8}} {
		out = le.AppendUint16(out, uint16(tag[0]))
		out = le.AppendUint16(out, typeLong)
		out = le.AppendUint32(out, 1)
		out = le.AppendUint32(out, uint32(tag[1]))
	}
	frugal.Do(t, func() {
		_, err := first(append(out, 0, 0, 0, 0))
		require.ErrorContains(t, err, "too large")
	})
}

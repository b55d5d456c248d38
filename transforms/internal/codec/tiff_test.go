package codec

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// grayTIFF returns a TIFF of 8-bit gray in one compressed strip.
func grayTIFF(w, h, compression int, strip []byte) []byte {
	le := binary.LittleEndian
	out := []byte("II*\x00\x08\x00\x00\x00\x08\x00")
	for _, tag := range [][2]int{{tagWidth, w}, {tagHeight, h}, {tagBits, 8}, {tagCompression, compression}, {tagPhotometric, blackIsZero},
		{tagOffsets, 8 + 2 + 8*12 + 4}, {tagRows, h}, {tagCounts, len(strip)}} {
		out = le.AppendUint16(out, uint16(tag[0]))
		out = le.AppendUint16(out, 4) // LONG
		out = le.AppendUint32(out, 1)
		out = le.AppendUint32(out, uint32(tag[1]))
	}
	return append(append(out, 0, 0, 0, 0), strip...)
}

// TestDeflatedTIFF damages deflate data: the pixels must not change in silence.
func TestDeflatedTIFF(t *testing.T) {
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

	p, err := Decode(grayTIFF(w, h, tiffDeflate, strip), generous)
	require.NoError(t, err)
	require.Equal(t, pix, p.Pix)
	for i := range strip {
		for bit := range 8 {
			damaged := bytes.Clone(strip)
			damaged[i] ^= 1 << bit
			if p, err := Decode(grayTIFF(w, h, tiffDeflate, damaged), generous); err == nil {
				require.Equal(t, pix, p.Pix, "bit %d of byte %d", bit, i)
			}
		}
	}
	p, err = Decode(grayTIFF(w, h, tiffDeflate, strip[:len(strip)-4]), generous)
	require.NoError(t, err, "libtiff does not ask for the checksum")
	require.Equal(t, pix, p.Pix)
	p, err = Decode(grayTIFF(w, h-2, tiffDeflate, strip), generous)
	require.NoError(t, err, "libtiff does not read the rows that are too many")
	require.Equal(t, pix[:w*(h-2)], p.Pix)
}

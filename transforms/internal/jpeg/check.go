package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Check reads a JPEG's header as Pillow does before libjpeg sees it, and returns an error where Pillow refuses it.
func Check(data []byte) error {
	if !bytes.HasPrefix(data, []byte{0xff, soi, 0xff}) {
		return errors.New("it is not a JPEG")
	}
	var profiles [][]byte // parts of a color profile
	framed := false
	for at := 2; ; {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return ErrTruncated
		}
		m := data[at+i+1]
		switch at += i + 2; {
		case m == 0xff:
			at--
			continue
		case m == 0 || m == 0xc8 || m >= rst0 && m <= eoi || m >= 0xf0 && m < com:
			continue // without a segment
		case m < sof0:
			return fmt.Errorf("it has an unknown marker, %#x", m)
		case len(data)-at < 2:
			return ErrTruncated
		}
		n := max(int(binary.BigEndian.Uint16(data[at:])), 2)
		if n > len(data)-at {
			return ErrTruncated
		}
		s := data[at+2 : at+n]
		at += n
		ok := true
		switch {
		case m == sos && framed:
			return nil
		case m == sos:
			return errors.New("a scan comes before the frame")
		case m == dqt:
			ok = tables(s)
		case m == app0:
			ok = len(s) >= 7 || !bytes.HasPrefix(s, []byte("JFIF"))
		case m == app0+2 && bytes.HasPrefix(s, []byte("ICC_PROFILE\x00")):
			profiles = append(profiles, s)
		case m == app0+13:
			ok = resources(s)
		case m == app14:
			ok = len(s) >= 7 || !bytes.HasPrefix(s, []byte("Adobe"))
		case m < sof0+16 && m != dht && m != dac || m == dhp:
			framed, ok = true, frame(s)
			if profiles != nil {
				ok = ok && len(slices.MinFunc(profiles, bytes.Compare)) > 13
				profiles = nil
			}
		}
		if !ok {
			return fmt.Errorf("the segment %#x of its header is damaged", m)
		}
	}
}

// tables reports whether quantization tables are whole.
func tables(s []byte) bool {
	for len(s) > 0 {
		n := 65
		if s[0] >= 16 {
			n = 129
		}
		if len(s) < n {
			return false
		}
		s = s[n:]
	}
	return true
}

// frame reports whether a frame is of a kind that there is a mode for.
func frame(s []byte) bool {
	return len(s) >= 6 && len(s)%3 == 0 && s[0] == 8 && (s[5] == 1 || s[5] == 3 || s[5] == 4) &&
		binary.BigEndian.Uint16(s[1:]) > 0 && binary.BigEndian.Uint16(s[3:]) > 0
}

// resources reports whether Photoshop's resources can be gone over: none ends before its name.
func resources(s []byte) bool {
	magic := []byte("Photoshop 3.0\x00")
	if !bytes.HasPrefix(s, magic) {
		return true
	}
	for at := len(magic); at <= len(s) && bytes.HasPrefix(s[at:], []byte("8BIM")); {
		at += 4
		if len(s)-at < 2 {
			return true
		}
		resolution := binary.BigEndian.Uint16(s[at:]) == 0x3ed
		if at += 2; at >= len(s) {
			return false
		}
		at += 1 + int(s[at])
		if at += at & 1; len(s)-at < 4 {
			return true
		}
		n := int(binary.BigEndian.Uint32(s[at:]))
		if at += 4; resolution && min(n, len(s)-at) < 14 {
			return true
		}
		at += n
		at += at & 1
	}
	return true
}

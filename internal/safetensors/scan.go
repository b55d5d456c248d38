package safetensors

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/torchhub/torchhub/internal/badfile"
)

// A scanner reads the JSON of a header, which ends data. Each method reads one element and the white space before it.
type scanner struct {
	data     []byte
	pos      int
	at       []int // the offset of each tensor's entry
	metadata int   // bytes of it so far
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) want(c byte) error {
	if got := s.peek(); got != c {
		return s.wrong(strconv.QuoteRune(rune(c)))
	}
	s.pos++
	return nil
}

func (s *scanner) wrong(want string) error {
	if s.peek() == 0 && s.pos == len(s.data) {
		return malformed(s.pos, "the header ends where %s should be", want)
	}
	return malformed(s.pos, "the header has %q where %s should be", s.data[s.pos], want)
}

// members calls f for each name of an object, with where the name begins; f reads the value.
func (s *scanner) members(f func(name string, at int) error) error {
	if err := s.want('{'); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		s.peek()
		at := s.pos
		name, err := s.str()
		if err != nil {
			return err
		}
		if err := s.want(':'); err != nil {
			return err
		}
		if err := f(name, at); err != nil {
			return err
		}
		if s.peek() != ',' {
			return s.want('}')
		}
		s.pos++
	}
}

// numbers reads an array of at most limit numbers that are no negative ones.
func (s *scanner) numbers(limit int) ([]int, error) {
	if err := s.want('['); err != nil {
		return nil, err
	}
	n := []int{}
	if s.peek() == ']' {
		s.pos++
		return n, nil
	}
	for {
		v, err := s.number()
		if err != nil {
			return nil, err
		}
		if len(n) == limit {
			return nil, malformed(s.pos, "there are more than %d numbers", limit)
		}
		n = append(n, v)
		if s.peek() != ',' {
			return n, s.want(']')
		}
		s.pos++
	}
}

func (s *scanner) number() (int, error) {
	s.peek()
	from := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	digits := s.data[from:s.pos]
	if len(digits) == 0 {
		return 0, s.wrong("a number without a sign")
	}
	if s.pos < len(s.data) && (s.data[s.pos] == '.' || s.data[s.pos]|0x20 == 'e') {
		return 0, malformed(from, "a number is not whole")
	}
	v, err := strconv.ParseInt(string(digits[:min(len(digits), 20)]), 10, strconv.IntSize)
	if err != nil || len(digits) > 1 && digits[0] == '0' {
		return 0, malformed(from, "%q is no number of a size or place", digits[:min(len(digits), 20)])
	}
	return int(v), nil
}

// str reads a string.
func (s *scanner) str() (string, error) {
	if err := s.want('"'); err != nil {
		return "", err
	}
	from := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			b := s.data[from:s.pos]
			s.pos++
			if !utf8.Valid(b) {
				return "", malformed(from, "a string is not UTF-8")
			}
			return string(b), nil
		case c == '\\':
			return s.escaped(from)
		case c < ' ':
			return "", malformed(s.pos, "a string holds the control character %#02x", c)
		}
	}
	return "", malformed(from, "a string has no end")
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads on in a string that begins at from and has a backslash at s.pos.
func (s *scanner) escaped(from int) (string, error) {
	b := append([]byte(nil), s.data[from:s.pos]...)
	for s.pos < len(s.data) {
		at, c := s.pos, s.data[s.pos]
		s.pos++
		switch {
		case c == '"':
			if !utf8.Valid(b) {
				return "", malformed(from, "a string is not UTF-8")
			}
			return string(b), nil
		case c < ' ':
			return "", malformed(at, "a string holds the control character %#02x", c)
		case c != '\\':
			b = append(b, c)
			continue
		case s.pos == len(s.data):
			return "", malformed(from, "a string has no end")
		}
		c = s.data[s.pos]
		s.pos++
		if e, ok := escapes[c]; ok {
			b = append(b, e)
			continue
		}
		if c != 'u' {
			return "", malformed(at, "a string has the escape \\%c, which there is not", c)
		}
		r, ok := s.hex()
		if ok && utf16.IsSurrogate(r) {
			var low rune
			if ok = s.pos+1 < len(s.data) && s.data[s.pos] == '\\' && s.data[s.pos+1] == 'u'; ok {
				s.pos += 2
				low, ok = s.hex()
				r = utf16.DecodeRune(r, low)
				ok = ok && r != utf8.RuneError
			}
		}
		if !ok {
			return "", malformed(at, "a string has an escape that stands for no character")
		}
		b = utf8.AppendRune(b, r)
	}
	return "", malformed(from, "a string has no end")
}

func (s *scanner) hex() (rune, bool) {
	if len(s.data)-s.pos < 4 {
		return 0, false
	}
	v := rune(0)
	for _, c := range s.data[s.pos : s.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.pos += 4
	return v, true
}

// header reads all of it. Spaces may follow.
func (s *scanner) header() (*Header, error) {
	if s.pos == len(s.data) || s.data[s.pos] != '{' {
		return nil, malformed(s.pos, "the header does not begin with a brace")
	}
	h := &Header{}
	seen := map[string]bool{}
	err := s.members(func(name string, at int) error {
		if len(name) > maxName {
			return unsupported(at, "a name of %d bytes, more than %d", len(name), maxName)
		}
		if seen[name] {
			return malformed(at, "there are two entries %q", badfile.Clip(name))
		}
		seen[name] = true
		if name == "__metadata__" {
			return s.meta(h)
		}
		if len(h.Tensors) == maxTensors {
			return unsupported(at, "more than %d tensors", maxTensors)
		}
		t, err := s.tensor(name, at)
		h.Tensors = append(h.Tensors, t)
		s.at = append(s.at, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.peek(); s.pos != len(s.data) {
		return nil, malformed(s.pos, "the header has something behind its object")
	}
	return h, nil
}

func (s *scanner) meta(h *Header) error {
	h.Metadata = map[string]string{}
	return s.members(func(key string, at int) error {
		if _, ok := h.Metadata[key]; ok {
			return malformed(at, "there are two metadata %q", badfile.Clip(key))
		}
		v, err := s.str()
		if err != nil {
			return err
		}
		const entry = 64 // approximate bytes of a map entry
		if s.metadata += len(key) + len(v) + entry; s.metadata > maxMetadata {
			return unsupported(at, "metadata of more than %d bytes", maxMetadata)
		}
		h.Metadata[key] = v
		return nil
	})
}

// tensor reads the description of a tensor, whose offsets still are those behind the header.
func (s *scanner) tensor(name string, at int) (Tensor, error) {
	t := Tensor{Name: name}
	var element int
	var place []int
	err := s.members(func(key string, at int) (err error) {
		switch {
		case key == "dtype" && element == 0:
			var d string
			if d, err = s.str(); err != nil {
				return err
			}
			for _, known := range dtypes {
				if known.name == d {
					t.DType, element = known.torch, known.size
					return nil
				}
			}
			return unsupported(at, "the tensor %q is of the dtype %q", badfile.Clip(name), badfile.Clip(d))
		case key == "shape" && t.Shape == nil:
			t.Shape, err = s.numbers(maxDims)
		case key == "data_offsets" && place == nil:
			place, err = s.numbers(2)
		case key == "dtype" || key == "shape" || key == "data_offsets":
			err = malformed(at, "the tensor %q has two entries %q", badfile.Clip(name), key)
		default:
			err = unsupported(at, "the tensor %q has an entry %q", badfile.Clip(name), badfile.Clip(key))
		}
		return err
	})
	switch {
	case err != nil:
		return t, err
	case element == 0 || t.Shape == nil || len(place) != 2:
		return t, malformed(at, "the tensor %q lacks a dtype, a shape or two offsets", badfile.Clip(name))
	case place[0] > place[1]:
		return t, malformed(at, "the tensor %q ends before it begins", badfile.Clip(name))
	case !fits(t.Shape, element, place[1]-place[0]):
		return t, malformed(at, "the tensor %q of shape %v and dtype %s does not take the %d bytes from %d to %d", badfile.Clip(name), t.Shape, t.DType, place[1]-place[0], place[0], place[1])
	}
	t.Begin, t.End = place[0], place[1]
	return t, nil
}

package terminal

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"Samoyed, Größe 3 µm, 犬, 👩‍🚀": "Samoyed, Größe 3 µm, 犬, 👩‍🚀",
		"\x1b]52;c;aGk=\x07":          `\u001b]52;c;aGk=\u0007`,
		"\x1b[2J":                     `\u001b[2J`,
		"a\u009b2Jb\u009d0;t\u009c":   `a\u009b2Jb\u009d0;t\u009c`,
		"a\x9bb":                      `a\x9bb`, // C1 as a byte of its own
		"txt.\u202egpj\u2066":         `txt.\u202egpj\u2066`,
		"two\r\nlines\tof\u2028":      `two\u000d\u000alines\u0009of\u2028`,
		"\x00\x7f\u200f\u061c":        `\u0000\u007f\u200f\u061c`,
		"cut \xe2\x82":                `cut \xe2\x82`,
	} {
		require.Equal(t, want, Escape(text), "%q", text)
	}
}

func TestWriter(t *testing.T) {
	text := "one\ttwo\n\x1b[31mred\u202e\xff €犬👩‍🚀\n"
	for step := 1; step <= len(text); step++ {
		var b bytes.Buffer
		w := NewWriter(&b)
		for rest := text; rest != ""; {
			n, err := w.Write([]byte(rest[:min(step, len(rest))]))
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.Equal(t, "one\ttwo\n\\u001b[31mred\\u202e\\xff €犬👩‍🚀\n", b.String(), step)
	}
}

// TestWriterKeepsJSON shows that escapes in JSON mean what they replace.
func TestWriterKeepsJSON(t *testing.T) {
	label := "a\u009b2J\u202eb\x1b\x7f\n"
	var b strings.Builder
	require.NoError(t, json.NewEncoder(NewWriter(&b)).Encode(label))
	require.Equal(t, `"a\u009b2J\u202eb\u001b\u007f\n"`+"\n", b.String())
	var got string
	require.NoError(t, json.Unmarshal([]byte(b.String()), &got))
	require.Equal(t, label, got)
}

func TestBar(t *testing.T) {
	var b bytes.Buffer
	bar := NewBar(&b, "a\x1b[2J"+strings.Repeat("x", 100))
	bar.Set(1<<20, 3<<20)
	bar.Set(3<<20, 3<<20)
	bar.Close(true)
	require.Contains(t, b.String(), `a\u001b[2Jxxx`)
	require.Contains(t, b.String(), "3.0 MiB / 3.0 MiB")
	require.NotContains(t, b.String(), "a\x1b")

	require.Empty(t, boards.of)

	b.Reset()
	bar = NewCounter(&b, "pictures")
	bar.Set(3, 3)
	bar.Close(true)
	require.Contains(t, b.String(), "3 / 3")

	NewBar(nil, "nothing").Set(1, 2)
	NewBar(nil, "nothing").Close(false)
}

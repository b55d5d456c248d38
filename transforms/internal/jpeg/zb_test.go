package jpeg

import (
	"os"
	"testing"
)

func BenchmarkZ(b *testing.B) {
	d, _ := os.ReadFile("/tmp/photo.jpg")
	var p []byte
	for b.Loop() {
		p, _, _ = Decode(d, Options{Pix: p})
	}
}

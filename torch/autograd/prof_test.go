package autograd_test

import (
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"testing"
)

func BenchmarkMLP(b *testing.B) {
	m := newMLP()
	torch.Run(func() {
		libtorch.SetThreadWidth(1)
		for b.Loop() {
			m.step()
		}
	})
}
func BenchmarkMLPScope(b *testing.B) {
	m := newMLP()
	torch.Run(func() {
		libtorch.SetThreadWidth(1)
		for b.Loop() {
			torch.Scope(func() { m.step() })
		}
	})
}

package torch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultThreads(t *testing.T) {
	for _, c := range []struct {
		omp, mkl string
		want     int
	}{
		{"", "", 7}, {"3", "", 3}, {"3", "2", 3}, {"", "2", 2}, {"4,2", "", 4}, {" 5 ", "", 5},
		{"0", "", 7}, {"-1", "2", 2}, {"many", "", 7}, {",3", "", 7},
	} {
		env := map[string]string{"OMP_NUM_THREADS": c.omp, "MKL_NUM_THREADS": c.mkl}
		require.Equal(t, c.want, defaultThreads(func(name string) string { return env[name] }, 7), c)
	}
}

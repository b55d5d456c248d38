package aten

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// find returns an operator of its full name.
func find(name string) *torch.Op {
	name, overload, _ := strings.Cut(name, ".")
	return torch.NewOp(name, overload)
}

func TestOperatorsAreThere(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("generated for 2.15")
	}
	var missing []string
	for name := range functions {
		if torch.Try(func() { find(name).Schema() }) != nil {
			missing = append(missing, name)
		}
	}
	require.Empty(t, missing)
}

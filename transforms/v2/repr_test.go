package v2_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// plainly takes away how numbers and lists were given: Go's have one way.
func plainly(s string) string {
	return wholes.ReplaceAllString(strings.NewReplacer("[", "(", "]", ")").Replace(s), "")
}

var wholes = regexp.MustCompile(`\.0\b`)

// written lists the classes whose String differs from Python's, and why.
var written = map[string]string{
	"Lambda": "Go knows no name of the function", "Transform": "it is the test's own",
}

// TestStrings compares what transforms are written as.
func TestStrings(t *testing.T) {
	p := start(t)
	for _, row := range classes {
		if written[row.name] != "" {
			continue
		}
		for seed := range 6 {
			m := row.make(maker{Rand: rand.New(rand.NewPCG(uint64(seed), 11))})
			var want string
			p.Call(&want, "lambda expr: str(make(expr))", m.python)
			assert.Equal(t, plainly(want), plainly(m.t.String()), m.python)
		}
	}
}

package internal

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// portingGiven are the names that the cells of docs/porting.md use without declaring them.
const portingGiven = `
var net net_
var opt *optim.Optimizer
var sched *optim.Scheduler
var loader *data.Loader[data.Batch]
var samples data.Dataset[data.Sample[*torch.Tensor, int]]
var device torch.Device
var training bool
var x, y, w, loss, input, output, mask *torch.Tensor
var ctx context.Context
type net_ interface { Forward(x *torch.Tensor) *torch.Tensor }
`

// cell matches code in a cell of a table.
var cell = regexp.MustCompile("`([^`]+)`")

// TestPorting compiles the Go of each row of the tables in docs/porting.md.
func TestPorting(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "porting.md"))
	require.NoError(t, err)
	files, compiled := compiler(t)
	rows := 0
	for line := range strings.Lines(string(page)) {
		columns := strings.Split(strings.TrimSpace(line), " | ")
		if len(columns) != 2 || !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Python ") {
			continue
		}
		rows++
		codes := cell.FindAllStringSubmatch(columns[1], -1)
		require.NotEmpty(t, codes, line)
		for _, c := range codes {
			code := c[1]
			if !strings.HasPrefix(code, "type ") {
				code = "func _() (_ error) {\n" + code + "\nreturn\n}\n"
			}
			body := portingGiven + code
			f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+body, 0)
			require.NoError(t, err, code)
			source := "package p\n" + importsOf(f, imports) + body
			for _, problem := range mistakes(files, compiled, source) {
				t.Errorf("%s: %s", c[1], problem)
			}
		}
	}
	require.Greater(t, rows, 60)
}

package python_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/python"
)

// executable returns the Python of TORCHHUB_REFERENCE.
func executable(t *testing.T) string {
	path := os.Getenv("TORCHHUB_REFERENCE")
	if path == "" {
		t.Skip("TORCHHUB_REFERENCE is not set")
	}
	return path
}

func start(t *testing.T, programs ...python.Program) *python.Process {
	p, err := python.Start(executable(t), time.Minute, programs...)
	t.Cleanup(p.Release)
	require.NoError(t, err)
	return p
}

func TestCall(t *testing.T) {
	p := start(t, python.Program{Source: "a = 1\nprint('noise')"}, python.Program{Source: "def add(b):\n    print('adding', b)\n    return a + b"})
	var sum int
	printed, err := p.Call(time.Minute, &sum, "add", 2)
	require.NoError(t, err)
	require.Equal(t, 3, sum)
	require.Equal(t, "adding 2\n", printed)
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "net.py")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "layers_of_net.py"), []byte("width = 7"), 0o644))
	require.NoError(t, os.WriteFile(path, []byte("import layers_of_net\nif __name__ == '__main__':\n    1 / 0\ndef fail():\n    return 1 / (layers_of_net.width - 7)"), 0o644))
	p := start(t, python.Program{Path: path})
	_, err := p.Call(0, nil, "fail")
	require.ErrorContains(t, err, "return 1 / (layers_of_net.width - 7)")
}

func TestExceptions(t *testing.T) {
	p := start(t, python.Program{Source: "def f():\n    return 1 / 0  # of all numbers"})
	_, err := p.Call(0, nil, "f")
	var e *python.Exception
	require.ErrorAs(t, err, &e)
	require.Equal(t, "ZeroDivisionError", e.Type)
	require.Equal(t, "division by zero", e.Message)
	require.Contains(t, e.Traceback, "return 1 / 0  # of all numbers")
	_, err = p.Call(0, nil, "lambda: object()")
	require.ErrorContains(t, err, "TypeError: object cannot be sent to Go")
	_, err = p.Call(0, nil, "exit")
	require.ErrorContains(t, err, "SystemExit")
	_, err = p.Call(0, nil, "lambda: 1")
	require.NoError(t, err, "the process survives exceptions")

	for range 2 { // it stays as it is
		p, err = python.Start(executable(t), 0, python.Program{Source: "import nothing_of_this_name"})
		p.Release()
		require.ErrorAs(t, err, &e)
		require.Equal(t, "ModuleNotFoundError", e.Type)
	}
	p, err = python.Start("no/such/python", 0)
	p.Release()
	require.Error(t, err)
}

// TestIdle ends processes that nothing uses, the oldest first.
func TestIdle(t *testing.T) {
	pid := func(name string) (id int) {
		p, err := python.Start(executable(t), time.Minute, python.Program{Source: "import os; name = '" + name + "'"})
		require.NoError(t, err)
		defer p.Release()
		_, err = p.Call(time.Minute, &id, "os.getpid")
		require.NoError(t, err)
		return id
	}
	used := start(t, python.Program{Source: "used = 1"})
	first := pid("first")
	require.Equal(t, first, pid("first"))
	for i := range 10 {
		pid(fmt.Sprint(i))
		require.Equal(t, pid("0"), pid("0"))
	}
	require.NotEqual(t, first, pid("first"))
	_, err := used.Call(time.Minute, nil, "lambda: used")
	require.NoError(t, err)
}

func TestEnds(t *testing.T) {
	lastWords := python.Program{Source: "import os\ndef end():\n    print('last words', flush=True)\n    os._exit(3)"}
	p := start(t, lastWords)
	_, err := p.Call(0, nil, "end")
	require.ErrorContains(t, err, "last words")
	require.ErrorContains(t, err, "exit status 3")
	_, err = p.Call(0, nil, "end")
	require.Error(t, err)
	_, err = start(t, lastWords).Call(0, nil, "lambda: 1")
	require.NoError(t, err, "another process has taken its place")
}

// TestLimit ends a Python that computes for ever, and says where.
func TestLimit(t *testing.T) {
	p := start(t, python.Program{Source: "def turn():\n    while True: pass  # for ever\ndef hold():\n    import re\n    re.match('(a+)+b', 'a' * 64)"})
	begin := time.Now()
	_, err := p.Call(100*time.Millisecond, nil, "turn")
	require.ErrorContains(t, err, "python did not answer within 100ms and was ended; it was at:")
	require.ErrorContains(t, err, "while True: pass  # for ever")
	require.Less(t, time.Since(begin), 3*time.Second)
	if testing.Short() {
		return
	}
	p = start(t, python.Program{Source: "import re\ndef hold(): re.match('(a+)+b', 'a' * 64)"})
	_, err = p.Call(100*time.Millisecond, nil, "hold") // which no other thread of Python can interrupt
	require.EqualError(t, err, "python did not answer within 100ms and was ended")
}

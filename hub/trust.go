package hub

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/terminal"
)

// Trust is how trust in a repository is decided: the argument trust_repo of torch.hub.
type Trust int

// The values of trust_repo.
const (
	TrustCheck  Trust = iota // ask if the repository is not trusted yet: "check"
	TrustAlways              // trust it and record that: True
	TrustAsk                 // ask even if it is trusted: False
)

// ErrUntrusted means that a repository, native code or a program is not
// trusted.
var ErrUntrusted = errors.New("Untrusted repository.") //lint:ignore ST1005 Python's message

// WithTrust sets how trust in a repository is decided, before anything of it is
// downloaded: trust_repo. The default is [TrustCheck].
//
// A repository is trusted if its owner is facebookresearch, facebookincubator,
// pytorch or fairinternal, if it is in [Dir]'s file trusted_list, which Python
// reads and writes too, or if its folder is in [Dir]. The question is asked on
// the terminal, see [WithPrompt]; without a terminal the answer is no, and the
// error is [ErrUntrusted].
//
// Python's key is owner_name, so that a_b/c and a/b_c are one repository to it.
// Here an owner with an underscore, which an ordinary account cannot have, is
// written a_b/c, and the folder of another repository with the same name is not
// evidence of trust.
//
// A TorchScript archive is a program, which runs in this process. The archives of a trusted repository
// are trusted, and so are local files. For an archive whose http or https URL is the argument of
// [WithWeights], the question is asked in the same way, after the download and before the archive is
// opened, unless its SHA-256 is in [Dir]'s file trusted_scripts.
func WithTrust(t Trust) Option { return func(o *options) { o.trust = t } }

// WithNativeCode sets how trust in AOTInductor packages is decided. They hold
// native code, which runs with all rights of the program, so trusting the
// repository is not enough. The default, [TrustCheck], trusts the packages
// whose SHA-256 is in [Dir]'s file trusted_native, and prompts for another one
// only if the entry has no artifact of a different kind.
func WithNativeCode(t Trust) Option { return func(o *options) { o.native = t } }

// WithPrompt sends questions to f instead of to the terminal. The answers are
// y, yes, n, no and the empty string, which means no.
func WithPrompt(f func(ctx context.Context, question string) (answer string, err error)) Option {
	return func(o *options) { o.ask = f }
}

// trustedOwners are the owners whose repositories are trusted without a
// question.
var trustedOwners = []string{"facebookresearch", "facebookincubator", "pytorch", "fairinternal"}

const yesNo = "(y/N)?"

// decide applies a Trust. It reports whether the answer was yes, which the caller records.
func (l *loader) decide(ctx context.Context, t Trust, trusted bool, question string, untrusted *UntrustedError) (yes bool, err error) {
	switch {
	case t == TrustAlways:
		return !trusted, nil
	case t == TrustCheck && trusted:
		return false, nil
	}
	ask := l.ask
	if ask == nil {
		if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
			return false, untrusted
		}
		ask = askTerminal
	}
	answer, err := ask(ctx, question)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		if trusted {
			l.say("The repository is already trusted.\n")
		}
		return !trusted, nil
	case "n", "no", "":
		if untrusted.Native || untrusted.Script {
			return false, untrusted
		}
		return false, ErrUntrusted // Python's message
	}
	//lint:ignore ST1005 Python's message
	return false, fmt.Errorf("Unrecognized response %.100s.", answer)
}

// askTerminal asks on the terminal. After a canceled question its reader remains, which then consumes the next
// line.
func askTerminal(ctx context.Context, question string) (string, error) {
	fmt.Fprint(os.Stderr, terminal.Escape(question), " ")
	type answer struct {
		line string
		err  error
	}
	c := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		c <- answer{line, err}
	}()
	select {
	case a := <-c:
		return a.line, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// trustRepository checks that a repository is trusted. It is if any of the keys
// is in the list; otherwise a question asks about the first key, which is then
// added.
func (l *loader) trustRepository(ctx context.Context, keys []string, trusted bool) error {
	return l.remember(ctx, l.trust, "trusted_list", keys, trusted,
		"The repository "+keys[0]+" does not belong to the list of trusted repositories and as such cannot be downloaded. "+
			"Do you trust this repository and wish to add it to the trusted list of repositories "+yesNo,
		&UntrustedError{Name: keys[0]})
}

// trustNative checks that native code is trusted.
func (l *loader) trustNative(ctx context.Context, what, sha256 string) error {
	return l.remember(ctx, l.native, "trusted_native", []string{sha256}, false,
		"The AOTInductor package "+what+" holds native code, which runs with all your rights (sha256 "+sha256+"). "+
			"Do you trust it and wish to remember that "+yesNo,
		&UntrustedError{Name: what, Native: true})
}

// trustScript checks that a TorchScript archive of a URL is trusted.
func (l *loader) trustScript(ctx context.Context, url, sha256 string) error {
	return l.remember(ctx, l.trust, "trusted_scripts", []string{sha256}, false,
		"The TorchScript archive "+url+" is a program, which runs in this process (sha256 "+sha256+"). "+
			"Do you trust it and wish to remember that "+yesNo,
		&UntrustedError{Name: url, Script: true})
}

// nativeTrusted reports whether native code runs without a question.
func (l *loader) nativeTrusted(sha256 string) bool {
	lines, _ := trustLines(filepath.Join(Dir(), "trusted_native"))
	return l.native == TrustAlways || l.native == TrustCheck && slices.Contains(lines, sha256)
}

var trustFiles sync.Mutex

func (l *loader) remember(ctx context.Context, t Trust, name string, keys []string, trusted bool, question string, untrusted *UntrustedError) error {
	file := filepath.Join(Dir(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return fmt.Errorf("cannot make the folder %s: %w; choose another with TORCH_HOME", filepath.Dir(file), oserror.Cause(err))
	}
	lines, err := trustLines(file)
	if err != nil {
		return err
	}
	for _, k := range keys {
		trusted = trusted || slices.Contains(lines, k)
	}
	add, err := l.decide(ctx, t, trusted, question, untrusted)
	if err != nil || !add {
		return err
	}
	trustFiles.Lock()
	defer trustFiles.Unlock()
	if lines, err = trustLines(file); err != nil || slices.Contains(lines, keys[0]) {
		return err
	}
	return appendLine(file, keys[0])
}

// trustLines reads a list, which it creates if necessary, as Python does.
func trustLines(file string) ([]string, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|os.O_CREATE, 0o666)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) { // a read-only cache trusts the repositories in its list
		f, err = os.Open(file)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the trust list %s: %w", file, oserror.Cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot read the trust list %s: %w", file, oserror.Cause(err))
	}
	var lines []string
	for l := range strings.Lines(string(data)) {
		lines = append(lines, strings.TrimSpace(l))
	}
	return lines, nil
}

// appendLine adds a line in one write, so that the lines of several processes
// are not mixed.
func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o666)
	if err == nil {
		line += "\n"
		last := make([]byte, 1)
		if fi, serr := f.Stat(); serr == nil && fi.Size() > 0 {
			if _, rerr := f.ReadAt(last, fi.Size()-1); rerr == nil && last[0] != '\n' {
				line = "\n" + line // the last line does not end, as after an editor
			}
		}
		_, err = f.WriteString(line)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return fmt.Errorf("cannot add to the list %s: %w", file, oserror.Cause(err))
	}
	return nil
}

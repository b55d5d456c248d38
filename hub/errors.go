package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// ErrOffline means that a file is not in the cache and that the network is forbidden.
var ErrOffline = fetch.ErrOffline

// A StatusError is a server's refusal: an HTTP status other than success. It is
// [fs.ErrNotExist] for 404 and 410 and [fs.ErrPermission] for 401, 403 and 407.
type StatusError struct {
	Code  int       // such as 404
	Until time.Time // when the server's rate limit ends, if known

	err *fetch.StatusError
}

// Error returns the status and advice.
func (e *StatusError) Error() string { return e.err.Error() }

// Unwrap returns the error of the transfer.
func (e *StatusError) Unwrap() error { return e.err }

// A HashError reports that a file does not have the expected hash.
type HashError struct {
	Got  string // the actual SHA-256, in hexadecimal
	Want string // the first digits of the expected one
	Git  bool   // they are Git's hashes of a blob, by SHA-1, instead

	err *fetch.HashError
}

// Error returns both hashes and advice.
func (e *HashError) Error() string { return e.err.Error() }

// A LimitError reports that a download exceeds the limit of [WithMaxSize].
type LimitError struct{ Limit int64 }

// Error returns the limit.
func (e *LimitError) Error() string { return (&fetch.LimitError{Limit: e.Limit}).Error() }

// ownError is an error whose chain may hold errors of package fetch. It
// converts them for errors.As to the types of this package, which callers can
// name.
type ownError struct{ error }

// Unwrap returns the error.
func (e ownError) Unwrap() error { return e.error }

// As sets target to the error of this package that stands for one of package fetch.
func (e ownError) As(target any) bool {
	switch target := target.(type) {
	case **StatusError:
		if s, ok := errors.AsType[*fetch.StatusError](e.error); ok {
			*target = &StatusError{s.Code, s.Until, s}
			return true
		}
	case **HashError:
		if h, ok := errors.AsType[*fetch.HashError](e.error); ok {
			*target = &HashError{h.Got, h.Want, h.Git, h}
			return true
		}
	case **LimitError:
		if l, ok := errors.AsType[*fetch.LimitError](e.error); ok {
			*target = &LimitError{l.Limit}
			return true
		}
	}
	return false
}

// newError returns an [Error], in which errors of package fetch are converted to those of
// this package.
func newError(op, name string, err error) error { return &Error{op, name, ownError{err}} }

// An Error is a failure of a function of this package. Its text ends with
// advice for Go programmers; Err is the cause alone, for programs that give
// their users other advice.
type Error struct {
	Op   string // such as "load"; may be empty
	Name string // the model, repository or file; may be empty
	Err  error
}

// Error returns the operation, the cause and advice.
func (e *Error) Error() string {
	s := "hub: "
	if e.Op != "" {
		s += e.Op
		if name := fmt.Sprintf("%.100q", e.Name); e.Name != "" && !strings.Contains(e.Err.Error(), name) {
			s += " " + name
		}
		s += ": "
	}
	s += e.Err.Error()
	if a := advice(e.Err); a != "" {
		s += "; " + a
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// advice returns what a program can do about an error whose text does not
// contain advice.
func advice(err error) string {
	var (
		untrusted *UntrustedError
		ref       *RefError
		repo      *RepositoryError
		python    *PythonError
		entry     *NoEntryError
		unknown   *models.UnknownError
		weights   *WeightsError
		dict      *torch.StateDictError
		output    *OutputError
		task      *TaskError
		limit     *fetch.LimitError
	)
	switch {
	case errors.Is(err, fetch.ErrOffline):
		return "unset TORCHHUB_OFFLINE and HF_HUB_OFFLINE, or leave WithOffline out"
	case errors.As(err, &untrusted) && untrusted.Native:
		return "pass WithNativeCode(TrustAlways) if you trust it"
	case errors.As(err, &untrusted):
		return "pass WithTrust(TrustAlways) if you trust it"
	case errors.As(err, &ref):
		return "if it is a commit of a fork, load the fork, or pass WithSkipValidation"
	case errors.As(err, &repo):
		return `give owner/name or owner/name:ref, or a folder with WithSource("local")`
	case errors.As(err, &python):
		return fmt.Sprintf("export it with the command \"torchhub export %s %s\"", python.Repository, python.Model)
	case errors.Is(err, errNoName):
		return "List returns the names of a repository's models"
	case errors.As(err, &entry) && entry.Go && len(entry.Near) == 0:
		return fmt.Sprintf("if it is in the hubconf.py of the repository, the command \"torchhub export %s %s\" exports it for Go", entry.Repository, entry.Model)
	case errors.As(err, &unknown) && len(unknown.Near) == 0:
		return "List returns the names, and the command torchhub export exports a model of a hubconf.py for Go"
	case errors.As(err, &weights) && len(weights.Keys) > 0, errors.As(err, &dict) && len(dict.Keys) > 0:
		return "choose one with WithKey"
	case weights != nil && len(weights.Prefixes) > 0:
		return "choose one with WithPrefix"
	case weights != nil && weights.OfArguments():
		return "give the arguments of the model with WithArguments"
	case errors.As(err, &output):
		return "call Call, and read what it returns"
	case errors.As(err, &task):
		return "make its input with Preprocess, and call Call, or the Forward of its Module"
	case errors.Is(err, ErrNoPreprocess):
		return "make the input yourself and call Forward"
	case errors.As(err, &limit):
		return "check the URL, or raise the limit with WithMaxSize"
	}
	return ""
}

// An UntrustedError reports the repository, native code or program that is not trusted. It matches
// [ErrUntrusted].
type UntrustedError struct {
	Name   string // the name in the file trusted_list, the name of the package, or the URL of the archive
	Native bool   // it is an AOTInductor package, see [WithNativeCode]
	Script bool   // it is a TorchScript archive, see [WithTrust]
}

// Error returns the name of the untrusted repository, code or program.
func (e *UntrustedError) Error() string {
	switch {
	case e.Native:
		return "the AOTInductor package " + e.Name + " holds native code, which is not trusted"
	case e.Script:
		return "the TorchScript archive " + e.Name + " is a program, which is not trusted"
	}
	return ErrUntrusted.Error() + " " + e.Name + " is not in the list of trusted repositories"
}

// Is reports whether target is [ErrUntrusted].
func (e *UntrustedError) Is(target error) bool { return target == ErrUntrusted }

// A RefError reports that a repository has no such ref, or that this could not
// be determined.
type RefError struct {
	Repository string // owner/name
	Ref        string
	Err        error // why the request to GitHub failed; nil if GitHub has no such ref
}

// Error returns the ref and the repository.
func (e *RefError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("Cannot find %s in %s/%s", e.Ref, gitHub, e.Repository) // Python's message
}

// Unwrap returns the error of the request to GitHub.
func (e *RefError) Unwrap() error { return e.Err }

// errNoName means that a model was requested without a name.
var errNoName = errors.New("the name of the model is empty")

// A RepositoryError reports that a string is not the name of a repository.
type RepositoryError struct{ Repository string }

// Error returns the string.
func (e *RepositoryError) Error() string {
	return fmt.Sprintf("%.100q is not a repository", e.Repository)
}

// A PythonError reports that a model is a function of a hubconf.py, which only Python can
// run.
type PythonError struct {
	Repository, Model string
	Local             bool // the repository is a folder
}

// Error returns the model and its repository.
func (e *PythonError) Error() string {
	return fmt.Sprintf("it is a function of the hubconf.py of %s, which is Python and is not run", e.Repository)
}

// A WeightsError reports why a checkpoint does not fit a model.
type WeightsError struct {
	Model    string
	File     string
	Keys     []string // the keys of state dicts that fit equally well, of which one must be chosen
	Prefixes []string // prefixes that fit equally well, likewise
	Fits     []string // the models of package models that it fits
	Err      error    // the names and shapes that differ, a [*nn.KeyError]; nil with Keys or Prefixes
}

// Error returns the differences.
func (e *WeightsError) Error() string {
	switch {
	case len(e.Keys) > 0:
		return fmt.Sprintf("%s: it holds %d state dicts that fit %s equally well, under the keys %s", e.File, len(e.Keys), e.Model, quoted(e.Keys))
	case len(e.Prefixes) > 0:
		return fmt.Sprintf("%s: its names fit %s equally well with the prefixes %s", e.File, e.Model, quoted(e.Prefixes))
	}
	s := fmt.Sprintf("%s: %v", e.File, e.Err)
	switch {
	case e.OfArguments():
		return s
	case len(e.Fits) > 0:
		return s + "; it is a checkpoint of " + strings.Join(e.Fits, " or ")
	}
	return s + "; it is a checkpoint of another model"
}

// Unwrap returns the error about the names and shapes that differ.
func (e *WeightsError) Unwrap() error { return e.Err }

// OfArguments reports whether all names match and only shapes differ, as in a
// model that was built with other arguments.
func (e *WeightsError) OfArguments() bool {
	var k *nn.KeyError
	return len(e.Fits) == 0 && errors.As(e.Err, &k) && len(k.Missing)+len(k.Unexpected) == 0
}

// A TaskError reports that a model is for a task other than the requested one.
type TaskError struct {
	Model models.Task // the task of the model
	Asked models.Task
}

// Error returns both tasks.
func (e *TaskError) Error() string {
	return fmt.Sprintf("the model is for %s, not for %s", e.Model, e.Asked)
}

// An OutputError reports that a model returns something other than logits.
type OutputError struct {
	Got  string // such as "a dict" or "[1, 1000, 1, 1] float32"
	Want string // such as "[1, 1000]"
}

// Error returns what the model returned and what was expected.
func (e *OutputError) Error() string {
	return fmt.Sprintf("the model gives %s, not logits %s", e.Got, e.Want)
}

// ErrNoPreprocess means that a model's entry does not define how pictures are
// prepared.
var ErrNoPreprocess = errors.New("its entry does not say how pictures are prepared")

// quoted joins names in quotes with "and".
func quoted(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.100q", n)
	}
	return b.String()
}

// A NoWeightsError reports that a set of weights does not exist.
type NoWeightsError struct {
	Name  string   // the requested name
	File  string   // the path that was tried
	Known []string // the names of the model's sets of weights
}

// Error returns the name and the existing names.
func (e *NoWeightsError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("there is no file %s", e.File)
	}
	s := fmt.Sprintf("there is no file %s, and the model has no weights of that name", e.File)
	if near := suggest.Near(e.Name, e.Known, 3); len(near) > 0 {
		return s + "; " + suggest.Mean(near)
	}
	return s + "; its weights are " + some(e.Known)
}

// Is reports whether target is [fs.ErrNotExist].
func (e *NoWeightsError) Is(target error) bool { return target == fs.ErrNotExist }

// A NoEntryError reports that a repository has no model of the given name.
type NoEntryError struct {
	Repository, Model string
	File              string   // the file that was searched: hubconf.json or hubconf.py
	Near              []string // similar names, the nearest first
	All               []string // all names
	Go                bool     // the repository is one whose models a Go package has registered
}

// Error returns the name with the nearest names, or with all names.
func (e *NoEntryError) Error() string {
	if e.Go {
		s := fmt.Sprintf("%s has no model %.100q", e.Repository, e.Model)
		if len(e.Near) > 0 {
			s += "; " + suggest.Mean(e.Near)
		}
		return s
	}
	s := fmt.Sprintf("Cannot find callable %.100s in %s of %s", e.Model, e.File, e.Repository) // Python's message
	if len(e.Near) > 0 {
		return s + "; " + suggest.Mean(e.Near)
	}
	return s + "; there are " + some(e.All)
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// aboutError is an error about a file or model, whose text [words] completes.
type aboutError struct {
	what string
	err  error
}

func (e *aboutError) Error() string { return e.what + ": " + e.err.Error() }
func (e *aboutError) Unwrap() error { return e.err }

// words returns the text of an error for users of the command. The errors of
// package hub separate the cause from the advice for Go programs; words adds
// advice for users of the command.
func words(err error) string {
	switch e := err.(type) {
	case *aboutError:
		return e.what + ": " + words(e.err)
	case usageError:
		return words(e.error)
	case *hub.Error:
		named := errors.As(e.Err, new(*hub.NoEntryError)) || strings.HasPrefix(e.Err.Error(), e.Name) || strings.Contains(e.Err.Error(), fmt.Sprintf("%.100q", e.Name))
		if e.Name != "" && !named {
			return fmt.Sprintf("%.200s: %s", e.Name, words(e.Err))
		}
		return words(e.Err)
	}
	text := err.Error()
	if e := (*torch.Error)(nil); errors.As(err, &e) { // without the name of a Go package
		text = strings.Replace(text, e.Error(), strings.TrimPrefix(e.Error(), "torch: "), 1)
	}
	if a := advice(err); a != "" {
		return text + "; " + a
	}
	return text
}

// advice returns what to do about an error whose text does not contain advice.
func advice(err error) string {
	var (
		untrusted *hub.UntrustedError
		ref       *hub.RefError
		repo      *hub.RepositoryError
		python    *hub.PythonError
		entry     *hub.NoEntryError
		unknown   *models.UnknownError
		weights   *hub.WeightsError
		dict      *torch.StateDictError
		limit     *hub.LimitError
	)
	switch {
	case errors.Is(err, hub.ErrOffline):
		return "unset TORCHHUB_OFFLINE and HF_HUB_OFFLINE"
	case errors.As(err, &untrusted) && untrusted.Native:
		return "give --native-code if you trust it"
	case errors.As(err, &untrusted):
		return "give --trust if you trust it"
	case errors.As(err, &ref):
		return "if it is a commit of a fork, name the fork, or give --skip-validation"
	case errors.As(err, &repo):
		return "give OWNER/NAME or OWNER/NAME:REF, or a folder with --source local"
	case errors.As(err, &python):
		return fmt.Sprintf("\"torchhub export %s %s\" exports it for this program with your Python", python.Repository, python.Model)
	case errors.As(err, &entry) && entry.Go && len(entry.Near) == 0:
		return fmt.Sprintf("if it is in the hubconf.py of the repository, \"torchhub export %s %s\" exports it for this program with your Python", entry.Repository, entry.Model)
	case errors.As(err, &unknown) && len(unknown.Near) == 0:
		return fmt.Sprintf("\"torchhub list\" shows the models, and \"torchhub export OWNER/REPO %.100s\" exports one of a repository of PyTorch Hub", unknown.Name)
	case errors.As(err, &weights) && len(weights.Keys) > 0:
		return chooseFlag("--key", weights.Keys)
	case weights != nil && len(weights.Prefixes) > 0:
		return chooseFlag("--prefix", weights.Prefixes)
	case weights != nil && weights.OfArguments():
		return `give the arguments of the model with --arguments, such as '{"num_classes": 10}'`
	case errors.As(err, &dict) && len(dict.Keys) > 0:
		return chooseFlag("--key", dict.Keys)
	case errors.Is(err, hub.ErrNoPreprocess):
		return "pack it with --preset, or with --resize and --crop"
	case errors.As(err, &limit):
		return "check the URL"
	}
	return ""
}

// chooseFlag returns advice on how to choose one of several values.
func chooseFlag(flag string, values []string) string {
	return fmt.Sprintf("choose one, as in %s %.100q", flag, values[0])
}

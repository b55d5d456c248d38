package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/models"
)

// subcommand refuses the arguments of a command that only has subcommands.
func subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, s := range c.Commands() {
		if s.IsAvailableCommand() {
			names = append(append(names, s.Name()), s.Aliases...)
		}
	}
	text := fmt.Sprintf("%s has no command %.100q", c.CommandPath(), args[0])
	if near := suggest.Near(args[0], names, 2); len(near) > 0 {
		return usageError{fmt.Errorf("%s; %s", text, suggest.Mean(near))}
	}
	return errors.New(text)
}

// flagError suggests flags similar to an unknown one.
func flagError(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		f := value.GetFlag()
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand
		}
		return usageError{fmt.Errorf("%s is %.100q and must be %s", name, value.GetValue(), kindOf(f))}
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	}
	name := strings.TrimLeft(unknown.GetSpecifiedName(), "-")
	if short := unknown.GetSpecifiedShortnames(); short != "" { // -weights is read as -w -e -i …
		name = short
		if f := c.Flags().Lookup(short); f != nil {
			return usageError{fmt.Errorf("there is no flag -%s; write %s", short, spelled(f))}
		}
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	text := fmt.Sprintf("%s has no flag %s", c.CommandPath(), strings.Repeat("-", min(2, len(name)))+name)
	if near := suggest.Near(name, names, 2); len(near) > 0 {
		for i := range near {
			near[i] = "--" + near[i]
		}
		return usageError{fmt.Errorf("%s; %s", text, suggest.Mean(near))}
	}
	return usageError{fmt.Errorf("%s; see %s --help", text, c.CommandPath())}
}

// kindOf describes the possible values of a flag.
func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	case "count":
		return "a positive number, such as 30M"
	case "float64Slice":
		return "numbers with commas between them"
	case "bool":
		return "true or false"
	}
	return "of the type " + f.Value.Type()
}

// spelled returns the ways to write a flag.
func spelled(f *pflag.Flag) string {
	if f.Shorthand == "" {
		return "--" + f.Name
	}
	return "--" + f.Name + " or -" + f.Shorthand
}

// oneDash refuses long flags with one dash, as in -model resnet18, which would be read as -m odel.
func oneDash(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil {
		return nil // which is reported elsewhere
	}
	for _, a := range rest {
		if a == "--" {
			break
		}
		name, _, _ := strings.Cut(a, "=")
		if len(name) < 3 || name[0] != '-' || name[1] == '-' {
			continue
		}
		if f := c.Flags().Lookup(name[1:]); f != nil {
			return usageError{fmt.Errorf("there is no flag %s; write %s", name, spelled(f))}
		}
	}
	return nil
}

// forgotten suggests -m if the first picture is the name of a model.
func forgotten(args []string) error {
	if _, err := models.Lookup(args[0]); err == nil || hub.IsModel(args[0]) {
		if _, err := os.Stat(args[0]); err != nil {
			return usageError{fmt.Errorf("write -m before the model: torchhub predict -m %s", strings.Join(args, " "))}
		}
	}
	return usageError{errors.New("name a model with -m; \"torchhub list\" shows the models")}
}

// isFolder reports whether a repository's string is a folder on this machine: because of
// its beginning, or because it exists and cannot be a repository of GitHub.
func isFolder(repo string) bool {
	for _, begin := range []string{"/", "./", "../", "~"} {
		if strings.HasPrefix(repo, begin) {
			return true
		}
	}
	if repo == "." || repo == ".." {
		return true
	}
	fi, err := os.Stat(repo)
	return err == nil && fi.IsDir() && strings.Count(repo, "/") != 1
}

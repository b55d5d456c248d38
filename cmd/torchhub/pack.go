package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
)

// entryFlags are the flags for the fields of an entry of a hubconf.json.
type entryFlags struct {
	dir, doc, homepage, license, labels string
	preset, preprocess, interpolation   string
	resize, crop                        int
	mean, std                           []float64
	libtorch, torchhub                  string
}

func (f *entryFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.dir, "output", "o", ".", "the folder of the hubconf.json")
	c.Flags().StringVar(&f.doc, "doc", "", "what help says of the model")
	c.Flags().StringVar(&f.homepage, "homepage", "", "the https URL of its page or paper")
	c.Flags().StringVar(&f.license, "license", "", "its license, such as BSD-3-Clause")
	c.Flags().StringVar(&f.labels, "labels", "", "the classes: ImageNet-1K, or a file of one name a line in the folder")
	c.Flags().StringVar(&f.preset, "preset", "", "prepare pictures as for a model of \"torchhub list\"")
	c.Flags().IntVar(&f.resize, "resize", 0, "resize the short side of pictures to so many pixels, with --crop")
	c.Flags().IntVar(&f.crop, "crop", 0, "then cut so many pixels out of the center")
	c.Flags().StringVar(&f.interpolation, "interpolation", "", "of --resize: bilinear (default), bicubic, …")
	c.Flags().Float64SliceVar(&f.mean, "mean", nil, "of the normalization (default: ImageNet's)")
	c.Flags().Float64SliceVar(&f.std, "std", nil, "of the normalization (default: ImageNet's)")
	c.Flags().StringVar(&f.preprocess, "preprocess", "", "the preprocessing as JSON, as in a hubconf.json")
	c.Flags().StringVar(&f.libtorch, "requires-libtorch", "", "the oldest libtorch that will do, such as 2.11")
	c.Flags().StringVar(&f.torchhub, "requires-torchhub", "", "the oldest torchhub that will do")
}

// entry makes an entry without artifacts.
func (f *entryFlags) entry() (hub.Entry, error) {
	e := hub.Entry{Doc: f.doc, Homepage: f.homepage, License: f.license}
	if f.libtorch != "" || f.torchhub != "" {
		e.Requires = &hub.Requires{Libtorch: f.libtorch, Torchhub: f.torchhub}
	}
	numbers := f.resize != 0 || f.crop != 0 || f.interpolation != "" || f.mean != nil || f.std != nil
	ways := 0
	for _, given := range []bool{f.preset != "", f.preprocess != "", numbers} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return e, usageError{errors.New("--preset, --preprocess and --resize with --crop exclude each other")}
	}
	switch {
	case f.preset != "":
		m, err := models.Lookup(f.preset)
		if err != nil {
			return e, usageError{fmt.Errorf("--preset: %w", err)}
		}
		e.Preprocess = &hub.Preprocess{Preset: m.Default().Preset}
	case f.preprocess != "":
		e.Preprocess = &hub.Preprocess{}
		if err := json.Unmarshal([]byte(f.preprocess), e.Preprocess); err != nil {
			return e, usageError{fmt.Errorf("--preprocess: %w", err)}
		}
	case numbers:
		if f.resize < 1 || f.crop < 1 {
			return e, usageError{errors.New("--resize and --crop need each other; give both")}
		}
		e.Preprocess = &hub.Preprocess{Preset: models.ClassificationPreset{Resize: f.resize, Crop: f.crop, Interpolation: f.interpolation, Mean: f.mean, Std: f.std}}
	}
	switch {
	case f.labels == string(models.ImageNet):
		e.Labels = &hub.Labels{Set: models.ImageNet}
	case f.labels != "":
		rel, err := below(f.dir, f.labels)
		if err != nil {
			return e, err
		}
		e.Labels = &hub.Labels{File: &hub.File{URL: rel}}
	}
	return e, nil
}

// below returns the path of a file below a folder.
func below(dir, file string) (string, error) {
	d, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	f, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(d, f)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s is not in the folder %s or below it; copy it there, or name another folder with -o", file, dir)
	}
	return filepath.ToSlash(rel), nil
}

func packCommand() *cobra.Command {
	var f entryFlags
	var base, architecture, arguments, device, key, prefix string
	c := &cobra.Command{
		Use:   "pack [flags] NAME FILE...",
		Short: "Write an entry of a hubconf.json from files of a model",
		Long: `Write an entry of a hubconf.json from files that each hold the model, the
preferred one first: TorchScript archives, state dicts, safetensors files,
AOTInductor packages. Their formats, SHA-256 and sizes are read from them. They are below
the folder of the hubconf.json or, with --url, will be at an https URL. Put the
hubconf.json at the root of a GitHub repository, and
  hub.Load(ctx, "OWNER/REPO", "NAME")
loads the model.`,
		Args: cobra.MinimumNArgs(2),
	}
	f.add(c)
	c.Flags().StringVar(&base, "url", "", "the https URL of the folder where the files will be")
	c.Flags().StringVar(&architecture, "architecture", "", "what state dicts fill: a model of \"torchhub list\", or "+strings.Join(models.Families(), ", "))
	c.Flags().StringVar(&arguments, "arguments", "", `its arguments as JSON, such as '{"num_classes": 10}'`)
	c.Flags().StringVar(&key, "key", "", "under which a checkpoint holds the state dict, such as model_ema (default: the one that fits)")
	c.Flags().StringVar(&prefix, "prefix", "", "what to take off the names of the state dict, such as module. (default: what fits)")
	c.Flags().StringVar(&device, "device", "", "the only device that the files run on: cpu or cuda")
	c.RunE = func(c *cobra.Command, args []string) error {
		if arguments != "" && architecture == "" {
			return usageError{errors.New("--arguments needs --architecture")}
		}
		if device != "" && device != "cpu" && device != "cuda" {
			return usageError{fmt.Errorf("--device is %.100q and must be cpu or cuda", device)}
		}
		if architecture != "" {
			if _, err := models.Configure(architecture, []byte(arguments)); err != nil {
				return usageError{fmt.Errorf("--architecture: %w", err)}
			}
		}
		e, err := f.entry()
		if err != nil {
			return err
		}
		for _, file := range args[1:] {
			rel, err := below(f.dir, file)
			if err != nil {
				return err
			}
			a := hub.Artifact{URL: rel, Device: device}
			if a.Format, err = hub.FormatOf(file); err != nil {
				return err
			}
			if base != "" {
				if filepath.Dir(filepath.FromSlash(rel)) != "." {
					return fmt.Errorf("%s is in a subfolder of %s; with --url, files must be in the folder itself", file, f.dir)
				}
				a.URL = strings.TrimSuffix(base, "/") + "/" + rel
			}
			if a.Format == hub.StateDict || a.Format == hub.Safetensors {
				if architecture == "" {
					return usageError{fmt.Errorf("%s is a state dict; name the model that it belongs to with --architecture", file)}
				}
				a.Key, a.Prefix = key, prefix
				a.Architecture = &hub.Architecture{Name: architecture, Arguments: json.RawMessage(arguments)}
			}
			e.Artifacts = append(e.Artifacts, a)
		}
		if !slices.ContainsFunc(e.Artifacts, func(a hub.Artifact) bool { return a.Architecture != nil }) {
			for _, name := range []string{"architecture", "key", "prefix"} {
				if c.Flags().Changed(name) {
					return usageError{fmt.Errorf("--%s is for state dicts, and %s is not one; leave it out", name, args[1])}
				}
			}
		}
		if err := hub.Pack(c.Context(), f.dir, args[0], e, hub.WithNotice(c.ErrOrStderr())); err != nil {
			return err
		}
		warnOfEntry(c.ErrOrStderr(), e)
		fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", filepath.Join(f.dir, hub.HubconfName), args[0])
		return nil
	}
	return c
}

// warnOfEntry warns about fields that predict needs and an entry lacks.
func warnOfEntry(w io.Writer, e hub.Entry) {
	switch {
	case e.Preprocess == nil:
		fmt.Fprintln(w, "torchhub: the entry does not say how pictures are prepared, so predict cannot run it; give --preset, or --resize and --crop")
	case e.Labels == nil && e.Preprocess.Task() != models.OpticalFlow:
		fmt.Fprintln(w, "torchhub: the entry does not name the classes, so predict shows their numbers; give --labels")
	}
}

func validateCommand() *cobra.Command {
	var f repoFlags
	c := &cobra.Command{
		Use:   "validate FILE|DIR|URL",
		Short: "Check a hubconf.json and the files that it names",
		Long: `Check a hubconf.json and the files that it names: that they are there, have
the SHA-256 and size, are of the format and, for state dicts, fill the architecture. Files
on the network are downloaded to the cache. Nothing of them is run. --schema prints
the JSON Schema of the format.`,
		Args: cobra.MaximumNArgs(1),
	}
	schema := c.Flags().Bool("schema", false, "print the JSON Schema")
	c.Flags().BoolVar(&f.trust, "trust", false, "trust the URL, and remember that")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *schema {
			_, err := c.OutOrStdout().Write(hub.HubconfSchema)
			return err
		}
		if len(args) == 0 {
			return usageError{errors.New("name a hubconf.json, a folder or a URL")}
		}
		conf, err := hub.Validate(c.Context(), args[0], f.options(c.ErrOrStderr(), "")...)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(conf.Entries)) {
			var formats []string
			for _, a := range conf.Entries[name].Artifacts {
				formats = append(formats, string(a.Format))
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", name, strings.Join(formats, ", "))
		}
		return nil
	}
	return c
}

package hub

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch/aoti"
)

// schemaURL is where editors find the schema.
const schemaURL = "https://github.com/torchhub/torchhub/raw/main/hub/hubconf.schema.json"

// Pack writes an entry into the hubconf.json of a folder, which is made where
// there is none; an entry of that name is replaced and others stay. The format,
// SHA-256 and size of artifacts, and those of a file of labels, are read from
// the files. An artifact's URL is its path below the folder or, where it is an
// https URL, its file lies in the folder under the URL's last element. What the entry
// leaves out is not made up. The file appears complete or not at all.
func Pack(ctx context.Context, dir, name string, e Entry) error {
	if err := pack(ctx, expand(dir), name, e); err != nil {
		return fmt.Errorf("hub: pack %.100q: %w", name, err)
	}
	return nil
}

func pack(ctx context.Context, dir, name string, e Entry) error {
	conf, err := readHubconf(dir)
	if errors.Is(err, os.ErrNotExist) {
		conf, err = &Hubconf{Schema: schemaURL, Version: 1}, nil
	}
	if err != nil {
		return err
	}
	e.Artifacts = slices.Clone(e.Artifacts)
	for i := range e.Artifacts {
		a := &e.Artifacts[i]
		f := File{URL: a.URL}
		file, err := describe(ctx, dir, &f)
		if err != nil {
			return err
		}
		a.SHA256, a.Size = f.SHA256, f.Size
		if a.Format == "" {
			if a.Format, err = FormatOf(file); err != nil {
				return err
			}
		}
	}
	if e.Labels != nil && e.Labels.File != nil {
		f := *e.Labels.File
		if _, err := describe(ctx, dir, &f); err != nil {
			return err
		}
		e.Labels = &Labels{File: &f}
	}
	conf.Entries = maps.Clone(conf.Entries)
	if conf.Entries == nil {
		conf.Entries = map[string]Entry{}
	}
	conf.Entries[name] = e
	data, err := json.MarshalIndent(conf, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if _, err := parseHubconf(data); err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, HubconfName), data)
}

// describe fills in the SHA-256 and size of a file that an entry names, and returns its path.
func describe(ctx context.Context, dir string, f *File) (string, error) {
	if err := checkURL(f.URL); err != nil {
		return "", err
	}
	rel := f.URL
	if strings.Contains(rel, "://") {
		rel = rel[strings.LastIndexByte(rel, '/')+1:]
	}
	file := filepath.Join(dir, filepath.FromSlash(rel))
	fi, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("there is no file %s", file)
	case err != nil:
		return "", err
	case !fi.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file", file)
	}
	f.Size = fi.Size()
	f.SHA256, err = hashFile(ctx, file)
	return file, err
}

// writeWhole replaces a file in one step.
func writeWhole(file string, data []byte) error {
	w, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("cannot write in %s: %w", filepath.Dir(file), bare(err))
	}
	defer os.Remove(w.Name())
	_, err = w.Write(data)
	if err == nil {
		err = w.Chmod(0o644)
	}
	if err == nil {
		err = w.Sync()
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(w.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", file, bare(err))
	}
	return nil
}

// Validate reads the hubconf.json at a path, in a folder or at an https URL, as
// [Load] would, and looks into each file that it names: whether it is there, has
// the SHA-256 and size, is of the format, and, for a state dict, fills the
// architecture. Files on the network are downloaded to the cache for it. Nothing of them is
// run. The error names all entries that are wrong. It heeds what [Repository] heeds; a URL needs trust as in Load.
func Validate(ctx context.Context, target string, opts ...Option) (*Hubconf, error) {
	c, err := newOptions(opts).validateConf(ctx, target)
	if err != nil {
		return c, fmt.Errorf("hub: validate %.200q: %w", target, err)
	}
	return c, nil
}

func (o *options) validateConf(ctx context.Context, target string) (*Hubconf, error) {
	var s *source
	var err error
	if strings.Contains(target, "://") {
		s, err = o.openURL(ctx, target)
	} else {
		file := expand(target)
		if fi, serr := os.Stat(file); serr != nil {
			return nil, fmt.Errorf("there is no file and no folder %s", file)
		} else if fi.IsDir() {
			file = filepath.Join(file, HubconfName)
		}
		s, err = openFile(file)
	}
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(s.conf.Entries)) {
		e := s.conf.Entries[name]
		for i := range e.Artifacts {
			if err := o.validateArtifact(ctx, s.at, &e.Artifacts[i]); err != nil {
				wrong = append(wrong, fmt.Sprintf("entries.%s.artifacts[%d]: %v", name, i, err))
			}
		}
		if _, err := o.labels(ctx, e.Labels, s.at); err != nil {
			wrong = append(wrong, fmt.Sprintf("entries.%s.labels: %v", name, err))
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
	}
	if len(wrong) > 0 {
		return s.conf, errors.New(strings.Join(wrong, "; "))
	}
	return s.conf, nil
}

func (o *options) validateArtifact(ctx context.Context, at place, a *Artifact) error {
	file, err := o.artifact(ctx, at, a)
	if err != nil {
		return err
	}
	got, err := FormatOf(file)
	if err != nil {
		return err
	}
	if got != a.Format {
		return fmt.Errorf("%s is of the format %s, not %s", file, got, a.Format)
	}
	if got == AOTInductor {
		info, err := aoti.Inspect(file)
		if err != nil {
			return err
		}
		for _, m := range info.Models {
			if m.Problem != "" {
				return fmt.Errorf("%s: its model %q: %s", file, m.Name, m.Problem)
			}
		}
	}
	if a.Architecture != nil {
		build, err := a.Architecture.configure()
		if err != nil {
			return err
		}
		m, err := fill(ctx, build, file, a.Key, a.Prefix)
		if err != nil {
			return err
		}
		return (&Model{module: m}).Close()
	}
	return nil
}

// FormatOf tells the format of an artifact by what is in the file.
func FormatOf(file string) (Format, error) {
	f, err := formatOf(file)
	if err != nil {
		return "", fmt.Errorf("hub: %s: %w", file, err)
	}
	return f, nil
}

func formatOf(file string) (Format, error) {
	z, err := zip.OpenReader(file)
	if err == nil {
		defer z.Close()
		has := map[string]bool{}
		for _, e := range z.File {
			_, in, _ := strings.Cut(e.Name, "/")
			switch {
			case in == "constants.pkl" || in == "data.pkl":
				has[in] = true
			case strings.HasPrefix(in, "data/aotinductor/"):
				return AOTInductor, nil
			case strings.HasPrefix(in, "models/") && strings.HasSuffix(in, ".json"):
				has["graph"] = true
			}
		}
		switch {
		case has["constants.pkl"]: // and data.pkl
			return TorchScript, nil
		case has["data.pkl"]:
			return StateDict, nil
		case has["graph"]:
			return "", errors.New("it is an archive of torch.export.save, which holds a graph and no code, and is not supported; compile it with torch._inductor.aoti_compile_and_package")
		}
		return "", errors.New("it is a zip that holds no model")
	}
	begin, err := head(file, 16)
	switch {
	case err != nil:
		return "", bare(err)
	case len(begin) == 16 && begin[8] == '{' && binary.LittleEndian.Uint64([]byte(begin)) < 100<<20:
		return Safetensors, nil
	case strings.HasPrefix(begin, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9"): // the magic number of torch.save before 1.6
		return StateDict, nil
	}
	return "", errors.New("it is no TorchScript archive, checkpoint, safetensors file or AOTInductor package")
}

package hub

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/hfcache"
	"github.com/torchhub/torchhub/internal/home"
	"github.com/torchhub/torchhub/internal/whole"
)

// A CacheKind is the kind of a [CacheEntry].
type CacheKind string

// Kinds of entries.
const (
	CacheWeights    CacheKind = "weights"      // a file in Dir's folder checkpoints
	CacheRepository CacheKind = "repository"   // a repository of GitHub, unpacked in Dir
	CacheHF         CacheKind = "hugging face" // a repository of the Hugging Face Hub, all its revisions
	CachePartial    CacheKind = "partial"      // a download in progress or interrupted, which can be resumed
)

// A CacheEntry is a file or folder in the cache of torch.hub or of the Hugging Face
// Hub.
type CacheEntry struct {
	Kind     CacheKind
	Name     string // of the file or folder; "hf:owner/name" for the Hugging Face Hub
	Path     string
	Size     int64     // in bytes, of all files in it
	Modified time.Time // when it was last written
}

// Cache lists what is in [Dir] and in [HFCacheDir], the largest first. It honors
// [WithCacheDir], whose folder replaces [Dir]'s folder checkpoints; then only
// that folder is listed. Missing folders count as empty. The list of trusted
// repositories is not an entry.
func Cache(opts ...Option) ([]CacheEntry, error) {
	l := newLoader(opts)
	var entries []CacheEntry
	var err error
	if l.dir != "" {
		entries, err = weightsIn(home.Expand(l.dir))
	} else {
		for _, list := range []func() ([]CacheEntry, error){
			func() ([]CacheEntry, error) { return weightsIn(filepath.Join(Dir(), "checkpoints")) },
			func() ([]CacheEntry, error) { return repositoriesIn(Dir()) },
			func() ([]CacheEntry, error) { return hfIn(HFCacheDir()) },
		} {
			var some []CacheEntry
			if some, err = list(); err != nil {
				break
			}
			entries = append(entries, some...)
		}
	}
	if err != nil {
		return nil, newError("list the cache", "", err)
	}
	slices.SortFunc(entries, func(a, b CacheEntry) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Path, b.Path))
	})
	return entries, nil
}

// list returns the entries of a folder, which may not exist.
func list(dir string) ([]fs.DirEntry, error) {
	es, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return es, err
}

func weightsIn(dir string) ([]CacheEntry, error) {
	es, err := list(dir)
	var out []CacheEntry
	for _, e := range es {
		fi, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil || !fi.Mode().IsRegular() {
			continue // deleted meanwhile, or not one of ours
		}
		entry := CacheEntry{Kind: CacheWeights, Name: e.Name(), Path: filepath.Join(dir, e.Name()), Size: fi.Size(), Modified: fi.ModTime()}
		whole, description := strings.CutSuffix(e.Name(), ".partial.json")
		switch {
		case description && isThere(filepath.Join(dir, whole+".partial")):
			continue // listed with the file that it describes
		case description, strings.HasSuffix(e.Name(), ".partial"):
			entry.Kind = CachePartial
		}
		out = append(out, entry)
	}
	return out, err
}

func repositoriesIn(dir string) ([]CacheEntry, error) {
	es, err := list(dir)
	var out []CacheEntry
	for _, e := range es {
		// owner_name_ref
		if e.IsDir() && strings.Count(e.Name(), "_") >= 2 && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, folderEntry(CacheRepository, e.Name(), filepath.Join(dir, e.Name())))
		}
	}
	return out, err
}

func hfIn(dir string) ([]CacheEntry, error) {
	es, err := list(dir)
	var out []CacheEntry
	for _, e := range es {
		if id, ok := strings.CutPrefix(e.Name(), "models--"); ok && e.IsDir() {
			out = append(out, folderEntry(CacheHF, "hf:"+strings.Replace(id, "--", "/", 1), filepath.Join(dir, e.Name())))
		}
	}
	return out, err
}

// folderEntry adds up the sizes of the files of a folder; links do not count, since their targets
// do.
func folderEntry(kind CacheKind, name, path string) CacheEntry {
	e := CacheEntry{Kind: kind, Name: name, Path: path}
	filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // deleted meanwhile
		}
		if fi, err := d.Info(); err == nil && fi.Mode().IsRegular() {
			e.Size += fi.Size()
			if fi.ModTime().After(e.Modified) {
				e.Modified = fi.ModTime()
			}
		}
		return nil
	})
	return e
}

// ErrUnverifiable means that neither a hash nor a checksum is known for a file.
var ErrUnverifiable = errors.New("no hash or checksum of it is known")

// Verify reads an entry again and compares it with the hash in its name, with the
// hashes that the Hugging Face Hub gave, or else with the checksums within it. If
// there are none, it returns [ErrUnverifiable]. If the entry is damaged, it
// returns another error, which is a [*HashError] if a hash differs.
func (e CacheEntry) Verify(ctx context.Context) error {
	err := e.verify(ctx)
	if err != nil {
		return newError("verify", e.Name, err)
	}
	return nil
}

func (e CacheEntry) verify(ctx context.Context) error {
	switch e.Kind {
	case CacheWeights:
		if want := fetch.HashPrefix(e.Name); want != "" {
			return fetch.SameHash(ctx, e.Path, want)
		}
		z, err := zip.OpenReader(e.Path)
		if err != nil {
			return ErrUnverifiable
		}
		z.Close()
		return whole.Records(ctx, e.Path)
	case CacheHF:
		checked, err := hfcache.Verify(ctx, e.Path)
		if err == nil && checked == 0 {
			err = ErrUnverifiable
		}
		return err
	}
	return ErrUnverifiable
}

// Remove deletes an entry. It fails while the entry is being downloaded.
func (e CacheEntry) Remove() error {
	if err := e.remove(); err != nil {
		return newError("remove", e.Name, err)
	}
	return nil
}

func (e CacheEntry) remove() error {
	switch e.Kind {
	case CachePartial:
		part := strings.TrimSuffix(e.Path, ".json")
		return whileFree([]string{part}, func() error {
			os.Remove(fetch.MetaPath(part))
			return ignoreMissing(os.Remove(part))
		})
	case CacheHF:
		locks := filepath.Join(filepath.Dir(e.Path), ".locks", filepath.Base(e.Path))
		held, err := filepath.Glob(filepath.Join(locks, "*.lock"))
		if err != nil {
			return err
		}
		return whileFree(held, func() error {
			err := os.RemoveAll(e.Path)
			os.RemoveAll(locks)
			return err
		})
	case CacheRepository:
		return os.RemoveAll(e.Path)
	}
	return ignoreMissing(os.Remove(e.Path))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// whileFree calls do while it holds the locks of all of the files that exist, or returns an
// error if one is locked.
func whileFree(paths []string, do func() error) error {
	for _, p := range paths {
		if !isThere(p) {
			continue
		}
		l := flock.New(p, flock.SetFlag(os.O_RDWR))
		ok, err := l.TryLock()
		defer l.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !ok {
			return errors.New("a download of it is under way; try again when it is done")
		}
	}
	return do()
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

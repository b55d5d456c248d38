package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/oserror"
)

// An Entity is a server's description of a body. It is written beside a partial
// file, so that another process can go on with it.
type Entity struct {
	URL          string `json:"url"` // its SHA-256, for a URL may hold secrets
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"` // -1 is unknown
}

// validator returns the validator for If-Range, which is equal only if the bytes are. A
// weak ETag is not suitable.
func (e Entity) validator() string {
	if strings.HasPrefix(e.ETag, `"`) {
		return e.ETag
	}
	return e.LastModified
}

// resumable reports whether the rest of the same bytes can be requested.
func (e Entity) resumable() bool { return e.Size > 0 && e.validator() != "" }

// A Partial is a file on its way: the first n bytes of an entity.
type Partial struct {
	Path string
	f    *os.File
	of   Entity
	n    int64
	sum  hash.Hash // over those n bytes

	known *Entity // see Job; nothing is written beside the file then
}

// MetaPath returns the path of the description of a partial file.
func MetaPath(part string) string { return part + ".json" }

// openPartial opens a partial file, whose lock the caller holds, with the bytes
// that an earlier try left there if they can be built on.
func openPartial(ctx context.Context, path, url string, known *Entity) (*Partial, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	p := &Partial{f: f, Path: path, sum: sha256.New(), known: known}
	var e Entity
	if known != nil {
		e = *known
	} else if meta, err := os.ReadFile(MetaPath(path)); err != nil || json.Unmarshal(meta, &e) != nil || e.URL != url {
		return p, nil
	}
	if !e.resumable() {
		return p, nil
	}
	n, err := io.Copy(p.sum, ctxio.NewReader(ctx, f))
	if ctx.Err() != nil {
		f.Close()
		return nil, context.Cause(ctx)
	}
	if err != nil || n > e.Size {
		p.sum.Reset()
		return p, nil
	}
	p.of, p.n = e, n
	return p, nil
}

// restart begins with the first byte of e. Its description is on disk before
// any byte of it and after none of another is left, so that a kill at any
// moment leaves a description that fits.
func (p *Partial) restart(e Entity) error {
	p.sum.Reset()
	p.n, p.of = 0, e
	if err := os.Remove(MetaPath(p.Path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return p.failed(err)
	}
	if err := p.f.Truncate(0); err != nil {
		return p.failed(err)
	}
	if !e.resumable() || p.known != nil {
		return nil
	}
	meta, err := json.Marshal(e)
	if err == nil {
		err = os.WriteFile(MetaPath(p.Path), meta, 0o666)
	}
	if err != nil {
		return p.failed(err)
	}
	return nil
}

// Write appends b.
func (p *Partial) Write(b []byte) (int, error) {
	n, err := p.f.WriteAt(b, p.n)
	p.sum.Write(b[:n])
	p.n += int64(n)
	if err != nil {
		return n, p.failed(err)
	}
	return n, nil
}

func (p *Partial) failed(err error) error {
	dir := filepath.Dir(p.Path)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		p.of = Entity{} // not kept, since it fills the disk
		return Final{fmt.Errorf("no space left in %s; free some, or choose another folder with TORCH_HOME", dir)}
	}
	return Final{fmt.Errorf("cannot write in %s: %w", dir, oserror.Cause(err))}
}

// close closes the file and removes it unless the next try can resume it.
func (p *Partial) close() {
	p.f.Close()
	if p.n == 0 || !p.of.resumable() {
		os.Remove(MetaPath(p.Path))
		os.Remove(p.Path)
	}
}

// publish puts the complete file under its final name, durably.
func (p *Partial) publish(dst string) error {
	if err := p.f.Sync(); err != nil {
		return p.failed(err)
	}
	// Then its description: a kill between the two costs no byte, and the next
	// download or "torchhub cache rm" removes a description that is left alone.
	if err := os.Rename(p.Path, dst); err != nil {
		p.of = Entity{}
		return p.failed(err)
	}
	os.Remove(MetaPath(p.Path))
	if d, err := os.Open(filepath.Dir(dst)); err == nil {
		d.Sync() // not all file systems can
		d.Close()
	}
	return nil
}

// Digest returns the SHA-256 of the bytes so far in hexadecimal.
func (p *Partial) Digest() string { return hex.EncodeToString(p.sum.Sum(nil)) }

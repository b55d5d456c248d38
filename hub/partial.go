package hub

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
)

// entity is what a server says a body is. It is written beside a partial file,
// so that another process can go on with it.
type entity struct {
	URL          string `json:"url"` // its SHA-256, for a URL may hold secrets
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"` // -1 is unknown
}

// validator is what If-Range takes: equal only where the bytes are. A weak ETag is not.
func (e entity) validator() string {
	if strings.HasPrefix(e.ETag, `"`) {
		return e.ETag
	}
	return e.LastModified
}

// resumable says whether a server can be asked for the rest of the very same bytes.
func (e entity) resumable() bool { return e.Size > 0 && e.validator() != "" }

// partial is a file on its way: the first n bytes of an entity.
type partial struct {
	f    *os.File
	path string
	of   entity
	n    int64
	sum  hash.Hash // over those n bytes

	known *entity // see job; nothing is written beside the file then
}

func metaPath(part string) string { return part + ".json" }

// openPartial opens a partial file, whose lock the caller holds, with the bytes
// that an earlier try left there if they can be built on.
func openPartial(ctx context.Context, path, url string, known *entity) (*partial, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	p := &partial{f: f, path: path, sum: sha256.New(), known: known}
	var e entity
	if known != nil {
		e = *known
	} else if meta, err := os.ReadFile(metaPath(path)); err != nil || json.Unmarshal(meta, &e) != nil || e.URL != url {
		return p, nil
	}
	if !e.resumable() {
		return p, nil
	}
	n, err := io.Copy(p.sum, &ctxReader{ctx, f})
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

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *ctxReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// restart begins with the first byte of e. Its description is on disk before
// any byte of it and after none of another is left, so that a kill at any
// moment leaves a description that fits.
func (p *partial) restart(e entity) error {
	p.sum.Reset()
	p.n, p.of = 0, e
	if err := os.Remove(metaPath(p.path)); err != nil && !errors.Is(err, os.ErrNotExist) {
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
		err = os.WriteFile(metaPath(p.path), meta, 0o666)
	}
	if err != nil {
		return p.failed(err)
	}
	return nil
}

// Write appends b.
func (p *partial) Write(b []byte) (int, error) {
	n, err := p.f.WriteAt(b, p.n)
	p.sum.Write(b[:n])
	p.n += int64(n)
	if err != nil {
		return n, p.failed(err)
	}
	return n, nil
}

func (p *partial) failed(err error) error {
	dir := filepath.Dir(p.path)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		p.of = entity{} // not kept: it is what fills the disk
		return final{fmt.Errorf("no space left in %s; free some, or choose another folder with TORCH_HOME", dir)}
	}
	return final{fmt.Errorf("cannot write in %s: %w", dir, bare(err))}
}

// close gives the file up; it stays only where the next try can go on with it.
func (p *partial) close() {
	p.f.Close()
	if p.n == 0 || !p.of.resumable() {
		os.Remove(metaPath(p.path))
		os.Remove(p.path)
	}
}

// publish puts the complete file under its final name, durably.
func (p *partial) publish(dst string) error {
	if err := p.f.Sync(); err != nil {
		return p.failed(err)
	}
	// Then its description: a kill between the two costs no byte, and the next
	// download or "torchhub cache rm" removes a description that is left alone.
	if err := os.Rename(p.path, dst); err != nil {
		p.of = entity{}
		return p.failed(err)
	}
	os.Remove(metaPath(p.path))
	if d, err := os.Open(filepath.Dir(dst)); err == nil {
		d.Sync() // not all file systems can
		d.Close()
	}
	return nil
}

func (p *partial) digest() string { return hex.EncodeToString(p.sum.Sum(nil)) }

// bare takes the operation and the path off an error of package os, where the sentence around it names them.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

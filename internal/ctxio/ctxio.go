// Package ctxio reads until a context ends.
package ctxio

import (
	"context"
	"io"
)

// NewReader returns a reader of r that fails with the error of ctx once ctx has ended.
func NewReader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads unless the context has ended.
func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

package fetch

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/internal/whole"
)

// A damagedError reports that a download is incomplete or damaged, by its own
// format.
type damagedError struct{ error }

func (e damagedError) Error() string {
	return fmt.Sprintf("the download is damaged: %v; it was deleted, try again", e.error)
}

func (e damagedError) Unwrap() error { return e.error }

// Whole checks a download without a known hash as far as its own format
// tells, with the checksums of a zip file's records.
func Whole(ctx context.Context, p *Partial, name string) error {
	err := whole.Check(p.f, p.n, name)
	if err == nil {
		err = whole.Records(ctx, p.Path)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return damagedError{err}
	}
	return nil
}

package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/torchhub/torchhub/internal/ctxio"
	"github.com/torchhub/torchhub/internal/oserror"
)

// Digest returns the SHA-256 of a string in hexadecimal.
func Digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// HashFile returns the SHA-256 of a file in hexadecimal.
func HashFile(ctx context.Context, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, ctxio.NewReader(ctx, f)); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("%s: %w", file, oserror.Cause(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hasHash(ctx context.Context, file, want string) bool {
	got, err := HashFile(ctx, file)
	return err == nil && strings.HasPrefix(got, want)
}

// SameHash returns a [HashError] if the SHA-256 of a file does not begin with want.
func SameHash(ctx context.Context, file, want string) error {
	got, err := HashFile(ctx, file)
	if err == nil && !strings.HasPrefix(got, want) {
		err = &HashError{Got: got, Want: want, Kept: true}
	}
	return err
}

package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
)

// digestOf returns the SHA-256 of a string in hexadecimal.
func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// hashFile returns the SHA-256 of a file in hexadecimal.
func hashFile(ctx context.Context, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, &ctxReader{ctx, f}); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("%s: %w", file, bare(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hasHash(ctx context.Context, file, want string) bool {
	got, err := hashFile(ctx, file)
	return err == nil && strings.HasPrefix(got, want)
}

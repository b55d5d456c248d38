package hfcache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/internal/fetch"
)

// Verify compares the contents of a repository's folder with the hashes that the
// Hub gave for them, and returns how many have one.
func Verify(ctx context.Context, folder string) (checked int, err error) {
	blobs := filepath.Join(folder, "blobs")
	entries, err := os.ReadDir(blobs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for _, b := range entries {
		name := b.Name()
		if !isHash(name) {
			continue // a partial one, or of another kind
		}
		checked++
		if err := verify(ctx, filepath.Join(blobs, name), name); err != nil {
			return checked, fmt.Errorf("%s: %w", filepath.Join(blobs, name), err)
		}
	}
	// A link to nothing is a file that is not there.
	err = filepath.WalkDir(filepath.Join(folder, "snapshots"), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if d.Type() == fs.ModeSymlink && !exists(p) {
			return fmt.Errorf("%s is a link to what is not there; remove the entry", p)
		}
		return nil
	})
	return checked, err
}

// verify compares a file with a hash, by SHA-1 as Git does it or by SHA-256.
func verify(ctx context.Context, file, want string) error {
	if len(want) == 64 {
		return fetch.SameHash(ctx, file, want)
	}
	got, err := gitHash(ctx, file)
	if err == nil && got != want {
		err = &fetch.HashError{Got: got, Want: want, Git: true, Kept: true}
	}
	return err
}

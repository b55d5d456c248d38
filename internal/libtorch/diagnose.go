package libtorch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A Check is a line of a diagnosis.
type Check struct {
	Name   string
	Found  string // what was found
	Bad    bool   // libtorch cannot be used because of it
	Advice string // what to do; empty if nothing needs to be done
}

// Diagnose checks everything that [Load] needs, and changes nothing.
func Diagnose(ctx context.Context) []Check {
	var checks []Check
	add := func(c Check) { checks = append(checks, c) }

	var used *Library
	for _, p := range places(ctx) {
		c := Check{Name: "libtorch, " + p.name}
		lib, err := p.look()
		switch {
		case err == nil:
			c.Found = fmt.Sprintf("%s, in %s", lib, lib.LibDir)
			if used == nil {
				used = lib
				c.Found += "; this one is used"
			}
		case errors.Is(err, errNothing):
			c.Found = "none"
		default:
			c.Found, c.Bad = err.Error(), p.binding
			c.Advice = "mend or remove it"
		}
		add(c)
	}
	if used == nil {
		c := Check{Name: "libtorch", Found: "none that can be used", Advice: "the first use installs one; \"torchhub setup\" does it now"}
		if os.Getenv("TORCHHUB_INSTALL") != "" || os.Getenv("LIBTORCH") != "" {
			c.Bad, c.Advice = true, "run \"torchhub setup\", and unset LIBTORCH where it is wrong"
		}
		add(c)
	}

	cache, err := CacheDir()
	if err != nil {
		add(Check{Name: "torchhub's cache", Found: err.Error(), Bad: true, Advice: "set TORCHHUB_CACHE to a folder that can be written"})
	} else {
		add(Check{Name: "torchhub's cache", Found: cache})
	}
	cxx, err := compiler()
	switch {
	case used != nil && used.shim != "":
		add(Check{Name: "shim", Found: used.shim + ", of the bundle"})
	case err != nil:
		add(Check{Name: "C++ compiler", Found: "none", Bad: true, Advice: "install g++ or clang, or set CXX"})
	default:
		add(Check{Name: "C++ compiler", Found: cxx})
		if used == nil || cache == "" {
			break
		}
		c := Check{Name: "shim", Found: "not built yet; the first use builds it, in some 30 seconds"}
		if key, err := shimKey(used, cxx); err == nil {
			if p := filepath.Join(cache, "shim", key, "shim.so"); fileExists(p) {
				c.Found = p
			}
		}
		add(c)
	}

	switch {
	case !driver():
		add(Check{Name: "NVIDIA driver", Found: "none"})
	case used != nil && !used.CUDA:
		add(Check{Name: "NVIDIA driver", Found: "present, but this libtorch has no CUDA", Advice: "run \"torchhub setup --variant cuda\""})
	default:
		add(Check{Name: "NVIDIA driver", Found: "present"})
	}
	return checks
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

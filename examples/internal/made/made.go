// Package made makes the data of the examples: always the same, in the files of the data
// set that it stands for, so that torchvision reads them too.
package made

import "os"

// Root returns the folder dir. If dir is "" it makes a temporary folder, which remove
// removes, and calls write to fill it.
func Root(dir string, write func(dir string) error) (root string, remove func(), err error) {
	if dir != "" {
		return dir, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", "torchhub-example-"); err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	if err := write(dir); err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

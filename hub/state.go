package hub

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/torchhub/torchhub/torch"
)

// LoadStateDictFromURL returns the state dict in the file of a URL, which is
// downloaded to [Dir]'s folder checkpoints, under the last element of the
// URL's path, unless it is there already: torch.hub.load_state_dict_from_url
// with check_hash=True and weights_only=True. No code in the file is run. It
// heeds [WithCacheDir], [WithFileName], [WithDevice] and what
// [DownloadURLToFile] heeds.
//
// The tensors lie on the CPU, in the mapped file, or else on the device given:
// map_location. A file that is there already is not hashed again, as in Python,
// unless [WithSHA256] says what it must be; the checksums inside files of PyTorch's
// zip layout are compared. A zip that holds one file, which torch.hub used before
// PyTorch 1.6, is unpacked beside itself, as in Python.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url
func LoadStateDictFromURL(ctx context.Context, url string, opts ...Option) (torch.StateDict, error) {
	s, err := newOptions(opts).stateDict(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	return s, nil
}

func (o *options) stateDict(ctx context.Context, url string) (torch.StateDict, error) {
	o.deprecated("TORCH_MODEL_ZOO")
	path, err := o.cached(ctx, url)
	if err != nil {
		return nil, err
	}
	if path, err = unpackLegacy(ctx, path); err != nil {
		return nil, err
	}
	if o.device.Type != torch.CPUType {
		if err := initialise(ctx, o.device); err != nil {
			return nil, err
		}
	}
	s, err := readStateDict(ctx, path)
	if err != nil || o.device.Type == torch.CPUType {
		return s, err
	}
	err = torch.Try(func() {
		for i, e := range s {
			s[i].Tensor = e.Tensor.To(o.device)
			e.Tensor.Free()
		}
	})
	if err != nil {
		s.Free()
		return nil, err
	}
	return s, nil
}

// readStateDict reads a checkpoint, and blames its file for what is wrong with it.
func readStateDict(ctx context.Context, path string) (torch.StateDict, error) {
	return readStateDictAt(ctx, path, "")
}

// readStateDictAt reads the state dict under a key of a checkpoint, which is all of it for "".
func readStateDictAt(ctx context.Context, path, key string) (torch.StateDict, error) {
	if err := torch.Init(ctx); err != nil {
		return nil, err
	}
	checked := make(chan error, 1)
	go func() { checked <- checkZip(ctx, path) }()
	s, err := loadStateDict(path, key)
	if cerr := <-checked; err == nil && cerr != nil {
		s.Free()
		s, err = nil, cerr
	}
	if err != nil && !errors.Is(err, torch.ErrUnsupported) && !errors.Is(err, os.ErrNotExist) && ctx.Err() == nil {
		err = fmt.Errorf("%w; the file is damaged, delete %s and try again", err, path)
	}
	return s, err
}

func loadStateDict(path, key string) (torch.StateDict, error) {
	if key == "" {
		return torch.LoadStateDict(path)
	}
	v, err := torch.Load(path)
	if err != nil {
		return nil, err
	}
	var inner torch.Value
	if d, ok := v.(*torch.Dict); ok {
		inner, _ = d.Get(key)
	}
	d, ok := inner.(*torch.Dict)
	if !ok {
		return nil, fmt.Errorf("%s has no state dict under the key %q (%w)", path, key, torch.ErrUnsupported)
	}
	var s torch.StateDict
	for _, e := range d.Entries {
		name, isName := e.Key.(string)
		x, isTensor := e.Value.(*torch.Tensor)
		if !isName || !isTensor {
			return nil, fmt.Errorf("%s: what is under the key %q is no state dict: its key %.100q holds a %T (%w)", path, key, fmt.Sprint(e.Key), e.Value, torch.ErrUnsupported)
		}
		s = append(s, torch.Named{Name: name, Tensor: x})
	}
	return s, nil
}

// checkZip compares the checksums of the records of a checkpoint in PyTorch's
// zip layout, which the mapped load leaves out. Other layouts have none.
func checkZip(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // the load says so
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil
	}
	z, err := zip.NewReader(f, fi.Size())
	if err != nil {
		return nil // a legacy file, or one that the load refuses
	}
	work := make(chan *zip.File)
	errs := make(chan error, 1)
	var wg sync.WaitGroup
	for range min(len(z.File), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			buf := make([]byte, 256<<10)
			for e := range work {
				if err := checkRecord(ctx, f, e, buf); err != nil {
					select {
					case errs <- fmt.Errorf("%s: record %q: %w", path, e.Name, err):
					default:
					}
				}
			}
		})
	}
	for _, e := range z.File {
		work <- e
	}
	close(work)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func checkRecord(ctx context.Context, f *os.File, e *zip.File, buf []byte) error {
	if e.Method != zip.Store {
		return nil // the load inflates it and compares
	}
	at, err := e.DataOffset()
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	r := &ctxReader{ctx, io.NewSectionReader(f, at, int64(e.CompressedSize64))}
	if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r}, buf); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	if got := sum.Sum32(); got != e.CRC32 {
		return fmt.Errorf("its checksum is %08x, want %08x", got, e.CRC32)
	}
	return nil
}

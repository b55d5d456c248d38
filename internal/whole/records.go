package whole

import (
	"archive/zip"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/torchhub/torchhub/internal/ctxio"
)

// Records compares the checksums of the records of a checkpoint in PyTorch's
// zip layout, which the mapped load leaves out. Other layouts have none.
func Records(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // the load reports it
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
				if err := checkChecksum(ctx, f, e, buf); err != nil {
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

func checkChecksum(ctx context.Context, f *os.File, e *zip.File, buf []byte) error {
	if e.Method != zip.Store || e.Flags&1 != 0 {
		return nil // the load inflates it and compares, or refuses what is encrypted
	}
	at, err := e.DataOffset()
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	r := ctxio.NewReader(ctx, io.NewSectionReader(f, at, int64(e.CompressedSize64)))
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

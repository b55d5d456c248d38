// Package tensorboard writes files that TensorBoard shows: torch.utils.tensorboard.
//
//	w, err := tensorboard.NewSummaryWriter("runs/mnist")
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer w.Close()
//	for step := range 100 {
//		err = w.AddScalar("loss", 1/float64(step+1), step)
//	}
//
// It writes scalars, histograms, pictures, text, hyperparameters, embeddings and curves of precision and recall. Graphs,
// audio, video and meshes of Python's SummaryWriter are not written.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html
package tensorboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/torch"
)

// A SummaryWriter writes a run of a program into a folder: torch.utils.tensorboard.SummaryWriter. Each Add writes to the
// file at once, so that TensorBoard shows it and a crash loses nothing. Its methods may be called from any number of
// goroutines.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter
type SummaryWriter struct {
	dir string
	o   SummaryWriterOptions

	mu   sync.Mutex
	f    *os.File                  // nil after Close
	subs map[string]*SummaryWriter // of AddScalars, by their folders

	projector string // the configuration of the embeddings
}

// SummaryWriterOptions are the options of [NewSummaryWriter].
type SummaryWriterOptions struct {
	Comment        string // added to the name of the folder, where that is made up
	PurgeStep      *int   // purge_step: TensorBoard hides what former files of the folder say of this step and later ones; nil hides nothing
	FilenameSuffix string // filename_suffix: added to the name of the file
}

// files counts the files of this process, as their names do in Python.
var files atomic.Int64

// NewSummaryWriter makes a file in a folder, and the folder: SummaryWriter(log_dir). The folder of "" is
// runs/DATE_HOST, as in Python.
func NewSummaryWriter(logDir string, options ...SummaryWriterOptions) (*SummaryWriter, error) {
	w := &SummaryWriter{dir: logDir, o: torch.Only(options), subs: map[string]*SummaryWriter{}}
	now := time.Now()
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	if logDir == "" {
		w.dir = filepath.Join("runs", now.Format("Jan02_15-04-05_")+host+w.o.Comment)
	}
	return w, w.open(now, host)
}

func (w *SummaryWriter) open(now time.Time, host string) error {
	if err := os.MkdirAll(w.dir, 0o777); err != nil {
		return fmt.Errorf("tensorboard: the folder %s cannot be made: %w", w.dir, oserror.Cause(err))
	}
	name := fmt.Sprintf("events.out.tfevents.%010d.%s.%d.%d%s", now.Unix(), host, os.Getpid(), files.Add(1)-1, w.o.FilenameSuffix)
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("tensorboard: the file %s cannot be made: %w", filepath.Join(w.dir, name), oserror.Cause(err))
	}
	w.f = f
	const version = "brain.Event:2"
	if err := w.write(event{fileVersion: version}); err != nil || w.o.PurgeStep == nil {
		return err
	}
	if err := w.write(event{step: *w.o.PurgeStep, fileVersion: version}); err != nil {
		return err
	}
	return w.write(event{step: *w.o.PurgeStep, start: true})
}

// LogDir returns the folder: get_logdir().
func (w *SummaryWriter) LogDir() string { return w.dir }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of a TFRecord.
func masked(b []byte) uint32 {
	return bits.RotateLeft32(crc32.Checksum(b, castagnoli), -15) + 0xa282ead8
}

// record frames data as a TFRecord: its length and it, each with a checksum.
func record(data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// write writes an event of now.
func (w *SummaryWriter) write(e event) error {
	e.wallTime = float64(time.Now().UnixMicro()) / 1e6
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return fmt.Errorf("tensorboard: the writer of %s is closed", w.dir)
	}
	if _, err := w.f.Write(record(e.encode())); err != nil {
		return fmt.Errorf("tensorboard: %s cannot be written: %w", w.f.Name(), oserror.Cause(err))
	}
	return nil
}

// Flush puts what was added onto the disk: flush().
func (w *SummaryWriter) Flush() error { return w.each((*os.File).Sync, false) }

// Close ends the file: close(). A second call does nothing.
func (w *SummaryWriter) Close() error { return w.each((*os.File).Close, true) }

func (w *SummaryWriter) each(f func(*os.File) error, last bool) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.subs {
		err = errors.Join(err, s.each(f, last))
	}
	if w.f == nil {
		return err
	}
	if e := f(w.f); e != nil {
		err = errors.Join(err, fmt.Errorf("tensorboard: %s cannot be written: %w", w.f.Name(), oserror.Cause(e)))
	}
	if last {
		w.f = nil
	}
	return err
}

// sub returns the writer of a folder in the writer's own, which AddScalars uses for one of its curves.
func (w *SummaryWriter) sub(name string) (*SummaryWriter, error) {
	dir := filepath.Join(w.dir, name)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return nil, fmt.Errorf("tensorboard: the writer of %s is closed", w.dir)
	}
	if s := w.subs[dir]; s != nil {
		return s, nil
	}
	s, err := NewSummaryWriter(dir, SummaryWriterOptions{FilenameSuffix: w.o.FilenameSuffix})
	if err == nil {
		w.subs[dir] = s
	}
	return s, err
}

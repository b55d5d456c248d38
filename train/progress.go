package train

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
)

// A Progress is a bar on a terminal, with the samples of an epoch, how many are done in a second, the remaining time and
// the loss; elsewhere it is one line at the end. Make one with [NewProgress] for each epoch.
//
//	epoch 1 23040 / 60000 [=======>-----------] 38 % 4811.2/s 7s loss 0.3127
type Progress struct {
	w     io.Writer
	bar   *terminal.Bar // nil if w is no terminal
	name  string
	total int
	n     int
	loss  float64
	start time.Time
}

// ProgressOptions are the options of [NewProgress].
type ProgressOptions struct {
	Writer io.Writer // nil is os.Stderr
}

// NewProgress returns a bar for an epoch of so many samples; 0 is an unknown number.
func NewProgress(name string, samples int, options ...ProgressOptions) *Progress {
	p := &Progress{w: torch.Only(options).Writer, name: name, total: samples, start: time.Now()}
	if p.w == nil {
		p.w = os.Stderr
	}
	if tty := terminal.Of(p.w); tty != nil {
		p.bar = terminal.NewCounter(tty, name)
	}
	return p
}

// Add counts the samples of a batch, and shows its loss.
func (p *Progress) Add(samples int, loss float64) {
	p.n, p.loss = p.n+samples, loss
	if p.bar != nil {
		p.bar.Note(fmt.Sprintf("loss %.4f", loss))
		p.bar.Set(int64(p.n), int64(p.total))
	}
}

// Close ends the bar.
func (p *Progress) Close() {
	if p.bar != nil {
		p.bar.Close(p.n >= p.total)
		return
	}
	seconds := time.Since(p.start).Seconds()
	fmt.Fprintf(terminal.NewWriter(p.w), "%s: %d samples in %.1f s, %.1f/s, last loss %.4f\n", p.name, p.n, seconds, float64(p.n)/seconds, p.loss)
}

package hub

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// bar shows how far a download is. It appears with the first byte that comes.
type bar struct {
	w    io.Writer // nil draws nothing
	name string
	p    *mpb.Progress
	b    *mpb.Bar
}

func (o *options) newBar(name string) *bar {
	w := o.progress
	if w == nil && !o.noBar && term.IsTerminal(int(os.Stderr.Fd())) {
		w = os.Stderr
	}
	return &bar{w: w, name: name}
}

// set shows n bytes of total; a negative total is unknown.
func (b *bar) set(n, total int64) {
	if b.w == nil {
		return
	}
	if b.p == nil {
		b.p = mpb.New(mpb.WithOutput(b.w), mpb.WithAutoRefresh(), mpb.WithWidth(40))
		b.b = b.p.AddBar(0,
			mpb.PrependDecorators(decor.Name(b.name+" "), decor.CountersKibiByte("% .1f / % .1f")),
			mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageSpeed(decor.SizeB1024(0), "% .1f"), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
		b.b.SetRefill(n)
	}
	b.b.SetTotal(max(total, n), false)
	b.b.SetCurrent(n)
}

func (b *bar) close(ok bool) {
	if b.p == nil {
		return
	}
	if ok {
		b.b.SetTotal(-1, true)
	} else {
		b.b.Abort(false)
	}
	b.p.Wait()
}

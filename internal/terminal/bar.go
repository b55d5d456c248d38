package terminal

import (
	"io"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A Bar shows how far a download or another job is: bytes or things, share, rate and remaining time. It appears with
// the first byte or thing. Bars of one writer at the same time stand below each other.
type Bar struct {
	w    io.Writer // nil draws nothing
	name string
	unit []decor.Decorator // counter and rate
	note atomic.Pointer[string]
	b    *mpb.Bar
	done func()
}

// maxName leaves room for the rest of a bar in a terminal of 80 columns.
const maxName = 28

// NewBar returns a bar that is drawn on w, with a name, which is escaped and
// shortened. A nil w draws nothing.
func NewBar(w io.Writer, name string) *Bar {
	short := []rune(Escape(name))
	if len(short) > maxName {
		short = append(short[:maxName-1], '…')
	}
	return &Bar{w: w, name: string(short), unit: []decor.Decorator{decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace), decor.AverageSpeed(decor.SizeB1024(0), " % .1f")}}
}

// Note shows a text at the end of the bar, until the next one.
func (b *Bar) Note(text string) {
	text = Escape(text)
	b.note.Store(&text)
}

// noted is the text that [Bar.Note] set.
func (b *Bar) noted(decor.Statistics) string {
	if s := b.note.Load(); s != nil && *s != "" {
		return " " + *s
	}
	return ""
}

// NewCounter returns a bar that counts things, such as "pictures".
func NewCounter(w io.Writer, name string) *Bar {
	b := NewBar(w, name)
	b.unit = []decor.Decorator{decor.CountersNoUnit("%d / %d", decor.WCSyncSpace), decor.AverageSpeed(0, " %.1f/s")}
	return b
}

// Set shows n bytes or things of total; a negative total is unknown.
func (b *Bar) Set(n, total int64) {
	if b.w == nil {
		return
	}
	if b.b == nil {
		var p *mpb.Progress
		p, b.done = joinBoard(b.w)
		b.b = p.AddBar(0,
			mpb.PrependDecorators(decor.Name(b.name+" ", decor.WCSyncSpaceR), b.unit[0]),
			mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.OnComplete(b.unit[1], ""), decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 4}), ""), decor.Any(b.noted)))
		b.b.SetRefill(n)
	}
	b.b.SetTotal(max(total, n), false)
	b.b.SetCurrent(n)
}

// Close ends the bar; ok means that the download is complete.
func (b *Bar) Close(ok bool) {
	if b.b == nil {
		return
	}
	if ok {
		b.b.SetTotal(-1, true)
	} else {
		b.b.Abort(false)
	}
	b.done()
}

// boards holds the board of each writer that can be a key.
var boards = struct {
	sync.Mutex
	of map[io.Writer]*board
}{of: map[io.Writer]*board{}}

type board struct {
	p    *mpb.Progress
	bars int
}

// joinBoard returns the board of w, and a function to call when the bar is
// done.
func joinBoard(w io.Writer) (*mpb.Progress, func()) {
	start := func() *mpb.Progress { return mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh()) }
	if !reflect.ValueOf(w).Comparable() {
		p := start()
		return p, p.Wait
	}
	boards.Lock()
	defer boards.Unlock()
	b := boards.of[w]
	if b == nil {
		b = &board{p: start()}
		boards.of[w] = b
	}
	b.bars++
	return b.p, func() {
		boards.Lock()
		defer boards.Unlock()
		if b.bars--; b.bars == 0 {
			b.p.Wait() // under the lock, so that the next one begins where this one has ended
			delete(boards.of, w)
		}
	}
}

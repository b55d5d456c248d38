package cuda

import (
	"runtime"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A Stream is a queue of work of one GPU: torch.cuda.Stream. Streams can be compared
// by ==, and need not be freed: libtorch has 32 for each device and priority, which
// it gives out again and again. The zero value is the default stream of the first
// device.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.Stream_class.html
type Stream struct{ s libtorch.Stream }

// StreamOptions are the options of [NewStream].
type StreamOptions struct {
	Device   torch.Device // the current CUDA device by default
	Priority int          // a negative number for a stream whose work comes first
}

// NewStream returns a stream: torch.cuda.Stream(device, priority).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.Stream_class.html
func NewStream(options ...StreamOptions) Stream {
	const op = "cuda.NewStream"
	o := torch.Only(options)
	if o.Priority < -100 || o.Priority > 100 {
		fail(op, "the priority is %d; it must be 0, or a small negative number", o.Priority)
	}
	s, err := libtorch.NewStream(index(op, o.Device), o.Priority)
	must(op, err)
	return Stream{s}
}

// DefaultStream returns the stream on which a device works outside of [WithStream]:
// torch.cuda.default_stream(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.default_stream.html
func DefaultStream(device ...torch.Device) Stream {
	return Stream{libtorch.Stream{Index: indexOf("cuda.DefaultStream", device)}}
}

// CurrentStream returns the stream to which ops here give the work of a device:
// torch.cuda.current_stream(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.current_stream.html
func CurrentStream(device ...torch.Device) Stream {
	i := indexOf("cuda.CurrentStream", device)
	return Stream{libtorch.Stream{Index: i, ID: libtorch.ThreadState().Streams[i]}}
}

// WithStream calls f with a current stream, and with its device as the current device:
// with torch.cuda.stream(s). It nests, and applies inside [torch.Run], but not in other
// goroutines that f starts.
//
//	s := cuda.NewStream()
//	s.WaitStream(cuda.CurrentStream())
//	cuda.WithStream(s, func() { y = x.MatMul(w) })
//	cuda.CurrentStream().WaitStream(s)
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.stream.html
func WithStream(s Stream, f func()) {
	s.check("cuda.WithStream")
	engine.Within(func(state *libtorch.State) {
		state.CUDADevice = s.s.Index
		state.Streams[s.s.Index] = s.s.ID
	}, f)
}

func (s Stream) check(op string) { check(op, s.s.Index, available(op)) }

// Device returns the device of the stream.
func (s Stream) Device() torch.Device { return torch.CUDADevice(s.s.Index) }

// Query reports whether the stream has done all its work: s.query().
func (s Stream) Query() bool {
	const op = "cuda.Stream.Query"
	s.check(op)
	done, err := s.s.Query()
	must(op, err)
	return done
}

// Synchronize waits until the stream has done all its work: s.synchronize().
func (s Stream) Synchronize() {
	const op = "cuda.Stream.Synchronize"
	s.check(op)
	must(op, s.s.Synchronize())
}

// WaitStream makes the later work of s wait for the work that other has now:
// s.wait_stream(other). It does not wait itself.
func (s Stream) WaitStream(other Stream) { s.WaitEvent(other.RecordEvent()) }

// WaitEvent makes the later work of s wait for an event: s.wait_event(e).
func (s Stream) WaitEvent(e *Event) { e.Wait(s) }

// RecordEvent returns a new event that waits for the work that s has now:
// s.record_event().
func (s Stream) RecordEvent() *Event {
	e := NewEvent()
	e.Record(s)
	return e
}

// RecordTensor keeps the memory of x, which another stream made, from being used for a
// new tensor before s has done the work that it has now: x.record_stream(s). Call it
// before x is freed, or can be, while s still uses it.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.record_stream.html
func (s Stream) RecordTensor(x *torch.Tensor) {
	const op = "cuda.Stream.RecordTensor"
	s.check(op)
	var c torch.Call
	c.Tensor(x)
	if _, err := engine.Invoke(&c, op, func(words, _ []uint64) error { return s.s.RecordTensor(words[1]) }); err != nil {
		panic(err)
	}
}

// An Event is a place in the work of a stream: torch.cuda.Event. It is not safe for
// concurrent use.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.Event.html
type Event struct{ e libtorch.Event }

// EventOptions are the options of [NewEvent].
type EventOptions struct {
	EnableTiming bool // whether the event measures time, for ElapsedTime
}

// NewEvent makes an event that is not recorded yet: torch.cuda.Event(enable_timing=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.Event.html
func NewEvent(options ...EventOptions) *Event {
	const op = "cuda.NewEvent"
	available(op)
	e, err := libtorch.NewEvent(torch.Only(options).EnableTiming)
	must(op, err)
	out := &Event{e}
	runtime.AddCleanup(out, libtorch.Event.Free, e)
	return out
}

// use calls f, and panics with the error that it returns.
func (e *Event) use(op string, f func(e libtorch.Event) error) {
	if e == nil || e.e.IsZero() {
		fail(op, "the event was not made by NewEvent")
	}
	must(op, f(e.e))
	runtime.KeepAlive(e)
}

// Record puts the event after the work that a stream has now, by default the current
// stream: e.record(stream).
func (e *Event) Record(stream ...Stream) {
	const op = "cuda.Event.Record"
	s := streamOf(op, stream)
	e.use(op, func(e libtorch.Event) error { return e.Record(s) })
}

// Wait makes the later work of a stream, by default the current stream, wait for the
// event: e.wait(stream).
func (e *Event) Wait(stream ...Stream) {
	const op = "cuda.Event.Wait"
	s := streamOf(op, stream)
	e.use(op, func(e libtorch.Event) error { return e.Wait(s) })
}

func streamOf(op string, stream []Stream) libtorch.Stream {
	if len(stream) == 0 {
		return CurrentStream().s
	}
	s := torch.Only(stream)
	s.check(op)
	return s.s
}

// Query reports whether the work before the event is done, or the event was not
// recorded: e.query().
func (e *Event) Query() (done bool) {
	e.use("cuda.Event.Query", func(e libtorch.Event) (err error) {
		done, err = e.Query()
		return err
	})
	return done
}

// Synchronize waits until the work before the event is done: e.synchronize().
func (e *Event) Synchronize() { e.use("cuda.Event.Synchronize", libtorch.Event.Synchronize) }

// ElapsedTime returns the milliseconds from e to end, which must both be recorded with
// EnableTiming, and done: e.elapsed_time(end).
func (e *Event) ElapsedTime(end *Event) (ms float64) {
	const op = "cuda.Event.ElapsedTime"
	e.use(op, func(e libtorch.Event) error {
		var err error
		end.use(op, func(end libtorch.Event) error {
			ms, err = e.Elapsed(end)
			return nil
		})
		return err
	})
	return ms
}

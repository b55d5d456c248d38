package libtorch

/*
#cgo CFLAGS: -O2
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "table.h"

// Calls that take Go memory, or none, and never call back into Go.
#cgo noescape t_op_call
#cgo nocallback t_op_call
#cgo noescape t_tensor_new
#cgo nocallback t_tensor_new
#cgo noescape t_tensor_read
#cgo nocallback t_tensor_read
#cgo noescape t_tensor_info
#cgo nocallback t_tensor_info
#cgo noescape t_tensor_free
#cgo nocallback t_tensor_free
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

var (
	loadMu  sync.Mutex
	loaded  atomic.Pointer[Library]
	arenas  = arenasAsTheyAre
	cudaErr string // the reason why CUDA cannot be used although libtorch supports it; written before loaded
)

// The state of the limit on malloc's arenas; guarded by loadMu.
type arenaState int

const (
	arenasAsTheyAre arenaState = iota // not decided yet
	arenasKept                        // never limited
	arenasLimited                     // limited
)

// KeepArenas makes [Load] not limit the number of malloc's arenas. It is an
// error once the number is limited, since that cannot be undone.
func KeepArenas() error {
	loadMu.Lock()
	defer loadMu.Unlock()
	if arenas == arenasLimited {
		return errors.New("libtorch: the number of malloc's arenas is limited already, since libtorch was used before; ask to keep it before the first use")
	}
	arenas = arenasKept
	return nil
}

// Load makes libtorch ready for use: it finds or installs one (see [Ensure]),
// builds the shim for it and loads both. The first success is permanent for the
// process; a failed Load can be retried.
func Load(ctx context.Context) error {
	if loaded.Load() != nil {
		return nil
	}
	loadMu.Lock()
	defer loadMu.Unlock()
	if loaded.Load() != nil {
		return nil
	}
	lib, err := Ensure(ctx, nil)
	if err != nil {
		return err
	}
	shim, err := BuildShim(ctx, lib, nil)
	if err != nil {
		return err
	}
	if arenas == arenasAsTheyAre {
		C.t_limit_arenas()
		arenas = arenasLimited
	}
	path := C.CString(shim)
	defer C.free(unsafe.Pointer(path))
	if e := C.t_open(path); e != nil {
		return fmt.Errorf("libtorch: load %s (libtorch %s in %s): %s; run \"torchhub doctor\" to see what is wrong",
			shim, lib.Version, lib.LibDir, oneLine(takeString(e)))
	}
	if err := connect(); err != nil {
		return err
	}
	if lib.CUDA {
		cuda := filepath.Join(lib.LibDir, "libtorch_cuda.so")
		if _, err := os.Stat(cuda); err == nil {
			p := C.CString(cuda)
			if e := C.t_load_cuda(p); e != nil {
				cudaErr = oneLine(takeString(e))
			}
			C.free(unsafe.Pointer(p))
		}
	}
	loaded.Store(lib)
	return nil
}

// Loaded returns the libtorch in use, or nil before [Load] has succeeded.
func Loaded() *Library { return loaded.Load() }

// CUDAError returns the reason why CUDA cannot be used although the libtorch in use
// supports it, or "".
func CUDAError() string {
	if loaded.Load() == nil {
		return ""
	}
	return cudaErr
}

// An Error is libtorch's error in one call.
type Error struct {
	Kind    byte // one of the Err… constants
	Msg     string
	Failure *Failure // of a callback; nil otherwise
}

// Kinds of error.
const (
	ErrOther          = C.THUB_ERR_OTHER
	ErrMemory         = C.THUB_ERR_MEMORY
	ErrIndex          = C.THUB_ERR_INDEX
	ErrNotImplemented = C.THUB_ERR_NOT_IMPLEMENTED
	ErrCallback       = C.THUB_ERR_CALLBACK
)

func (e *Error) Error() string { return e.Msg }

// Tags of values; shim.h defines the words that follow each.
const (
	None         = C.THUB_NONE
	Bool         = C.THUB_BOOL
	Int          = C.THUB_INT
	Double       = C.THUB_DOUBLE
	Complex      = C.THUB_COMPLEX
	String       = C.THUB_STRING
	Tensor       = C.THUB_TENSOR
	Device       = C.THUB_DEVICE
	List         = C.THUB_LIST
	Tuple        = C.THUB_TUPLE
	Dict         = C.THUB_DICT
	Ints         = C.THUB_INTS
	Doubles      = C.THUB_DOUBLES
	Bools        = C.THUB_BOOLS
	Tensors      = C.THUB_TENSORS
	Default      = C.THUB_DEFAULT
	Other        = C.THUB_OTHER
	GeneratorTag = C.THUB_GENERATOR
	Object       = C.THUB_OBJECT
	Named        = C.THUB_NAMED
)

// Fields of a tensor's description.
const (
	InfoDType    = C.THUB_INFO_DTYPE
	InfoDevice   = C.THUB_INFO_DEVICE
	InfoIndex    = C.THUB_INFO_INDEX
	InfoNumel    = C.THUB_INFO_NUMEL
	InfoItemSize = C.THUB_INFO_ITEMSIZE
	InfoOffset   = C.THUB_INFO_OFFSET
	InfoFlags    = C.THUB_INFO_FLAGS
	InfoLayout   = C.THUB_INFO_LAYOUT
	InfoDim      = C.THUB_INFO_NDIM
	InfoSizes    = C.THUB_INFO_SIZES // InfoDim sizes, then as many strides
)

// Bits of the field InfoFlags.
const (
	FlagRequiresGrad = C.THUB_FLAG_REQUIRES_GRAD
	FlagContiguous   = C.THUB_FLAG_CONTIGUOUS
	FlagInference    = C.THUB_FLAG_INFERENCE
	FlagNested       = C.THUB_FLAG_NESTED // without sizes and strides
	FlagZero         = C.THUB_FLAG_ZERO   // zeros without memory
)

// Heavy is the weight, in the results of a call, of a tensor that may keep an unknown amount of memory alive.
const Heavy = C.THUB_HEAVY

// A Result is the state after a call.
type Result struct {
	Live  int64  // bytes held by live CPU tensors
	Scope uint64 // of the calling thread
}

func takeString(s *C.char) string {
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func result(r C.thub_result) (Result, error) {
	return Result{Live: int64(r.live), Scope: uint64(r.scope)}, answer(r.err)
}

func failure(e C.thub_error) error { return answer(e.err) }

// The layout of the buffer for a call's results: a head, and after it the
// values if they fit.
const (
	RetsLive  = C.THUB_RETS_LIVE  // bytes held by live CPU tensors
	RetsScope = C.THUB_RETS_SCOPE // of the calling thread
	RetsHead  = C.THUB_RETS_VALUES
)

// Values returns the values that a call wrote, flat; tensors in them are new references.
func Values(buf []uint64) []uint64 {
	n := int(buf[C.THUB_RETS_N])
	if buf[C.THUB_RETS_WORDS] == 0 {
		return buf[RetsHead:][:n]
	}
	return taken(buf[C.THUB_RETS_WORDS], n)
}

// taken copies words that C allocated, and frees them.
func taken(p uint64, n int) []uint64 {
	words := *(**uint64)(unsafe.Pointer(&p))
	defer C.free(unsafe.Pointer(words))
	return append([]uint64(nil), unsafe.Slice(words, n)...)
}

// An Op is an operator of libtorch's dispatcher.
type Op struct {
	h     C.thub_op
	calls bool // it runs the engine of autograd, which calls callbacks
}

// FindOp finds an operator by its name in the schema, such as "aten::add", and its overload, such as "Tensor" or "".
func FindOp(name, overload string) (Op, error) {
	n, o := C.CString(name), C.CString(overload)
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(o))
	op := Op{calls: name == "aten::_backward"}
	err := failure(C.t_op_find(n, o, &op.h))
	return op, err
}

// LoadOperators loads a shared library that registers operators.
func LoadOperators(path string) error {
	p, all := C.CString(path), C.CString(filepath.Join(loaded.Load().LibDir, "libtorch.so"))
	defer C.free(unsafe.Pointer(p))
	defer C.free(unsafe.Pointer(all))
	err := failure(C.t_load_operators(p, all))
	if err != nil && (strings.Contains(err.Error(), "undefined symbol") || !strings.Contains(err.Error(), path) && strings.Contains(err.Error(), "cannot open shared object")) {
		return fmt.Errorf("%w; it may have been built for a libtorch other than that in %s: LIBTORCH chooses one", err, loaded.Load().LibDir)
	}
	return err
}

// Schema returns the operator's signature in the words of native_functions.yaml.
func (op Op) Schema() string { return takeString(C.t_op_schema(op.h)) }

// Call runs an operator; see [Values] for the results in buf. First it frees the
// references in buf, nfree of them from RetsHead on. It may use room words of
// buf; if that is RetsHead it drops the results.
func (op Op) Call(args, buf []uint64, room, nfree int) error {
	if op.calls || calling.Load() != 0 {
		return op.callBack(args, buf, room, nfree)
	}
	buf[C.THUB_RETS_N] = uint64(nfree)
	C.t_op_call(op.h, first(args), C.size_t(len(args)), first(buf), C.size_t(room))
	return answer(*(**C.char)(unsafe.Pointer(&buf[C.THUB_RETS_ERROR])))
}

// answer is called by every op, and so small enough to be inlined.
func answer(text *C.char) error {
	if text != nil {
		return errorOf(text)
	}
	return nil
}

func errorOf(text *C.char) error {
	s, _, _ := strings.Cut(takeString(text), " This could be because the operator doesn't exist") // which is followed by fifty lines about the devices with the operator
	e := &Error{Kind: s[0], Msg: s[1:]}
	if e.Kind == ErrCallback {
		e.Failure = failureOf(e.Msg)
		e.Msg = e.Failure.text()
	}
	return e
}

func first(w []uint64) *C.uint64_t { return (*C.uint64_t)(unsafe.SliceData(w)) }

// NewTensor copies n bytes at data into a new CPU tensor.
func NewTensor(data unsafe.Pointer, n int, dtype int, sizes []int64) (uint64, Result, error) {
	var t C.thub_tensor
	res, err := result(C.t_tensor_new(data, C.size_t(n), C.int32_t(dtype),
		(*C.int64_t)(unsafe.SliceData(sizes)), C.size_t(len(sizes)), &t))
	return uint64(t), res, err
}

// TensorData returns the address of a tensor's elements, if it is dense, contiguous and on the CPU.
func TensorData(t uint64) (unsafe.Pointer, error) {
	var p unsafe.Pointer
	err := failure(C.t_tensor_data(C.thub_tensor(t), &p))
	return p, err
}

// ReadTensor copies a tensor's elements, in the order of its indices, to dst.
func ReadTensor(t uint64, dst unsafe.Pointer, n int) error {
	return failure(C.t_tensor_read(C.thub_tensor(t), dst, C.size_t(n)))
}

// TensorInfo describes a tensor; the fields are the Info… constants. It uses buf if that is long enough.
func TensorInfo(t uint64, buf []int64) ([]int64, error) {
	for {
		var n C.size_t
		err := failure(C.t_tensor_info(C.thub_tensor(t), (*C.int64_t)(unsafe.SliceData(buf)), C.size_t(len(buf)), &n))
		if err != nil {
			return nil, err
		}
		if int(n) <= len(buf) {
			return buf[:n], nil
		}
		buf = make([]int64, n)
	}
}

// FreeTensors frees references.
func FreeTensors(ts []uint64) {
	if len(ts) > 0 {
		C.t_tensor_free(first(ts), C.size_t(len(ts)))
	}
}

// GradFn returns the name of the function that autograd recorded for a tensor,
// or "".
func GradFn(t uint64) string {
	if s := C.t_tensor_grad_fn(C.thub_tensor(t)); s != nil {
		return takeString(s)
	}
	return ""
}

// A Map is a file in memory, copy-on-write.
type Map struct {
	h    C.thub_map
	Data []byte // valid until Close, and as long as a tensor of the map is alive
}

// OpenMap maps a file. The error text does not name the file.
func OpenMap(path string) (*Map, error) {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	var m Map
	var addr unsafe.Pointer
	var n C.size_t
	if err := failure(C.t_map_open(p, &m.h, &addr, &n)); err != nil {
		return nil, err
	}
	m.Data = unsafe.Slice((*byte)(addr), int(n))
	return &m, nil
}

// Tensor makes a 1-d CPU tensor of numel elements from n bytes of the file, or from a copy of them if they are
// unaligned.
func (m *Map) Tensor(offset, n, dtype, numel int) (uint64, Result, error) {
	var t C.thub_tensor
	res, err := result(C.t_map_tensor(m.h, C.size_t(offset), C.size_t(n), C.int32_t(dtype), C.int64_t(numel), &t))
	return uint64(t), res, err
}

// Close drops this reference; the file stays mapped while tensors of it are
// alive.
func (m *Map) Close() {
	if m.h != nil {
		C.t_map_close(m.h)
		m.h, m.Data = nil, nil
	}
}

func cbool(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

// SetThreadWidth sets how many threads the calling OS thread's parallel regions use.
func SetThreadWidth(n int) { C.t_set_thread_width(C.int32_t(n)) }

// ThreadWidth returns how many threads the calling OS thread's parallel regions use.
func ThreadWidth() int { return int(C.t_get_thread_width()) }

// LiveBytes returns the number of bytes of live CPU tensors in the whole
// process.
func LiveBytes() int64 { return int64(C.t_live_bytes()) }

// HeldBytes is LiveBytes, and a sixteenth of the bytes of tensors on CUDA devices.
func HeldBytes() int64 { return int64(C.t_held_bytes()) }

// Trim returns the allocator's cached blocks to the system.
func Trim() { C.t_trim() }

// CPUCapability names the instruction set that libtorch's kernels use, such as "AVX512".
func CPUCapability() string { return takeString(C.t_cpu_capability()) }

// A Module is a TorchScript module.
type Module struct{ h C.thub_module }

// LoadModule reads a TorchScript archive onto the CPU.
func LoadModule(path string) (Module, error) {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	var m Module
	err := failure(C.t_jit_load(p, &m.h))
	return m, err
}

// LoadModuleBytes reads a TorchScript archive in memory.
func LoadModuleBytes(data []byte) (Module, error) {
	var m Module
	err := failure(C.t_jit_load_bytes(unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), &m.h))
	runtime.KeepAlive(data)
	return m, err
}

// Free frees the module, which must not be used afterwards.
func (m Module) Free() { C.t_jit_free(m.h) }

// To moves parameters and buffers to a device.
func (m Module) To(typ, index int) error {
	return failure(C.t_jit_to(m.h, C.int32_t(typ), C.int32_t(index)))
}

// Train sets training mode, or evaluation mode.
func (m Module) Train(on bool) error {
	return failure(C.t_jit_train(m.h, cbool(on)))
}

// Word returns the word of the object in arguments.
func (m Module) Word() uint64 { return uint64(uintptr(unsafe.Pointer(m.h))) }

// ModuleOf returns the object of a word of a call's results.
func ModuleOf(word uint64) Module { return Module{*(*C.thub_module)(unsafe.Pointer(&word))} }

// The lists of [Module.List].
const (
	ModuleType       = C.THUB_JIT_TYPE       // a string
	ModuleMethods    = C.THUB_JIT_METHODS    // a list of strings
	ModuleAttributes = C.THUB_JIT_ATTRIBUTES // a list of strings
	ModuleParameters = C.THUB_JIT_PARAMETERS // a dict of names to tensors
	ModuleBuffers    = C.THUB_JIT_BUFFERS    // likewise
	ModuleState      = C.THUB_JIT_STATE      // likewise
)

// List writes a list of a module's parts; what is one of the Module… constants.
func (m Module) List(what int, buf []uint64) error {
	return failure(C.t_jit_list(m.h, C.int32_t(what), first(buf), C.size_t(len(buf))))
}

// Attribute writes the value of an attribute.
func (m Module) Attribute(name string, buf []uint64) error {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return failure(C.t_jit_attribute(m.h, n, first(buf), C.size_t(len(buf))))
}

// Call runs a method.
func (m Module) Call(method string, args, buf []uint64) error {
	n := C.CString(method)
	defer C.free(unsafe.Pointer(n))
	return callback(func() error { // scripts can differentiate, which calls hooks
		return failure(C.t_jit_call(m.h, n, first(args), C.size_t(len(args)), first(buf), C.size_t(len(buf))))
	})
}

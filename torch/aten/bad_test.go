package aten

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/backends"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/mps"
	"github.com/torchhub/torchhub/torch/nn/functional"
)

// badDraws is how often each function is called with drawn arguments, and with
// each argument of a good call replaced.
var badDraws, badReplaced = 8, 2

func init() {
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		badDraws, badReplaced = 60, 20
	}
}

// byHand are the functions of package torch that no table has, by name.
var byHand = map[string]any{
	"autograd.Backward": autograd.Backward, "autograd.Grad": autograd.Grad, "autograd.VJP": autograd.VJP, "autograd.JVP": autograd.JVP,
	"autograd.Jacobian": autograd.Jacobian, "autograd.Hessian": autograd.Hessian, "autograd.VHP": autograd.VHP, "autograd.HVP": autograd.HVP,
	"autograd.Gradcheck": autograd.Gradcheck, "autograd.Gradgradcheck": autograd.Gradgradcheck, "autograd.Unary": autograd.Unary,
	"autograd.Checkpoint": autograd.Checkpoint, "autograd.CheckpointSequential": autograd.CheckpointSequential, "autograd.Vmap": autograd.Vmap,
	"autograd.SavedTensorsHooks": autograd.SavedTensorsHooks[int], "autograd.SaveOnCPU": autograd.SaveOnCPU, "autograd.DetectAnomaly": autograd.DetectAnomaly,
	"autograd.IsAnomalyEnabled": autograd.IsAnomalyEnabled, "autograd.DualLevel": autograd.DualLevel, "autograd.MakeDual": autograd.MakeDual, "autograd.UnpackDual": autograd.UnpackDual,
	"torch.FromSlice": torch.FromSlice[float32], "torch.FromSlice int64": torch.FromSlice[int64], "torch.FromSlice F16": torch.FromSlice[torch.F16],
	"torch.FromBuffer": torch.FromBuffer[float64], "torch.FromBuffer uint8": torch.FromBuffer[uint8],
	"torch.NewTensor": torch.NewTensor, "torch.Where": torch.Where, "torch.DimsOf": torch.DimsOf,
	"torch.Item": torch.Item[int64], "torch.Item float32": torch.Item[float32], "torch.Item F16": torch.Item[torch.F16],
	"torch.Scalar": torch.Scalar[float32], "torch.Scalar bool": torch.Scalar[bool],
	"torch.Data": torch.Data[float32], "torch.Data int64": torch.Data[int64], "torch.Data complex64": torch.Data[complex64],
	"torch.WithData": torch.WithData[float32], "torch.WithData bool": torch.WithData[bool],
	"torch.CUDADevice": torch.CUDADevice, "torch.ParseDevice": torch.ParseDevice, "torch.WithDevice": torch.WithDevice, "torch.DefaultDevice": torch.DefaultDevice,
	"torch.FromScalarType": torch.FromScalarType, "torch.ParseDType": torch.ParseDType,
	"torch.Try": torch.Try, "torch.Slice": torch.Slice, "torch.NewGenerator": torch.NewGenerator, "torch.ManualSeed": torch.ManualSeed,
	"torch.DefaultGenerator": torch.DefaultGenerator, "torch.Seed": torch.Seed, "torch.InitialSeed": torch.InitialSeed,
	"torch.RNGState": torch.RNGState, "torch.SetRNGState": torch.SetRNGState, "torch.ForkRNG": torch.ForkRNG,
	"torch.Version": torch.Version, "torch.CPUCapability": torch.CPUCapability, "torch.LiveBytes": torch.LiveBytes, "torch.EmptyCache": torch.EmptyCache,
	"torch.Only": torch.Only[int], "torch.NumThreads": torch.NumThreads, "torch.SetNumThreads": torch.SetNumThreads, "torch.SetWorkers": torch.SetWorkers, "torch.Run": torch.Run,
	"torch.Scope": torch.Scope, "torch.Keep": torch.Keep, "torch.NoGrad": torch.NoGrad, "torch.EnableGrad": torch.EnableGrad, "torch.SetGradEnabled": torch.SetGradEnabled,
	"torch.IsGradEnabled": torch.IsGradEnabled, "torch.InferenceMode": torch.InferenceMode,
	"torch.Load": torch.Load, "torch.LoadStateDict": torch.LoadStateDict,
	"torch.WithBytes":     torch.WithBytes,
	"torch.SaveTo":        func(v torch.Value) { _ = torch.SaveTo(io.Discard, v) },
	"torch.WriteBytes":    func(x *torch.Tensor) error { return torch.WriteBytes(io.Discard, x) },
	"torch.FindStateDict": func(v torch.Value) { _, _, _ = torch.FindStateDict(v) }, "torch.StateDicts": torch.StateDicts,
	"torch.NewF16": torch.NewF16, "torch.NewBF16": torch.NewBF16, "torch.NewF8E5M2": torch.NewF8E5M2, "torch.NewF8E4M3FN": torch.NewF8E4M3FN,
	"torch.NewF8E5M2FNUZ": torch.NewF8E5M2FNUZ, "torch.NewF8E4M3FNUZ": torch.NewF8E4M3FNUZ, "torch.NewF8E8M0FNU": torch.NewF8E8M0FNU,
	"torch.UseDeterministicAlgorithms": func(on bool, o torch.DeterministicOptions, x *torch.Tensor) {
		defer torch.UseDeterministicAlgorithms(false)
		torch.UseDeterministicAlgorithms(on, o)
		torch.EmptyLike(x)
	},
	"torch.AreDeterministicAlgorithmsEnabled": torch.AreDeterministicAlgorithmsEnabled, "torch.IsDeterministicAlgorithmsWarnOnlyEnabled": torch.IsDeterministicAlgorithmsWarnOnlyEnabled,
	"torch.SetFillUninitializedMemory": torch.SetFillUninitializedMemory, "torch.FillUninitializedMemory": torch.FillUninitializedMemory,
	"torch.SetFloat32MatmulPrecision": torch.SetFloat32MatmulPrecision, "torch.Float32MatmulPrecision": torch.Float32MatmulPrecision,
	"torch.SetDefaultDType": func(d torch.DType, x *torch.Tensor) {
		defer torch.SetDefaultDType(torch.Float32)
		torch.SetDefaultDType(d)
		x.Exp()
		torch.Ones(2).AddScalar(2)
	},
	"torch.DefaultDType": torch.DefaultDType, "torch.SetNumInteropThreads": torch.SetNumInteropThreads, "torch.NumInteropThreads": torch.NumInteropThreads,
	"torch.SetPrintOptions": func(o torch.PrintOptions, x *torch.Tensor) {
		defer torch.SetPrintOptions(torch.PrintOptions{})
		torch.SetPrintOptions(o)
		_ = x.String()
	},
	"cuda.IsAvailable": cuda.IsAvailable, "cuda.DeviceCount": cuda.DeviceCount, "cuda.CurrentDevice": cuda.CurrentDevice, "cuda.WithDevice": cuda.WithDevice, "cuda.Synchronize": cuda.Synchronize,
	"cuda.DeviceProperties": cuda.DeviceProperties, "cuda.DeviceName": cuda.DeviceName, "cuda.DeviceCapability": cuda.DeviceCapability, "cuda.CanDeviceAccessPeer": cuda.CanDeviceAccessPeer,
	"cuda.MemoryStats": cuda.MemoryStats, "cuda.MemoryAllocated": cuda.MemoryAllocated, "cuda.MaxMemoryAllocated": cuda.MaxMemoryAllocated, "cuda.MemoryReserved": cuda.MemoryReserved,
	"cuda.MaxMemoryReserved": cuda.MaxMemoryReserved, "cuda.ResetPeakMemoryStats": cuda.ResetPeakMemoryStats, "cuda.ResetAccumulatedMemoryStats": cuda.ResetAccumulatedMemoryStats,
	"cuda.MemGetInfo": cuda.MemGetInfo, "cuda.EmptyCache": cuda.EmptyCache, "cuda.MemorySummary": cuda.MemorySummary, "cuda.NewStream": cuda.NewStream, "cuda.DefaultStream": cuda.DefaultStream,
	"cuda.CurrentStream": cuda.CurrentStream, "cuda.WithStream": cuda.WithStream, "cuda.NewEvent": cuda.NewEvent, "cuda.NewGraph": cuda.NewGraph, "cuda.ManualSeed": cuda.ManualSeed,
	"cuda.ManualSeedAll": cuda.ManualSeedAll, "cuda.InitialSeed": cuda.InitialSeed, "cuda.RNGState": cuda.RNGState, "cuda.SetRNGState": cuda.SetRNGState,
	"cuda.Seed": cuda.Seed, "cuda.SeedAll": cuda.SeedAll, "cuda.RNGStateAll": cuda.RNGStateAll, "cuda.SetRNGStateAll": cuda.SetRNGStateAll,
	"mps.IsAvailable": mps.IsAvailable, "mps.Synchronize": mps.Synchronize, "mps.EmptyCache": mps.EmptyCache, "mps.CurrentAllocatedMemory": mps.CurrentAllocatedMemory,
	"mps.DriverAllocatedMemory": mps.DriverAllocatedMemory, "mps.RecommendedMaxMemory": mps.RecommendedMaxMemory,
	"amp.NewGradScaler": amp.NewGradScaler, "amp.Autocast": amp.Autocast, "amp.IsAutocastEnabled": amp.IsAutocastEnabled, "amp.AutocastDType": amp.AutocastDType,
	"amp.IsAutocastCacheEnabled": amp.IsAutocastCacheEnabled, "amp.IsAutocastAvailable": amp.IsAutocastAvailable,
	"functional.BatchNorm": functional.BatchNorm, "functional.InstanceNorm": functional.InstanceNorm, "functional.LocalResponseNorm": functional.LocalResponseNorm,
	"functional.Interpolate": functional.Interpolate, "functional.GridSample": functional.GridSample, "functional.Normalize": functional.Normalize,
	"functional.Softmin": functional.Softmin, "functional.Softsign": functional.Softsign, "functional.Tanhshrink": functional.Tanhshrink,
	"functional.GumbelSoftmax": functional.GumbelSoftmax, "functional.LPPool1d": functional.LPPool1d, "functional.LPPool2d": functional.LPPool2d,
	"functional.Dropout1d": functional.Dropout1d, "functional.Dropout2d": functional.Dropout2d, "functional.Dropout3d": functional.Dropout3d, "functional.FeatureAlphaDropout": functional.FeatureAlphaDropout,
	"functional.Unfold": functional.Unfold, "functional.Fold": functional.Fold, "functional.LPPool3d": functional.LPPool3d, "functional.MaxUnpool2d": functional.MaxUnpool2d,
	"functional.MaxUnpool3d": functional.MaxUnpool3d, "functional.FractionalMaxPool2d": functional.FractionalMaxPool2d, "functional.FractionalMaxPool3d": functional.FractionalMaxPool3d, "functional.Embedding": functional.Embedding,
	"functional.MSELoss": functional.MSELoss, "functional.L1Loss": functional.L1Loss, "functional.HuberLoss": functional.HuberLoss, "functional.KLDiv": functional.KLDiv,
	"functional.PoissonNLLLoss": functional.PoissonNLLLoss, "functional.TripletMarginWithDistanceLoss": functional.TripletMarginWithDistanceLoss,
	"functional.MaxUnpool1d": functional.MaxUnpool1d, "functional.EmbeddingBag": functional.EmbeddingBag,
	"functional.GaussianNLLLoss": functional.GaussianNLLLoss, "functional.MultilabelSoftMarginLoss": functional.MultilabelSoftMarginLoss,
}

// notCalled are exported functions that TestBadArguments leaves out, and why.
var notCalled = map[string]string{
	"torch.Init":                "takes no argument but a context",
	"torch.CUDACount":           "takes no argument but a context",
	"torch.LoadLibrary":         "runs native code",
	"torch.FromBlob":            "trusts the caller's pointer",
	"torch.Save":                "writes a file; SaveTo is called",
	"StateDict.UnmarshalBinary": "reads bytes; FuzzUnmarshalBinary has them",
	"torch.SaveSeq":             "writes a file; TestSaveSeq has the mistakes",
	"torch.LoadFrom":            "reads a stream; Load is called",
	"torch.Get":                 "reads any value; TestGet has the mistakes",
	"torch.WithMapLocation":     "an option of Load",
	"torch.WithKey":             "an option of LoadStateDict",
	"torch.WithPrefix":          "an option of LoadStateDict",
	"torch.WithNotice":          "an option of LoadStateDict",
	"torch.WithLimits":          "an option of LoadStateDict",
	"torch.Describe":            "describes any value",
	"torch.SizesOf":             "repeats an int as often as the function that takes it has dimensions",
	"torch.NewOp":               "only names an operator; package aten calls all of them",
	"torch.Result":              "makes a call that was built, as all operators do",
}

// receivers are the types all of whose methods are called.
var receivers = []reflect.Type{
	reflect.TypeFor[*torch.Tensor](), reflect.TypeFor[torch.Options](), reflect.TypeFor[*torch.Generator](), reflect.TypeFor[*torch.Hook](), reflect.TypeFor[*torch.Node](), reflect.TypeFor[torch.DType](),
	reflect.TypeFor[torch.Device](), reflect.TypeFor[torch.Layout](), reflect.TypeFor[torch.DictClass](), reflect.TypeFor[*torch.Dict](), reflect.TypeFor[torch.StateDict](),
	reflect.TypeFor[torch.F16](), reflect.TypeFor[torch.BF16](), reflect.TypeFor[torch.F8E5M2](), reflect.TypeFor[torch.F8E4M3FN](),
	reflect.TypeFor[torch.F8E5M2FNUZ](), reflect.TypeFor[torch.F8E4M3FNUZ](), reflect.TypeFor[torch.F8E8M0FNU](), reflect.TypeFor[backends.Flag](),
	reflect.TypeFor[cuda.Stream](), reflect.TypeFor[*cuda.Event](), reflect.TypeFor[*cuda.Graph](), reflect.TypeFor[*amp.GradScaler](),
	reflect.TypeFor[autograd.Function](), reflect.TypeFor[*autograd.Context](), reflect.TypeFor[*autograd.GradcheckError](),
}

// everything is every function, by name.
func everything() map[string]reflect.Value {
	all := map[string]reflect.Value{}
	for name, f := range functions {
		all[name] = reflect.ValueOf(f)
	}
	for _, f := range curated {
		name := f.name
		if !strings.Contains(name, ".") {
			name = "torch." + name
		}
		all[name] = reflect.ValueOf(f.function)
	}
	for name, f := range byHand {
		all[name] = reflect.ValueOf(f)
	}
	for _, t := range receivers {
		name := t
		if t.Kind() == reflect.Pointer {
			name = t.Elem()
		}
		for m := range t.Methods() {
			all[name.Name()+"."+m.Name] = m.Func
		}
	}
	return all
}

// TestEverythingIsCalled finds exported functions that TestBadArguments does not know of.
func TestEverythingIsCalled(t *testing.T) {
	all := everything()
	for _, dir := range []string{"..", "../linalg", "../fft", "../special", "../nn/functional", "../amp", "../autograd", "../backends", "../cuda", "../mps"} {
		files, err := filepath.Glob(dir + "/*.go")
		require.NoError(t, err)
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !fn.Name.IsExported() || strings.HasSuffix(file, "_test.go") {
					continue
				}
				name := f.Name.Name + "." + fn.Name.Name
				if fn.Recv != nil {
					receiver := fn.Recv.List[0].Type
					if star, ok := receiver.(*ast.StarExpr); ok {
						receiver = star.X
					}
					name = receiver.(*ast.Ident).Name + "." + fn.Name.Name
					if slices.Contains([]string{"Call", "Op", "Error", "MalformedError", "UnsupportedError", "StateDictPlace", "StateDictError", "PathError", "placeError"}, receiver.(*ast.Ident).Name) {
						continue // what ops are called by, and modules: the tests of packages jit and aoti have these
					}
				}
				if _, ok := all[name]; !ok && notCalled[name] == "" {
					t.Errorf("%s (%s) is not called with bad arguments", name, file)
				}
			}
		}
	}
}

// badTasks are what a process is to call.
type badTasks struct {
	Names []string
	Good  map[string][]testCase // calls that work, by name
	Odd   bool                  // the first argument is each of the odd tensors in turn
	Call  int                   // if above 0, the only call to make, and to tell of
}

// TestBadArguments calls every function with arguments that are nil, freed, of
// the wrong dtype, shape, layout and device, out of range, or not a number,
// among good ones, and in the place of good ones. Each call must return or panic
// with a *torch.Error. The calls are made in other processes, so that one that
// crashes can be named, and with fences around the tensors' memory.
func TestBadArguments(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("what is guarded against is 2.15's")
	}
	var names []string
	for name := range everything() {
		names = append(names, name)
	}
	slices.Sort(names)
	if only := os.Getenv("TORCHHUB_TEST_ONLY"); only != "" {
		names = strings.Split(only, ",")
	}
	var p *reference.Process
	if os.Getenv(reference.Variable) != "" {
		p = reference.Start(t, cases)
	}
	var wg sync.WaitGroup
	busy := make(chan bool, 2)
	// Python takes minutes to find calls that work, so each day it does for an eighth of the functions.
	all, turn := os.Getenv("TORCHHUB_TEST_LARGE") != "", time.Now().YearDay()%8
	for chunk := range slices.Chunk(names, 50) {
		turn = (turn + 1) % 8
		tasks := badTasks{Names: chunk}
		tasks.Call, _ = strconv.Atoi(os.Getenv("TORCHHUB_TEST_CALL"))
		if p != nil && (all || turn == 0) {
			p.Call(&tasks.Good, "valid", slices.DeleteFunc(slices.Clone(chunk), func(name string) bool { return functions[name] == nil }))
		}
		busy <- true
		wg.Go(func() {
			defer func() { <-busy }()
			for len(tasks.Names) > 0 {
				done, how := callBadly(t, tasks)
				if how == "" {
					break
				}
				t.Errorf("%s: %s", tasks.Names[done], how)
				tasks.Names = tasks.Names[done+1:]
			}
		})
	}
	wg.Wait()
	t.Logf("%d functions, %d calls, %d of which worked; %d functions had one that did", badCounts[0].Load(), badCounts[1].Load(), badCounts[2].Load(), badCounts[3].Load())
}

var badCounts [4]atomic.Int64 // functions, calls, those that worked, functions that had one

// callBadly has a process call functions. Where that process ends early, it
// returns the function it was in and what it said.
func callBadly(t *testing.T, tasks badTasks) (at int, how string) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	dir := t.TempDir()
	todo, err := json.Marshal(tasks)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tasks"), todo, 0o644))
	f, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	defer f.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBadCall$", "-test.timeout=0")
	cmd.Dir = dir // from_file writes files
	cmd.Env = append(os.Environ(), "TORCHHUB_TEST_BAD="+filepath.Join(dir, "tasks"), "TORCHHUB_FENCE=1", "OMP_NUM_THREADS=1")
	cmd.ExtraFiles = []*os.File{w}
	cmd.Stdout, cmd.Stderr = f, f
	require.NoError(t, cmd.Start())
	w.Close()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
	}()
	last, finished, hung := "", false, false
loop:
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				break loop
			}
			var calls, worked int64
			if line == "done" {
				finished = true
			} else if n, _ := fmt.Sscanf(line, "count %d %d", &calls, &worked); n == 2 {
				badCounts[0].Add(1)
				badCounts[1].Add(calls)
				badCounts[2].Add(worked)
				if worked > 0 {
					badCounts[3].Add(1)
				}
			} else {
				last = line
			}
		case <-time.After(60 * time.Second):
			hung = true
			_ = cmd.Process.Kill()
		}
	}
	err = cmd.Wait()
	text, _ := os.ReadFile(f.Name())
	if tasks.Call > 0 {
		t.Logf("%s", text)
	}
	if err == nil && finished {
		return 0, ""
	}
	i, call, _ := strings.Cut(last, " ")
	at, _ = strconv.Atoi(i)
	how = fmt.Sprintf("call %s: %v", call, err)
	if hung {
		how = "call " + call + ": no end in 60 s"
	}
	var report []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "Warning") || strings.TrimSpace(line) == "" {
			continue
		}
		if report = append(report, strings.TrimSpace(line)); len(report) == 12 {
			break
		}
	}
	return at, how + ": " + strings.Join(report, " | ")
}

// TestBadCall is what the other processes run.
func TestBadCall(t *testing.T) {
	path := os.Getenv("TORCHHUB_TEST_BAD")
	if path == "" {
		t.Skip("TestBadArguments runs it")
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var tasks badTasks
	require.NoError(t, json.Unmarshal(text, &tasks))
	out := os.NewFile(3, "calls")
	limit := syscall.Rlimit{Cur: 1 << 36, Max: 1 << 36} // a larger allocation fails, and the process is not killed
	_ = syscall.Setrlimit(syscall.RLIMIT_AS, &limit)
	all := everything()
	for i, name := range tasks.Names {
		seed := fnv.New64()
		fmt.Fprint(seed, name, os.Getenv("TORCHHUB_TEST_SEED"))
		b := &badArguments{rand: rand.New(rand.NewPCG(1, seed.Sum64()))}
		f := all[name]
		n, worked := 0, 0
		if tasks.Odd {
			for _, odd := range oddTensors {
				n++
				if tasks.Call == 0 || tasks.Call == n {
					fmt.Fprintln(out, i, n)
					if callOddly(t, b, name, f, odd) {
						worked++
					}
				}
			}
			fmt.Fprintln(out, "count", n, worked)
			continue
		}
		call := func(args []reflect.Value) {
			n++
			if tasks.Call > 0 && n != tasks.Call {
				return
			}
			if tasks.Call > 0 {
				for _, a := range args {
					fmt.Println(describe(a.Interface()))
				}
			}
			fmt.Fprintln(out, i, n)
			if callBad(t, name, n, f, args) {
				worked++
			}
		}
		for range badDraws {
			call(b.arguments(f.Type()))
			if t.Failed() {
				t.FailNow() // the first to panic is the one that the parent names
			}
		}
		for _, c := range tasks.Good[name] {
			for at := range c.Args {
				for range badReplaced {
					b.shape, b.dtype, b.bad = []int{2, 3}, torch.Float32, 0.8
					args := make([]reflect.Value, len(c.Args))
					for j, a := range c.Args {
						v, err := argument(f.Type().In(j), a)
						require.NoError(t, err)
						args[j] = v
					}
					if x, ok := args[at].Interface().(*torch.Tensor); ok && x != nil && b.rand.IntN(2) == 0 {
						args[at] = reflect.ValueOf(b.changed(x))
					} else {
						args[at] = b.value(f.Type().In(at), 0)
					}
					call(args)
				}
			}
		}
		fmt.Fprintln(out, "count", n, worked)
	}
	fmt.Fprintln(out, "done")
}

func describe(v any) string {
	switch v := v.(type) {
	case *torch.Tensor:
		if v == nil {
			return "nil"
		}
		s := "freed"
		_ = torch.Try(func() { s = fmt.Sprint(v.Shape(), v.Strides(), v.DType(), v.Device(), "\n", v) })
		return s
	case []*torch.Tensor:
		s := "["
		for _, x := range v {
			s += describe(x) + ", "
		}
		return s + "]"
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && !r.IsNil() {
		return "&" + fmt.Sprint(r.Elem().Interface())
	}
	return fmt.Sprintf("%T %+v", v, v)
}

// callBad makes a call and reports whether it returned.
func callBad(t *testing.T, name string, n int, f reflect.Value, args []reflect.Value) bool {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s, call %d: panics with %T: %v", name, n, p, p)
		}
	}()
	return torch.Try(func() {
		torch.NoGrad(func() {
			if f.Type().IsVariadic() {
				f.CallSlice(args)
			} else {
				f.Call(args)
			}
		})
	}) == nil
}

// badArguments draws arguments.
type badArguments struct {
	rand  *rand.Rand
	shape []int // that most tensors of a call have
	dtype torch.DType
	bad   float64 // how many arguments of a call are bad
}

func pick[T any](b *badArguments, vs ...T) T { return vs[b.rand.IntN(len(vs))] }

func (b *badArguments) arguments(t reflect.Type) []reflect.Value {
	b.shape = pick(b, []int{2, 3}, []int{3, 3}, []int{4}, []int{1, 2, 3}, []int{2, 2, 4, 4}, []int{1, 2, 3, 4, 4}, []int{})
	b.dtype = pick(b, torch.Float32, torch.Float32, torch.Float32, torch.Float64, torch.Int64, torch.Complex64, torch.Bool, torch.BFloat16)
	b.bad = pick(b, 0.1, 0.3, 0.8)
	var args []reflect.Value
	for i := range t.NumIn() {
		args = append(args, b.value(t.In(i), 0))
	}
	return args
}

func (b *badArguments) value(t reflect.Type, depth int) reflect.Value {
	bad := b.rand.Float64() < b.bad
	v := reflect.New(t).Elem()
	set := func(x any) reflect.Value {
		if x != nil {
			v.Set(reflect.ValueOf(x).Convert(t))
		}
		return v
	}
	switch t {
	case reflect.TypeFor[*torch.Tensor]():
		return set(b.tensor(bad))
	case reflect.TypeFor[torch.DType]():
		return set(pick(b, 0, torch.Float32, torch.Int64, torch.Bool, torch.Complex64, torch.BFloat16, torch.Float8E4M3FN, torch.DType(200), torch.DType(255)))
	case reflect.TypeFor[torch.Layout](), reflect.TypeFor[torch.MemoryFormat]():
		return set(pick(b, 0, 0, 0, 1, 2, 3, 4, 5, 6, 99, -1))
	case reflect.TypeFor[torch.Device]():
		return set(pick(b, torch.CPU, torch.CPU, torch.CUDA, torch.CUDADevice(99), torch.Meta, torch.Device("gpu:1"), torch.Device("")))
	case reflect.TypeFor[unsafe.Pointer]():
		return v
	case reflect.TypeFor[torch.LoadOption](), reflect.TypeFor[torch.StateDictOption]():
		return set(pick(b, torch.WithLimits(torch.Limits{Values: -1, Depth: -1}), torch.WithMapLocation("gpu:1"), torch.WithMapLocation(torch.Meta)))
	case reflect.TypeFor[fmt.State]():
		return set(formatState{Writer: io.Discard, n: pick(b, 0, 3, -1, 1<<40)})
	case reflect.TypeFor[*torch.Generator]():
		return set(pick(b, (*torch.Generator)(nil), torch.NewGenerator(torch.CPU), &torch.Generator{}))
	}
	switch t.Kind() {
	case reflect.Func:
		return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
			var out []reflect.Value
			for i := range t.NumOut() {
				out = append(out, b.value(t.Out(i), depth+1))
			}
			return out
		})
	case reflect.Pointer:
		if b.rand.IntN(2) == 0 {
			return v
		}
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(b.value(t.Elem(), depth+1))
		return v
	case reflect.Slice:
		n := pick(b, 0, 1, 2, 2, 3, 4, len(b.shape))
		if bad && b.rand.IntN(4) == 0 {
			return v
		}
		if t.Elem().Kind() == reflect.Struct {
			n = b.rand.IntN(2)
		}
		same := b.rand.IntN(2) == 0 && t.Elem().Kind() != reflect.Pointer
		v.Set(reflect.MakeSlice(t, n, n))
		for i := range n {
			if same && i > 0 {
				v.Index(i).Set(v.Index(0))
				continue
			}
			v.Index(i).Set(b.value(t.Elem(), depth+1))
		}
		return v
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && b.rand.IntN(2) == 0 {
				v.Field(i).Set(b.value(t.Field(i).Type, depth+1))
			}
		}
		return v
	case reflect.Map:
		return reflect.MakeMap(t)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return set(pick(b, 0, 1, 2, 100, 127))
	case reflect.Float32:
		return set(pick(b, 0, 1.5, math.NaN(), math.Inf(-1), 1e30))
	case reflect.Complex64, reflect.Complex128:
		return set(pick(b, complex128(0), complex(1, math.NaN())))
	case reflect.Int, reflect.Int64:
		if bad {
			return set(pick(b, -1, -2, -100, 100, 1<<40, 1<<62, math.MaxInt64, math.MinInt64))
		}
		return set(pick(b, 0, 1, 1, 1, 2, 3, -1))
	case reflect.Float64:
		if bad {
			return set(pick(b, math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e308))
		}
		return set(pick(b, 0.0, 0.5, 1, 2))
	case reflect.Bool:
		return set(b.rand.IntN(2) == 0)
	case reflect.String:
		if bad {
			return set(pick(b, "", "bogus", "\x00\xff", "ii->", "ij,jk->ik,", "none"))
		}
		return set(pick(b, "mean", "sum", "none", "ij,jk->ik", "ij->ji", "constant", "reflect", "replicate", "circular"))
	case reflect.Interface:
		if t.NumMethod() > 0 { // an amp.Optimizer
			if bad {
				return reflect.Zero(t)
			}
			return set(optimizer{b.tensor(false)})
		}
		if bad {
			return set(pick(b, any(nil), any("x"), any(math.NaN()), any(math.MinInt64), any(math.MaxInt64), any(complex(1, math.Inf(1))), any([]int{-1, 1 << 40}), any(struct{}{})))
		}
		return set(pick(b, any(0), any(1), any(2), any(0.5), any(-1.5), any(true), any(1i), any([]int{1, 2})))
	}
	panic("no way to draw a " + t.String())
}

// An optimizer does nothing.
type optimizer struct{ parameter *torch.Tensor }

func (optimizer) Step() {}

func (o optimizer) Parameters() []*torch.Tensor { return []*torch.Tensor{o.parameter} }

// A formatState is a fmt.State of one number.
type formatState struct {
	io.Writer
	n int
}

func (s formatState) Width() (int, bool)     { return s.n % 100, s.n != 0 }
func (s formatState) Precision() (int, bool) { return s.n, s.n != 0 }
func (s formatState) Flag(c int) bool        { return c == s.n }

func (b *badArguments) tensor(bad bool) *torch.Tensor {
	make := func(d torch.DType, shape ...int) *torch.Tensor {
		n := 1
		for _, s := range shape {
			n *= s
		}
		vs := []float64{}
		for range n {
			if d.IsFloatingPoint() || d.IsComplex() {
				vs = append(vs, b.rand.NormFloat64())
			} else {
				vs = append(vs, float64(b.rand.IntN(3)))
			}
		}
		return torch.FromSlice(vs, shape...).ToDType(d)
	}
	if !bad {
		return make(pick(b, b.dtype, b.dtype, b.dtype, torch.Int64), b.shape...)
	}
	var x *torch.Tensor
	if err := torch.Try(func() {
		switch b.rand.IntN(20) {
		case 0:
		case 1:
			x = make(b.dtype, b.shape...)
			x.Free()
		case 2:
			x = make(b.dtype, 0)
		case 3:
			x = make(b.dtype, 2, 0, 3)
		case 4:
			x = torch.Options{DType: b.dtype, Device: torch.Meta}.Empty(b.shape...)
		case 5:
			x = FullLike(make(torch.Float32, b.shape...), math.NaN(), 0, nil, "", nil, nil)
		case 6:
			x = torch.FromSlice([]int64{math.MaxInt64, math.MinInt64, -1, 1 << 40, 7, -9}, 2, 3)
		case 7:
			x = torch.FromSlice([]int64{100000})
		case 8:
			x = make(torch.Float32, 2, 3).ToSparse()
		case 9:
			x = make(torch.Float32, 3, 3).ToSparseCSR()
		case 10:
			x = make(pick(b, torch.Bool, torch.Uint8, torch.Int8, torch.Float16, torch.Complex128, torch.Float8E5M2, torch.Uint16, torch.Int32), b.shape...)
		case 11:
			x = make(b.dtype, 1, 1, 2, 1, 3, 1, 2)
		case 12:
			x = make(b.dtype, 5, 7)
		case 13:
			x = make(b.dtype)
		case 14:
			x = make(b.dtype, 3).Expand(4, 3)
		case 16:
			x = &torch.Tensor{}
		case 15:
			x = QuantizePerTensor(make(torch.Float32, b.shape...), 0.1, 0, torch.FromScalarType(13)) // quint8
		default:
			x = pick(b, oddTensors...).make()
		}
	}); err != nil {
		return nil
	}
	return x
}

// changed returns a tensor that differs from a good one in shape, dtype, values or place.
func (b *badArguments) changed(x *torch.Tensor) *torch.Tensor {
	y := x
	if err := torch.Try(func() {
		last := x.Dim() - 1
		switch b.rand.IntN(10) {
		case 0:
			y = x.Unsqueeze(0)
		case 1:
			y = x.Select(0, 0).Clone()
		case 2:
			y = x.Narrow(last, 0, x.Size(last)-1).Clone()
		case 3:
			y = torch.Cat([]*torch.Tensor{x, x}, 0)
		case 4:
			y = x.Narrow(0, 0, 0).Clone()
		case 5:
			y = x.To(torch.Meta)
		case 6:
			y = x.ToDType(pick(b, torch.Float64, torch.Int64, torch.Bool, torch.Complex64, torch.Float16, torch.Uint8, torch.Int32))
		case 7:
			y = FullLike(x, pick[any](b, -1, 1<<40, -1<<40, 7, math.NaN(), math.Inf(1), 1e30), 0, nil, "", nil, nil)
		case 8:
			y = x.Transpose(0, last)
		case 9:
			y = torch.Cat([]*torch.Tensor{x, x}, last)
		}
	}); err != nil {
		return nil
	}
	return y
}

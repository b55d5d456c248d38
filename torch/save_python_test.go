package torch_test

import (
	"cmp"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// saveScript compares the values of two files of torch.save, with all that makes them one: types, order, strides, flags, and which tensors share
// memory.
const saveScript = `
import collections, math, os, struct, warnings, zipfile
import torch
warnings.filterwarnings("ignore")
torch.set_num_threads(1)

def raw(x):
	if x.is_conj(): x = x.conj()
	if x.is_neg(): x = torch._neg_view(x)
	x = x.detach().clone(memory_format=torch.contiguous_format)
	return bytes(x.untyped_storage()[:x.numel() * x.element_size()]) if x.numel() else b""

def tensor(a, b, at, seen):
	for name in "dtype shape layout device requires_grad".split():
		assert getattr(a, name) == getattr(b, name), f"{at}: {name} {getattr(a, name)} {getattr(b, name)}"
	if a.device.type == "meta":
		assert a.stride() == b.stride(), at
	elif a.layout == torch.sparse_coo:
		assert a.is_coalesced() == b.is_coalesced(), at
		tensor(a._indices(), b._indices(), at, {}); tensor(a._values(), b._values(), at, {})
	elif a.layout in (torch.sparse_csr, torch.sparse_bsr):
		for f in ("crow_indices", "col_indices", "values"): tensor(getattr(a, f)(), getattr(b, f)(), at, {})
	elif a.layout in (torch.sparse_csc, torch.sparse_bsc):
		for f in ("ccol_indices", "row_indices", "values"): tensor(getattr(a, f)(), getattr(b, f)(), at, {})
	else:
		assert a.stride() == b.stride() and (a.storage_offset() == b.storage_offset() or a.numel() == 0), at
		assert a.is_conj() == b.is_conj() and a.is_neg() == b.is_neg(), at
		if a.is_quantized:
			assert a.qscheme() == b.qscheme(), at
			if a.qscheme() == torch.per_tensor_affine:
				assert (a.q_scale(), a.q_zero_point()) == (b.q_scale(), b.q_zero_point()), at
			else:
				tensor(a.q_per_channel_scales(), b.q_per_channel_scales(), at, {})
			assert a.untyped_storage().nbytes() == b.untyped_storage().nbytes(), at
			if a.dtype in (torch.quint4x2, torch.quint2x4):
				assert bytes(a.untyped_storage()) == bytes(b.untyped_storage()), at
				return
			a, b = a.int_repr(), b.int_repr()
		else:
			sa, sb = a.untyped_storage(), b.untyped_storage()
			assert sa.nbytes() == sb.nbytes(), at
			assert seen.setdefault(("s", sa._cdata), sb._cdata) == sb._cdata, f"{at}: other memory is shared"
		assert raw(a) == raw(b), at

def same(a, b, at="", seen=None):
	seen = {} if seen is None else seen
	if isinstance(a, (list, dict, set)) and a:
		if id(a) in seen:
			assert seen[id(a)] == id(b), f"{at}: another object is shared"
			return
		seen[id(a)] = id(b)
	if isinstance(a, torch.Tensor): return tensor(a, b, at, seen)
	if isinstance(a, (torch.storage.TypedStorage, torch.UntypedStorage)): return # which become tensors
	if isinstance(a, bytearray): a = bytes(a)
	assert type(a) is type(b), f"{at}: {type(a)} {type(b)}"
	if isinstance(a, dict):
		assert len(a) == len(b), f"{at}: {list(a)} {list(b)}"
		for (k, v), (l, w) in zip(a.items(), b.items()):
			same(k, l, f"{at} key", seen); same(v, w, f"{at}[{k!r}]", seen)
		same(getattr(a, "_metadata", None), getattr(b, "_metadata", None), at + "._metadata", seen)
	elif isinstance(a, (list, tuple)):
		assert len(a) == len(b), at
		for i, (v, w) in enumerate(zip(a, b)): same(v, w, f"{at}[{i}]", seen)
	elif isinstance(a, float): assert struct.pack("d", a) == struct.pack("d", b), f"{at}: {a} {b}"
	elif isinstance(a, complex): same((a.real, a.imag), (b.real, b.imag), at)
	else: assert a == b, f"{at}: {a!r} {b!r}"

def pickled(path):
	z = zipfile.ZipFile(path)
	return {n.split("/", 1)[1]: z.read(n) for n in z.namelist() if not n.endswith("serialization_id")}

def compare(a, b):
	"""Compares what is read of two files, and returns whether all records are equal."""
	try: want = torch.load(a, weights_only=False)
	except AttributeError: return False # files before PyTorch 1.6 with an UntypedStorage, which Python writes and does not read
	same(want, torch.load(b, weights_only=True, mmap=True))
	return zipfile.is_zipfile(a) and pickled(a) == pickled(b)

def made(path):
	"""Checks what TestSaveGoValuesInPython saved."""
	v = torch.load(path, weights_only=True)
	x = torch.arange(6.).reshape(2, 3)
	want = {
		"array": [1, 2], "bool": True, "bytes": b"\x00\xffa", "complex": 1 + 2j, "device": torch.device("cuda:1"), "dict": {"b": 1, "a": (1, "x", None)},
		"dtype": torch.bfloat16, "empty": [b"", (), [], {}, ""], "float32": 0.5, "half": [0.5, 2.0], "quarter": [0.5], "pointer": [1.5, None], "int": -3, "ints": [1, 2, 3], "layout": torch.sparse_csr, "struct": {"best_acc1": 0.5, "lrs": [0.1], "rest": None}, "long": -2**70,
		"map": {-1: "minus", 2: "two"}, "none": None, "set": {1, "a"}, "size": torch.Size([2, 3]), "string": "\u20ac\U0001f600", "uint64": 2**64 - 1,
	}
	for k, w in want.items(): same(w, v.pop(k), k)
	state = v.pop("state")
	assert type(state) is collections.OrderedDict and list(state) == ["w", "b"]
	assert not state["w"].requires_grad and v["grad"].requires_grad and type(v["grad"]) is torch.Tensor
	assert type(v["parameter"]) is torch.nn.Parameter and v["parameter"].requires_grad and torch.equal(v["parameter"], x)
	assert state["w"].data_ptr() == v.pop("grad").data_ptr() == v.pop("parameter").data_ptr()
	shared = v.pop("shared")
	assert shared[0] is shared[1] and shared[2] is shared[3] and shared[4] is shared[5]
	assert shared[4].data_ptr() + 12 == shared[6].data_ptr() and shared[6].tolist() == [3, 4, 5]
	itself = v.pop("itself")
	assert itself[0] is itself
	same(torch.tensor([1 - 2j]), v["conj"].clone(), "conj")
	assert v.pop("conj").is_conj()
	same(torch.eye(2).to_sparse(), v.pop("sparse"), "sparse")
	same(torch.eye(2).to_sparse_csc(), v.pop("csc"), "csc")
	same(torch.empty(2, 3, device="meta", dtype=torch.int32), v.pop("meta"), "meta")
	for name, y in v.pop("dtypes").items():
		same(torch.tensor([0., 1, 0.5, 8]).to(getattr(torch, name)), y, name)
	assert not v, list(v)

def optimizers(dir):
	def run(name, cls, sparse=False, shape=(3, 4), **options):
		torch.manual_seed(0)
		ps = [torch.nn.Parameter(torch.randn(shape)), torch.nn.Parameter(torch.randn(shape))]
		opt = cls(ps if cls is torch.optim.LBFGS else [{"params": ps[:1], "lr": 0.5}, {"params": ps[1:]}], **options)
		def closure():
			opt.zero_grad()
			loss = sum((p ** 2).sum() for p in ps)
			loss.backward()
			if sparse:
				for p in ps: p.grad = p.grad.to_sparse(1)
			return loss
		for _ in range(3): opt.step(closure) if cls is torch.optim.LBFGS else (closure(), opt.step())
		torch.save(opt.state_dict(), f"{dir}/{name}.pt")
	O = torch.optim
	classes = [c for c in vars(O).values() if isinstance(c, type) and issubclass(c, O.Optimizer) and c is not O.Optimizer]
	for c in classes: run(c.__name__, c, sparse=c is O.SparseAdam)
	run("SGD_momentum", O.SGD, lr=.1, momentum=.9, nesterov=True, weight_decay=1e-4)
	run("Adam_amsgrad", O.Adam, amsgrad=True, lr=torch.tensor(.01))
	run("AdamW_fused", O.AdamW, fused=True)
	run("RMSprop_centered", O.RMSprop, centered=True, momentum=.9)
	run("Adagrad_sparse", O.Adagrad, sparse=True)
	run("Rprop_maximize", O.Rprop, maximize=True, etas=(.4, 1.1))
	run("LBFGS_wolfe", O.LBFGS, line_search_fn="strong_wolfe", history_size=3)
	p = torch.nn.Parameter(torch.ones(2))
	opt = O.AdamW([("weight", p)])
	p.grad = torch.ones(2); opt.step()
	S = O.lr_scheduler
	schedulers = [S.StepLR(opt, 2), S.MultiStepLR(opt, [3, 5, 5]), S.ExponentialLR(opt, .9), S.CosineAnnealingLR(opt, 10), S.ReduceLROnPlateau(opt), S.CosineAnnealingWarmRestarts(opt, 3), S.LinearLR(opt), S.PolynomialLR(opt)]
	for s in schedulers: s.step(1.0) if isinstance(s, S.ReduceLROnPlateau) else s.step()
	net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.LSTM(2, 3))
	tied = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 3), "b": torch.nn.Linear(3, 3)})
	tied["b"].weight = tied["a"].weight
	torch.save({"epoch": 3, "arch": "resnet18", "model": net.state_dict(), "tied": tied.state_dict(), "optimizer": opt.state_dict(), "best_acc1": torch.tensor(.5),
		"schedulers": [s.state_dict() for s in schedulers], "rng": torch.get_rng_state(), "scaler": torch.amp.GradScaler("cpu").state_dict(), "args": {"lr": 1e-3, "betas": (.9, .999)}}, f"{dir}/training.pt")
	return sorted(os.listdir(dir))
`

// resave loads a file and saves it under the same name in another folder.
func resave(t *testing.T, path, dir string) (string, bool) {
	v, err := torch.Load(path)
	if err != nil { // a dtype that libtorch cannot compute with, which the layout itself allows
		require.ErrorIs(t, err, torch.ErrUnsupported, path)
		require.ErrorContains(t, err, "dtype", path)
		return "", false
	}
	to := filepath.Join(dir, filepath.Base(path))
	require.NoError(t, torch.Save(to, v))
	return to, true
}

// The state dict of each kind of optimizer that Python saved, saved again, is the same file for Python.
func TestSaveOptimizersEqualsPython(t *testing.T) {
	p := reference.Start(t, saveScript)
	from, to := t.TempDir(), t.TempDir()
	var names []string
	p.Call(&names, "optimizers", from)
	require.GreaterOrEqual(t, len(names), 22)
	for _, name := range names {
		path, ok := resave(t, filepath.Join(from, name), to)
		require.True(t, ok, name)
		var bytes bool
		p.Call(&bytes, "compare", filepath.Join(from, name), path)
		require.True(t, bytes, name)
	}
}

// Random nested values of all dtypes that Python saved, saved again, are the same for Python.
func TestSaveEqualsPython(t *testing.T) {
	p := reference.Start(t, saveScript)
	from, to := t.TempDir(), t.TempDir()
	out, err := exec.Command(os.Getenv(reference.Variable), "../testdata/gen/checkpoints.py", "--random", from, "100", cmp.Or(os.Getenv("TORCHHUB_SEED"), "11")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	files, err := filepath.Glob(filepath.Join(from, "*.pt"))
	require.NoError(t, err)
	require.Len(t, files, 100)
	goldens, err := filepath.Glob(checkpoints + "zip_*.pt")
	require.NoError(t, err)
	// Protocol 2 cannot have an int that those of other protocols have, Python does not turn an UntypedStorage, and a plain sparse
	// tensor has no requires_grad in a file.
	odd := regexp.MustCompile("protocol|big_endian|sparse")
	for _, g := range goldens {
		if !odd.MatchString(g) {
			files = append(files, g)
		}
	}
	compared := 0
	for _, file := range files {
		path, ok := resave(t, file, to)
		if !ok {
			continue
		}
		compared++
		p.Call(nil, "compare", file, path)
	}
	require.Greater(t, compared, 50)
}

// Values made in Go are what they stand for in Python.
func TestSaveGoValuesInPython(t *testing.T) {
	p := reference.Start(t, saveScript)
	long, _ := new(big.Int).SetString("-1180591620717411303424", 10)
	x := torch.FromSlice([]float32{0, 1, 2, 3, 4, 5}, 2, 3)
	w := x.Detach().RequireGrad(true)
	y := x.Clone()
	list := []torch.Value{1, 2}
	d := &torch.Dict{Entries: []torch.Entry{{"a", 1}}}
	itself := []torch.Value{nil}
	itself[0] = itself
	dtypes := map[string]*torch.Tensor{}
	for _, d := range []torch.DType{
		torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Uint16, torch.Uint32, torch.Uint64, torch.Float16, torch.Float32, torch.Float64, torch.BFloat16, torch.Bool,
		torch.Complex64, torch.Complex128, torch.Float8E4M3FN, torch.Float8E4M3FNUZ, torch.Float8E5M2, torch.Float8E5M2FNUZ, torch.Float8E8M0FNU,
	} {
		dtypes[d.String()] = torch.FromSlice([]float32{0, 1, 0.5, 8}).ToDType(d)
	}
	eye := torch.FromSlice([]float32{1, 0, 0, 1}, 2, 2)
	path := filepath.Join(t.TempDir(), "made.pt")
	type name string
	require.NoError(t, torch.Save(path, map[name]any{
		"array": [2]int8{1, 2}, "bool": true, "bytes": []byte("\x00\xffa"), "complex": 1 + 2i, "device": torch.CUDADevice(1),
		"dict":  &torch.Dict{Entries: []torch.Entry{{"b", 1}, {"a", torch.Tuple{1, name("x"), nil}}}},
		"dtype": torch.BFloat16, "empty": []any{[]byte{}, torch.Tuple{}, []int{}, map[string]int{}, ""}, "float32": float32(0.5), "half": []torch.F16{torch.NewF16(0.5), torch.NewF16(2)}, "quarter": []torch.F8E5M2{torch.NewF8E5M2(0.5)}, "pointer": []*float64{new(1.5), nil}, "int": -3, "ints": []int{1, 2, 3},
		"layout": torch.SparseCSR, "long": long, "struct": &struct {
			BestAcc1 float32
			LR       []float64 `torch:"lrs"`
			Rest     *struct{ N int }
		}{0.5, []float64{0.1}, nil},
		"map": map[int]string{2: "two", -1: "minus"}, "none": nil, "set": torch.Set{1, "a"}, "size": torch.Size(x.Shape()),
		"string": "€😀", "uint64": uint64(math.MaxUint64), "state": torch.StateDict{{Name: "w", Tensor: w}, {Name: "b", Tensor: x.Select(0, 0)}},
		"grad": w, "parameter": torch.Parameter{Tensor: w}, "shared": []any{list, list, d, d, y, y, y.Select(0, 1)}, "itself": itself,
		"conj": torch.FromSlice([]complex64{1 + 2i}).Conj(), "sparse": aten.ToSparse(eye, nil, nil, nil), "csc": aten.ToSparseCsc(eye, nil),
		"meta": torch.Options{Device: torch.Meta, DType: torch.Int32}.Empty(2, 3), "dtypes": dtypes,
	}))
	p.Call(nil, "made", path)
}

"""Makes calls of operators from their schemas, and tells what Python gives.

Arguments come from tables: patterns of tensors, and numbers by the arguments'
names. A call that raises is left out, one that works is sent with its results.
Each operator runs in a child process, since nonsense may crash an internal one.
"""
import json
import os
import re
import signal

import torch

torch.set_num_threads(1)  # a child cannot use its parent's threads

# Operators whose results cannot be compared, by a pattern of their names.
left_out = re.compile(
    r"aten::(.*_backward.*"  # kernels of autograd trust their arguments, and read and leave what they find
    r"|(new_)?empty.*|resize.*|rename.*|.*_like\.out"  # memory that is not initialized
    r"|.*(cudnn|miopen|mkldnn|mps|xnnpack|qnnpack|fbgemm|quantized|sparse|nested|coalesce).*"
    r"|lstm\.input|gru\.input|rnn_.*\.input"  # weights that do not fit are read beyond their end
    r"|set_.*|swap.*|data|retain_grad|is_leaf|output_nr|requires_grad.*|record_stream.*|from_file.*|to_padded.*|backward.*)"
)


def tensors():
    """Yields patterns: a name and a function that makes the i-th tensor for a dtype."""
    g = torch.Generator().manual_seed(1)

    def noise(*shape):
        def make(i, dtype):
            x = torch.randn(*shape, generator=g, dtype=torch.float64)
            if dtype.is_complex:
                return torch.complex(x, torch.randn(*shape, generator=g, dtype=torch.float64)).to(dtype)
            if not dtype.is_floating_point:
                return (x * 3).to(dtype)
            return x.to(dtype)
        return make

    def chain(*makes):
        return lambda i, dtype: makes[min(i, len(makes) - 1)](i, dtype)

    def index(*shape):
        return lambda i, dtype: torch.zeros(*shape, dtype=torch.int64)

    def mask(*shape):
        return lambda i, dtype: torch.rand(*shape, generator=g) > 0.5

    def unit(*shape):
        return lambda i, dtype: torch.rand(*shape, generator=g, dtype=torch.float64).mul(0.9).add(0.05).to(dtype)

    yield "[2, 3]", noise(2, 3)
    yield "[3, 3]", noise(3, 3)
    yield "broadcast", chain(noise(2, 1, 3), noise(4, 1))
    yield "transposed", lambda i, dtype: noise(4, 3)(i, dtype).t()
    yield "empty", noise(0, 3)
    yield "scalar", noise()
    yield "in (0, 1)", unit(2, 3)
    yield "[5]", noise(5)
    yield "[2, 4, 6, 6]", noise(2, 4, 6, 6)
    yield "[2, 4, 6]", noise(2, 4, 6)
    yield "[1, 2, 4, 4, 4]", noise(1, 2, 4, 4, 4)
    yield "index", chain(noise(3, 4), index(3, 4), noise(3, 4))
    yield "index [2]", chain(noise(3, 4), index(2), noise(2, 4))
    yield "mask", chain(noise(3, 4), mask(3, 4), noise(3, 4))
    yield "mask first", chain(mask(2, 3), noise(2, 3))
    yield "indices", index(2, 3)
    yield "conv1d", chain(noise(2, 4, 6), noise(4, 4, 3), noise(4))
    yield "conv2d", chain(noise(2, 4, 6, 6), noise(4, 4, 3, 3), noise(4))
    yield "conv3d", chain(noise(1, 2, 4, 4, 4), noise(2, 2, 3, 3, 3), noise(2))
    yield "channels", chain(noise(2, 4, 6, 6), noise(4), noise(4), noise(4), unit(4))
    yield "matrices", chain(noise(2, 3, 4), noise(2, 4, 5), noise(2, 3, 5))
    yield "added matrices", chain(noise(3, 5), noise(3, 4), noise(4, 5))
    yield "added batches", chain(noise(2, 3, 5), noise(2, 3, 4), noise(2, 4, 5))
    yield "matrix and vector", chain(noise(3, 4), noise(4), noise(3))
    yield "classes", chain(noise(3, 4), index(3), unit(4))
    yield "loss", chain(noise(3, 4), noise(3, 4), unit(4))


ints = {
    "dim": [0, -1, 1], "dim0": [0], "dim1": [1], "k": [1, 2], "n": [3], "m": [2], "steps": [5], "start": [0, 1], "end": [2, 5], "step": [1],
    "length": [1], "index": [1], "groups": [1], "num_classes": [7], "repeats": [2], "shifts": [1], "chunks": [2], "sections": [2],
    "split_size": [1], "reduction": [0, 1], "ignore_index": [-100], "diagonal": [0], "offset": [0], "upscale_factor": [2],
    "downscale_factor": [2], "high": [10], "low": [0], "window_length": [6], "N": [3], "size": [2], "bins": [4], "input_size": [4],
    "num_groups": [2], "group": [2], "C": [4], "HxW": [36],
}
lists = {
    "dim": [[0], [0, 1], [-1]], "dims": [[1, 0], [0], [0, 1], [0, 2, 1]], "size": [[2, 3], [6], [3, 3], [-1]], "shape": [[6], [-1], [2, 3]],
    "sizes": [[2, 3]], "repeats": [[2, 2]], "shifts": [[1]], "normalized_shape": [[3], [6]], "dimensions": [[0]], "stride": [None, [3, 1]],
    "split_sizes": [[1, 1], [1, 2]], "split_size": [[1, 1], [1, 2]], "indices": [[1]], "tensor_indices_or_sections": [[1]],
    "source": [[0]], "destination": [[1]], "pad": [[1, 1], [1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], "output_size": [None, [3], [3, 3], [3, 3, 3]],
}
text = {"mode": ["reflect", "constant"], "indexing": ["ij"], "equation": ["i...,i...->..."], "reduce": ["sum", "amax"], "UPLO": ["L"], "driver": ["gelsd"], "padding": ["same", "valid"], "rounding_mode": ["floor", "trunc"], "side": ["left"], "approximate": ["tanh"]}
dtypes = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "int64": torch.int64, "complex64": torch.complex64}


def argument(a, kind, make, state, dtype, turn, free=()):
    """Returns an argument by its schema; turn chooses among what the tables offer, for those in free even where there is a default."""
    optional = kind.startswith("Optional[")
    if optional:
        kind = kind[9:-1]
    if a.name in free and kind in ("int", "float", "bool", "str"):
        optional = False
    pick = lambda options: options[turn % len(options)]
    if kind == "Tensor":
        if a.is_out:
            return torch.empty(0, dtype=dtype)
        if optional and turn % 2:
            return None
        state[0] += 1
        return make(state[0] - 1, dtype)
    if kind in ("List[Tensor]", "List[Optional[Tensor]]"):
        if a.is_out:
            return [torch.empty(0, dtype=dtype) for _ in range(2)]
        return [make(0, dtype), make(0, dtype)] if kind == "List[Tensor]" else [torch.tensor([0, 1])]
    if a.name not in free and a.has_default_value() and not (turn == 2 and kind == "bool"):
        return a.default_value
    if optional and kind != "str":
        if kind.startswith("List[int]") and a.name in lists:
            return pick(lists[a.name])
        return None
    if kind == "int" and str(a.real_type) in ("ScalarType", "Optional[ScalarType]"):
        return torch.float32
    if kind == "int":
        return pick(ints.get(a.name, [1, 0, 2]))
    if kind == "float":
        return [0.5, 1.5, 0.1][turn % 3]
    if kind in ("number", "Scalar"):
        return [2, 0.5, 1][turn % 3]
    if kind == "bool":
        return turn % 2 == 1
    if kind == "str":
        return pick(text.get(a.name, ["none"]))
    if kind == "List[int]":
        n = a.N or 2
        if a.name in lists and not (a.N and a.name not in ("dim", "output_size", "size")):
            v = pick(lists[a.name])
            return [3] * n if v is None else v
        if a.name in ("kernel_size",):
            return [2] * n
        if a.name in ("padding", "output_padding"):
            return [turn % 2 if a.name == "padding" else 0] * n
        return [1] * n
    if kind in ("List[float]",):
        return [2.0, 2.0]
    if kind in ("List[number]", "List[Scalar]"):
        return [2, 3]
    if kind == "List[bool]":
        return [True] * (a.N or 3)
    if kind == "Device":
        return torch.device("cpu")
    raise NotImplementedError(kind)


layouts = {torch.strided: 0}
formats = {torch.contiguous_format: 0, torch.preserve_format: 1, torch.channels_last: 2, torch.channels_last_3d: 3}


def encode(v, real=""):
    import base64
    if v is None:
        return {"kind": "none"}
    if isinstance(v, torch.Tensor):
        if v._is_zerotensor():  # without memory
            v = torch.zeros(v.shape, dtype=v.dtype)
        t = v.dim() == 2 and not v.is_contiguous() and v.t().is_contiguous()
        raw = (v.t() if t else v).detach().resolve_conj().resolve_neg().contiguous()
        data = raw.reshape(-1).view(torch.uint8).numpy().tobytes()
        return {"kind": "tensor", "dtype": str(v.dtype)[6:], "shape": list(raw.shape), "data": base64.b64encode(data).decode(), "t": t}
    if isinstance(v, (list, tuple)):
        return {"kind": "list", "items": [encode(e) for e in v]}
    if isinstance(v, torch.dtype):
        return {"kind": "dtype", "dtype": str(v)[6:]}
    if v in layouts if isinstance(v, torch.layout) else False:
        return {"kind": "layout", "v": layouts[v]}
    if isinstance(v, torch.memory_format):
        return {"kind": "format", "v": formats[v]}
    if isinstance(v, torch.device):
        return {"kind": "device"}
    if isinstance(v, bool):
        return {"kind": "bool", "v": v}
    if isinstance(v, int):
        return {"kind": "int", "v": v}
    if isinstance(v, float):
        if v != v or v in (float("inf"), float("-inf")):
            raise ValueError("not in JSON")
        return {"kind": "float", "v": v}
    if isinstance(v, complex):
        return {"kind": "complex", "v": [v.real, v.imag]}
    if isinstance(v, str):
        return {"kind": "str", "v": v}
    raise NotImplementedError(type(v))


def result(v):
    e = encode(v)
    if e["kind"] == "tensor" and e["t"]:  # results are compared element by element
        e = encode(v.contiguous())
        e["t"] = False
    if e["kind"] == "list":
        e["items"] = [result(x) for x in v]
    return e


def graph(schema, args, python, params, options):
    """Returns the names of what autograd records when Python's own function is called, None where it takes other arguments."""
    given = dict(zip((a.name for a in schema.arguments), args))
    def track(v):
        if isinstance(v, (list, tuple)):
            return [track(e) for e in v]
        if isinstance(v, torch.Tensor):
            v = v.detach().clone()
            if v.is_floating_point() or v.is_complex():
                v = v.requires_grad_().clone()  # which can be changed in place
        return v
    pos = [["none", "mean", "sum"][given[p]] if p == "reduction" else track(given[p]) for p in params]
    while pos and (pos[-1] is None or isinstance(pos[-1], list) and not pos[-1]):
        pos.pop()
    defaults = {a.name: a.default_value for a in schema.arguments}
    named = {o: track(given[o]) for o in options if o != "generator" and given[o] is not None and not (given[o] == defaults[o])}
    try:
        f = torch
        for part in python.split(".")[1:]:
            f = getattr(f, part, None) or getattr(torch, part)  # no method of tensors but a function
        r = f(*pos, **named)
    except Exception:
        return None
    def names(v):
        if isinstance(v, (list, tuple)):
            return [n for e in v for n in names(e)]
        return [type(v.grad_fn).__name__ if v.grad_fn is not None else ""] if isinstance(v, torch.Tensor) else []
    return names(r)


def calls(name, free=(), named=None, results=True, python=None, params=(), options=()):
    """Returns the calls of one operator that work. Arguments that are not among those named, if any are, take their defaults."""
    base, _, overload = name.removeprefix("aten::").partition(".")
    op = getattr(getattr(torch.ops.aten, base), overload or "default")
    schema = op._schema
    out = []
    per_dtype = {}
    for dname, dtype in dtypes.items():
        for pname, make in tensors():
            if pname == "empty" and base == "multilabel_margin_loss":
                continue  # its result is not initialized
            if per_dtype.get(dname, 0) >= (4 if dname == "float32" else 1):
                break
            for turn in range(3):
                try:
                    state = [0]
                    args = [argument(a, str(a.type), make, state, dtype, turn, free) if named is None or a.name in named else a.default_value for a in schema.arguments]
                    sent = [encode(a) for a in args]
                    torch.manual_seed(0)
                    with torch.no_grad():
                        n = len([a for a in schema.arguments if not a.kwarg_only])
                        r = op(*args[:n], **{a.name: v for a, v in zip(schema.arguments[n:], args[n:])})
                    rs = [] if not schema.returns else list(r) if len(schema.returns) > 1 else [r]
                    got = [result(x) for x in rs] if results else []
                except Exception:
                    continue
                out.append({"args": sent, "names": [a.name for a in schema.arguments], "results": got, "what": f"{dname} {pname} {turn}"})
                if python:
                    out[-1]["graph"] = graph(schema, args, python, params, options)
                per_dtype[dname] = per_dtype.get(dname, 0) + 1
                break
    return out


def cases(names):
    return forked({name: (name,) for name in names if not (left_out.fullmatch(name.split(".")[0]) or left_out.fullmatch(name))})


def valid(names):
    """Calls that work, of any operator, without their results."""
    return forked({name: (name, (), None, False) for name in names})


def curated(functions):
    """Like cases, for functions by name, each with its operator and the arguments that it takes and those among its options."""
    return forked({f["name"]: (f["op"], f["params"], f["params"] + f["options"], True, f["python"], f["params"], f["options"]) for f in functions})


def leaves(v):
    """Returns a copy of an argument whose tensors require gradients, as far as they can, and these tensors."""
    if isinstance(v, (list, tuple)):
        pairs = [leaves(e) for e in v]
        return [p[0] for p in pairs], [x for p in pairs for x in p[1]]
    if isinstance(v, torch.Tensor) and (v.is_floating_point() or v.is_complex()):
        v = v.detach().requires_grad_()
        return v, [v]
    return v, []


def cotangent(x, k):
    """Returns numbers in the shape of x that are exact in every dtype."""
    c = ((torch.arange(x.numel()) * k % 7 + 1) / 8).reshape(x.shape)
    return (torch.complex(c, 1 - c) if x.is_complex() else c).to(x.dtype)


def flat(v):
    return [x for e in v for x in flat(e)] if isinstance(v, (list, tuple)) else [v]


def gradients(name, cases=4):
    """Returns calls of one operator with their gradients of the first order, and of the second where Python has them."""
    base, _, overload = name.removeprefix("aten::").partition(".")
    op = getattr(getattr(torch.ops.aten, base), overload or "default")
    schema = op._schema
    out = []
    if not schema.returns or any(a.is_out or a.alias_info and a.alias_info.is_write for a in schema.arguments):
        return out
    for dname, dtype in {"float64": torch.float64, "float32": torch.float32, "complex128": torch.complex128}.items():
        n = 0
        for pname, make in tensors():
            if n >= (cases if dname == "float64" else 1):
                break
            for turn in range(3):
                try:
                    state = [0]
                    args = [argument(a, str(a.type), make, state, dtype, turn) for a in schema.arguments]
                    sent = [encode(a) for a in args]
                    pairs = [leaves(a) for a in args]
                    xs = [x for p in pairs for x in p[1]]
                    torch.manual_seed(0)
                    m = len([a for a in schema.arguments if not a.kwarg_only])
                    r = op(*[p[0] for p in pairs[:m]], **{a.name: p[0] for a, p in zip(schema.arguments[m:], pairs[m:])})
                    ys = [y for y in flat(r) if isinstance(y, torch.Tensor) and y.requires_grad]
                    if not ys:
                        continue
                    first = torch.autograd.grad(ys, xs, [cotangent(y, 3) for y in ys], create_graph=True, allow_unused=True)
                    case = {"args": sent, "names": [a.name for a in schema.arguments], "first": [result(g) for g in first], "second": None, "what": f"{dname} {pname} {turn}"}
                    gs = [g for g in first if g is not None and g.requires_grad]
                    if gs:
                        try:
                            case["second"] = [result(g) for g in torch.autograd.grad(gs, xs, [cotangent(g, 5) for g in gs], allow_unused=True)]
                        except RuntimeError:
                            case["second"] = "error"
                except Exception:
                    continue
                out.append(case)
                n += 1
                break
    return out


def gradients_of(names):
    return forked({name: (name,) for name in names if not (left_out.fullmatch(name.split(".")[0]) or left_out.fullmatch(name))}, gradients)


def forked(tasks, calls=calls):
    """Returns the calls of each task. They are made in a child process, and in another one after a call that ended the process or took too long."""
    answers = {}
    todo = list(tasks.items())
    while todo:
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(r)
            with os.fdopen(w, "w") as f:
                for _, task in todo:
                    signal.alarm(20)
                    try:
                        text = json.dumps(calls(*task))
                    except BaseException:
                        text = "[]"
                    print(text, file=f, flush=True)
            os._exit(0)
        os.close(w)
        done = 0
        with os.fdopen(r) as f:
            for line in f:
                if line.endswith("\n"):
                    answers[todo[done][0]] = json.loads(line)
                    done += 1
        os.waitpid(pid, 0)
        todo = todo[done + 1:]
    return answers


def recorded(names):
    """Returns the calls of operators that forward and backward passes of many functions make, by name."""
    from torch.utils._python_dispatch import TorchDispatchMode
    wanted = set(names)
    seen = {}
    sent = set()

    class Record(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            name = func.name()
            base, _, overload = name.partition(".")
            if name not in wanted:
                return func(*args, **kwargs)
            schema = func._schema
            given = list(args) + [kwargs.get(a.name, a.default_value) for a in schema.arguments[len(args):]]
            try:
                encoded = [encode([e.clone() for e in v] if isinstance(v, (list, tuple)) and v and isinstance(v[0], torch.Tensor) else v) for v in given]
            except Exception:
                encoded = None
            r = func(*args, **kwargs)
            if encoded is None or len(seen.get(name, [])) >= 40:
                return r
            rs = [] if not schema.returns else list(r) if len(schema.returns) > 1 else [r]
            try:
                results = [result(x) for x in rs]
            except Exception:
                return r
            text = json.dumps(encoded)
            if (name, text) not in sent:
                sent.add((name, text))
                seen.setdefault(name, []).append({"args": encoded, "names": [a.name for a in schema.arguments], "results": results, "what": "as autograd calls it"})
            return r

    failed = []
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        for i, f in enumerate(passes(dtype)):
            try:
                torch.manual_seed(0)
                with Record():
                    r = f()
                    for x in r if isinstance(r, (list, tuple)) else [r]:
                        if isinstance(x, torch.Tensor) and x.requires_grad:
                            (x.sum() if not x.is_complex() else x.abs().sum()).backward(retain_graph=True)
            except Exception as e:
                failed.append(f"{dtype} {i}: {type(e).__name__} {str(e)[:100]}")
    return {"seen": seen, "failed": failed}


def passes(dtype):
    """Returns functions that make forward passes."""
    import torch.nn.functional as F
    g = torch.Generator().manual_seed(2)
    half = dtype == torch.bfloat16

    def x(*shape, grad=True):
        return torch.randn(shape, generator=g, dtype=torch.float64).to(dtype).requires_grad_(grad)

    def n(*shape, high=3, dtype=torch.int64):
        return torch.randint(0, high, shape, generator=g, dtype=dtype)

    def square(k=3):
        return x(k, k, grad=False).add(torch.eye(k, dtype=dtype) * 4).requires_grad_()

    t = lambda *shape: x(*shape).transpose(-1, -2)
    some = []
    add = some.append
    for shape in ((4, 3), (2, 3, 5), (2, 3, 4, 4), (1, 3, 2, 2, 2), (2, 3, 0)):
        for training in (True, False):
            for affine in (True, False):
                stats = [None if training and not affine else torch.zeros(3, dtype=dtype), None if training and not affine else torch.ones(3, dtype=dtype)]
                add(lambda shape=shape, training=training, affine=affine, stats=stats: F.batch_norm(x(*shape), *stats, x(3) if affine else None, x(3) if affine else None, training))
                add(lambda shape=shape, training=training, affine=affine, stats=stats: torch.native_batch_norm(x(*shape), x(3) if affine else None, x(3) if affine else None, *stats, training, 0.1, 1e-5)[0])
                add(lambda shape=shape, training=training, affine=affine, stats=stats: torch.ops.aten._batch_norm_with_update(x(*shape), x(3), x(3), torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype), 0.1, 1e-5)[0])
                add(lambda shape=shape, training=training, affine=affine, stats=stats: torch.ops.aten._batch_norm_no_update(x(*shape), x(3), x(3), torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype), 0.1, 1e-5)[0])
        add(lambda shape=shape: F.instance_norm(x(*shape)))
        add(lambda shape=shape: torch.batch_norm_update_stats(x(*shape), torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype), 0.1))
        if half:
            add(lambda shape=shape: F.batch_norm(x(*shape), torch.zeros(3), torch.ones(3), torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True), True))
            add(lambda shape=shape: F.batch_norm(x(*shape), torch.zeros(3), torch.ones(3), torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True), False))
    add(lambda: F.batch_norm(x(2, 3, 4, 4).to(memory_format=torch.channels_last), torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype), x(3), x(3), True))
    for w in (True, False):
        add(lambda w=w: F.layer_norm(x(2, 3, 4), (4,), x(4) if w else None, x(4) if w else None))
        add(lambda w=w: F.layer_norm(x(2, 3, 4), (3, 4), x(3, 4) if w else None))
        add(lambda w=w: F.layer_norm(x(0, 4), (4,), x(4) if w else None))
        add(lambda w=w: F.layer_norm(t(2, 4, 3), (4,), torch.ones(4, requires_grad=True) if half else x(4)))
        add(lambda w=w: F.group_norm(x(2, 4, 3, 3), 2, x(4) if w else None, x(4) if w else None))
        add(lambda w=w: F.group_norm(x(2, 4), 2, torch.ones(4, requires_grad=True) if half else None))
        add(lambda w=w: F.group_norm(x(0, 4, 3), 2, x(4)))
        add(lambda w=w: F.group_norm(x(2, 4, 3, 3).to(memory_format=torch.channels_last), 2, x(4) if w else None))
    for f in (F.softmax, F.log_softmax):
        add(lambda f=f: f(x(2, 3), 1))
        add(lambda f=f: f(t(3, 2), 0))
        add(lambda f=f: f(x(), 0))
        add(lambda f=f: f(x(2, 0), 1))
        add(lambda f=f: f(x(2, 3), -1, dtype=torch.float32 if half else dtype))
    add(lambda: torch._safe_softmax(x(2, 3), 1))
    for p in (0.0, 1.0, 2.0, 3.0, float("inf")):
        add(lambda p=p: torch.cdist(x(4, 3), x(5, 3), p, compute_mode="donot_use_mm_for_euclid_dist"))
        add(lambda p=p: torch.cdist(x(2, 1, 4, 3), x(3, 5, 3), p, compute_mode="donot_use_mm_for_euclid_dist"))
        add(lambda p=p: torch.cdist(x(0, 3), x(5, 3), p))
        add(lambda p=p: F.pdist(x(4, 3), p))
    add(lambda: F.pdist(x(1, 3)))
    for k in (dict(), dict(zero_infinity=True), dict(reduction="sum", blank=2)):
        add(lambda k=k: F.ctc_loss(x(6, 2, 4).log_softmax(2), torch.tensor([[1, 3, 1], [3, 1, 0]]), torch.tensor([6, 5]), torch.tensor([3, 2]), **k))
        add(lambda k=k: F.ctc_loss(x(6, 2, 4).log_softmax(2), torch.tensor([1, 3, 3]), (6, 5), (2, 1), **k))
        add(lambda k=k: F.ctc_loss(x(6, 2, 4).log_softmax(2), torch.tensor([1, 3, 3], dtype=torch.int32), torch.tensor([6, 5]), torch.tensor([3, 0]), **k))
        add(lambda k=k: F.ctc_loss(x(6, 4).log_softmax(1), torch.tensor([1, 3]), torch.tensor(6), torch.tensor(2), **k))
        add(lambda k=k: torch.ctc_loss(x(6, 2, 4).log_softmax(2), torch.tensor([1, 3, 3]), (6, 5), (2, 1), 0, 1))
    for k in (dict(), dict(padding_idx=1), dict(scale_grad_by_freq=True), dict(sparse=True)):
        add(lambda k=k: F.embedding(n(2, 3), x(4, 5), **k))
        add(lambda k=k: F.embedding(n(0), x(4, 5), **k))
        add(lambda k=k: F.embedding(n(3, dtype=torch.int32), x(4, 5), **k))
    for mode in ("sum", "mean", "max"):
        for k in (dict(), dict(padding_idx=1), dict(sparse=True), dict(scale_grad_by_freq=True), dict(include_last_offset=True)):
            add(lambda mode=mode, k=k: F.embedding_bag(n(6), x(4, 5), torch.tensor([0, 2, 2, 6] if k.get("include_last_offset") else [0, 2, 2]), mode=mode, **k))
            add(lambda mode=mode, k=k: F.embedding_bag(n(2, 3), x(4, 5), mode=mode, **k))
            add(lambda mode=mode, k=k: F.embedding_bag(n(0), x(4, 5), torch.tensor([0, 0]), mode=mode, **k))
            add(lambda mode=mode, k=k: F.embedding_bag(n(6, dtype=torch.int32), x(4, 5), torch.tensor([0, 2, 2, 6] if k.get("include_last_offset") else [0, 2, 2], dtype=torch.int32), mode=mode, **k))
            if mode == "sum":
                add(lambda k=k: F.embedding_bag(n(6), x(4, 5), torch.tensor([0, 2, 6] if k.get("include_last_offset") else [0, 2]), mode="sum", per_sample_weights=x(6), **k))
    for d, planes in ((1, (4, 8)), (2, (4, 8, 6)), (3, (2, 8, 6, 4))):
        for batch in ((2,), ()):
            shape = batch + planes
            add(lambda d=d, shape=shape: getattr(F, f"max_pool{d}d")(x(*shape), 2, return_indices=True)[0])
            add(lambda d=d, shape=shape: getattr(F, f"max_pool{d}d")(x(*shape), 3, 2, 1, ceil_mode=True))
            add(lambda d=d, shape=shape: getattr(F, f"avg_pool{d}d")(x(*shape), 2))
            add(lambda d=d, shape=shape: getattr(F, f"avg_pool{d}d")(x(*shape), 3, 2, 1, True, False))
            add(lambda d=d, shape=shape: getattr(F, f"adaptive_max_pool{d}d")(x(*shape), 2))
            add(lambda d=d, shape=shape: getattr(F, f"adaptive_avg_pool{d}d")(x(*shape), 3))
            add(lambda d=d, shape=shape: getattr(F, f"adaptive_avg_pool{d}d")(x(*shape), 1))
            if d > 1:
                add(lambda d=d, shape=shape: getattr(F, f"fractional_max_pool{d}d")(x(*shape), 2, output_size=2))
                add(lambda d=d, shape=shape: getattr(F, f"max_pool{d}d")(x(*((0,) + shape[1:])) if len(shape) > d + 1 else x(*shape), 2))
            for mode in ("reflect", "replicate"):
                add(lambda d=d, shape=shape, mode=mode: F.pad(x(*shape), [1, 2] * d, mode=mode))
                add(lambda d=d, shape=shape, mode=mode: F.pad(x(*shape), [1, -1] * d, mode=mode))
                add(lambda d=d, shape=shape, mode=mode: F.pad(x(*shape).transpose(-1, -2), [0, 1] * d, mode=mode) if d > 1 else x())
    w = lambda: torch.rand(4, generator=g).to(dtype)
    for k in (dict(), dict(reduction="sum"), dict(reduction="none"), dict(weight=True), dict(ignore_index=1), dict(ignore_index=-100)):
        k = dict(k)
        weighted = k.pop("weight", False)
        add(lambda k=k, ww=weighted: F.nll_loss(x(3, 4), torch.tensor([0, 1, 3]), weight=w() if ww else None, **k))
        add(lambda k=k, ww=weighted: F.nll_loss(x(4), torch.tensor(1), weight=w() if ww else None, **k))
        add(lambda k=k, ww=weighted: F.nll_loss(x(2, 4, 3, 3), n(2, 3, 3), weight=w() if ww else None, **k))
        add(lambda k=k, ww=weighted: F.nll_loss(x(0, 4), n(0), weight=w() if ww else None, **k))
        add(lambda k=k, ww=weighted: F.cross_entropy(x(3, 4), torch.tensor([0, 1, -100]), weight=w() if ww else None, label_smoothing=0.1, **{a: b for a, b in k.items() if a != "ignore_index"}))
    for k in ("mean", "sum", "none"):
        add(lambda k=k: F.smooth_l1_loss(x(2, 3), x(2, 3), reduction=k))
        add(lambda k=k: F.smooth_l1_loss(x(2, 3), x(3), reduction=k, beta=0.5))
    for mode in ("bilinear", "nearest", "bicubic"):
        for pad in ("zeros", "border", "reflection"):
            add(lambda mode=mode, pad=pad: F.grid_sample(x(1, 2, 5, 5), x(1, 3, 3, 2), mode=mode, padding_mode=pad, align_corners=False))
    for scale in (None, 0.5):
        for k in (dict(), dict(is_causal=True), dict(attn_mask=True), dict(attn_mask=False)):
            def attention(k=k, scale=scale):
                k = dict(k)
                if "attn_mask" in k:
                    k["attn_mask"] = x(4, 4, grad=False) if k["attn_mask"] else torch.rand(2, 1, 4, 4, generator=g) > 0.3
                with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.FLASH_ATTENTION):
                    return F.scaled_dot_product_attention(x(2, 3, 4, 8), x(2, 3, 4, 8), x(2, 3, 4, 8), scale=scale, **k)
            add(attention)
            def longer(scale=scale):
                with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.FLASH_ATTENTION):
                    return F.scaled_dot_product_attention(x(2, 4, 3, 2).transpose(1, 2), x(2, 4, 7, 2).transpose(1, 2).contiguous().transpose(1, 2)[:, :3].transpose(1, 2).transpose(1, 2), x(2, 3, 7, 2), scale=scale)
            add(longer)
            add(lambda k=k: F.scaled_dot_product_attention(x(2, 4, 3, 8), x(2, 2, 5, 8), x(2, 2, 5, 8), enable_gqa=True))
            add(lambda k=k: F.scaled_dot_product_attention(x(2, 3, 4, 8), x(2, 3, 6, 8), x(2, 3, 6, 8)))
    for d in (0, 1):
        add(lambda d=d: torch._weight_norm(x(3, 4), x(3, 1) if d == 0 else x(1, 4), d))
        def twice(d=d):
            v, gg = x(3, 4), x(3, 1) if d == 0 else x(1, 4)
            return torch.autograd.grad(torch._weight_norm(v, gg, d).pow(2).sum(), [v, gg], create_graph=True)
        add(twice)
    add(lambda: torch._weight_norm(x(3, 4, 2), x(1, 1, 2), 2))
    if not half:
        add(lambda: torch.lu_unpack(*torch.linalg.lu_factor(square()))[1])
        add(lambda: torch.lu_unpack(*torch.linalg.lu_factor(x(2, 4, 3)))[2])
        add(lambda: torch.linalg.lu_solve(*torch.linalg.lu_factor(square()), x(3, 2)))
        add(lambda: torch.lu_solve(x(3, 2), *torch.linalg.lu_factor(square())))
        add(lambda: torch.linalg.ldl_solve(*torch.linalg.ldl_factor((lambda m: (m @ m.mT).detach())(square())), x(3, 2, grad=False)))
        add(lambda: torch.linalg.ldl_solve(*torch.linalg.ldl_factor(torch.tensor([[0., 1., 0.], [1., 0., 0.], [0., 0., 1.]], dtype=dtype)), x(3, 2, grad=False)))
        add(lambda: torch.cholesky_solve(x(3, 2), torch.linalg.cholesky((lambda m: m @ m.mT)(square()))))
        add(lambda: torch.matrix_exp(square()))
        add(lambda: torch.matrix_exp(x(2, 3, 3) * 0.01))
        add(lambda: torch.linalg.eigvals(x(3, 3)))
        add(lambda: torch.matrix_power(square(), -2))
        for f in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "rfft2", "irfft2", "fftn", "rfftn", "irfftn"):
            add(lambda f=f: getattr(torch.fft, f)(x(2, 4, 6)))
            add(lambda f=f: getattr(torch.fft, f)(t(2, 4, 6)))
        for lstm, size in ((torch.nn.LSTM, 3), (torch.nn.GRU, 3), (torch.nn.RNN, 3)):
            for bi in (False, True):
                def rnn(lstm=lstm, bi=bi):
                    m = lstm(4, 3, 2, bidirectional=bi).to(dtype)
                    return m(x(5, 2, 4))[0]
                add(rnn)
                add(lambda lstm=lstm, bi=bi: torch.no_grad()(lambda: lstm(4, 3, 2, bidirectional=bi).to(dtype)(x(5, 2, 4))[0])())
        for shape, f in (((2, 4, 6, 6), torch.nn.Conv2d), ((1, 2, 4, 4, 4), torch.nn.Conv3d), ((2, 4, 6, 6), torch.nn.ConvTranspose2d), ((1, 2, 4, 4, 4), torch.nn.ConvTranspose3d)):
            for dilation in (1, 2):
                def conv(shape=shape, f=f, dilation=dilation):
                    with torch.backends.mkldnn.flags(enabled=False):
                        return f(shape[1], 4, 2, dilation=dilation).to(dtype)(x(*shape))
                add(conv)
        for optimizer in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad):
            for k in (dict(), dict(amsgrad=True), dict(momentum=0.9), dict(maximize=True), dict(weight_decay=0.1)):
                def step(optimizer=optimizer, k=k):
                    ps = [x(2, 3), x(4)]
                    o = optimizer(ps, lr=0.1, fused=True, **k)
                    for _ in range(2):
                        for p in ps:
                            p.grad = torch.ones_like(p)
                        o.step()
                add(step)
        add(lambda: torch.no_grad()(lambda: torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).to(dtype).eval()(x(2, 4, 8)))())
        add(lambda: torch.no_grad()(lambda: torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).to(dtype), 1).eval()(x(2, 4, 8), src_key_padding_mask=torch.tensor([[False] * 4, [False, False, True, True]])))())
        add(lambda: torch.no_grad()(lambda: torch.nn.MultiheadAttention(8, 2, batch_first=True).to(dtype).eval()(*[x(2, 4, 8)] * 3)[0])())
        add(lambda: torch.binomial(torch.full((3,), 5, dtype=dtype), torch.full((3,), 0.5, dtype=dtype)))
        for k in ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "hermite_polynomial_h", "laguerre_polynomial_l", "legendre_polynomial_p", "shifted_chebyshev_polynomial_t"):
            add(lambda k=k: getattr(torch.special, k)(x(3, grad=False), 3))
    for f in (torch.cummax, torch.cummin):
        for shape, d in (((2, 3), 1), ((2, 3), 0), ((2, 0), 1)):
            add(lambda f=f, shape=shape, d=d: f(x(*shape), d)[0])
    add(lambda: torch.logcumsumexp(x(2, 3), 1))
    for reduce in ("sum", "mean", "max", "min", "prod"):
        for unsafe in (False, True):
            add(lambda reduce=reduce, unsafe=unsafe: torch.segment_reduce(x(6, 2), reduce, lengths=torch.tensor([2, 0, 4]), unsafe=unsafe, initial=1))
            add(lambda reduce=reduce, unsafe=unsafe: torch.segment_reduce(x(2, 5), reduce, lengths=torch.tensor([[2, 3], [1, 4]]), axis=1, unsafe=unsafe))
            add(lambda reduce=reduce, unsafe=unsafe: torch.segment_reduce(x(6), reduce, offsets=torch.tensor([0, 2, 6]), unsafe=unsafe))
            add(lambda reduce=reduce, unsafe=unsafe: torch.segment_reduce(x(6), reduce, lengths=torch.tensor([2, 4], dtype=torch.int32), unsafe=unsafe))
    add(lambda: torch.stack([x(2), x(2)]))
    add(lambda: torch.combinations(x(4), 2))
    add(lambda: torch.nn.utils.rnn.pad_sequence([x(3), x(2)]))
    add(lambda: x(3, 4).to_sparse_csr().to_dense())
    add(lambda: torch.view_copy(x(2, 3), torch.int32))
    add(lambda: torch.randint(0, 5, (3,)).random_(1, 9))
    return some

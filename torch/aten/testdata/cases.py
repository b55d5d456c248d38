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
    r"aten::(_.*"  # internal: argument checks are the caller's, and the same kernels are reached by others
    r"|.*_backward.*"  # kernels of autograd trust their arguments, and read and leave what they find
    r"|(new_)?empty.*|resize.*|rename.*|.*_like\.out"  # memory that is not initialised
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


def calls(name, free=(), named=None, results=True):
    """Returns the calls of one operator that work. Arguments that are not among those named, if any are, take their defaults."""
    base, _, overload = name.removeprefix("aten::").partition(".")
    op = getattr(getattr(torch.ops.aten, base), overload or "default")
    schema = op._schema
    out = []
    per_dtype = {}
    for dname, dtype in dtypes.items():
        for pname, make in tensors():
            if pname == "empty" and base == "multilabel_margin_loss":
                continue  # its result is not initialised
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
    return forked({f["name"]: (f["op"], f["params"], f["params"] + f["options"]) for f in functions})


def forked(tasks):
    answers = {}
    for name, task in tasks.items():
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(r)
            signal.alarm(20)
            try:
                text = json.dumps(calls(*task))
            except BaseException:
                text = "[]"
            with os.fdopen(w, "w") as f:
                f.write(text)
            os._exit(0)
        os.close(w)
        with os.fdopen(r) as f:
            text = f.read()
        os.waitpid(pid, 0)
        try:
            answers[name] = json.loads(text)
        except ValueError:  # the child crashed
            pass
    return answers

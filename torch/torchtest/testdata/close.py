"""Random pairs of values, as close and as far apart as happens, and what assert_close raises for them."""
import collections, math, random, warnings
import torch

torch.set_num_threads(1)
warnings.simplefilter("ignore")

floats = [torch.float32] * 4 + [torch.float64, torch.float16, torch.bfloat16]
complexes = [torch.complex64, torch.complex128, torch.complex32]
integers = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64]
eights = [torch.float8_e5m2, torch.float8_e4m3fn, torch.float8_e5m2fnuz, torch.float8_e4m3fnuz, torch.float8_e8m0fnu]
dtypes = floats * 2 + complexes + integers + [torch.bool] * 2 + eights
shapes = [[], [], [1], [3], [7], [2, 3], [4, 4], [2, 3, 4], [0], [0, 3], [1, 1, 5], [33, 3]]


def rarely(p=0.1):
    return random.random() < p


def values(dtype, shape):
    if dtype == torch.bool:
        return torch.rand(shape) < 0.5
    if not dtype.is_floating_point and not dtype.is_complex:
        low, high = (0, 10) if rarely(0.5) else (max(torch.iinfo(dtype).min, -(2**62)), min(torch.iinfo(dtype).max, 2**62))
        x = torch.randint(low, high, shape).to(dtype)
        if dtype == torch.uint64 and rarely():
            x = torch.full(shape, 2**64 - 1, dtype=dtype)
        return x
    x = torch.randn(shape, dtype=torch.complex128 if dtype.is_complex else torch.float64) * 10.0 ** random.randint(-6, 4)
    return x.to(dtype)


def spoil(x, special):
    """x with some elements moved by about as much as is tolerated, or by far, or made special."""
    d = x.dtype
    y = x.clone()
    if y.numel() == 0:
        return y
    flat = y.reshape(-1)
    for i in random.sample(range(flat.numel()), random.randint(1, min(3, flat.numel()))):
        if d == torch.bool:
            flat[i] = not flat[i]
        elif d.is_floating_point or d.is_complex:
            v = flat[i].to(torch.complex128 if d.is_complex else torch.float64)
            step = random.choice([1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 0.02, 1, 1e3])
            v = v + step * random.choice([1, -1]) * random.choice([1, max(abs(v.item()), 1e-300) if math.isfinite(abs(v.item())) else 1])
            if special and rarely(0.4):
                v = torch.tensor(random.choice([math.nan, math.inf, -math.inf, 0.0]), dtype=v.dtype)
            flat[i] = v.to(d)
        else:
            flat[i] = values(d, []) if rarely(0.5) else (flat[i].to(torch.int64) + random.choice([1, -1, 3])).to(d)
    return flat.reshape(y.shape)


def quantized(shape, kind):
    dtype = random.choice([torch.qint8, torch.quint8, torch.qint32])
    x = torch.randn(shape)
    if kind == "tensor" or not shape:
        return torch.quantize_per_tensor(x, random.choice([0.1, 0.1, 0.2]), random.choice([0, 3]), dtype)
    axis = random.randrange(len(shape))
    return torch.quantize_per_channel(x, torch.rand(shape[axis]).double() + 0.1, torch.zeros(shape[axis], dtype=torch.int64), axis, dtype)


def sparse(x, layout):
    return {"coo": lambda: x.to_sparse(), "coo 1": lambda: x.to_sparse(1), "csr": lambda: x.to_sparse_csr(), "csc": lambda: x.to_sparse_csc(),
            "bsr": lambda: x.to_sparse_bsr((2, 2)), "bsc": lambda: x.to_sparse_bsc((2, 2))}[layout]()


def narrow(x):
    """A compressed sparse tensor with indices of int32."""
    if x.layout in (torch.sparse_csr, torch.sparse_bsr):
        return torch.sparse_compressed_tensor(x.crow_indices().int(), x.col_indices().int(), x.values(), x.shape, layout=x.layout)
    return torch.sparse_compressed_tensor(x.ccol_indices().int(), x.row_indices().int(), x.values(), x.shape, layout=x.layout)


def sparse_pair():
    d = random.choice(floats + [torch.complex64, torch.int64, torch.bool])
    x = values(d, [4, 6])
    x = torch.where(torch.rand(4, 6) < 0.5, x, torch.zeros((), dtype=d))
    y = x if rarely(0.3) else spoil(x, True) if rarely(0.6) else x.roll(random.choice([1, 2]), random.choice([0, 1]))  # of other indices
    layouts = ["coo", "coo", "coo 1", "csr", "csc", "bsr", "bsc"]
    layout = random.choice(layouts)
    a, e = sparse(x, layout), sparse(y, random.choice(layouts) if rarely() else layout)
    if rarely(0.3) and a.layout != torch.sparse_coo:
        a = narrow(a)
    if rarely(0.1):
        e = y
    if rarely(0.1) and a.layout == torch.sparse_coo:
        a = torch.sparse_coo_tensor(torch.cat([a._indices(), a._indices()[:, :1]], 1), torch.cat([a._values(), a._values()[:1]]), a.shape)
    return a, e


def tensor_pair():
    kind = random.choices(["plain", "sparse", "quantized", "meta"], [75, 12, 9, 4])[0]
    if kind == "sparse":
        return sparse_pair()
    shape = random.choice(shapes)
    if kind == "quantized":
        k = random.choice(["tensor", "channel"])
        torch.manual_seed(s := random.randrange(2**31))
        a = quantized(shape, k)
        if rarely(0.5):
            torch.manual_seed(s)
        e = quantized(shape, k if not rarely(0.15) else "tensor")
        return (a, a.dequantize()) if rarely() else (a, e)
    d = random.choice(dtypes)
    e = values(d, shape)
    if (d.is_floating_point or d.is_complex) and rarely(0.2) and e.numel():
        e.reshape(-1)[random.randrange(e.numel())] = torch.tensor(random.choice([math.nan, math.inf, -math.inf, 0.0])).to(d)
    a = e.clone() if rarely(0.25) else spoil(e, rarely(0.3))
    if rarely(0.08):
        a = values(d, random.choice(shapes))
    if rarely(0.15):
        other = random.choice(dtypes)
        a = a.to(other)
    if rarely(0.1) and a.dim() >= 2:
        a = a.transpose(0, 1).contiguous().transpose(0, 1)
    if rarely(0.05) and a.dtype.is_complex:
        a = a.conj()
    if rarely(0.1) and a.dtype.is_floating_point and a.dtype.itemsize > 1:
        a = a.detach().requires_grad_()
    if kind == "meta":
        a = a.to("meta")
        if rarely(0.5):
            e = e.to("meta")
    return a, e


def number():
    return random.choice([
        lambda: random.randint(-5, 5), lambda: random.choice([2**53 + 1, 2**63 - 1, -(2**63), 2**70, 2**53]), lambda: 0,
        lambda: random.gauss(0, 1) * 10.0 ** random.randint(-6, 18), lambda: float(random.randint(-3, 3)),
        lambda: random.choice([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, 5e-324]),
        lambda: complex(random.gauss(0, 1), random.gauss(0, 1)), lambda: complex(random.choice([0, -0.0, 1, math.nan, math.inf]), random.choice([0.0, -0.0, 2, -math.inf, 1e20]))])()


def number_pair():
    e = number()
    a = e
    if rarely(0.6):
        a = a + random.choice([1, 1e-9, 1e-8, 1e-7, 1e-6]) * random.choice([1, a]) if type(a) is not int or rarely() else a + random.choice([1, -1, 3])
    if rarely(0.25):
        a = number()
    return a, e


def scalar_pair():
    k = random.choices(["number", "bool", "none", "str"], [80, 12, 5, 3])[0]
    if k == "number":
        return number_pair()
    if k == "bool":
        return rarely(0.5), rarely(0.5)
    if k == "str":
        return "a", random.choice(["a", "b"])
    other = random.choice([None, None, 1.5, torch.tensor(2.5), torch.ones(2), [1, (2,)], {"a": 1}, "it's"])
    return (None, other) if rarely(0.5) else (other, None)


def keys(n):
    return random.choice([lambda: random.sample(["weight", "bias", "a", "it's", 'say "a"', "tab\t", "new\nline", "é", "back\\slash", "layer.0.w"], n),
                          lambda: random.sample(range(-3, 30), n), lambda: [(i, "x") for i in range(n)]])()


def pair(depth=0):
    """A pair of values, whose containers nearly always have one structure."""
    r = random.random()
    if depth > 3 or r < (0.6 if depth == 0 else 0.75):
        a, e = tensor_pair() if rarely(0.65) else scalar_pair()
        if rarely(0.04):
            a = scalar_pair()[0]
        return a, e
    n = random.choice([0, 1, 2, 2, 3, 5])
    items = [pair(depth + 1) for _ in range(n)]
    if rarely(0.7):  # most of them equal, so that what is farther behind is reached
        items = [(e, e) if rarely(0.8) else (a, e) for a, e in items]
    a, e = [x for x, _ in items], [y for _, y in items]
    if rarely(0.06):
        a = a[:-1]
    if rarely(0.35):
        a, e = (tuple(a) if rarely(0.5) else a), tuple(e)
    elif rarely(0.5):
        k = keys(max(n, 1))
        a, e = dict(zip(k, a)), dict(zip(k, e))
        if rarely(0.1) and a:
            a["new" if isinstance(k[0], str) else 100] = a.pop(k[0])
        if rarely(0.3):
            a = collections.OrderedDict(reversed(a.items()))
    elif rarely(0.04):
        a = dict(enumerate(a))
    return a, e


def options():
    o = {}
    if rarely(0.3):
        o["rtol"], o["atol"] = random.choice([(0.0, 0.0), (1e-3, 1e-5), (0.0, 1.0), (0.1, 0.0), (1e-6, 1e-6), (1e-5, math.inf), (0.0, 12345678.0)])
    if rarely(0.03):
        o[random.choice(["rtol", "atol"])] = 1e-3
        o.pop(random.choice(["rtol", "atol"]), None)
    for name in ("equal_nan", "check_stride"):
        if rarely(0.25):
            o[name] = True
    for name in ("check_device", "check_dtype", "check_layout"):
        if rarely(0.2):
            o[name] = False
    if rarely(0.05):
        o["msg"] = random.choice(["not close", "Header\n\n{}\n\nFooter"])
    return o


def verdict(actual, expected, o):
    o = dict(o)
    if "{}" in o.get("msg", ""):
        text = o["msg"]
        o["msg"] = lambda msg: text.replace("{}", msg)
    try:
        torch.testing.assert_close(actual, expected, **o)
    except (AssertionError, ValueError, TypeError) as e:
        return {"message": str(e)}
    except RuntimeError as e:
        if isinstance(e.__cause__, KeyError):  # for a bool and a number
            return {"refused": "No comparison pair was able to handle"}
        return {"refused": str(e.__cause__ or e).split("\n")[0]}
    return {}


def pairs(n, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    out = []
    while len(out) < n:
        try:
            a, e = pair()
        except (RuntimeError, OverflowError):  # the values are not possible in this dtype
            continue
        o = options()
        out.append({"actual": a, "expected": e, "options": o, "verdict": verdict(a, e, o)})
    return out

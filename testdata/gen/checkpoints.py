"""Writes testdata/checkpoints: small checkpoints with what torch.load makes of them, and hostile files with the kind of error they deserve.

    python testdata/gen/checkpoints.py                        writes all goldens
    python testdata/gen/checkpoints.py --random DIR N SEED    writes N random checkpoints into DIR

NAME.pt lies beside NAME.json, the value as a tree (see dump). hostile/NAME.pt is described in hostile.json.
"""
import collections, ctypes, hashlib, io, json, os, pickle, random, struct, sys, warnings, zipfile, zlib

import torch

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checkpoints")


# ---- what a value is, as JSON ----

def raw(t):
    """The elements in order as they are stored: before the conj and neg bits."""
    if t.is_conj():
        t = t.conj()
    if t.is_neg():
        t = t._neg_view()
    t = t.detach().contiguous()
    n = -(-t.numel() * t.element_size() // {torch.quint4x2: 2, torch.quint2x4: 4}.get(t.dtype, 1))
    return ctypes.string_at(t.data_ptr(), n) if n else b""


def digest(b):
    return b.hex() if len(b) <= 64 else hashlib.sha256(b).hexdigest()


def dump(v, storages, around=()):
    """The tree of a value that is in the containers around."""
    if isinstance(v, (list, tuple, set, dict)):
        if any(v is x for x in around):
            return {"itself": True}
        around += (v,)
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, int):
        return {"int": str(v)}
    if isinstance(v, float):
        return {"float": struct.pack(">d", v).hex()}
    if isinstance(v, complex):
        return {"complex": struct.pack(">dd", v.real, v.imag).hex()}
    if isinstance(v, str):
        return {"str": v.encode("utf-8", "surrogatepass").hex()} if any("\ud800" <= c <= "\udfff" for c in v) else v
    if isinstance(v, (bytes, bytearray)):
        return {"bytes": bytes(v).hex()}
    if isinstance(v, torch.Size):
        return {"size": list(v)}
    if isinstance(v, tuple):
        return {"tuple": [dump(x, storages, around) for x in v]}
    if isinstance(v, list):
        return [dump(x, storages, around) for x in v]
    if isinstance(v, (set, frozenset)):
        return {"set": sorted(json.dumps(dump(x, storages, around), sort_keys=True) for x in v)}
    if isinstance(v, dict):
        d = {"class": type(v).__name__, "items": [[dump(k, storages, around), dump(x, storages, around)] for k, x in v.items()]}
        if hasattr(v, "_metadata"):
            d["metadata"] = dump(v._metadata, storages, around)
        return d
    if isinstance(v, torch.dtype):
        return {"dtype": str(v).removeprefix("torch.")}
    if isinstance(v, torch.device):
        return {"device": [v.type, -1 if v.index is None else v.index]}
    if isinstance(v, torch.layout):
        return {"layout": str(v)}
    if isinstance(v, torch.qscheme):
        return {"qscheme": str(v)}
    if isinstance(v, torch.Tensor) and v.is_meta:
        return {"meta": {"dtype": str(v.dtype).removeprefix("torch."), "size": list(v.shape), "stride": list(v.stride()), "grad": v.requires_grad}}
    if isinstance(v, torch.Tensor) and v.layout != torch.strided:
        v = v.detach()
        parts = [v._indices(), v._values()] if v.layout == torch.sparse_coo else \
            [v.crow_indices(), v.col_indices(), v.values()] if v.layout in (torch.sparse_csr, torch.sparse_bsr) else [v.ccol_indices(), v.row_indices(), v.values()]
        return {"sparse": {"layout": str(v.layout), "parts": [{"dtype": str(p.dtype).removeprefix("torch."), "size": list(p.shape), "values": digest(raw(p))} for p in parts],
                           "size": list(v.shape), "coalesced": v.layout == torch.sparse_coo and v.is_coalesced()}}
    if isinstance(v, torch.Tensor):
        key = v.untyped_storage()._cdata
        quantizer = {}
        if v.is_quantized:
            quantizer = {"quantizer": {"scheme": str(v.qscheme()), "axis": v.q_per_channel_axis(), "scales": digest(raw(v.q_per_channel_scales())),
                                       "zero_points": digest(raw(v.q_per_channel_zero_points()))} if "channel" in str(v.qscheme()) else
                         {"scheme": str(v.qscheme()), "scale": struct.pack(">d", v.q_scale()).hex(), "zero_point": v.q_zero_point()}}
        return {"tensor": {
            "storage": storages.setdefault(key, len(storages)), "dtype": str(v.dtype).removeprefix("torch."),
            "offset": v.storage_offset() if v.numel() else 0, "size": list(v.shape), "stride": list(v.stride()),
            "grad": v.requires_grad, "parameter": isinstance(v, torch.nn.Parameter), "conj": v.is_conj(), "neg": v.is_neg(),
            "values": digest(raw(v)), **quantizer}}
    if isinstance(v, torch.UntypedStorage):
        return {"storage": digest(ctypes.string_at(v.data_ptr(), v.nbytes()) if v.nbytes() else b"")}
    if isinstance(v, torch.TypedStorage):
        return dump(v.untyped(), storages)
    raise TypeError(type(v))


def write(name, data, value=None, out=OUT, judge=True):
    """Writes a checkpoint and its tree: torch.load's, or that of value where torch.load refuses what this project reads (protocol 4, dtypes without a typed
    storage in the layout before 1.6), and where torch.load is no judge."""
    os.makedirs(out, exist_ok=True)
    try:
        if judge:
            value = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception:
        if value is None:
            raise
    with open(os.path.join(out, name + ".pt"), "wb") as f:
        f.write(data)
    with open(os.path.join(out, name + ".json"), "w") as f:
        json.dump(dump(value, {}), f, separators=(",", ":"))
        f.write("\n")


def save(value, legacy=False, protocol=2):
    b = io.BytesIO()
    torch.save(value, b, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    return b.getvalue()


# ---- values ----

DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64, torch.float16, torch.bfloat16,
          torch.float32, torch.float64, torch.complex32, torch.complex64, torch.complex128, torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2,
          torch.float8_e5m2fnuz, torch.float8_e8m0fnu, torch.float4_e2m1fn_x2, torch.bits1x8, torch.bits2x4, torch.bits4x2, torch.bits8, torch.bits16]


def filled(dtype, *shape, seed=0):
    """A tensor of any dtype, of arbitrary bits."""
    n = 1
    for s in shape:
        n *= s
    size = torch.empty((), dtype=dtype).element_size()
    bits = random.Random(seed).randbytes(n * size)
    if dtype == torch.bool:
        bits = bytes(b & 1 for b in bits)
    return torch.frombuffer(bytearray(bits), dtype=dtype).reshape(shape).clone() if n else torch.empty(shape, dtype=dtype)


def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(collections.OrderedDict(
        conv=torch.nn.Conv2d(1, 2, 3), norm=torch.nn.BatchNorm2d(2), act=torch.nn.ReLU(), fc=torch.nn.Linear(2, 3)))


def trained():
    m = net()
    opt = torch.optim.Adam([{"params": m.conv.parameters()}, {"params": m.fc.parameters(), "lr": 0.5}], lr=0.1, amsgrad=True)
    m.fc(m.norm(m.conv(torch.ones(2, 1, 4, 4))).mean((2, 3))).sum().backward()
    opt.step()
    sched = torch.optim.lr_scheduler.MultiStepLR(opt, [30, 60])
    return {"epoch": 3, "model": m.state_dict(), "optimizer": opt.state_dict(), "scheduler": sched.state_dict(), "best": 0.75}


def quantized():
    x = torch.arange(-6, 6.0).reshape(3, 4)
    scales, zeros = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 2])
    whole = torch.quantize_per_tensor(x, 0.1, 3, torch.quint8)
    q = {str(d): torch.quantize_per_tensor(x, 0.25, 3, d) for d in (torch.quint8, torch.qint8, torch.qint32, torch.quint4x2, torch.quint2x4)}
    q.update(whole=whole, t=whole.t(), row=whole[1], empty=torch.quantize_per_tensor(x[:0], 1.5, 0, torch.qint8), parameter=torch.nn.Parameter(whole, requires_grad=False))
    q["channels_last"] = torch.quantize_per_tensor(torch.arange(24.0).view(1, 2, 3, 4).contiguous(memory_format=torch.channels_last), 0.5, 1, torch.qint8)
    for d in (torch.quint8, torch.qint8, torch.qint32):
        q["channel" + str(d)] = torch.quantize_per_channel(x, scales, zeros, 0, d)
    q["axis"] = torch.quantize_per_channel(x.t(), scales, zeros, 1, torch.qint8)
    for d in (torch.quint8, torch.quint4x2, torch.quint2x4):
        q["float" + str(d)] = torch.quantize_per_channel(x, scales, zeros.float(), 0, d)
    return q


def itself():
    """Containers that hold themselves."""
    l, d = [1], {"a": 2}
    l.append(l)
    d["self"], d["list"] = d, [d, l]
    return [l, d, l]


def goldens():
    base = torch.arange(24, dtype=torch.float32)
    typed = lambda ds: {str(d): filled(d, 2, 3, seed=i) for i, d in enumerate(ds)}
    param = torch.nn.Parameter(torch.ones(2, 2))
    tagged = torch.nn.Parameter(torch.ones(3), requires_grad=False)
    tagged.note = "an attribute"
    attributed = torch.ones(2)
    attributed.note = {"a": 1}
    shared = [1, 2]
    grid = (torch.arange(24.0).view(4, 6) % 5 - 2).clamp(0)
    z = torch.tensor([1 + 2j, 3 - 4j])
    cases = {
        "state_dict": net().state_dict(),
        "training": trained(),
        "views": {"all": base, "rows": base.view(4, 6)[1:3], "t": base.view(4, 6).t(), "step": base[1::5], "twice": base, "expanded": base[3].expand(2, 5),
                  "empty": base[24:], "corner": base.view(4, 6)[4:, 5:], "channels_last": torch.zeros(1, 2, 3, 3).contiguous(memory_format=torch.channels_last)},
        "shapes": [torch.tensor(5.0), torch.empty(0), torch.empty(2, 0, 3), torch.empty(0, dtype=torch.int64), torch.zeros([1] * 20), torch.tensor(True)],
        "parameters": {"p": param, "same": param, "frozen": torch.nn.Parameter(torch.zeros(1), requires_grad=False), "grad": torch.ones(2, requires_grad=True),
                       "tagged": tagged, "attributed": attributed},
        "conj": [z, z.conj(), torch._neg_view(z), torch._neg_view(torch.ones(2))],
        "scalars": [None, True, False, 0, 1, -1, 255, 256, 65535, 65536, -2**31, 2**31 - 1, 2**31, -2**63, 2**63 - 1, 2**63, -2**63 - 1, 2**200, -2**200, -2**71, -2**72 + 1,
                    0.0, -0.0, 1.5, float("inf"), float("-inf"), 1e-310, 1j, complex(-0.0, 2)],
        "text": ["", "plain", "é", "日本語", "\U0001f600", "tab\tnew\nline\0nul", "\ud800 alone", "a" * 300, "ÿ" * 200],
        "blobs": [b"bytes", bytes(range(256)), bytearray(b"array\xff"), bytearray()],
        "containers": {"list": [[], [[]], [1, [2, [3]]]], "tuple": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "dict": {"a": {}, 1: {"b": ()}, (1, "x"): 2, None: 3, 2.5: 4, False: 5},
                       "set": {1, "two", (3, 4)}, "ordered": collections.OrderedDict([("z", 1), ("a", 2)]), "counter": collections.Counter("hello"), "many": list(range(1100)),
                       "shared": [shared, shared], "dtype": torch.bfloat16, "size": torch.Size([2, 3]), "device": [torch.device("cpu"), torch.device("cuda", 1)],
                       "layout": torch.strided, "keys": {torch.float32: 1, b"k": 2, 2**70: 3, 1j: 4}},
        "names": {"weight" + str(i): torch.full((1,), float(i)) for i in range(40)},
        "sparse": [grid.to_sparse(), torch.sparse_coo_tensor([[1, 1], [0, 0]], [2.0, 3.0], (2, 3)), torch.sparse_coo_tensor(torch.zeros(2, 0), torch.zeros(0, 5), (2, 3, 5)), grid.to_sparse_csr(),
                   grid.to_sparse_csc(), grid.to_sparse_bsr((2, 3)), grid.to_sparse_bsc((2, 3)), grid.to(torch.bfloat16).to_sparse(), torch.nn.Parameter(grid.to_sparse())],
        "meta": [torch.empty(2, 3, device="meta"), torch.empty(3, 2, device="meta", dtype=torch.bfloat16).t(), torch.nn.Parameter(torch.empty(4, device="meta")), torch.empty(2**40, device="meta")],
        "quantized": quantized(),
        "itself": itself(),
        "schemes": [torch.per_tensor_affine, {torch.per_channel_symmetric: 1}],
        "storage": [torch.arange(3, dtype=torch.int16).untyped_storage(), torch.arange(2.0).storage()],
    }
    dtypes = {"dtypes": typed(DTYPES)}
    for name, value in {**cases, **dtypes}.items():
        write("zip_" + name, save(value))
        write("legacy_" + name, save(value, legacy=True), value)
    for p in (3, 4, 5):
        for legacy in (False, True):
            v = {"w": base, "blobs": [b"", b"bytes", bytearray(b"array"), b"x" * 300], "set": {1}, "frozen": frozenset([2]), "text": "é", "big": 2**2100, "list": list(range(5)), "one": [1]}
            write(f"{'legacy' if legacy else 'zip'}_protocol{p}", save(v, legacy, p), v)
    write("zip_protocol2_extra", save([b"", frozenset([1, (2,)])]), [b"", frozenset([1, (2,)])])

    # what an s390x machine writes; torch.load forgets to turn the storages of dtypes without a typed storage
    v = {"f": torch.tensor([1.5, -2.0]), "h": filled(torch.bfloat16, 3), "c": torch.tensor([1 + 2j]), "l": torch.tensor([2**40 + 1]), "b": torch.tensor([True, False]), "u": torch.tensor([1, 513], dtype=torch.uint16)}
    write("zip_big_endian", rezip(save(v), {"byteorder": b"big"}, swap={"data/0": 4, "data/1": 2, "data/2": 4, "data/3": 8, "data/5": 2}), v, judge=False)
    # what follows the first checkpoint of a file is ignored
    first, second = {"w": torch.arange(3)}, {"w": torch.arange(3) + 5}
    for legacy in (False, True):
        kind = "legacy" if legacy else "zip"
        write(kind + "_behind", save(first, legacy) + bytes(100), first)
        write(kind + "_two", save(first, legacy) + save(second, legacy), first)
    write("zip_comment", pack(records(), comment=b"hello"))
    # what older versions and other tools write
    v = {"w": base, "v": base[2:], "n": 3}
    write("zip_repacked", rezip(save(v)))
    write("zip_deflated", rezip(save(v), method=zipfile.ZIP_DEFLATED))
    write("zip_no_byteorder", rezip(save(v), {"byteorder": None, ".format_version": None, ".storage_alignment": None, ".data/serialization_id": None}))
    write("zip_folders", rezip(save(v), folders=True))
    write("zip_streamed", rezip(save(v), stream=True))
    write("wrapped_legacy", wrap(save(v, legacy=True), zipfile.ZIP_STORED), v)
    write("wrapped_zip", wrap(save(v), zipfile.ZIP_DEFLATED), v)
    write("python2", zipped(pkl=PROTO + dic(sbin(b"w"), tensor(), sbin(b"od"), g("collections", "OrderedDict") + lst(lst(sbin(b"a"), b1(1))) + b"\x85R", sbin(b"set"), g("__builtin__", "set") + lst(b1(1)) + b"\x85R") + b"."),
          {"w": torch.tensor([1.0, 2.0]), "od": collections.OrderedDict(a=1), "set": {1}})
    # torch.load makes a storage of its own of each view, over the same memory
    b = torch.arange(6.0)
    v = {"root": b, "view": b[2:5], "again": b[3:5]}
    write("legacy_storage_views", legacy_views(), v, judge=False)


def rezip(data, replace={}, method=zipfile.ZIP_STORED, folders=False, stream=False, swap={}):
    """The archive packed again by Python's zipfile, with other contents for some records."""
    src, b = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()

    class Stream(io.RawIOBase):  # cannot seek, so that zipfile writes data descriptors
        def writable(self): return True
        def write(self, p): return b.write(p)
    with zipfile.ZipFile(Stream() if stream else b, "w", method) as dst:
        if folders:
            dst.writestr(zipfile.ZipInfo("archive/"), b"")
            dst.writestr(zipfile.ZipInfo("archive/data/"), b"")
        for info in src.infolist():
            rest = info.filename.partition("/")[2]
            body = replace.get(rest, src.read(info))
            if rest in swap:
                n = swap[rest]
                body = b"".join(body[i:i + n][::-1] for i in range(0, len(body), n))
            if body is not None:
                dst.writestr(zipfile.ZipInfo(info.filename), body, method)
    return b.getvalue()


def wrap(data, method):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", method) as z:
        z.writestr(zipfile.ZipInfo("model-12345678.pth"), data, method)
    return b.getvalue()


# ---- pickles by hand ----

PROTO = b"\x80\x02"
def g(module, name): return b"c" + module.encode() + b"\n" + name.encode() + b"\n"
def s(text): t = text if isinstance(text, bytes) else text.encode(); return b"X" + struct.pack("<I", len(t)) + t
def sbin(text): return b"U" + bytes([len(text)]) + text
def b1(n): return b"K" + bytes([n])
def i4(n): return b"J" + struct.pack("<i", n)
def i8(n): return b"\x8a\x08" + struct.pack("<q", n)
def num(n): return b1(n) if 0 <= n < 256 else i8(n) if -2**63 <= n < 2**63 else b"\x8a\x10" + n.to_bytes(16, "little", signed=True)
def tup(*items): return b"(" + b"".join(items) + b"t"
def lst(*items): return b"](" + b"".join(items) + b"e"
def dic(*items): return b"}(" + b"".join(items) + b"u"
def call(f, *args): return f + tup(*args) + b"R"
OD = g("collections", "OrderedDict") + b")R"
V2 = g("torch._utils", "_rebuild_tensor_v2")
V3 = g("torch._utils", "_rebuild_tensor_v3")
def ints(*ns): return tup(*map(num, ns))
def pid(key="0", kind="FloatStorage", numel=2, module="torch", location="cpu", extra=(), key_op=None, word="storage"):
    return tup(s(word), g(module, kind), key_op if key_op is not None else s(key), s(location), num(numel), *extra) + b"Q"
def tensor(storage=None, offset=0, size=(2,), stride=(1,), tail=None):
    return call(V2, storage if storage is not None else pid(), num(offset), ints(*size), ints(*stride), *(tail if tail is not None else (b"\x89", OD)))
def typed(dtype, storage, offset=0, size=(2,), stride=(1,)):
    return call(V3, storage, num(offset), ints(*size), ints(*stride), b"\x89", OD, g("torch", dtype))


META = g("torch._utils", "_rebuild_meta_tensor_no_storage")
def fl(x): return b"G" + struct.pack(">d", x)
def quantizer(*params, size=(2,), kind="QInt8Storage", numel=8):
    return call(g("torch._utils", "_rebuild_qtensor"), pid(kind=kind, numel=numel), num(0), ints(*size), ints(*(1 for _ in size)), tup(*params), b"\x89", OD)
def meta(size=(2,), stride=(1,)):
    return call(META, g("torch", "float32"), ints(*size), ints(*stride), b"\x89")
def indices(): # over the same 8 bytes
    return typed("int64", pid("1", module="torch.storage", kind="UntypedStorage", numel=8), size=(1, 1), stride=(1, 1))
def sparse(layout, *parts):
    return call(g("torch._utils", "_rebuild_sparse_tensor"), call(g("torch.serialization", "_get_layout"), s("torch." + layout)), tup(*parts))


# ---- zip files by hand ----

class Entry:
    def __init__(self, name, body, **lies):
        self.name, self.body, self.lies = name.encode() if isinstance(name, str) else name, body, lies


FLOATS = struct.pack("<2f", 1, 2)
def records(pkl=None, *more, version=b"3\n", order=b"little", data=FLOATS, root="archive", deflate=()):
    e = [Entry(root + "/data.pkl", pkl if pkl is not None else PROTO + dic(s("w"), tensor()) + b"."),
         Entry(root + "/byteorder", order), Entry(root + "/data/0", data), *more, Entry(root + "/version", version)]
    e = [x for x in e if x.body is not None]
    for x in e:
        if x.name.decode("latin1").partition("/")[2] in deflate:
            x.lies["method"] = 8
    return e


def pack(entries, comment=b"", trailing=b"", prefix=b"", count=None, dir_offset=None, dir_size=None, disk=0, between=b"", zip64=None):
    """A zip file, with whatever lies the entries and arguments tell."""
    out, central, headers = bytearray(prefix), b"", {}
    for e in entries:
        lies = e.lies
        method = lies.get("method", 0)
        body = e.body
        if method == 8:
            c = zlib.compressobj(9, wbits=-15)
            body = c.compress(e.body) + c.flush()
        body = lies.get("packed_body", body)
        crc = lies.get("crc", zlib.crc32(e.body))
        size, packed = lies.get("size", len(e.body)), lies.get("packed", len(body))
        flags = lies.get("flags", 0)
        header = lies.get("header", len(out))
        if "alias" in lies:
            header = headers[lies["alias"]]
        else:
            headers[e.name] = len(out)
            local_name = lies.get("local_name", e.name)
            local_flags, local_method = lies.get("local_flags", flags), lies.get("local_method", method)
            out += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, local_flags, local_method, 0, 0, lies.get("local_crc", crc), lies.get("local_packed", packed), lies.get("local_size", size), len(local_name), 0) + local_name + body
        extra = lies.get("extra", b"")
        central += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, flags, method, 0, 0, crc, packed & 0xffffffff, size & 0xffffffff, len(e.name), len(extra), 0, lies.get("disk", 0), 0, 0, header) + e.name + extra
    out += between
    at = len(out)
    out += central
    n = len(entries) if count is None else count
    if zip64 is not None:
        at64 = len(out)
        out += struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, n, n, len(central), at + zip64) + struct.pack("<4sIQI", b"PK\6\7", 0, at64, 1)
    out += struct.pack("<4sHHHHIIH", b"PK\5\6", disk, disk, n, n, len(central) if dir_size is None else dir_size, at if dir_offset is None else dir_offset, len(comment)) + comment + trailing
    return bytes(out)


def zipped(pkl=None, *more, **kw): return pack(records(pkl, *more, **kw))


# ---- the layout before 1.6 by hand ----

def legacy(obj=None, keys=("0",), storages=((2, FLOATS),), magic=b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", protocol=1001, sys_info=None, key_list=None, tail=b""):
    info = dic(s("protocol_version"), i4(1001), s("little_endian"), b"\x88", s("type_sizes"), dic(s("short"), b1(2), s("int"), b1(4), s("long"), b1(4)))
    obj = obj if obj is not None else dic(s("w"), tensor(pid(extra=[b"N"])))
    return (PROTO + magic + b"." + PROTO + i4(protocol) + b"." + PROTO + (sys_info or info) + b"." + PROTO + obj + b"." +
            PROTO + (key_list or lst(*map(s, keys))) + b"." + b"".join(struct.pack("<q", n) + b for n, b in storages) + tail)


def legacy_views(offset=2, size=3):
    root = pid("7", numel=6, extra=[b"N"])
    view = pid("7", numel=6, extra=[tup(s("8"), num(offset), num(size))])
    return legacy(dic(s("root"), tensor(root, 0, (6,), (1,)), s("view"), tensor(view, 0, (3,), (1,)), s("again"), tensor(view, 1, (2,), (1,))), keys=("7",),
                  storages=((6, struct.pack("<6f", *range(6))),))


# ---- hostile files: name -> (kind, words of the message, bytes) ----

def hostile():
    M, U = "malformed", "unsupported"
    good, glegacy = zipped(), legacy()
    p = lambda body: zipped(PROTO + body + b".", *([Entry("archive/data/1", struct.pack("<q", 0))] if indices() in body else []))
    laughs = b"]q\0" + b"".join(b"(" + b"h" + bytes([i]) + b"h" + bytes([i]) + b"tq" + bytes([i + 1]) for i in range(60))
    cases = {
        # globals
        "os_system": (U, "posix.system", p(call(g("posix", "system"), s("true")))),
        "eval": (U, "builtins.eval", p(call(g("builtins", "eval"), s("1")))),
        "py2_eval": (U, "builtins.eval", p(call(g("__builtin__", "eval"), s("1")))),
        "getattr": (U, "builtins.getattr", p(g("builtins", "getattr"))),
        "module_class": (U, "torch.nn.modules.linear.Linear", p(g("torch.nn.modules.linear", "Linear") + b")\x81}b")),
        "numpy_scalar": (U, "NumPy scalar", p(g("numpy._core.multiarray", "scalar"))),
        "namespace": (U, "argparse.Namespace", p(g("argparse", "Namespace") + b")\x81}b")),
        "stack_global": (U, "os.system", p(b"\x8c\x02os\x8c\x06system\x93")),
        "stack_global_ints": (M, "two strs", p(b"K\1K\2\x93")),
        "dotted_global": (U, "allow list", p(g("torch", "serialization.os.system"))),
        "global_no_end": (M, "no end", zipped(PROTO + b"ctorch" + b"a" * 3000)),
        "global_cut": (M, "no end", zipped(PROTO + b"ctorch\n_x")),
        "class_as_value": (U, "as a value", p(lst(g("collections", "OrderedDict")))),
        "dtype_called": (M, "is called", p(call(g("torch", "float32")))),
        "str_called": (M, "is called", p(s("x") + b")R")),
        "reduce_list_args": (M, "not with a tuple", p(g("collections", "OrderedDict") + b"]R")),
        "float_tensor_new": (U, "torch.FloatTensor", p(g("torch", "FloatTensor") + b")\x81")),
        "parameter_new": (U, "Parameter", p(g("torch.nn.parameter", "Parameter") + b")\x81")),
        "bytearray_huge": (U, "bytearray with a size", p(call(g("builtins", "bytearray"), i8(2**45)))),
        "untyped_storage_huge": (U, "UntypedStorage", p(call(g("torch.storage", "UntypedStorage"), i8(2**45)))),
        "meta_as_value": (U, "as a value", p(g("torch._utils", "_rebuild_meta_tensor_no_storage"))),
        "meta_negative": (M, "meta tensor", p(meta(size=(-1,)))),
        "meta_huge": (M, "meta tensor", p(meta(size=(2**40, 2**40), stride=(0, 0)))),
        "meta_strides": (M, "meta tensor", p(meta(size=(2, 2)))),
        "meta_far": (M, "meta tensor", p(meta(size=(2,), stride=(2**62,)))),
        "meta_args": (M, "arguments", p(call(META, g("torch", "float32"), ints(2)))),
        "meta_dtype": (M, "arguments", p(call(META, s("float32"), ints(2), ints(1), b"\x89"))),
        "sparse_one_part": (M, "arguments", p(sparse("sparse_coo", tensor()))),
        "sparse_float_indices": (M, "indices", p(sparse("sparse_coo", tensor(), tensor(), ints(2)))),
        "sparse_size_negative": (M, "size", p(sparse("sparse_coo", indices(), tensor(), ints(-2)))),
        "sparse_size_huge": (M, "size", p(sparse("sparse_coo", indices(), tensor(), ints(2**40, 2**40)))),
        "sparse_size_str": (M, "size", p(sparse("sparse_coo", indices(), tensor(), s("2")))),
        "sparse_coalesced_int": (M, "arguments", p(sparse("sparse_coo", indices(), tensor(), ints(2), b1(1)))),
        "sparse_strided": (U, "layout", p(sparse("strided", indices(), tensor(), ints(2)))),
        "sparse_csr_three": (M, "arguments", p(sparse("sparse_csr", indices(), tensor(), ints(2)))),
        "sparse_values_list": (M, "arguments", p(sparse("sparse_coo", indices(), b"]", ints(2)))),
        "sparse_layout_str": (M, "arguments", p(call(g("torch._utils", "_rebuild_sparse_tensor"), s("torch.sparse_coo"), tup(indices(), tensor(), ints(2))))),
        "device_tensor": (U, "was saved as", p(call(g("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"), tensor(), g("torch", "float64"), s("xla:0"), b"\x89"))),
        "device_tensor_int": (M, "arguments", p(call(g("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"), b1(1), g("torch", "float64"), s("xla:0"), b"\x89"))),
        "from_type_sparse": (M, "of the class", p(call(g("torch._tensor", "_rebuild_from_type_v2"), g("torch._utils", "_rebuild_sparse_tensor"), g("torch", "Size"),
                                                          tup(call(g("torch.serialization", "_get_layout"), s("torch.sparse_coo")), tup(indices(), tensor(), ints(2))), b"}"))),
        "typed_storage": (U, "storage without a type", p(call(g("torch.storage", "TypedStorage"), b1(5)))),
        "quantized_scheme": (U, "symmetric", p(quantizer(g("torch", "per_tensor_symmetric"), fl(1.0), b1(0)))),
        "quantized_none": (M, "quantizer", p(quantizer())),
        "quantized_float": (M, "suit", p(quantizer(g("torch", "per_tensor_affine"), fl(1.0), fl(0.0)))),
        "quantized_axis": (M, "axis 1", p(quantizer(g("torch", "per_channel_affine"), lst(fl(1.0)), lst(b1(0)), b1(1)))),
        "quantized_negative": (M, "axis -1", p(quantizer(g("torch", "per_channel_affine"), lst(fl(1.0)), lst(b1(0)), num(-1)))),
        "quantized_scales": (M, "3 scales", p(quantizer(g("torch", "per_channel_affine"), lst(fl(1.0), fl(1.0), fl(1.0)), lst(b1(0), b1(0)), b1(0)))),
        "quantized_zeros": (M, "1 zero points", p(quantizer(g("torch", "per_channel_affine"), lst(fl(1.0), fl(1.0)), lst(b1(0)), b1(0)))),
        "quantized_text": (M, "suit", p(quantizer(g("torch", "per_channel_affine"), lst(s("x"), fl(1.0)), lst(b1(0), b1(0)), b1(0)))),
        "quantized_beyond": (M, "exceeds", p(quantizer(g("torch", "per_tensor_affine"), fl(1.0), b1(0), size=(9,)))),
        "quantized_packed_beyond": (M, "exceeds", p(quantizer(g("torch", "per_tensor_affine"), fl(1.0), b1(0), size=(17,), kind="QUInt4x2Storage"))),
        "quantized_float_storage": (M, "suit", p(quantizer(g("torch", "per_tensor_affine"), fl(1.0), b1(0), kind="FloatStorage", numel=2))),
        "nested": (U, "", save(torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]))),
        "codec": (U, "encoding", p(call(g("_codecs", "encode"), s("abc"), s("rot13")))),
        "codec_wide": (M, "rune", p(call(g("_codecs", "encode"), s("日"), s("latin1")))),
        "codec_int": (M, "suit", p(call(g("_codecs", "encode"), b1(1), s("latin1")))),
        "build_tensor": (U, "attributes", p(tensor() + dic(s("x"), b1(1)) + b"b")),
        "build_dict": (U, "attributes", p(b"}}b")),
        "build_state": (M, "not a dict", p(OD + s("x") + b"b")),
        "from_type_call": (M, "suit", p(call(g("torch._tensor", "_rebuild_from_type_v2"), g("collections", "OrderedDict"), g("torch", "Tensor"), b")", b"}"))),
        "size_of_str": (M, "torch.Size", p(call(g("torch", "Size"), tup(s("x"))))),
        "device_bad": (M, "device", p(call(g("torch", "device"), s("cuda:x")))),
        "layout_bad": (M, "layout", p(call(g("torch.serialization", "_get_layout"), s("os.system")))),
        # opcodes
        "empty_pickle": (M, "STOP", zipped(b"")),
        "no_stop": (M, "STOP", zipped(PROTO + b"N")),
        "stop_on_nothing": (M, "values on the stack", zipped(PROTO + b".")),
        "opcode_int": (U, "INT", zipped(b"I42\n.")),
        "opcode_inst": (U, "INST", zipped(b"(ios\nsystem\n.")),
        "opcode_ext": (U, "EXT1", p(b"\x82\x01")),
        "opcode_none": (M, "no opcode", p(b"\xff")),
        "protocol_9": (U, "protocol 9", zipped(b"\x80\x09N.")),
        "memo_miss": (M, "memo", p(b"h\x05")),
        "memo_sparse": (M, "memo", p(b"Nr\xff\xff\xff\xffNj\xfe\xff\xff\xff")),
        "put_nothing": (M, "has none", p(b"q\0")),
        "pop_below_mark": (M, "on the stack", p(b"N(\x85")),
        "tuple_no_mark": (M, "mark", p(b"Nt")),
        "setitems_odd": (M, "odd", p(b"}(K\1u")),
        "append_to_dict": (M, "not to a list", p(b"}Na")),
        "append_to_tuple": (M, "not to a list", p(b")Na")),
        "setitem_on_list": (M, "not in a dict", p(b"]NNs")),
        "list_key": (U, "key", p(b"}]Ns")),
        "nan_key": (U, "key", p(b"}G" + struct.pack(">d", float("nan")) + b"Ns")),
        "tensor_key": (U, "key", p(b"}" + tensor() + b"Ns")),
        "unicode_long": (M, "are left", zipped(PROTO + b"X\xff\xff\xff\xffabc.")),
        "unicode8_long": (M, "are left", zipped(b"\x80\x04\x8d" + b"\xff" * 8 + b"abc.")),
        "bytes8_long": (M, "are left", zipped(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fabc.")),
        "long_short": (M, "are left", zipped(PROTO + b"\x8a\xff\x01.")),
        "long4_negative": (M, "are left", zipped(PROTO + b"\x8b\xff\xff\xff\xff\x01.")),
        "frame_long": (M, "frame", zipped(b"\x80\x04\x95" + b"\xff" * 8 + b"N.")),
        "binint_short": (M, "are left", zipped(PROTO + b"J\1\2")),
        "float_short": (M, "are left", zipped(PROTO + b"G\1\2")),
        "not_utf8": (M, "UTF-8", p(s(b"\xff\xfe"))),
        "half_surrogate": (M, "UTF-8", p(s(b"\xed\xa0"))),
        "laughs": (U, "values", p(laughs)),
        "laughs_key": (U, "key", p(b")q\0" + b"".join(b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) + b"h" + bytes([i + 1]) for i in range(60)) + b"}h\x3cNs")),
        "deep_tuples": (U, "nested deeper", p(b"N" + b"\x85" * 15000)),
        "deep_lists": (U, "nested deeper", p(b"]" + b"]" * 600 + b"a" * 600)),
        # persistent ids
        "pid_str": (M, "not a tuple", p(s("x") + b"Q")),
        "pid_empty": (M, "empty tuple", p(b")Q")),
        "pid_module": (U, "module", p(tup(s("module"), s("x"), s("y"), s("z")) + b"Q")),
        "pid_word": (U, "only storages", p(pid(word="exec"))),
        "pid_short": (M, "parts", p(tup(s("storage"), g("torch", "FloatStorage"), s("0")) + b"Q")),
        "pid_six": (M, "parts", p(tensor(pid(extra=[b"N"])))),
        "pid_type": (M, "storage type", p(tensor(pid(kind="float32")))),
        "pid_function": (M, "storage type", p(tensor(pid(module="collections", kind="OrderedDict")))),
        "pid_key_int": (M, "two strs", p(tensor(pid(key_op=b1(0))))),
        "pid_quantized": (M, "no scale", p(tensor(pid(kind="QInt8Storage", numel=8)))),
        "key_path": (M, "key", p(tensor(pid("../version")))),
        "key_absolute": (M, "key", p(tensor(pid("/0")))),
        "key_nul": (M, "key", p(tensor(pid("0\0")))),
        "key_empty": (M, "key", p(tensor(pid("")))),
        "key_long": (M, "key", p(tensor(pid("0" * 5000)))),
        "key_missing": (M, "no record", p(tensor(pid("1")))),
        "numel_negative": (M, "elements", p(tensor(pid(numel=-1)))),
        "numel_overflow": (M, "elements", p(tensor(pid(numel=2**62)))),
        "numel_wrap": (M, "elements", p(tensor(pid(numel=2**62 + 2)))),
        "numel_beyond_64": (M, "and an int", p(tensor(pid(numel=2**64 + 2)))),
        "numel_more": (M, "its record", p(tensor(pid(numel=3)))),
        "numel_less": (M, "its record", p(tensor(pid(numel=1), size=(1,)))),
        "two_dtypes": (M, "another", p(lst(tensor(), tensor(pid(kind="IntStorage"))))),
        "two_numels": (M, "another", p(lst(tensor(), tensor(pid(numel=1), size=(1,))))),
        "two_devices": (M, "devices", p(lst(tensor(), tensor(pid(location="cuda:0"))))),
        # tensors
        "offset_negative": (M, "negative", p(tensor(offset=-1, size=(1,)))),
        "offset_beyond": (M, "exceeds", p(tensor(offset=1))),
        "offset_huge": (M, "exceeds", p(tensor(offset=2**63 - 1))),
        "size_negative": (M, "negative", p(tensor(size=(-2,)))),
        "size_beyond": (M, "exceeds", p(tensor(size=(3,)))),
        "size_overflow": (M, "exceeds", p(tensor(size=(2**62, 2**62), stride=(0, 0)))),
        "size_wrap_to_empty": (M, "exceeds", p(tensor(size=(2**32, 2**32), stride=(0, 0)))),
        "size_overflow_empty": (M, "exceeds", p(tensor(size=(0, 2**40, 2**40), stride=(1, 1, 1)))),
        "stride_negative": (M, "negative", p(tensor(offset=1, stride=(-1,)))),
        "stride_beyond": (M, "exceeds", p(tensor(stride=(2,)))),
        "stride_overflow": (M, "exceeds", p(tensor(size=(3, 3), stride=(2**62, 2**62)))),
        "stride_wrap": (M, "exceeds", p(tensor(size=(2, 2, 2, 2), stride=(2**62, 2**62, 2**62, 2**62)))),
        "rank_mismatch": (M, "strides", p(tensor(size=(2, 1)))),
        "dims_65": (M, "dims", p(tensor(size=(1,) * 65, stride=(1,) * 65))),
        "expand_huge": (U, "expanded", p(tensor(size=(2**40,), stride=(0,)))),
        "size_str": (M, "tuples of ints", p(call(V2, pid(), b1(0), s("22"), ints(1), b"\x89", OD))),
        "size_big_int": (M, "tuples of ints", p(tensor(size=(2**70,)))),
        "storage_is_str": (M, "not over a storage", p(tensor(s("x")))),
        "grad_is_str": (M, "requires_grad", p(tensor(tail=(s("x"), OD)))),
        "args_five": (M, "arguments", p(tensor(tail=(b"\x89",)))),
        "metadata_odd": (U, "metadata", p(tensor(tail=(b"\x89", OD, dic(s("sharding"), b"\x88"))))),
        "v3_quantized": (M, "no scale", p(typed("qint8", pid(module="torch.storage", kind="UntypedStorage", numel=8)))),
        "v3_beyond": (M, "exceeds", p(typed("uint16", pid(module="torch.storage", kind="UntypedStorage", numel=8), size=(5,)))),
        "v3_wide": (M, "exceeds", p(typed("complex128", pid(module="torch.storage", kind="UntypedStorage", numel=8), size=(1,)))),
        "v3_no_dtype": (M, "arguments", p(call(V3, pid(), num(0), ints(2), ints(1), b"\x89", OD, s("float32")))),
        "parameter_of_int": (M, "arguments", p(call(g("torch._utils", "_rebuild_parameter"), b1(1), b"\x88", OD))),
        "big_untyped_two": (U, "big-endian", zipped(PROTO + lst(typed("uint16", pid(module="torch.storage", kind="UntypedStorage", numel=8)), typed("uint32", pid(module="torch.storage", kind="UntypedStorage", numel=8))) + b".", order=b"big")),
        # the zip container
        "empty": (M, "empty", b""),
        "zip_cut": (M, "end record", good[:-1]),
        "zip_half": (M, "end record", good[:len(good) // 2]),
        "zip_head": (M, "end record", good[:4]),
        "zip_none": (M, "no records", pack([])),
        "zip_comment_cut": (M, "cut short", pack(records(), comment=b"hello")[:-1]),
        "zip_trailing_end": (M, "end record", good + b"PK\5\6" + bytes(30)),
        "zip_prefix": (M, "neither a zip", pack(records(), prefix=b"#!junk!!")),
        "zip_hidden_first": (M, "precede", pack(records(), prefix=pack([Entry("x", b"y")])[:32])),
        "zip_two_files": (M, "two different archives", good + zipped(PROTO + b"N.")),
        "zip_duplicate": (M, "one name", zipped(None, Entry("archive/data/0", FLOATS))),
        "zip_case": (M, "one name", zipped(None, Entry("archive/DATA/0", FLOATS))),
        "zip_case_only": (M, "no record", pack([Entry("archive/data.pkl", PROTO + tensor() + b"."), Entry("archive/version", b"3"), Entry("archive/DATA/0", FLOATS)])),
        "zip_two_roots": (M, "folder", zipped(None, Entry("other/data/1", FLOATS))),
        "zip_no_root": (M, "folder", pack([Entry("data.pkl", b"."), Entry("version", b"3")])),
        "zip_local_name": (M, "local header", zipped(None, Entry("archive/data/1", FLOATS, local_name=b"archive/data/2"))),
        "zip_local_method": (M, "local header", zipped(None, Entry("archive/data/1", FLOATS, local_method=8))),
        "zip_local_size": (M, "local header", zipped(None, Entry("archive/data/1", FLOATS, local_size=4, local_packed=4))),
        "zip_local_crc": (M, "local header", zipped(None, Entry("archive/data/1", FLOATS, local_crc=1))),
        "zip_alias": (M, "local header", zipped(None, Entry("archive/data/1", FLOATS, alias=b"archive/data/0"))),
        "zip_overlap": (M, "overlap", overlap()),
        "zip_beyond": (M, "", zipped(None, Entry("archive/data/1", FLOATS, size=10**6, packed=10**6))),
        "zip_into_directory": (M, "exceeds", pack(records()[:-1] + [Entry("archive/version", b"3", size=60, packed=60)])),
        "zip_header_beyond": (M, "behind", zipped(None, Entry("archive/data/1", FLOATS, header=10**6))),
        "zip_header_wrong": (M, "no local header", zipped(None, Entry("archive/data/1", FLOATS, header=5))),
        "zip_count_more": (M, "damaged", pack(records(), count=5)),
        "zip_count_less": (M, "more than its", pack(records(), count=3)),
        "zip_count_huge": (M, "no room", pack(records(), count=65535)),
        "zip_dir_offset": (M, "directory", pack(records(), dir_offset=1)),
        "zip_dir_size": (M, "directory", pack(records(), dir_size=0)),
        "zip_disks": (U, "parts", pack(records(), disk=1)),
        "zip64_offset": (M, "differ", pack(records(), zip64=1)),
        "zip64_missing": (M, "zip64", zipped(None, Entry("archive/data/1", FLOATS, size=0xffffffff, packed=0xffffffff))),
        "zip_encrypted": (U, "encrypted", zipped(None, Entry("archive/data/1", FLOATS, flags=1))),
        "zip_bzip2": (U, "method 12", zipped(None, Entry("archive/data/1", FLOATS, method=12))),
        "zip_stored_sizes": (M, "stored", zipped(None, Entry("archive/data/1", FLOATS, size=9))),
        "zip_name_dotdot": (M, "named", zipped(None, Entry("archive/../data/1", FLOATS))),
        "zip_name_absolute": (M, "named", zipped(None, Entry("/archive/data/1", FLOATS))),
        "zip_name_nul": (M, "named", zipped(None, Entry("archive/data/1\0", FLOATS))),
        "zip_name_backslash": (M, "named", zipped(None, Entry("archive\\data", FLOATS))),
        "zip_name_latin1": (M, "named", zipped(None, Entry(b"archive/\xff", FLOATS))),
        "zip_name_long": (M, "named", zipped(None, Entry("archive/" + "a" * 5000, FLOATS))),
        "zip_name_empty": (M, "named", zipped(None, Entry("", FLOATS))),
        "zip_no_pickle": (M, "data.pkl", pack(records()[1:])),
        "zip_no_version": (M, "version", zipped(version=None)),
        "zip_version_11": (U, "version 11", zipped(version=b"11\n")),
        "zip_version_0": (M, "version", zipped(version=b"0")),
        "zip_version_word": (M, "version", zipped(version=b"three")),
        "zip_version_long": (M, "short word", zipped(version=b"3" * 100)),
        "zip_byteorder": (M, "byte order", zipped(order=b"middle")),
        "zip_crc_pickle": (M, "checksum", pack([Entry("archive/data.pkl", PROTO + b"N.", crc=1)] + records()[1:])),
        "zip_deflate_damaged": (M, "deflated", pack([Entry("archive/data.pkl", PROTO + b"N.", method=8, packed_body=b"\xff\xff\xff\xff")] + records()[1:])),
        "zip_deflate_more": (M, "deflated", pack([Entry("archive/data.pkl", PROTO + b"N." * 9, method=8, size=5)] + records()[1:])),
        "zip_deflate_less": (M, "deflated", pack([Entry("archive/data.pkl", PROTO + b"N." * 9, method=8, size=50)] + records()[1:])),
        "zip_deflate_huge": (U, "Limits.Inflate", pack(records(PROTO + tensor(pid(numel=2**28), size=(1,)) + b".")[:2] + [Entry("archive/data/0", FLOATS, method=8, size=2**30), Entry("archive/version", b"3")])),
        "zip_deflate_lie": (M, "cannot make", pack(records(PROTO + tensor(pid(numel=2**22), size=(1,)) + b".")[:2] + [Entry("archive/data/0", FLOATS, method=8, size=2**24), Entry("archive/version", b"3")])),
        "zip_pickle_huge": (U, "Limits.Inflate", pack([Entry("archive/data.pkl", PROTO + b"N.", method=8, size=2**31)] + records()[1:])),
        "wrapped_twice": (M, "folder", wrap(wrap(save([1]), zipfile.ZIP_STORED), zipfile.ZIP_STORED)),
        "wrapped_text": (M, "this is a text", wrap(b"hello", zipfile.ZIP_STORED)),
        # the layout before 1.6
        "legacy_magic": (M, "magic", legacy(magic=b"\x8a\x0a\x6d\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")),
        "legacy_magic_int": (M, "magic", legacy(magic=b"K\1")),
        "legacy_protocol": (M, "1001", legacy(protocol=1002)),
        "legacy_sys_info": (M, "platform", legacy(sys_info=b"N")),
        "legacy_plain": (U, "plain pickle", pickle.dumps({"a": 1}, 2)),
        "legacy_cut_0": (M, "STOP", glegacy[:14]),
        "legacy_cut_1": (M, "are left", glegacy[:20]),
        "legacy_cut_object": (M, "", glegacy[:160]),
        "legacy_cut_count": (M, "are left", glegacy[:-12]),
        "legacy_cut_data": (M, "are left", glegacy[:-1]),
        "legacy_key_missing": (M, "no bytes", legacy(keys=(), storages=())),
        "legacy_key_twice": (M, "twice", legacy(keys=("0", "0"), storages=((2, FLOATS),) * 2)),
        "legacy_key_unused": (M, "no tensor", legacy(keys=("0", "1"), storages=((2, FLOATS),) * 2)),
        "legacy_key_int": (M, "not a str", legacy(key_list=lst(b1(0)))),
        "legacy_keys_dict": (M, "not a list", legacy(key_list=b"}")),
        "legacy_keys_pid": (M, "no storage may be named", legacy(key_list=pid(extra=[b"N"]))),
        "legacy_count_more": (M, "announced", legacy(storages=((3, FLOATS),))),
        "legacy_count_negative": (M, "announced", legacy(storages=((-1, FLOATS),))),
        "legacy_numel_huge": (M, "are left", legacy(tensor(pid(numel=2**43, extra=[b"N"])))),
        "legacy_numel_sum": (M, "are left", legacy(lst(*(tensor(pid(str(i), numel=100, extra=[b"N"])) for i in range(50))))),
        "legacy_five": (M, "parts", legacy(tensor(pid()))),
        "legacy_view_beyond": (M, "view", legacy_views(offset=4)),
        "legacy_view_negative": (M, "view", legacy_views(offset=-1)),
        "legacy_view_overflow": (M, "view", legacy_views(offset=2, size=2**63 - 1)),
        "legacy_view_small": (M, "exceeds", legacy_views(size=2)),
        "legacy_view_shape": (M, "view", legacy(tensor(pid(extra=[tup(s("a"), b1(0))])))),
        "legacy_module": (U, "module", legacy(tup(s("module"), g("collections", "OrderedDict"), s("f.py"), s("code")) + b"Q")),
        # other formats
        "html": (M, "HTML", b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"),
        "html_late": (M, "HTML", b"\xef\xbb\xbf\r\n  <HTML><body>"),
        "html_error": (M, "XML", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
        "json": (M, "JSON", b'{"error": "not found"}'),
        "lfs": (M, "Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
        "text": (M, "this is a text", b"hello, this is no checkpoint at all"),
        "zeros": (M, "a file of zeros", bytes(100)),
        "safetensors": (U, "safetensors", wrap(struct.pack("<Q", 2) + b"{}", zipfile.ZIP_STORED)),
        "safetensors_brace": (U, "safetensors", wrap(struct.pack("<Q", 0x7b) + b"{" + b" " * 0x7a, zipfile.ZIP_STORED)),
        "numpy": (U, "NumPy", b"\x93NUMPY\x01\x00"),
        "npz": (U, "npz", pack([Entry("a.npy", b"\x93NUMPY"), Entry("b.npy", b"\x93NUMPY")])),
        "hdf5": (U, "HDF5", b"\x89HDF\r\n\x1a\n" + bytes(20)),
        "gzip": (U, "gzip", zlib.compress(b"x", wbits=31)),
        "tar": (U, "tar", b"storages".ljust(257, b"\0") + b"ustar\x0000" + bytes(248)),
        "gguf": (U, "GGUF", b"GGUF\x03\0\0\0"),
        "torchscript": (U, "TorchScript", script()),
        "pt2": (U, "pt2", zipped(None, Entry("archive/archive_format", b"pt2"))),
        "torch_package": (U, "torch.package", zipped(None, Entry("archive/.data/extern_modules", b""))),
    }
    folder = os.path.join(OUT, "hostile")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    index = {}
    for name, (kind, says, data) in cases.items():
        index[name] = {"kind": kind, "says": says}
        with open(os.path.join(folder, name + ".pt"), "wb") as f:
            f.write(data)
    with open(os.path.join(OUT, "hostile.json"), "w") as f:
        json.dump(index, f, indent="\t", sort_keys=True)
        f.write("\n")


def overlap():
    """A record whose bytes hold a second one, with a header of its own."""
    inner = Entry("archive/data/1", FLOATS)
    header = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, zlib.crc32(FLOATS), 8, 8, len(inner.name), 0) + inner.name + FLOATS
    outer = Entry("archive/data/9", header)
    start = len(pack([outer])) - 22 - 46 - len(outer.name) - len(header)
    first = [outer]
    inner.lies.update(header=start)
    e = first + records()
    out = pack(e)
    # the inner record's entry joins the directory by hand
    end = out.rindex(b"PK\5\6")
    size, at = struct.unpack("<II", out[end + 12:end + 20])
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, zlib.crc32(FLOATS), 8, 8, len(inner.name), 0, 0, 0, 0, 0, start) + inner.name
    n = len(e) + 1
    return out[:end] + entry + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, n, n, size + len(entry), at, 0)


def script():
    b = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Identity()), b)
    return b.getvalue()


# ---- random checkpoints ----

def anything(rnd, depth, pool):
    kind = rnd.randrange(14 if depth else 9)
    if kind == 0:
        return rnd.choice([None, True, False])
    if kind == 1:
        return rnd.choice([-1, 1]) * rnd.getrandbits(rnd.choice([1, 7, 8, 15, 16, 31, 32, 63, 64, 65, 500]))
    if kind == 2:
        return rnd.choice([rnd.uniform(-1, 1), rnd.gauss(0, 1e300), float("inf"), complex(rnd.random(), rnd.random())])
    if kind == 3:
        return "".join(chr(rnd.choice([rnd.randrange(32, 127), rnd.randrange(0xd800), rnd.randrange(0xe000, 0x110000)])) for _ in range(rnd.randrange(12)))
    if kind == 4:
        return rnd.choice([rnd.randbytes(rnd.randrange(1, 9)), bytearray(rnd.randbytes(3)), torch.Size([rnd.randrange(9)]), rnd.choice(DTYPES), torch.device("cuda", 1),
                           torch.per_tensor_affine, torch.empty(rnd.randrange(9), 2, device="meta"), (torch.ones(rnd.randrange(4), 3) * rnd.randrange(2)).to_sparse()])
    if kind <= 8:
        if pool and rnd.random() < 0.5:
            t = rnd.choice(pool)
            for _ in range(rnd.randrange(3)):
                if t.dim() and t.shape[0] > 1:
                    t = t[rnd.randrange(t.shape[0]):] if rnd.random() < 0.5 else t[::2]
                if t.dim() > 1 and rnd.random() < 0.5:
                    t = t.transpose(0, t.dim() - 1)
                if rnd.random() < 0.2:
                    t = t.unsqueeze(0).expand(rnd.randrange(1, 4), *t.shape)
            return t
        dtype = rnd.choice(DTYPES)
        t = filled(dtype, *(rnd.randrange(5) for _ in range(rnd.randrange(4))), seed=rnd.random())
        if dtype.is_floating_point and dtype.itemsize > 1 and rnd.random() < 0.3:
            t = torch.nn.Parameter(t, requires_grad=rnd.random() < 0.5)
        pool.append(t)
        return t
    items = [anything(rnd, depth - 1, pool) for _ in range(rnd.randrange(5))]
    if kind == 9:
        return tuple(items)
    if kind == 10:
        return items
    keys = [rnd.choice([str(i) * rnd.randrange(1, 40), i * 1000, (i, "k"), -i - 0.5]) for i in range(len(items))]
    if kind == 11:
        return set(keys)
    d = dict(zip(keys, items))
    if kind == 12:
        d = collections.OrderedDict(d)
        if rnd.random() < 0.5:
            d._metadata = {"": {"version": rnd.randrange(3)}}
    return d


def randoms(folder, n, seed):
    for i in range(n):
        rnd = random.Random(seed * 1000003 + i)
        v = [anything(rnd, 4, pool := []) for _ in range(3)] + pool
        write(f"random{i}", save(v, legacy=rnd.random() < 0.5), v, folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--random"]:
        randoms(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        goldens()
        hostile()

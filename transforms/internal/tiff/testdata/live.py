"""Makes TIFFs of every kind, whole and damaged, and reads them with Pillow."""
import base64, io, struct, warnings, zlib

import numpy as np
from PIL import Image, TiffImagePlugin

warnings.simplefilter("ignore")

RAW, RLE, G3, G4, LZW, JPEG, DEFLATE, RLEW, PACKBITS, OLD_DEFLATE, LZMA, ZSTD = 1, 2, 3, 4, 5, 7, 8, 32771, 32773, 32946, 34925, 50000
NAMES = {LZW: "tiff_lzw", PACKBITS: "packbits", LZMA: "lzma", ZSTD: "zstd", RLE: "tiff_ccitt", G3: "group3", G4: "group4", RLEW: "tiff_raw_16"}
OLD_LZW = -LZW


def old_lzw(data):
    """LZW as the first writers had it: the first bit of a code is its least significant."""
    out, acc, bits = bytearray(), 0, 0
    table, free, width, prefix = {}, 258, 9, b""

    def emit(code):
        nonlocal acc, bits
        acc |= code << bits
        bits += width
        while bits >= 8:
            out.append(acc & 255)
            acc >>= 8
            bits -= 8

    def code(s):
        return s[0] if len(s) == 1 else table[s]

    emit(256)
    for i in range(len(data)):
        s = prefix + data[i:i + 1]
        if len(s) == 1 or s in table:
            prefix = s
            continue
        emit(code(prefix))
        table[s] = free
        free += 1
        if free - 1 > (1 << width) - 1:
            width += 1
        if free == 4094:
            emit(256)
            table, free, width = {}, 258, 9
        prefix = data[i:i + 1]
    if prefix:
        emit(code(prefix))
        free += 1
        if free - 1 > (1 << width) - 1:
            width = min(width + 1, 12)
    emit(257)
    if bits:
        out.append(acc & 255)
    return bytes(out)


def strip_of(img, **options):
    b = io.BytesIO()
    TiffImagePlugin.STRIP_SIZE = 1 << 24
    img.save(b, "TIFF", **options)
    b.seek(0)
    t = Image.open(b).tag_v2
    assert len(t[273]) == 1, t[273]
    return b.getvalue()[t[273][0]:][:t[279][0]]


def pack(compression, rows, width, bits, t4, samples, r):
    """Compresses rows of bytes, an array, of a strip or tile that is width pixels wide."""
    data = rows.tobytes()
    if compression == RAW: return data
    if compression in (DEFLATE, OLD_DEFLATE): return zlib.compress(data, int(r.integers(0, 10)))
    if compression == OLD_LZW: return old_lzw(data)
    if compression in (RLE, G3, G4, RLEW):
        img = Image.frombytes("1", (width, len(rows)), data)
        return strip_of(img, compression=NAMES[compression], tiffinfo={262: 1, **({292: t4} if compression == G3 else {})})
    if compression == JPEG:
        mode = {1: "L", 3: "RGB", 4: "CMYK"}[samples]
        img = Image.frombytes(mode, (width, len(rows)), data)
        b = io.BytesIO()
        img.save(b, "JPEG", quality=int(r.integers(20, 96)), subsampling=t4 if samples == 3 else -1, progressive=bool(r.integers(0, 6) == 0), keep_rgb=t4 == 0 and samples == 3)
        return b.getvalue()
    return strip_of(Image.frombytes("L", (rows.shape[1], len(rows)), data), compression=NAMES[compression])


def differences(rows, predictor, size, samples, order):
    """Applies a predictor to rows of bytes."""
    if predictor == 2:
        v = rows.view(order + "u%d" % size).reshape(len(rows), -1, samples).copy()
        v[:, 1:] -= v[:, :-1].copy()
        return v.reshape(len(rows), -1).view(np.uint8)
    if predictor == 3:
        v = rows.reshape(len(rows), -1, size)
        if order == "<": v = v[:, :, ::-1]
        v = v.transpose(0, 2, 1).reshape(len(rows), -1, samples).copy()
        v[:, 1:] -= v[:, :-1].copy()
        return v.reshape(len(rows), -1)
    return rows


TYPES = {"B": 1, "H": 3, "L": 4, "Q": 16}


def assemble(order, big, tags, parts, offsets_tag, r):
    """Writes a file: a header, one directory, its values and the parts."""
    e = order
    n, inline, word = len(tags), (8 if big else 4), ("Q" if big else "L")
    at = (16 if big else 8)
    size = (8 + 20 * n + 8) if big else (2 + 12 * n + 4)
    blobs = b""
    where = {}
    for t, (k, v) in sorted(tags.items()):
        raw = struct.pack(e + k * len(v), *v) if not isinstance(v, bytes) else v
        if len(raw) > inline:
            where[t] = at + size + len(blobs)
            blobs += raw + b"\0" * (len(raw) % 2)
    begin = at + size + len(blobs)
    gaps = [int(g) for g in r.integers(0, 3, len(parts))]
    offsets, pos = [], begin
    for p, g in zip(parts, gaps):
        offsets.append(pos + g)
        pos += len(p) + g
    k, v = tags[offsets_tag]
    tags = {**tags, offsets_tag: (k, offsets)}
    if big: out = (b"II" if e == "<" else b"MM") + struct.pack(e + "HHHQ", 43, 8, 0, 16) + struct.pack(e + "Q", n)
    else: out = (b"II" if e == "<" else b"MM") + struct.pack(e + "HL", 42, 8) + struct.pack(e + "H", n)
    values = b""
    for t, (k, v) in sorted(tags.items()):
        raw = struct.pack(e + k * len(v), *v) if not isinstance(v, bytes) else v
        out += struct.pack(e + "HH" + word, t, TYPES[k] if k != "U" else 7, len(raw) // struct.calcsize("=" + (k if k != "U" else "B")))
        if len(raw) > inline:
            out += struct.pack(e + word, where[t])
            values += raw + b"\0" * (len(raw) % 2)
        else:
            out += raw.ljust(inline, b"\0")
    out += struct.pack(e + word, 0) + values
    for p, g in zip(parts, gaps): out += b"\0" * g + p
    return out, begin


REVERSE = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))


def choose(r, *v): return v[int(r.integers(0, len(v)))]


def make(seed):
    """Returns a file, where its pixels begin, and what it is."""
    r = np.random.default_rng(seed)
    w, h = int(r.integers(1, 60)), int(r.integers(1, 50))
    order = choose(r, "<", "<", ">")
    big = order == "<" and r.integers(0, 6) == 0
    compression = choose(r, RAW, RLE, G3, G4, LZW, LZW, OLD_LZW, JPEG, JPEG, DEFLATE, DEFLATE, RLEW, PACKBITS, OLD_DEFLATE, LZMA, ZSTD)
    fax = compression in (RLE, G3, G4, RLEW)
    extra, fmt, fill, planar, predictor, t4, sub = [], 1, 1, 1, 1, 0, (1, 1)
    if fax: photo, bits, samples = choose(r, 0, 1), 1, 1
    elif compression == JPEG: photo, bits = choose(r, 1, 2, 5, 6, 6), 8
    else:
        photo, bits = choose(r, 0, 1, 1, 2, 2, 3, 5, 6), choose(r, 1, 2, 4, 8, 8, 8, 8, 12, 16, 16, 32)
        if photo == 6: bits = 8
        if photo in (2, 5): bits = choose(r, 8, 8, 16)
        if photo == 3: bits = choose(r, 1, 2, 4, 8, 8)
        if bits == 12: photo, order = 1, "<"
    samples = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3}[photo]
    if not fax and compression != JPEG and r.integers(0, 3) == 0 and bits >= 8 and photo != 6:
        extra = [choose(r, 0, 1, 2)] + [0] * int(r.integers(0, 2))
    elif photo == 2 and compression != JPEG and r.integers(0, 8) == 0: samples = 4
    samples += len(extra)
    if bits == 32: fmt = choose(r, 1, 2, 3, 3)
    elif bits in (8, 16) and photo == 1 and samples == 1 and compression != JPEG: fmt = choose(r, 1, 1, 2)
    if fmt > 1 and compression != RAW: order = "<"  # Pillow's fault
    if fmt > 1 and compression != RAW: big = False
    if r.integers(0, 6) == 0 and not (compression == RAW and photo == 3 and bits in (1, 4)): fill = 2  # which Pillow lacks
    if samples > 1 and r.integers(0, 3) == 0 and not (compression == RAW and bits != 8) and not (photo in (0, 1, 3) and compression != RAW): planar = 2
    if compression == RAW and planar == 2 and (photo == 6 or extra[:1] == [1] or fill == 2): planar = 1  # Pillow refuses what is read here, or has wrong pixels
    if compression in (LZW, OLD_LZW, DEFLATE, OLD_DEFLATE, LZMA, ZSTD) and bits in (8, 16, 32) and r.integers(0, 2):
        predictor = 3 if fmt == 3 and r.integers(0, 2) else 2
    if compression == G3: t4 = choose(r, 0, 1, 4, 5)
    if photo == 6 and planar == 1 and compression not in (RAW,): sub = choose(r, (1, 1), (1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4), (1, 2))
    jpeg_sub = 0
    if compression == JPEG:
        if photo == 6 and planar == 1: jpeg_sub, sub = choose(r, (0, (1, 1)), (1, (2, 1)), (2, (2, 2)))
        else: sub = (1, 1)
    tile = None
    if r.integers(0, 3) == 0 and not (compression == RAW and bits < 8) and bits != 12: tile = (16 * int(r.integers(1, 4)), 16 * int(r.integers(1, 3)))
    rows = int(r.integers(1, h + 1))
    if photo == 6 and sub[1] > 1 and not tile: rows = -(-rows // sub[1]) * sub[1]
    if compression == JPEG and photo == 6 and jpeg_sub and not tile: rows = -(-rows // (8 * sub[1])) * 8 * sub[1]
    tw, th = tile or (w, min(rows, h))
    across, down = -(-w // tw), -(-h // th)
    parts = []
    smooth = r.integers(0, 3) > 0
    for plane in range(samples if planar == 2 else 1):
        for ty in range(down):
            for tx in range(across):
                n = th if tile else min(th, h - ty * th)
                s = 1 if planar == 2 else samples
                if photo == 6 and planar == 1 and compression != JPEG:
                    stride, n = -(-tw // sub[0]) * (sub[0] * sub[1] + 2), -(-n // sub[1])
                else: stride = (tw * bits * s + 7) // 8
                d = r.integers(0, 256, (n, stride), dtype=np.uint8)
                if smooth:
                    y, x = np.mgrid[0:n, 0:stride]
                    d = (d // 16 + x * 3 + y * 5 + tx * 40).astype(np.uint8)
                if fax: d = np.packbits((np.add.outer(np.arange(n) // 3, np.arange(tw)) // int(r.integers(2, 30)) % 2 ^ (r.random((n, tw)) < 0.05)).astype(np.uint8), axis=1)
                if fmt == 3: d = r.normal(size=n * stride // 4).astype(order + "f4").reshape(n, -1).view(np.uint8)
                if predictor > 1 and not (photo == 6 and sub != (1, 1)): d = differences(np.ascontiguousarray(d), predictor, bits // 8, s, order)
                if compression == JPEG and r.integers(0, 2): d = (d // 4 + 60).astype(np.uint8)
                p = pack(compression, np.ascontiguousarray(d), tw, bits, jpeg_sub if compression == JPEG else t4, s, r)
                if fill == 2 and compression != JPEG: p = p.translate(REVERSE)
                parts.append(p)
    number = lambda v: ("Q" if big and r.integers(0, 2) else choose(r, "H", "L"), [v])
    tags = {256: number(w), 257: number(h), 258: ("H", [bits] * choose(r, samples, samples, samples, 1)), 259: ("H", [abs(compression)]), 262: ("H", [photo]), 277: ("H", [samples])}
    if fill == 2: tags[266] = ("H", [2])
    if planar == 2 or r.integers(0, 2): tags[284] = ("H", [planar])
    if predictor > 1: tags[317] = ("H", [predictor])
    if fmt > 1 or r.integers(0, 2): tags[339] = ("H", [fmt] * samples)
    if extra: tags[338] = ("H", extra)
    if t4: tags[292] = ("L", [t4])
    if photo == 3: tags[320] = ("H", r.integers(0, 65536, 3 << bits).tolist())
    if photo == 6 and not (compression == JPEG and r.integers(0, 2)): tags[530] = ("H", list(sub))
    if tile: tags.update({322: number(tw), 323: number(th), 324: ("L", [0] * len(parts)), 325: ("L", [len(p) for p in parts])})
    else:
        if th < h or r.integers(0, 2): tags[278] = number(th)
        tags[273] = ("L", [0] * len(parts))
        if not (len(parts) == 1 and r.integers(0, 5) == 0): tags[279] = ("L", [len(p) for p in parts])
    data, begin = assemble(order, big, tags, parts, 324 if tile else 273, r)
    what = f"{w}x{h} {order}{'big' if big else ''} compression {compression} photo {photo} bits {bits} samples {samples} extra {extra} format {fmt} fill {fill} planar {planar} predictor {predictor} t4 {t4} sub {sub} tile {tile} rows {th} tags {sorted(tags)}"
    return data, begin, what


def damage(data, begin, r):
    d = bytearray(data)
    where = int(r.integers(0, 4))
    for _ in range(int(r.integers(1, 9))):
        i = int(r.integers(begin, len(d))) if where else int(r.integers(4, len(d)))
        d[i] = int(r.integers(0, 256)) if r.integers(0, 2) else d[i] ^ (1 << int(r.integers(0, 8)))
    if r.integers(0, 12) == 0: d = d[:int(r.integers(begin, len(d) + 1))]
    return bytes(d)


def pixels(img):
    mode, raw = img.mode, img.tobytes()
    if mode == "1": raw = np.array(img).astype(np.uint8).tobytes().replace(b"\1", b"\xff")
    if mode == "I;16B": mode, raw = "I;16", np.frombuffer(raw, ">u2").astype("<u2").tobytes()
    return {"mode": mode, "size": list(img.size), "pixels": base64.b64encode(raw).decode(), "palette": img.getpalette() if mode in ("P", "PA") else None}


def read(data):
    try:
        img = Image.open(io.BytesIO(data), formats=["TIFF"])
        img.load()
        return pixels(img)
    except Exception as e:
        return {"mode": "", "error": repr(e)}


def batch(first, n, damaged):
    out = []
    for seed in range(first, first + n):
        data, begin, what = make(seed)
        if damaged:
            data = damage(data, begin, np.random.default_rng(seed + 10**6))
        out.append({"what": f"#{seed} {what}", "data": base64.b64encode(data).decode(), **read(data)})
    return out


def read_file(data):
    return read(base64.b64decode(data))


def read_pages(data):
    """All pages as ImageSequence gives them, and the error that ends them, if any."""
    out = []
    try:
        img = Image.open(io.BytesIO(base64.b64decode(data)), formats=["TIFF"])
        i = 0
        while True:
            try: img.seek(i)
            except EOFError: break
            img.load()
            out.append(pixels(img))
            i += 1
    except Exception as e:
        return {"pages": out, "error": repr(e)}
    return {"pages": out, "error": ""}

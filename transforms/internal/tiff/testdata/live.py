"""Makes TIFFs of every kind, whole and damaged, and reads them with Pillow."""
import base64, io, re, struct, warnings, zlib

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


def make_old(seed):
    """Returns a file of the old JPEG compression, where its pixels begin, and what it is."""
    r = np.random.default_rng(seed)
    sub, (h, v) = choose(r, (0, (1, 1)), (1, (2, 1)), (2, (2, 2)))
    w, n = int(r.integers(h, 60)), int(r.integers(v, 50))
    how = int(r.integers(0, 4))
    rows = 8 * v * int(r.integers(1, 4)) if how == 3 else n
    y, x = np.mgrid[0:n, 0:w]
    a = (np.stack([x * 5 + y, 255 - x * 2 - y * 3, x * y], -1) + r.integers(0, 40, (n, w, 3))).astype(np.uint8)
    b = io.BytesIO()
    blocks = -(-w // (8 * h)) * (rows // (8 * v)) if rows < n else 0
    Image.fromarray(a).save(b, "JPEG", quality=int(r.integers(30, 96)), subsampling=sub, **({"restart_marker_blocks": blocks} if blocks else {}))
    j = b.getvalue()
    tags = {256: ("L", [w]), 257: ("L", [n]), 258: ("H", [8, 8, 8]), 259: ("H", [6]), 262: ("H", [choose(r, 6, 6, 2)]), 277: ("H", [3]), 278: ("L", [rows]), 273: ("L", [0])}
    if r.integers(0, 2): tags[530] = ("H", [h, v])
    sos = j.index(b"\xff\xda")
    scan = j[sos + 2 + int.from_bytes(j[sos + 2:sos + 4], "big"):]
    parts = [j]
    if how == 1: parts = [scan]
    if how == 3:
        parts = re.split(b"\xff[\xd0-\xd7]", scan[:-2]) if blocks else [scan]
    if how < 2 or how == 3:
        tables, q = j[:sos], {519: [], 520: [], 521: []}
        if how != 3:
            tags[513], tags[514] = ("L", [0]), ("L", [len(j)])
    tags[273], tags[279] = ("L", [0] * len(parts)), ("L", [len(p) for p in parts])
    extra = []
    if how == 1: extra = [j[:sos + 2 + int.from_bytes(j[sos + 2:sos + 4], "big")]]
    if how == 3:
        found, at = {}, 2
        while at < sos:
            m, size = j[at + 1], int.from_bytes(j[at + 2:at + 4], "big")
            body = j[at + 4:at + 2 + size]
            while m in (0xdb, 0xc4) and body:
                k = 65 if m == 0xdb else 17 + sum(body[1:17])
                found[m, body[0]] = body[1:k]
                body = body[k:]
            at += 2 + size
        names = [(519, 0xdb, 0), (519, 0xdb, 1), (520, 0xc4, 0), (520, 0xc4, 1), (521, 0xc4, 16), (521, 0xc4, 17)]
        extra = [found[m, i] for _, m, i in names]
        for t in (519, 520, 521): tags[t] = ("L", [0, 0, 0])
    if how == 1: tags[514] = ("L", [len(extra[0])])
    # The offsets of what is behind the strips are known once the file is made.
    for _ in range(2):
        tags[273] = ("L", [0] * len(parts + extra))
        data, begin = assemble("<", False, tags, parts + extra, 273, np.random.default_rng(1))
        t = Image.open(io.BytesIO(data)).tag_v2
        offsets = list(t[273])
        if how == 0: tags[513] = ("L", [offsets[0]])
        if how == 1: tags[513] = ("L", [offsets[len(parts)]])
        if how == 3:
            o = offsets[len(parts):]
            tags[519], tags[520], tags[521] = ("L", [o[0], o[1], o[1]]), ("L", [o[2], o[3], o[3]]), ("L", [o[4], o[5], o[5]])
    # The tag of the strips has more offsets than counts while they are found out; here it is cut.
    e = data.index(struct.pack("<HHL", 273, 4, len(parts + extra)))
    data = bytearray(data)
    data[e + 4:e + 8] = struct.pack("<L", len(parts))
    if len(parts) == 1 and extra: data[e + 8:e + 12] = struct.pack("<L", offsets[0])
    return bytes(data), begin, f"#old {w}x{n} compression 6 photo 6 how {how} rows {rows} sub {h}x{v}"


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


def batch_old(first, n):
    out = []
    for seed in range(first, first + n):
        data, begin, what = make_old(seed)
        out.append({"what": what, "data": base64.b64encode(data).decode(), **read(data)})
    return out


def batch(first, n, damaged):
    out = []
    for seed in range(first, first + n):
        data, begin, what = make(seed)
        if damaged:
            data = damage(data, begin, np.random.default_rng(seed + 10**6))
        out.append({"what": f"#{seed} {what}", "data": base64.b64encode(data).decode(), **read(data)})
    return out


def make_pages(seed):
    """A file of several pages, some of which lead to a page before, beyond the end, or are damaged."""
    r = np.random.default_rng(seed)
    pages = []
    for i in range(int(r.integers(1, 6))):
        mode = choose(r, "L", "RGB", "RGBA", "CMYK", "I;16", "F")
        w, h = int(r.integers(1, 30)), int(r.integers(1, 30))
        a = r.integers(0, 256, (h, w), dtype=np.uint8)
        if mode == "I;16": img = Image.fromarray(a.astype(np.uint16) * 99)
        elif mode == "F": img = Image.fromarray(a.astype(np.float32) / 3)
        else: img = Image.fromarray(a).convert(mode)
        pages.append(img)
    b = io.BytesIO()
    compression = choose(r, None, "tiff_lzw", "tiff_adobe_deflate")
    pages[0].save(b, "TIFF", save_all=True, append_images=pages[1:], **({"compression": compression} if compression else {}))
    d = bytearray(b.getvalue())
    offsets, at = [], 4
    while True:
        here = struct.unpack_from("<L", d, at)[0]
        if not here: break
        offsets.append(here)
        at = here + 2 + 12 * struct.unpack_from("<H", d, here)[0]
    how = int(r.integers(0, 5))
    if how == 0: struct.pack_into("<L", d, at, choose(r, *offsets))
    elif how == 1: struct.pack_into("<L", d, at, len(d) + int(r.integers(0, 9)))
    elif how == 2 and not compression: d = d[:int(r.integers(offsets[-1], len(d)))]
    elif how == 3: d[offsets[-1] + 2 + int(r.integers(0, 100))] ^= 1 << int(r.integers(0, 8))
    return bytes(d)


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

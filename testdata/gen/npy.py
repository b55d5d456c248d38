"""Writes internal/npy/testdata/dtypes.json: what np.dtype makes of spellings of dtypes, by PyTorch's names.

A ! behind a name stands for the other byte order; an empty name for a dtype that PyTorch does not have, or for none.

    python testdata/gen/npy.py
"""
import json, os, string

import numpy as np
import torch

words = """bool bool_ int8 byte uint8 ubyte int16 short uint16 ushort int32 intc uint32 uintc int64 int int_ long longlong intp uint64 uint ulong ulonglong
uintp float16 half float32 single float64 float double complex64 csingle complex128 complex cdouble longdouble float128 object str bytes Float32""".split()
words += string.ascii_letters.replace("a", "") + "?"
words += [kind + str(size) for kind in "biufcSUV" for size in (1, 2, 4, 8, 16)]


def name(descr):
    try:
        d = np.dtype(np.dtype(descr).str)  # "Q" and "L" are two types of one kind, of which PyTorch takes one
        torch.from_numpy(np.zeros(1, d.newbyteorder("=")))
    except (TypeError, ValueError):
        return ""
    return d.name + ("" if d.isnative else "!")


out = {order + word: name(order + word) for word in words for order in ("", "<", ">", "=", "|")}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "internal", "npy", "testdata", "dtypes.json"), "w") as f:
    json.dump(out, f, indent=0, sort_keys=True)
    f.write("\n")

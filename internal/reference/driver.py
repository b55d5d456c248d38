"""Answers calls from Go: a JSON line in on stdin, a JSON line out on stdout."""
import base64, json, os, sys, traceback

out = os.fdopen(os.dup(1), "w")  # what the script prints goes to stderr, not between the answers
os.dup2(2, 1)


def load(d):
    if d.keys() != {"dtype", "shape", "data"}:
        return d
    import numpy
    return numpy.frombuffer(bytearray(base64.b64decode(d["data"] or "")), d["dtype"]).reshape(d["shape"])


def dump(v):
    if isinstance(v, (bytes, bytearray)):
        return base64.b64encode(v).decode()
    if hasattr(v, "detach"):  # a torch.Tensor
        v = v.detach().cpu().numpy()
    if hasattr(v, "tobytes") and hasattr(v, "dtype"):
        return {"dtype": str(v.dtype), "shape": v.shape, "data": v.tobytes()}
    raise TypeError(f"{type(v).__name__} cannot be sent to Go")


def answer(f):
    try:
        text = json.dumps({"answer": f()}, default=dump, allow_nan=False)
    except BaseException:
        text = json.dumps({"error": traceback.format_exc()})
    out.write(text + "\n")
    out.flush()


def call(line):
    r = json.loads(line, object_hook=load)
    return eval(r["function"], scope)(*r["args"])


scope = {"__name__": "reference"}
script = sys.stdin.readline()
answer(lambda: exec(compile(json.loads(script), "script", "exec"), scope))
for line in sys.stdin:
    answer(lambda: call(line))
os._exit(0)  # Go has closed the pipe, or is gone

"""Answers calls from Go: a JSON line in on stdin, a JSON line out on stdout."""
import base64, contextlib, io, json, linecache, os, queue, sys, threading, traceback

out = os.fdopen(os.dup(1), "w")  # what a program prints goes to stderr, not between the answers
os.dup2(2, 1)
stdout = sys.stdout
requests, sys.stdin = sys.stdin, open(os.devnull)
main = threading.get_ident()
lines = queue.SimpleQueue()


class Printed(io.StringIO):
    """Keeps what is printed for the answer, and writes it to stderr for a process that ends without one."""

    def write(self, s):
        stdout.write(s)
        return super().write(s)

    def flush(self):
        stdout.flush()


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


def send(text):
    out.write(text + "\n")
    out.flush()


def read():
    for line in requests:
        if line == "where\n":
            send(json.dumps({"stack": "".join(traceback.format_stack(sys._current_frames()[main]))}))
        else:
            lines.put(line)
    os._exit(0)  # Go has closed the pipe, or is gone


def answer(f):
    printed = Printed()
    try:
        with contextlib.redirect_stdout(printed):
            v = f()
        text = json.dumps({"answer": v, "printed": printed.getvalue()}, default=dump, allow_nan=False)
    except BaseException as e:
        text = json.dumps({"exception": type(e).__name__, "message": str(e), "traceback": traceback.format_exc(), "printed": printed.getvalue()})
    send(text)


def start(line):
    for i, program in enumerate(json.loads(line)):
        source, path = program["source"], program["path"]
        if path:
            with open(path, encoding="utf-8") as f:
                source = f.read()
            scope["__file__"] = path
            sys.path.insert(0, os.path.dirname(path))
        else:
            path = f"program {i}"
            linecache.cache[path] = (len(source), None, source.splitlines(True), path)  # for tracebacks
        exec(compile(source, path, "exec"), scope)


def call(line):
    r = json.loads(line, object_hook=load)
    return eval(r["function"], scope)(*r["args"])


scope = {"__name__": "reference"}
threading.Thread(target=read, daemon=True).start()
answer(lambda: start(lines.get()))
while True:
    answer(lambda: call(lines.get()))

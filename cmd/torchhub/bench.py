# Times a model of torchvision with random weights, for "torchhub bench". It is asked by lines on stdin, "ENGINE SECONDS",
# and answers with a line of JSON each: the times of forward passes in so many seconds, or an error. The first line, from the
# beginning, says which engines there are.
import json, os, sys, tempfile, time

name, batch, size, threads = sys.argv[1], int(sys.argv[2]), [int(s) for s in sys.argv[3].split("x")], int(sys.argv[4])
wanted = [e for e in sys.argv[5].split(",") if e]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer


def answer(value):
    print(json.dumps(value), file=answers, flush=True)


# Each engine returns its name, and a function that runs the model.


def pytorch(torch, model, x):
    def run():
        with torch.inference_mode():
            model(x)

    return "PyTorch " + torch.__version__.split("+")[0], run


def compiled(torch, model, x):
    torch._inductor.config.freezing = True
    f = torch.compile(model)

    def run():
        with torch.no_grad():
            f(x)

    run()
    return "torch.compile with freezing", run


def onnxruntime(torch, model, x):
    import onnxruntime

    with tempfile.TemporaryDirectory() as d:
        file = os.path.join(d, "model.onnx")
        torch.onnx.export(model, (x,), file, input_names=["x"], dynamo=True, verbose=False)
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(file, o, providers=["CPUExecutionProvider"])
    feed = {"x": x.numpy()}
    return "ONNX Runtime " + onnxruntime.__version__, lambda: session.run(None, feed)


def openvino(torch, model, x):
    import openvino

    converted = openvino.convert_model(model, example_input=x, input=list(x.shape))
    # Without the hint for precision it computes in bfloat16 where the processor can.
    request = openvino.compile_model(converted, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    feed = {0: x.numpy()}
    return "OpenVINO " + openvino.__version__.split("-")[0], lambda: request.infer(feed, share_inputs=True, share_outputs=True)


def prepare():
    import inspect
    import torch, torchvision

    torch.set_num_threads(threads)
    has = inspect.signature(torchvision.models.get_model_builder(name)).parameters
    more = {"weights_backbone": None} if "weights_backbone" in has else {}
    if name in ("googlenet", "inception_v3"):
        more["init_weights"] = False
    model = torchvision.models.get_model(name, weights=None, **more).eval()

    class Tensors(torch.nn.Module):  # in place of the dict that models for segmentation return
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            return tuple(self.model(x).values())

    return torch, Tensors().eval() if "weights_backbone" in has else model, torch.randn(batch, 3, *size)


def main():
    engines, problems = {}, {}
    try:
        parts = prepare()
    except Exception as e:
        problems = {engine: f"{type(e).__name__}: {e}" for engine in wanted}
    for engine in [] if problems else wanted:
        try:
            title, run = {"pytorch": pytorch, "compile": compiled, "onnxruntime": onnxruntime, "openvino": openvino}[engine](*parts)
            engines[title] = run
        except Exception as e:
            problems[engine] = f"{type(e).__name__}: {e}"
    answer({"engines": list(engines), "problems": problems})
    for line in sys.stdin:
        engine, seconds = line.rsplit(" ", 1)
        run, times = engines[engine], []
        run()
        end = time.perf_counter() + float(seconds)
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        answer(times)


main()

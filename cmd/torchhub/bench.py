# Times a model of torchvision with random weights, for "torchhub bench". It is asked by lines on stdin, "ENGINE SECONDS",
# and answers with a line of JSON each: the times of forward passes in so many seconds, or an error. The first line, from the
# beginning, says which engines there are.
import json, os, sys, tempfile, time

name, batch, size, threads = sys.argv[1], int(sys.argv[2]), [int(s) for s in sys.argv[3].split("x")], int(sys.argv[4])
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer


def answer(value):
    print(json.dumps(value), file=answers, flush=True)


def main():
    engines, problems = {}, {}
    try:
        import torch, torchvision

        torch.set_num_threads(threads)
        model = torchvision.models.get_model(name, weights=None, **({"init_weights": False} if name in ("googlenet", "inception_v3") else {})).eval()
        x = torch.randn(batch, 3, *size)

        def pytorch():
            with torch.inference_mode():
                model(x)

        engines["PyTorch " + torch.__version__.split("+")[0]] = pytorch
    except Exception as e:
        problems["PyTorch"] = f"{type(e).__name__}: {e}"
    try:
        if engines:
            import onnxruntime

            with tempfile.TemporaryDirectory() as d:
                file = os.path.join(d, "model.onnx")
                torch.onnx.export(model, (x,), file, input_names=["x"], dynamo=True, verbose=False)
                o = onnxruntime.SessionOptions()
                o.intra_op_num_threads = threads
                session = onnxruntime.InferenceSession(file, o, providers=["CPUExecutionProvider"])
            feed = {"x": x.numpy()}
            engines["ONNX Runtime " + onnxruntime.__version__] = lambda: session.run(None, feed)
    except Exception as e:
        problems["ONNX Runtime"] = f"{type(e).__name__}: {e}"
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

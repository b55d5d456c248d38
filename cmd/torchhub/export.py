"""Makes a file that Go can run of a model of torch.hub, for "torchhub export".

Its argument is a file with a request as JSON. What it finds out goes to the
file request["result"]; what it and the hubconf.py print goes to stderr.
"""

import ast
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore", message=".*is deprecated. Please switch to.*")
request = json.load(open(sys.argv[1], encoding="utf-8"))
os.dup2(2, 1)  # the repository's prints are not results
sys.path[:] = [p for p in sys.path if p]
result = {}


def finish():
    with open(request["result"], "w", encoding="utf-8") as f:
        json.dump(result, f)


class Failure(Exception):
    pass


def literal(text):
    """An argument: a literal of Python, or else a string."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def tensors(value, depth=0):
    """The tensors in a value, in order."""
    import torch

    if depth > 100:
        raise Failure("the model's output is nested too deep")
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors(v, depth + 1)]
    if isinstance(value, dict):
        return [t for v in value.values() for t in tensors(v, depth + 1)]
    if hasattr(value, "to_tuple"):  # of transformers
        return tensors(value.to_tuple(), depth + 1)
    return []


def random_input(spec, generator):
    import torch

    dtype = getattr(torch, spec["dtype"])
    if dtype.is_floating_point:
        return torch.randn(spec["shape"], generator=generator).to(dtype)
    if dtype == torch.bool:
        return torch.randint(0, 2, spec["shape"], generator=generator).to(dtype)
    return torch.randint(0, spec["high"], spec["shape"], generator=generator).to(dtype)


def reason(e):
    text = " ".join(f"{type(e).__name__}: {e}".split())
    return text if len(text) < 600 else text[:600] + "…"


def exported(model, inputs):
    """The program of torch.export, for any size of the first dimension of its inputs if the model allows that."""
    import torch

    try:
        # A size of 1 would be fixed.
        example = tuple(torch.cat([x, x]) if x.dim() and len(x) == 1 else x for x in inputs)
        sizes = tuple({0: torch.export.Dim.AUTO} if x.dim() else None for x in inputs)
        program = torch.export.export(model, example, dynamic_shapes=sizes, strict=False)
        with torch.no_grad():
            program.module()(*[x.clone() for x in inputs])
        return program
    except Exception:
        return torch.export.export(model, inputs, strict=False)


def export(model, inputs, method, path):
    import torch

    if method == "export":
        program = exported(model, inputs)
        for part in program.graph_module.modules():
            if isinstance(part, torch.fx.GraphModule):
                for node in part.graph.nodes:
                    node.meta.pop("stack_trace", None)  # it names files of this machine
        program.example_inputs = None
        torch.export.save(program, path)
        return
    if method == "script":
        made = torch.jit.script(model)
    elif method == "trace":
        try:
            made = torch.jit.trace(model, inputs, strict=False)
        except RuntimeError:
            # TorchScript has no type for what it gives, but for its tensors.
            class Flat(torch.nn.Module):
                def __init__(self):
                    super().__init__()
                    self.model = model

                def forward(self, *inputs):
                    return tuple(tensors(self.model(*inputs)))

            made = torch.jit.trace(Flat().eval(), inputs, strict=False)
            result["flat"] = True
    else:
        program = torch.export.export(model, inputs, strict=False)
        torch._inductor.aoti_compile_and_package(program, package_path=path)
        return
    with torch.no_grad():
        made(*inputs)  # what cannot run is not worth saving
    torch.jit.save(made, path)


def main():
    try:
        import torch
    except ImportError as e:
        raise Failure(f"{sys.executable} has no torch ({e}); name a Python that has with --python")
    torch.manual_seed(0)
    args = [literal(a) for a in request["args"]]
    kwargs = {k: literal(v) for k, v in request["kwargs"].items()}
    try:
        model = torch.hub.load(request["dir"], request["model"], *args, source="local", **kwargs)
    except RuntimeError as e:
        if not str(e).startswith("Cannot find callable"):
            raise
        with torch.hub._add_to_sys_path(request["dir"]):  # torch.hub.list takes no folder
            conf = torch.hub._import_module("hubconf.py", os.path.join(request["dir"], "hubconf.py"))
        there = [n for n in dir(conf) if callable(getattr(conf, n)) and not n.startswith("_")]
        raise Failure(f"{e}; there are {', '.join(there[:20]) or 'none'}{f' and {len(there) - 20} more' if len(there) > 20 else ''}")
    if not isinstance(model, torch.nn.Module):
        raise Failure(f"it gives a {type(model).__module__}.{type(model).__qualname__}, and no torch.nn.Module, which is what can be exported")
    model = model.eval()
    for p in model.parameters():
        p.requires_grad_(False)
    with torch.hub._add_to_sys_path(request["dir"]):
        module = torch.hub._import_module("hubconf.py", os.path.join(request["dir"], "hubconf.py"))
    doc = getattr(module, request["model"]).__doc__
    result["doc"] = doc if isinstance(doc, str) else ""
    result["torch"] = torch.__version__

    generator = torch.Generator().manual_seed(1)
    cases = [tuple(random_input(s, generator) for s in request["inputs"]) for _ in range(2)]
    checks = {}
    with torch.no_grad():
        for i, inputs in enumerate(cases):
            try:
                # The model may write to what it is given.
                output = tensors(model(*[x.clone() for x in inputs]))
            except Exception as e:
                raise Failure(f"the model does not take inputs of {', '.join(str(s['shape']) + ' ' + s['dtype'] for s in request['inputs'])}: {reason(e)}; say what it takes with --input")
            if not output:
                raise Failure("the model gives no tensor")
            for name, all in (("input", inputs), ("output", output)):
                for j, x in enumerate(all):
                    checks[f"{i}.{name}.{j}"] = x.detach().cpu().contiguous().clone()
    torch.save(checks, request["checks"])
    result["inputs"], result["outputs"] = len(request["inputs"]), len(output)

    problems = []
    for method in request["methods"]:
        try:
            export(model, cases[0], method, os.path.join(request["folder"], request["name"] + request["suffixes"][method]))
            result["method"] = method
            break
        except Exception as e:
            problems.append(f"{method}: {reason(e)}")
    else:
        raise Failure("it cannot be exported: " + "; ".join(problems))
    result["problems"] = problems


try:
    main()
except Failure as e:
    result["error"] = str(e)
except BaseException as e:
    if request["verbose"]:
        import traceback

        traceback.print_exc()
    result["error"] = reason(e)
finish()

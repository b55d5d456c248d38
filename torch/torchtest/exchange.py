"""Calls functions with values that Go wrote, and writes their results for Go."""
import collections.abc, dataclasses
import torch


def _torchtest_plain(v):
    """v as values that torch.load reads with weights_only."""
    if isinstance(v, torch.Tensor):
        v = v.detach()
        return v if type(v) is torch.Tensor else v.as_subclass(torch.Tensor)
    if v is None or isinstance(v, (bool, bytes, torch.dtype, torch.device, torch.layout, torch.Size)):
        return v
    for t in (int, float, complex, str):
        if isinstance(v, t):
            return t(v)  # without the subclass, such as that of an enum
    if dataclasses.is_dataclass(v) and not isinstance(v, (type, collections.abc.Mapping)):
        return {f.name: _torchtest_plain(getattr(v, f.name)) for f in dataclasses.fields(v)}
    if isinstance(v, collections.abc.Mapping):
        return {_torchtest_plain(k): _torchtest_plain(e) for k, e in v.items()}
    if isinstance(v, tuple):
        return tuple(_torchtest_plain(e) for e in v)
    if isinstance(v, collections.abc.Set):
        return {_torchtest_plain(e) for e in v}
    if isinstance(v, collections.abc.Sequence):
        return [_torchtest_plain(e) for e in v]
    if hasattr(v, "__array__") and hasattr(v, "dtype"):  # of NumPy
        return torch.from_numpy(v.copy()) if v.shape else _torchtest_plain(v.item())
    raise TypeError(f"a {type(v).__name__} cannot be sent to Go; return tensors, numbers, strings, lists, tuples or dicts")


def _torchtest_call(function, arguments, answer):
    args, keywords = torch.load(arguments, weights_only=True, map_location=None if torch.cuda.is_available() else "cpu")
    torch.save(_torchtest_plain(eval(function, globals())(*args, **keywords)), answer)


def _torchtest_run(statements):
    exec(statements, globals())

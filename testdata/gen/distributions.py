"""What torch/distributions is compared with, live and by the goldens in torch/distributions/testdata."""
import warnings
from collections import OrderedDict
import torch
import torch.distributions as D
from torch.distributions import constraints, transforms

torch.set_num_threads(1)
warnings.simplefilter("ignore")

def plain(v):
    if isinstance(v, torch.Tensor):
        return v.detach().clone().contiguous()
    return list(v) if isinstance(v, torch.Size) else v

def attempt(f):
    try:
        return f()
    except NotImplementedError:
        return "not implemented"
    except Exception:
        return "error"

def with_gradients(f, x):
    """The value of f and the gradients of x."""
    for t in x:
        t.grad = None
    v = f()
    if v.requires_grad:
        w = torch.arange(v.numel(), dtype=v.dtype).div(v.numel()).add(0.5).reshape(v.shape)
        (v * w).sum().backward(retain_graph=True)
    return [plain(v), *[None if t.grad is None else plain(t.grad) for t in x]]

def sampled(f, seed):
    torch.manual_seed(seed)
    return [plain(f()), torch.rand(2)]

def facts(expr, x):
    x = [t.clone().requires_grad_() for t in x]
    d = eval(expr)
    out = OrderedDict()
    out["repr"] = repr(d)
    out["batch"], out["event"] = list(d.batch_shape), list(d.event_shape)
    out["has_rsample"] = d.has_rsample
    out["support"] = attempt(lambda: [str(d.support), d.support.is_discrete, d.support.event_dim])
    for i, shape in enumerate([(), (3,), (2, 3)]):
        out["sample %d" % i] = attempt(lambda: sampled(lambda: d.sample(shape), i))
    out["rsample"] = attempt(lambda: with_gradients(lambda: (torch.manual_seed(5), d.rsample((3,)))[1], x))
    value = d.sample((4,))
    for name in "log_prob", "cdf":
        out[name] = attempt(lambda: with_gradients(lambda: getattr(d, name)(value), x))
    p = torch.linspace(0.125, 0.875, 4, dtype=torch.get_default_dtype() if not x else x[-1].dtype).reshape([4] + [1] * (len(d.batch_shape) + len(d.event_shape)))
    out["icdf"] = attempt(lambda: with_gradients(lambda: d.icdf(p), x))
    for name in "entropy", "perplexity":
        out[name] = attempt(lambda: with_gradients(getattr(d, name), x))
    for name in "mean", "mode", "variance", "stddev":
        out[name] = attempt(lambda: with_gradients(lambda: getattr(d, name), x))
    for name in "probs", "logits", "scale_tril", "covariance_matrix", "precision_matrix":
        out[name] = with_gradients(lambda: getattr(d, name), x) if hasattr(d, name) else None
    out["enumerate"] = attempt(lambda: [plain(d.enumerate_support()), plain(d.enumerate_support(False))]) if d.has_enumerate_support and not isinstance(d, D.Independent) else None
    out["repr after"] = repr(d)
    e = d.expand((2,) + tuple(d.batch_shape))
    out["expanded"] = [repr(e), list(e.batch_shape), list(e.event_shape)]
    out["expanded sample"] = attempt(lambda: sampled(lambda: e.sample((2,)), 7))
    out["expanded log_prob"] = attempt(lambda: with_gradients(lambda: e.log_prob(e.sample()), x))
    out["expanded mean"] = attempt(lambda: with_gradients(lambda: e.mean, x))
    return out

def kl(p, x, q, y):
    x = [t.clone().requires_grad_() for t in x]
    y = [t.clone().requires_grad_() for t in y]
    both = [*x, *y]
    make = lambda expr, x: eval(expr)
    p, q = make(p, x), make(q, y)
    return attempt(lambda: with_gradients(lambda: D.kl_divergence(p, q), both))

def classes():
    public = [getattr(D, n) for n in D.__all__] + [D.relaxed_bernoulli.LogitRelaxedBernoulli, D.relaxed_categorical.ExpRelaxedCategorical]
    return sorted({c.__name__ for c in public if isinstance(c, type) and issubclass(c, D.Distribution)})

def pairs():
    return sorted([p.__name__, q.__name__] for p, q in D.kl._KL_REGISTRY)

def transform_facts(expr, x, a):
    t = eval(expr, {**vars(transforms), "D": D, "a": a})
    x = x.clone().requires_grad_()
    y = t(x)
    about = lambda c: [str(c), c.is_discrete, c.event_dim]
    out = OrderedDict()
    out["repr"], out["inverse repr"], out["bijective"] = repr(t), repr(t.inv), t.bijective
    out["shapes"] = [list(t.forward_shape(x.shape)), list(t.inverse_shape(y.shape))]
    out["domain"], out["codomain"] = about(t.domain), about(t.codomain)
    out["equal"] = [t == t, t.inv == t.inv, t == transforms.ExpTransform()]
    out["sign"] = attempt(lambda: plain(t.sign))
    out["check"] = [attempt(lambda: plain(t.domain.check(x))), attempt(lambda: plain(t.codomain.check(y)))]
    out["inverse check"] = attempt(lambda: plain(t.codomain.check(x)))
    for name, f in {
        "forward": lambda: t(x),
        "inverse": lambda: t._inverse(y) if type(t) not in (transforms.ComposeTransform, transforms._InverseTransform) else t.inv(y),
        "inv": lambda: t.inv(y),
        "jacobian": lambda: t.log_abs_det_jacobian(x, y),
        "inverse jacobian": lambda: t.inv.log_abs_det_jacobian(y, x),
    }.items():
        out[name] = attempt(lambda: with_gradients(f, [x]))
    return out

def constraint_facts(expr, a, matrices, x):
    c = eval(expr, {**vars(constraints), "a": a})
    def transform(to):
        t = to(c)
        return [repr(t), attempt(lambda: plain(t(x)))]
    return [
        [str(c), c.is_discrete, c.event_dim],
        [plain(c.check(m)) for m in matrices],
        [attempt(lambda: transform(D.biject_to)), attempt(lambda: transform(D.transform_to))],
    ]

package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// exactly compares the bits of tensors.
var exactly = torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), EqualNan: true}

// sameState compares the parameters and buffers of a module with a dict of Python's: names, order and bits.
func sameState(t *testing.T, m any, want torch.Value, msg ...any) {
	t.Helper()
	d := want.(*torch.Dict)
	s := nn.StateDict(m)
	require.Len(t, s, len(d.Entries), msg...)
	for i, e := range d.Entries {
		require.Equal(t, e.Key, s[i].Name, msg...)
		require.NoError(t, torchtest.CheckClose(s[i].Tensor.Detach(), e.Value, exactly), append(msg, e.Key)...)
	}
}

// detached returns tensors without their graphs; nil stays nil.
func detached(xs ...*torch.Tensor) []any {
	out := make([]any, len(xs))
	for i, x := range xs {
		if x != nil {
			out[i] = x.Detach().Contiguous()
		}
	}
	return out
}

// gradients returns the gradients of x and of the parameters of a module.
func gradients(m any, x ...*torch.Tensor) []any {
	var out []*torch.Tensor
	for _, p := range append(x, nn.Parameters(m)...) {
		out = append(out, p.Grad())
	}
	return detached(out...)
}

// live calls f with a Python that has the functions of liveScript. Both sides compute in one thread, since another
// division of the work changes the last bits.
func live(t *testing.T, f func(t *testing.T, p *torchtest.Interpreter)) {
	reference.Python(t)
	n := torch.NumThreads()
	torch.SetNumThreads(1)
	defer torch.SetNumThreads(n)
	p := torchtest.Python(t, liveScript)
	torch.Run(func() { f(t, p) })
}

// liveScript has the Python that several tests use, so that they share a process.
const liveScript = `
import torch
from torch import nn
from torch.nn.utils.rnn import *
from collections import OrderedDict

torch.set_num_threads(1)

def copies(m):
    return OrderedDict((k, v.detach().clone().contiguous()) for k, v in m.state_dict().items())

def detached(*xs):
    return [None if x is None else x.detach().contiguous() for x in xs]

def recurrent(layer, shape, state, lengths, train):
    """The state of a layer, its output, final states and gradients, and random numbers after them."""
    torch.manual_seed(7)
    m = eval(layer).train(train)
    before = copies(m)
    x = torch.randn(shape, requires_grad=True)
    n = [] if len(shape) == 2 else [shape[0 if m.batch_first else 1]]
    layers = m.num_layers * (2 if m.bidirectional else 1)
    s = None
    if state:
        s = [torch.randn([layers, *n, m.proj_size or m.hidden_size], requires_grad=True)]
        if isinstance(m, nn.LSTM):
            s.append(torch.randn([layers, *n, m.hidden_size], requires_grad=True))
    given = x
    if lengths:
        given = pack_padded_sequence(x, lengths, m.batch_first, enforce_sorted=sorted(lengths, reverse=True) == lengths)
    torch.manual_seed(8)
    y, h = m(given, None if s is None else tuple(s) if len(s) > 1 else s[0])
    after = torch.rand(3)
    h = list(h) if isinstance(h, tuple) else [h]
    out = detached(*h)
    if lengths:
        y, n = pad_packed_sequence(y, m.batch_first)
        assert n.tolist() == lengths
    out.append(y.detach().contiguous())
    (y.pow(2).sum() + sum(v.pow(2).sum() for v in h)).backward()
    return [before, out, [p.grad.contiguous() for p in [x, *(s or []), *m.parameters()]], after]

def cell(layer, shape, state, calls):
    torch.manual_seed(7)
    m = eval(layer)
    before = copies(m)
    x = torch.randn(shape, requires_grad=True)
    s = None
    if state:
        s = [torch.randn([*shape[:-1], m.hidden_size]) for _ in range(2 if isinstance(m, nn.LSTMCell) else 1)]
        s = tuple(s) if len(s) > 1 else s[0]
    for _ in range(calls):
        s = m(x, s)
    s = s if isinstance(s, tuple) else (s,)
    sum(v.pow(2).sum() for v in s).backward()
    return [before, detached(*s), [p.grad.contiguous() for p in [x, *m.parameters()]]]
def parts(p):
    return [p.data, p.batch_sizes, p.sorted_indices, p.unsorted_indices]

def packing(x, lengths, batch_first):
    p = pack_padded_sequence(x, lengths, batch_first, False)
    y, n = pad_packed_sequence(p, not batch_first, -1.5, 9)
    return [parts(p), y.contiguous(), n.tolist(), unpack_sequence(p)]

def lists(xs):
    p = pack_sequence(xs, enforce_sorted=False)
    return [pad_sequence(xs, True, 2.5, "left").contiguous(), pad_sequence(xs).contiguous(), parts(p), unpack_sequence(p),
        unpad_sequence(pad_sequence(xs), torch.tensor([v.size(0) for v in xs]))]

from torch.nn.utils import parametrizations, parametrize

class Symmetric(nn.Module):
    def forward(self, x): return x.triu() + x.triu(1).mT

class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((), 2.0))
    def forward(self, x): return x * self.scale
    def right_inverse(self, x): return x / self.scale

def metadata(m):
    return {k: v["version"] for k, v in m.state_dict()._metadata.items()}

def parametrized(layer, shape, remove):
    """A parametrized layer: its states, outputs and gradients, in training and evaluation, and without the parametrization."""
    torch.manual_seed(7)
    m = eval(layer)
    out = [copies(m), torch.rand(3), metadata(m), sum(p.numel() for p in m.parameters())]
    x = torch.randn(shape)
    for mode in (True, True, False):
        m.train(mode)
        first = lambda y: y[0] if isinstance(y, tuple) else y
        y, z = first(m(x)), first(m(x))
        m.zero_grad()
        (y + z).pow(2).sum().backward()
        out += [y.detach().contiguous(), detached(*[p.grad for p in m.parameters()])]
    out.append(copies(m))
    m.train()
    for name in remove:
        parametrize.remove_parametrizations(m, name)
    y = m(x)
    out += [copies(m), (y[0] if isinstance(y, tuple) else y).detach()]
    return out

def backward_hooks(state, x, needs):
    """What the hooks of layers get, and the gradients that follow."""
    m = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Sequential(nn.Linear(3, 3), nn.Sigmoid()))
    m.load_state_dict(state)
    seen = []
    for name, c in m.named_modules():
        c.register_full_backward_pre_hook(lambda c, g, name=name: seen.append(["pre " + name, *detached(*g)]))
        c.register_full_backward_hook(lambda c, i, o, name=name: seen.append(["hook " + name, *detached(*i, *o)]))
    m[1].register_full_backward_hook(lambda c, i, o: (i[0] * 2,))
    m[1].register_full_backward_hook(lambda c, i, o: seen.append(["last 1", *detached(*i, *o)]))
    m[2].register_full_backward_pre_hook(lambda c, o: (o[0] * 3,))
    x.requires_grad_(needs)
    m(x).sum().backward()
    return [[s[0] for s in seen], [s[1:] for s in seen], x.grad, [p.grad for p in m.parameters()]]

import copy
from torch.nn.utils import prune, fuse_conv_bn_eval, fuse_linear_bn_eval

def clip(grads, max_norm, order):
    ps = []
    for g in grads or []:
        p = nn.Parameter(torch.zeros_like(g))
        p.grad = g.clone()
        ps.append(p)
    total = nn.utils.clip_grad_norm_(ps, max_norm, order)
    out = [p.grad.clone() for p in ps]
    if ps:
        nn.utils.clip_grad_value_(ps, 0.01)
    return [total, out, [p.grad for p in ps]]

def norm(m):
    for t in m.state_dict().values():
        if t.dtype == torch.float32:
            nn.init.uniform_(t, 0.5, 2)
    return m.eval()

def fused(expression):
    torch.manual_seed(7)
    class Eval:
        def __getattr__(self, name): return lambda *a, **k: getattr(nn, name)(*a, **k).eval()
    return copies(eval(expression, {**globals(), "nn": Eval()}))

def pruned(expression, mask):
    torch.manual_seed(7)
    m = nn.Linear(5, 4)
    eval(expression, globals(), {"m": m, "mask": mask})
    before = copies(m)
    x = torch.randn(3, 5)
    y = m(x)
    y.pow(2).sum().backward()
    out = [before, detached(y, *[p.grad for p in m.parameters()])]
    for name in ("weight", "bias"):
        if hasattr(m, name + "_orig"):
            prune.remove(m, name)
    return out + [copies(m), m(x).detach()]
`

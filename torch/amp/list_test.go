package amp_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
)

// A made is a tensor that Go and Python make alike, of torch.rand after a seed.
type made struct {
	Made  string // "rand", "spd" for a symmetric, positive definite one, "int", "int32"
	Size  []int
	Low   int
	Above int
}

func f(size ...int) made { return made{Made: "rand", Size: size} }

func spd(n int) made { return made{Made: "spd", Size: []int{n, n}} }

func ints(low, above int, size ...int) made {
	return made{Made: "int", Size: size, Low: low, Above: above}
}

// A list is a list of tensors.
type list struct{ List []made }

// lists holds arguments for each operator for which autocast of the CPU does something.
var lists = map[string][]any{
	// to the lower precision
	"conv1d":                       {f(2, 3, 8), f(4, 3, 3)},
	"conv1d.padding":               {f(2, 3, 8), f(4, 3, 3), nil, []int{1}, "same", []int{1}, 1},
	"conv2d":                       {f(1, 3, 5, 5), f(2, 3, 3, 3), f(2)},
	"conv2d.padding":               {f(1, 3, 5, 5), f(2, 3, 3, 3), f(2), []int{1}, "valid", []int{1}, 1},
	"conv3d":                       {f(1, 2, 4, 4, 4), f(2, 2, 3, 3, 3)},
	"conv3d.padding":               {f(1, 2, 4, 4, 4), f(2, 2, 3, 3, 3), nil, []int{1}, "same", []int{1}, 1},
	"conv_transpose1d":             {f(1, 3, 5), f(3, 2, 3)},
	"conv_transpose2d.input":       {f(1, 3, 4, 4), f(3, 2, 3, 3)},
	"conv_transpose3d.input":       {f(1, 2, 3, 3, 3), f(2, 2, 2, 2, 2)},
	"conv_tbc":                     {f(5, 2, 3), f(3, 3, 4), f(4), 0},
	"_convolution.deprecated":      {f(1, 3, 5, 5), f(2, 3, 3, 3), nil, []int{1, 1}, []int{0, 0}, []int{1, 1}, false, []int{0, 0}, 1, false, false, true},
	"bmm":                          {f(2, 3, 4), f(2, 4, 5)},
	"mm":                           {f(3, 4), f(4, 5)},
	"linalg_vecdot":                {f(3, 4), f(3, 4)},
	"baddbmm":                      {f(2, 3, 5), f(2, 3, 4), f(2, 4, 5)},
	"addmm":                        {f(5), f(3, 4), f(4, 5)},
	"_addmm_activation":            {f(5), f(3, 4), f(4, 5)},
	"addbmm":                       {f(3, 5), f(2, 3, 4), f(2, 4, 5)},
	"linear":                       {f(3, 4), f(5, 4), f(5)},
	"matmul":                       {f(2, 3, 4), f(4, 5)},
	"prelu":                        {f(2, 3, 4), f(3)},
	"scaled_dot_product_attention": {f(1, 2, 4, 8), f(1, 2, 4, 8), f(1, 2, 4, 8)},
	"_native_multi_head_attention": {f(1, 3, 4), f(1, 3, 4), f(1, 3, 4), 4, 2, f(12, 4), f(12), f(4, 4), f(4)},
	// to the widest
	"cat":        {list{[]made{f(2, 3), f(2, 3)}}, 1},
	"stack":      {list{[]made{f(2, 3), f(2, 3), f(2, 3)}}},
	"index_copy": {f(3, 2), 0, ints(0, 3, 1), f(1, 2)},
	// to float32: pooling, padding, sampling
	"avg_pool3d":                    {f(1, 2, 4, 4, 4), []int{2}},
	"adaptive_avg_pool3d":           {f(1, 2, 4, 4, 4), []int{2, 2, 2}},
	"adaptive_max_pool3d":           {f(1, 2, 4, 4, 4), []int{2, 2, 2}},
	"max_pool3d":                    {f(1, 2, 4, 4, 4), []int{2}},
	"fractional_max_pool2d":         {f(1, 2, 6, 6), []int{2, 2}, []int{3, 3}, f(1, 2, 2)},
	"fractional_max_pool3d":         {f(1, 2, 6, 6, 6), []int{2, 2, 2}, []int{3, 3, 3}, f(1, 2, 3)},
	"max_unpool2d":                  {f(1, 1, 2, 2), ints(0, 16, 1, 1, 2, 2), []int{4, 4}},
	"max_unpool3d":                  {f(1, 1, 2, 2, 2), ints(0, 64, 1, 1, 2, 2, 2), []int{4, 4, 4}, []int{2, 2, 2}, []int{0, 0, 0}},
	"grid_sampler":                  {f(1, 2, 4, 4), f(1, 3, 3, 2), 0, 0, false},
	"grid_sampler_2d":               {f(1, 2, 4, 4), f(1, 3, 3, 2), 0, 0, false},
	"_grid_sampler_2d_cpu_fallback": {f(1, 2, 4, 4), f(1, 3, 3, 2), 0, 0, false},
	"grid_sampler_3d":               {f(1, 2, 3, 3, 3), f(1, 2, 2, 2, 3), 0, 0, false},
	"reflection_pad1d":              {f(1, 2, 4), []int{1, 1}},
	"reflection_pad2d":              {f(1, 2, 4, 4), []int{1, 1, 1, 1}},
	"replication_pad1d":             {f(1, 2, 4), []int{1, 1}},
	"replication_pad2d":             {f(1, 2, 4, 4), []int{1, 1, 1, 1}},
	"replication_pad3d":             {f(1, 2, 3, 3, 3), []int{1, 1, 1, 1, 1, 1}},
	// losses
	"binary_cross_entropy":             {f(3, 4), f(3, 4)},
	"binary_cross_entropy_with_logits": {f(3, 4), f(3, 4)},
	"cross_entropy_loss":               {f(3, 5), ints(0, 5, 3)},
	"cosine_embedding_loss":            {f(3, 4), f(3, 4), f(3)},
	"ctc_loss.IntList":                 {f(6, 2, 5), ints(1, 5, 2, 3), []int{6, 6}, []int{3, 2}},
	"ctc_loss.Tensor":                  {f(6, 2, 5), ints(1, 5, 2, 3), ints(6, 7, 2), ints(2, 3, 2)},
	"hinge_embedding_loss":             {f(3, 4), f(3, 4)},
	"huber_loss":                       {f(3, 4), f(3, 4)},
	"kl_div":                           {f(3, 4), f(3, 4)},
	"l1_loss":                          {f(3, 4), f(3, 4)},
	"margin_ranking_loss":              {f(3), f(3), f(3)},
	"mse_loss":                         {f(3, 4), f(3, 4)},
	"multi_margin_loss":                {f(3, 5), ints(0, 5, 3)},
	"multilabel_margin_loss":           {f(3, 5), ints(0, 5, 3, 5)},
	"multilabel_margin_loss_forward":   {f(3, 5), ints(0, 5, 3, 5), 1},
	"nll_loss":                         {f(3, 5), ints(0, 5, 3)},
	"nll_loss2d":                       {f(2, 3, 2, 2), ints(0, 3, 2, 2, 2)},
	"poisson_nll_loss":                 {f(3, 4), f(3, 4), true, false, 1e-8, 1},
	"smooth_l1_loss":                   {f(3, 4), f(3, 4)},
	"soft_margin_loss":                 {f(3, 4), f(3, 4)},
	"triplet_margin_loss":              {f(3, 4), f(3, 4), f(3, 4)},
	// reductions and others
	"cdist":                           {f(3, 4), f(2, 4)},
	"prod":                            {f(3, 4)},
	"prod.dim_int":                    {f(3, 4), 1},
	"trace":                           {f(4, 4)},
	"quantile":                        {f(5), f(2)},
	"quantile.scalar":                 {f(5), 0.3},
	"nanquantile":                     {f(5), f(2)},
	"nanquantile.scalar":              {f(5), 0.3},
	"polar":                           {f(3), f(3)},
	"stft":                            {f(16), 8},
	"stft.center":                     {f(16), 8},
	"view_as_complex":                 {f(3, 2)},
	"fake_quantize_per_tensor_affine": {f(3, 4), 0.1, 0, 0, 255},
	"fft_fft":                         {f(8)}, "fft_ifft": {f(8)}, "fft_rfft": {f(8)}, "fft_irfft": {f(8)}, "fft_hfft": {f(8)}, "fft_ihfft": {f(8)},
	"fft_fft2": {f(4, 4)}, "fft_ifft2": {f(4, 4)}, "fft_rfft2": {f(4, 4)}, "fft_irfft2": {f(4, 4)},
	"fft_fftn": {f(4, 4)}, "fft_ifftn": {f(4, 4)}, "fft_rfftn": {f(4, 4)}, "fft_irfftn": {f(4, 4)},
	// linear algebra
	"linalg_cond":                         {spd(3)},
	"linalg_cond.p_str":                   {spd(3), "fro"},
	"linalg_tensorsolve":                  {f(2, 3, 6), f(2, 3)},
	"linalg_tensorinv":                    {f(2, 3, 6)},
	"linalg_matrix_rank":                  {spd(3), 0.1},
	"linalg_matrix_rank.atol_rtol_tensor": {spd(3), f(1), f(1)},
	"linalg_matrix_rank.atol_rtol_float":  {spd(3), 0.1, 0.1},
	"linalg_matrix_rank.tol_tensor":       {spd(3), f(1)},
	"geqrf":                               {f(4, 3)},
	"linalg_svdvals":                      {f(4, 3)},
	"linalg_qr":                           {f(4, 3)},
	"linalg_lstsq":                        {f(4, 3), f(4, 2)},
	"_lu_with_info":                       {spd(3)},
	"linalg_solve":                        {spd(3), f(3, 2)},
	"linalg_matrix_sqrth":                 {spd(3)},
	"cholesky_inverse":                    {spd(3)},
	"cholesky_solve":                      {f(3, 2), spd(3)},
	"linalg_cholesky":                     {spd(3)},
	"linalg_cholesky_ex":                  {spd(3)},
	"linalg_inv_ex":                       {spd(3)},
	"linalg_inv":                          {spd(3)},
	"inverse":                             {spd(3)},
	"pinverse":                            {f(4, 3)},
	"linalg_eigh":                         {spd(3)},
	"linalg_eigvalsh":                     {spd(3)},
	"linalg_eigvals":                      {spd(3)},
	"linalg_eig":                          {spd(3)},
	"ormqr":                               {f(3, 3), f(3), f(3, 2)},
	"orgqr":                               {f(4, 3), f(3)},
	"svd":                                 {f(4, 3)},
	"linalg_svd":                          {f(4, 3)},
	"triangular_solve":                    {f(3, 2), spd(3)},
	"linalg_householder_product":          {f(4, 3), f(3)},
	"lu_solve":                            {f(3, 2), spd(3), made{Made: "int32", Size: []int{3}, Low: 3, Above: 4}},
	// and some for which it does nothing
	"softmax.int": {f(3, 4), 1}, "log_softmax.int": {f(3, 4), 1}, "layer_norm": {f(3, 4), []int{4}}, "sum": {f(3, 4)}, "mean": {f(3, 4)}, "exp": {f(3, 4)}, "mv": {f(3, 4), f(4)},
	"dot": {f(4), f(4)}, "relu": {f(3, 4)}, "add.Tensor": {f(3, 4), f(4)}, "batch_norm": {f(2, 3, 4), nil, nil, nil, nil, true, 0.1, 1e-5, false}, "max_pool2d": {f(1, 2, 4, 4), []int{2}}, "norm.Scalar": {f(3)},
}

const listScript = `
import torch
torch.set_num_threads(1)

def registered():
	return sorted(x.removeprefix("aten::") for x in torch._C._dispatch_get_registrations_for_dispatch_key("AutocastCPU"))

def tensor(a, dtype):
	size = a["Size"]
	if a["Made"].startswith("int"):
		x = (torch.rand(size) * (a["Above"] - a["Low"])).floor() + a["Low"]
		return x.to(torch.int32 if a["Made"] == "int32" else torch.int64)
	x = torch.rand(size)
	if a["Made"] == "spd":
		x = x @ x.mT + 3 * torch.eye(size[0])
	return x.to(dtype)

def flat(out):
	if isinstance(out, torch.Tensor):
		return [out]
	if isinstance(out, (tuple, list)):
		return [y for x in out for y in flat(x)]
	return []

def call(name, args, dtypes, to):
	op, _, overload = name.partition(".")
	op = getattr(getattr(torch.ops.aten, op), overload or "default")
	torch.manual_seed(0)
	n = 0
	def arg(a):
		nonlocal n
		if isinstance(a, dict):
			if "List" in a:
				return [arg(x) for x in a["List"]]
			n += 1
			return tensor(a, getattr(torch, dtypes[(n - 1) % len(dtypes)]))
		return a
	values = [arg(a) for a in args]
	try:
		with torch.autocast("cpu", dtype=getattr(torch, to)):
			named = [a.name for a in op._schema.arguments[:len(values)] if a.kwarg_only]
			split = len(values) - len(named)
			out = op(*values[:split], **dict(zip(named, values[split:])))
	except Exception as e:
		return dict(Error=str(e).split("\n")[0], DTypes=None, Values=None)
	out = flat(out)
	wide = [torch.view_as_real(x.resolve_conj()) if x.is_complex() else x for x in out]
	return dict(Error="", DTypes=[str(x.dtype).removeprefix("torch.") for x in out], Values=[x.double().contiguous() for x in wide])

def calls(cases):
	return [call(*c) for c in cases]
`

func (a made) tensor(d torch.DType) *torch.Tensor {
	x := torch.Rand(a.Size...)
	switch a.Made {
	case "int", "int32":
		x = x.MulScalar(a.Above - a.Low).Floor().AddScalar(a.Low)
		if a.Made == "int32" {
			return x.ToDType(torch.Int32)
		}
		return x.ToDType(torch.Int64)
	case "spd":
		x = x.MatMul(x.Transpose(-2, -1)).Add(torch.Eye(a.Size[0]).MulScalar(3))
	}
	return x.ToDType(d)
}

func flat(v torch.Value) (out []*torch.Tensor) {
	switch v := v.(type) {
	case *torch.Tensor:
		out = append(out, v)
	case []torch.Value:
		for _, e := range v {
			out = append(out, flat(e)...)
		}
	}
	return out
}

// A listCase is a call: name, arguments, dtypes of the tensors in turn, dtype of autocast.
type listCase [4]any

func (c listCase) call() (out []*torch.Tensor, err error) {
	name, overload, _ := strings.Cut(c[0].(string), ".")
	dtypes, to := c[2].([]string), dtypeOf(c[3].(string))
	torch.ManualSeed(0)
	n := 0
	next := func(a made) *torch.Tensor {
		n++
		return a.tensor(dtypeOf(dtypes[(n-1)%len(dtypes)]))
	}
	var call torch.Call
	for _, a := range c[1].([]any) {
		switch a := a.(type) {
		case made:
			call.Tensor(next(a))
		case list:
			var xs []*torch.Tensor
			for _, m := range a.List {
				xs = append(xs, next(m))
			}
			call.Tensors(xs)
		default:
			call.Value(a)
		}
	}
	err = torch.Try(func() {
		amp.Autocast(torch.CPU, func() { out = flat([]torch.Value(call.All(torch.NewOp("aten::"+name, overload)))) }, amp.AutocastOptions{DType: to})
	})
	return out, err
}

func dtypeOf(name string) torch.DType {
	d, err := torch.ParseDType(name)
	if err != nil {
		panic(err)
	}
	return d
}

// TestAutocastListIsPythons compares dtypes and values of every operator in the list of
// autocast of the CPU with Python's, and those of some that are not in it.
func TestAutocastListIsPythons(t *testing.T) {
	p := reference.Start(t, listScript)
	torch.SetNumThreads(1)
	var registered []string
	p.Call(&registered, "registered")
	for _, name := range registered {
		if name != "mkldnn_rnn_layer" { // it takes weights that oneDNN has packed
			require.Contains(t, lists, name)
		}
	}
	var cases []listCase
	for name, args := range lists {
		for _, dtypes := range [][]string{{"float32"}, {"bfloat16"}, {"float16"}, {"float64"}, {"float32", "bfloat16"}, {"bfloat16", "float32"}} {
			for _, to := range []string{"bfloat16", "float16"} {
				cases = append(cases, listCase{name, args, dtypes, to})
			}
		}
	}
	var want []struct {
		Error  string
		DTypes []string
		Values []reference.Array
	}
	p.Call(&want, "calls", cases)
	worked := 0
	for i, c := range cases {
		out, err := c.call()
		if want[i].Error != "" {
			require.Error(t, err, "%v: %s", c, want[i].Error)
			continue
		}
		require.NoError(t, err, c)
		worked++
		require.Len(t, out, len(want[i].DTypes), c)
		for j, x := range out {
			require.Equal(t, want[i].DTypes[j], x.DType().String(), c)
			if x.DType().IsComplex() {
				x = x.ResolveConj().ViewAsReal()
			}
			w, got := reference.Data[float64](want[i].Values[j]), torch.Data[float64](x.ToDType(torch.Float64))
			require.Len(t, got, len(w), c)
			for k := range w {
				require.True(t, w[k] == got[k] || math.IsNaN(w[k]) && math.IsNaN(got[k]), "%v: value %d of result %d is %v, want %v", c, k, j, got[k], w[k])
			}
		}
	}
	t.Logf("%d operators, %d calls, %d of which worked", len(lists), len(cases), worked)
	require.Greater(t, worked, 4*len(cases)/5)
}

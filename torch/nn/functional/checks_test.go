package functional_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// A check is a call that PyTorch's Python refuses before it calls an operator, or
// a neighbor of such a call that it takes.
type check struct {
	fn any
	pythonCall
	raises string // Python's exception; "" is none
}

type (
	args = []any
	opts = map[string]any
)

// numbered is a float32 tensor of that shape with elements between 0 and 1.
func numbered(shape ...int) *torch.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i*37%101+1) / 103
	}
	return torch.FromSlice(data, n).View(shape...)
}

func classes(values ...int64) *torch.Tensor { return torch.FromSlice(values, len(values)) }

func checks() []check {
	var out []check
	var name string
	var fn any
	of := func(n string, f any) { name, fn = n, f }
	bad := func(raises string, a args, o opts) {
		out = append(out, check{fn, pythonCall{"F." + name, a, o}, raises})
	}
	good := func(a args, o opts) { bad("", a, o) }

	of("fractional_max_pool2d_with_indices", F.FractionalMaxPool2d)
	bad("ValueError", args{numbered(2, 3, 8, 8), 2}, nil)
	bad("ValueError", args{numbered(2, 3, 8, 8), 2}, opts{"output_ratio": []float64{0.5, 0.5, 0.5}})
	good(args{numbered(2, 3, 8, 8), 2}, opts{"output_ratio": []float64{0.5, 0.6}})
	good(args{numbered(2, 3, 8, 8), []int{2, 3}}, opts{"output_size": []int{3, 4}})
	good(args{numbered(3, 8, 8), 2}, opts{"output_size": 3})
	of("fractional_max_pool3d_with_indices", F.FractionalMaxPool3d)
	bad("ValueError", args{numbered(2, 3, 8, 8, 8), 2}, nil)
	good(args{numbered(2, 3, 8, 8, 8), 2}, opts{"output_ratio": 0.5})
	bad("RuntimeError", args{numbered(2, 3, 8, 8), []int{1}}, opts{"output_size": 3})

	pooled := numbered(2, 3, 2, 2)
	places := torch.FromSlice([]int64{0, 2, 8, 10}, 4).View(1, 1, 2, 2).Expand(2, 3, 2, 2).Contiguous()
	of("max_unpool2d", F.MaxUnpool2d)
	good(args{pooled, places, 2}, nil)
	good(args{pooled, places, 2}, opts{"output_size": []int{5, 5}})
	good(args{pooled, places, 2}, opts{"output_size": []int{2, 3, 5, 5}})
	bad("ValueError", args{pooled, places, 2}, opts{"output_size": []int{5}})
	bad("ValueError", args{pooled, places, 2}, opts{"output_size": []int{6, 5}})
	bad("ValueError", args{pooled, places, 2}, opts{"output_size": []int{2, 5}})
	bad("ValueError", args{pooled, places, 2}, opts{"padding": 3})
	of("max_unpool1d", F.MaxUnpool1d)
	good(args{numbered(1, 3), classes(0, 2, 4).View(1, 3), 2}, nil)
	bad("ValueError", args{numbered(1, 3), classes(0, 2, 4).View(1, 3), 2}, opts{"output_size": []int{9}})
	of("max_unpool3d", F.MaxUnpool3d)
	good(args{numbered(1, 1, 1, 1, 1), classes(7).View(1, 1, 1, 1, 1), 2}, nil)
	bad("ValueError", args{numbered(1, 1, 1, 1, 1), classes(7).View(1, 1, 1, 1, 1), 2}, opts{"output_size": []int{2, 2}})

	of("lp_pool1d", F.LPPool1d)
	bad("ValueError", args{numbered(2, 3, 8), 0.0, 2}, nil)
	good(args{numbered(2, 3, 8), 0.5, 2}, nil)
	of("lp_pool2d", F.LPPool2d)
	bad("ValueError", args{numbered(2, 3, 8, 8), 0.0, 2}, nil)
	good(args{numbered(2, 3, 8, 8), -1.0, 2}, nil)
	of("lp_pool3d", F.LPPool3d)
	bad("ValueError", args{numbered(1, 2, 4, 4, 4), 0.0, 2}, nil)
	good(args{numbered(1, 2, 4, 4, 4), 2.0, []int{2, 1, 2}}, opts{"stride": 1, "ceil_mode": true})

	for n, f := range map[string]any{"dropout": F.Dropout, "alpha_dropout": F.AlphaDropout, "dropout1d": F.Dropout1d, "dropout2d": F.Dropout2d,
		"dropout3d": F.Dropout3d, "feature_alpha_dropout": F.FeatureAlphaDropout} {
		of(n, f)
		x := numbered(2, 3, 4)
		if n == "dropout3d" {
			x = numbered(2, 3, 4, 2)
		}
		bad("ValueError", args{x, 1.5, true}, nil)
		bad("ValueError", args{x, -0.1, false}, nil)
		good(args{x, 0.5, true}, nil)
		good(args{x, 1.0, true}, nil)
		good(args{x, 0.0, false}, nil)
	}
	of("dropout1d", F.Dropout1d)
	bad("RuntimeError", args{numbered(2, 3, 4, 5), 0.5, true}, nil)
	good(args{numbered(3, 4), 0.5, true}, nil)
	of("dropout3d", F.Dropout3d)
	good(args{numbered(2, 3, 2, 2, 2), 0.5, true}, nil)

	of("glu", F.GLU)
	bad("RuntimeError", args{torch.Scalar[float32](1)}, nil)
	good(args{numbered(4)}, nil)
	of("hardtanh", F.Hardtanh)
	bad("ValueError", args{numbered(4)}, opts{"min_val": 2})
	bad("ValueError", args{numbered(4)}, opts{"min_val": 0.5, "max_val": 0.25})
	good(args{numbered(4)}, opts{"min_val": 0.5, "max_val": 0.5})
	good(args{numbered(4)}, opts{"max_val": 0})

	of("embedding", F.Embedding)
	rows := classes(0, 3, 1)
	bad("AssertionError", args{rows, numbered(4, 2)}, opts{"padding_idx": 4})
	bad("AssertionError", args{rows, numbered(4, 2)}, opts{"padding_idx": -5})
	good(args{rows, numbered(4, 2)}, opts{"padding_idx": -4})
	good(args{rows, numbered(4, 2)}, opts{"padding_idx": 0})
	good(args{rows, numbered(4, 2)}, opts{"max_norm": 0.3})
	good(args{rows, numbered(4, 2)}, opts{"max_norm": 0.0, "norm_type": 1.0})
	of("embedding_bag", F.EmbeddingBag)
	two := classes(0, 3, 1, 2).View(2, 2)
	bad("ValueError", args{two, numbered(4, 2)}, opts{"per_sample_weights": numbered(2, 3), "mode": "sum"})
	bad("ValueError", args{two, numbered(4)}, nil)
	bad("ValueError", args{two, numbered(4, 2)}, opts{"offsets": classes(0, 1)})
	bad("ValueError", args{rows, numbered(4, 2)}, nil)
	bad("ValueError", args{rows, numbered(4, 2)}, opts{"offsets": classes(0, 1).View(1, 2)})
	bad("ValueError", args{classes(0, 3).View(1, 1, 2), numbered(4, 2)}, nil)
	bad("ValueError", args{two, numbered(4, 2)}, opts{"mode": "max", "scale_grad_by_freq": true})
	bad("ValueError", args{two, numbered(4, 2)}, opts{"mode": "max", "sparse": true})
	bad("ValueError", args{two, numbered(4, 2)}, opts{"mode": "median"})
	bad("NotImplementedError", args{two, numbered(4, 2)}, opts{"per_sample_weights": numbered(2, 2)})
	good(args{two, numbered(4, 2)}, opts{"per_sample_weights": numbered(2, 2), "mode": "sum"})
	good(args{rows, numbered(4, 2)}, opts{"offsets": classes(0, 1), "mode": "max"})
	good(args{rows, numbered(4, 2)}, opts{"offsets": classes(0, 1), "padding_idx": 0, "max_norm": 0.5, "norm_type": 1.0})

	of("group_norm", F.GroupNorm)
	bad("RuntimeError", args{numbered(4), 2}, nil)
	bad("ValueError", args{numbered(1, 4), 4}, nil)
	bad("ValueError", args{numbered(1, 4, 1, 1), 4}, nil)
	bad("ZeroDivisionError", args{numbered(2, 4, 3), 0}, nil)
	good(args{numbered(1, 4), 2}, nil)
	good(args{numbered(2, 4), 4}, nil)
	good(args{numbered(1, 4, 2), 4}, opts{"eps": 0.0})
	of("local_response_norm", F.LocalResponseNorm)
	bad("ValueError", args{numbered(4, 4), 2}, nil)
	good(args{numbered(1, 4, 3), 2}, opts{"k": 0.0})
	good(args{torch.Zeros(0, 4, 3), 0}, nil)
	of("instance_norm", F.InstanceNorm)
	bad("ValueError", args{numbered(2, 3, 1)}, nil)
	bad("ValueError", args{numbered(2, 3)}, nil)
	good(args{numbered(2, 3, 2)}, nil)
	good(args{numbered(2, 3, 1)}, opts{"use_input_stats": false, "running_mean": numbered(3), "running_var": numbered(3)})

	for n, f := range map[string]any{"mse_loss": F.MSELoss, "l1_loss": F.L1Loss, "huber_loss": F.HuberLoss} {
		of(n, f)
		bad("ValueError", args{numbered(2, 3), numbered(2, 3)}, opts{"weight": numbered(3)})
		bad("ValueError", args{numbered(2, 3), numbered(2, 3)}, opts{"reduction": "batchmean"})
		bad("ValueError", args{numbered(2, 3), numbered(2, 3)}, opts{"reduction": "avg", "weight": numbered(2, 3)})
		for _, how := range []string{"mean", "sum", "none"} {
			good(args{numbered(2, 3), numbered(3)}, opts{"reduction": how})
			good(args{numbered(3), torch.Scalar(0.5)}, opts{"reduction": how})
			good(args{numbered(2, 3), numbered(3, 2).T()}, opts{"reduction": how, "weight": numbered(2, 3)})
		}
	}
	of("kl_div", F.KLDiv)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3)}, opts{"reduction": "batch"})
	for _, how := range []string{"mean", "batchmean", "sum", "none"} {
		good(args{numbered(2, 3).Log(), numbered(2, 3)}, opts{"reduction": how})
		good(args{numbered(2, 3).Log(), numbered(2, 3).Log()}, opts{"reduction": how, "log_target": true})
		good(args{torch.Scalar[float32](-1), torch.Scalar[float32](0.5)}, opts{"reduction": how})
		good(args{torch.Zeros(0, 3), torch.Zeros(0, 3)}, opts{"reduction": how})
	}
	of("poisson_nll_loss", F.PoissonNLLLoss)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3)}, opts{"reduction": "batchmean"})
	good(args{numbered(2, 3), numbered(2, 3)}, opts{"log_input": false, "full": true, "eps": 0.0})
	good(args{numbered(2, 3), numbered(2, 3)}, opts{"reduction": "none"})
	of("gaussian_nll_loss", F.GaussianNLLLoss)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3), numbered(2, 3).Neg()}, nil)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3), numbered(2, 2)}, nil)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3), numbered(3)}, nil)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3), numbered(2, 3)}, opts{"reduction": "avg"})
	good(args{numbered(2, 3), numbered(2, 3), numbered(2)}, nil)
	good(args{numbered(2, 3), numbered(2, 3), numbered(2, 1)}, opts{"full": true, "reduction": "sum"})
	of("binary_cross_entropy", F.BinaryCrossEntropy)
	bad("ValueError", args{numbered(2, 3), numbered(3)}, nil)
	bad("ValueError", args{numbered(4), numbered(4, 1)}, nil)
	good(args{numbered(2, 3), numbered(2, 3)}, opts{"weight": numbered(3)})
	of("binary_cross_entropy_with_logits", F.BinaryCrossEntropyWithLogits)
	bad("ValueError", args{numbered(2, 3), numbered(2, 1)}, nil)
	good(args{numbered(2, 3), numbered(2, 3)}, opts{"pos_weight": numbered(3), "reduction": "sum"})
	of("margin_ranking_loss", F.MarginRankingLoss)
	bad("RuntimeError", args{numbered(3), numbered(1, 3), numbered(3)}, nil)
	bad("RuntimeError", args{numbered(2, 3), numbered(2, 3), numbered(3)}, nil)
	good(args{numbered(3), numbered(1), numbered(3)}, opts{"margin": 0.5})
	of("multi_margin_loss", F.MultiMarginLoss)
	bad("ValueError", args{numbered(2, 3), classes(0, 2)}, opts{"p": 3})
	bad("ValueError", args{numbered(2, 3), classes(0, 2)}, opts{"weight": numbered(1, 3)})
	good(args{numbered(2, 3), classes(0, 2)}, opts{"p": 2, "weight": numbered(3)})
	of("multilabel_soft_margin_loss", F.MultilabelSoftMarginLoss)
	bad("ValueError", args{numbered(2, 3), numbered(2, 3)}, opts{"reduction": "avg"})
	good(args{numbered(2, 3), numbered(2, 3)}, opts{"weight": numbered(3)})
	for n, f := range map[string]any{"triplet_margin_loss": F.TripletMarginLoss, "triplet_margin_with_distance_loss": F.TripletMarginWithDistanceLoss} {
		of(n, f)
		a, p, q := numbered(2, 3), numbered(3, 2).T(), numbered(2, 3).Exp()
		bad("ValueError", args{a, p, q}, opts{"margin": 0.0})
		bad("ValueError", args{a, p, q}, opts{"margin": -1.0})
		bad("ValueError", args{a, p, q}, opts{"reduction": "avg"})
		good(args{a, p, q}, opts{"margin": 1e-3, "swap": true, "reduction": "none"})
		good(args{a, p, q}, nil)
	}
	of("triplet_margin_with_distance_loss", F.TripletMarginWithDistanceLoss)
	bad("RuntimeError", args{numbered(2, 3), numbered(3), numbered(2, 3)}, nil)

	of("interpolate", F.Interpolate)
	picture := numbered(1, 2, 4, 5)
	bad("ValueError", args{picture}, opts{"size": 3, "align_corners": true})
	bad("ValueError", args{picture}, opts{"size": 3, "scale_factor": 2.0})
	bad("ValueError", args{picture}, nil)
	bad("ValueError", args{picture}, opts{"size": []int{3, 3, 3}})
	bad("ValueError", args{picture}, opts{"scale_factor": []float64{2, 2, 2}})
	bad("ValueError", args{picture}, opts{"size": 3, "recompute_scale_factor": true})
	bad("ValueError", args{picture}, opts{"size": 3, "antialias": true})
	bad("ValueError", args{numbered(1, 2, 5)}, opts{"size": 3, "mode": "linear", "antialias": true})
	bad("ValueError", args{picture}, opts{"size": 3, "mode": "lanczos"})
	bad("ValueError", args{picture}, opts{"size": 3, "mode": "lanczos", "antialias": true, "align_corners": true})
	bad("NotImplementedError", args{picture}, opts{"size": 3, "mode": "linear"})
	bad("NotImplementedError", args{picture}, opts{"size": 3, "mode": "trilinear"})
	bad("NotImplementedError", args{numbered(1, 2, 5)}, opts{"size": 3, "mode": "bilinear"})
	bad("NotImplementedError", args{numbered(1, 2, 2, 3, 4)}, opts{"size": 3, "mode": "bicubic"})
	bad("NotImplementedError", args{numbered(2, 5)}, opts{"size": []int{}})
	bad("NotImplementedError", args{picture}, opts{"size": 3, "mode": "cubic"})
	good(args{picture}, opts{"size": 3, "mode": "lanczos", "antialias": true})
	good(args{picture}, opts{"scale_factor": 1.7, "mode": "area"})
	good(args{picture}, opts{"scale_factor": []float64{1.7, 0.5}, "mode": "bilinear", "recompute_scale_factor": true, "align_corners": true})
	of("grid_sample", F.GridSample)
	grid := numbered(1, 3, 3, 2)
	bad("ValueError", args{picture, grid}, opts{"mode": "linear"})
	bad("ValueError", args{picture, grid}, opts{"padding_mode": "wrap"})
	good(args{picture, grid}, opts{"mode": "nearest", "padding_mode": "border"})
	of("affine_grid", F.AffineGrid)
	bad("ValueError", args{torch.Options{DType: torch.Int64}.Ones(1, 2, 3), []int{1, 1, 2, 2}, false}, nil)
	bad("ValueError", args{numbered(1, 3, 4), []int{1, 1, 2, 2}, false}, nil)
	bad("ValueError", args{numbered(2, 3), []int{1, 1, 2, 2}, false}, nil)
	bad("ValueError", args{numbered(1, 2, 3), []int{1, 1, 2, 2, 2}, false}, nil)
	bad("NotImplementedError", args{numbered(1, 2, 3), []int{1, 1, 2}, false}, nil)
	bad("ValueError", args{numbered(1, 2, 3), []int{1, 1, 0, 2}, false}, nil)
	bad("ValueError", args{numbered(1, 2, 3), []int{1, 0, 2, 2}, false}, nil)
	bad("ValueError", args{numbered(1, 2, 3), []int{1, 1, 0, 2}, true}, nil)
	good(args{numbered(1, 2, 3), []int{1, 0, 1, 2}, true}, nil)
	good(args{numbered(1, 2, 3), []int{1, 1, 2, 2}, true}, nil)
	good(args{numbered(1, 3, 4), []int{1, 1, 2, 2, 3}, false}, nil)

	return out
}

// TestChecks makes each call here, and in Python where there is one.
func TestChecks(t *testing.T) {
	all := checks()
	for _, c := range all {
		_, err := goCall(c.fn, c.args, c.options)
		if c.raises == "" && err != nil && strings.Contains(err.Error(), "has no such op") && !strings.HasPrefix(torch.Version(), "2.15.") {
			continue // newer than this libtorch
		}
		if c.raises == "" {
			require.NoError(t, err, "%v", c)
			continue
		}
		var e *torch.Error
		require.ErrorAs(t, err, &e, "%v", c)
		require.False(t, strings.HasPrefix(e.Op, "aten::") && e.Op != "aten::"+strings.TrimPrefix(c.name, "F."), "%v: %v", c, e)
		require.NotContains(t, e.Msg, "\n")
	}
	calls := make([]pythonCall, len(all))
	for i, c := range all {
		calls[i] = c.pythonCall
	}
	for i, answer := range ask(t, calls) {
		c := all[i]
		if c.raises != "" {
			require.True(t, strings.HasPrefix(answer.Error, c.raises+":"), "%v: %q", c, answer.Error)
			continue
		}
		require.Empty(t, answer.Error, "%v", c)
		out, _ := goCall(c.fn, c.args, c.options)
		require.Empty(t, differs(out, answer.Results), "%v", c)
	}
}

// TestNoBags looks up indices that are in no bag, which end Python's process.
func TestNoBags(t *testing.T) {
	for _, mode := range []string{"mean", "sum", "max"} {
		for _, o := range []F.EmbeddingBagOptions{{Offsets: classes()}, {Offsets: classes(0), IncludeLastOffset: true, PaddingIdx: new(0)}} {
			o.Mode = mode
			if mode == "sum" {
				o.PerSampleWeights = numbered(5)
			}
			require.Equal(t, []int{0, 2}, F.EmbeddingBag(classes(0, 1, 2, 0, 1), numbered(3, 2), o).Shape())
		}
	}
}

// TestBatchNormChecks is of its own, since its running statistics are options here.
func TestBatchNormChecks(t *testing.T) {
	for name, c := range map[string]struct {
		x  *torch.Tensor
		o  F.BatchNormOptions
		ok bool
	}{
		"one value":            {numbered(1, 3), F.BatchNormOptions{Training: true}, false},
		"one value of 4 dims":  {numbered(1, 3, 1, 1), F.BatchNormOptions{Training: true}, false},
		"two values":           {numbered(1, 3, 1, 2), F.BatchNormOptions{Training: true}, true},
		"no dims":              {torch.Scalar[float32](1), F.BatchNormOptions{Training: true}, false},
		"eps 0 while training": {numbered(2, 3), F.BatchNormOptions{Training: true, Eps: new(0.0)}, false},
		"eps 0":                {numbered(1, 3), F.BatchNormOptions{RunningMean: numbered(3), RunningVar: numbered(3), Eps: new(0.0)}, true},
		"eps below 0":          {numbered(1, 3), F.BatchNormOptions{RunningMean: numbered(3), RunningVar: numbered(3), Eps: new(-1e-9)}, false},
	} {
		mean := c.o.RunningMean
		before := mean
		if mean != nil {
			before = mean.Clone()
		}
		err := torch.Try(func() { F.BatchNorm(c.x, c.o) })
		require.Equal(t, c.ok, err == nil, "%s: %v", name, err)
		if mean != nil {
			require.True(t, before.Equal(mean), name)
		}
	}
}

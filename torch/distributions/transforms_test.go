package distributions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	D "github.com/torchhub/torchhub/torch/distributions"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// transformRows have Python's constructor, of a tensor a of two numbers, the same in Go, and
// an input.
var transformRows = []struct {
	python string
	make   func(a *torch.Tensor) D.Transform
	input  any
}{
	{"AbsTransform()", func(*torch.Tensor) D.Transform { return D.AbsTransform{} }, vec{-1, 0.5}},
	{"AffineTransform(a, -a)", func(a *torch.Tensor) D.Transform { return D.AffineTransform{Loc: a, Scale: a.Neg()} }, mat{{-1, 0.5}, {2, 3}}},
	{"AffineTransform(1, -2.5)", func(*torch.Tensor) D.Transform { return D.AffineTransform{Loc: 1, Scale: -2.5} }, vec{-1, 0.5}},
	{"AffineTransform(a, 3, event_dim=1)", func(a *torch.Tensor) D.Transform { return D.AffineTransform{Loc: a, Scale: 3, EventDim: 1} }, mat{{-1, 0.5}, {2, 3}}},
	{"CatTransform([ExpTransform(), AffineTransform(1, 2)], dim=0, lengths=[1, 2])", func(*torch.Tensor) D.Transform {
		return D.CatTransform{Parts: []D.Transform{D.ExpTransform{}, D.AffineTransform{Loc: 1, Scale: 2}}, Lengths: []int{1, 2}}
	}, mat{{-1, 0.5}, {2, 3}, {0, 1}}},
	{"CatTransform([ExpTransform(), IndependentTransform(TanhTransform(), 1)], dim=0)", func(*torch.Tensor) D.Transform {
		return D.CatTransform{Parts: []D.Transform{D.ExpTransform{}, D.IndependentTransform{Base: D.TanhTransform{}, ReinterpretedBatchNdims: 1}}}
	}, mat{{-1, 0.5}, {2, 3}}},
	{"ComposeTransform([AffineTransform(a, 2), ExpTransform(), StickBreakingTransform().inv.inv])", func(a *torch.Tensor) D.Transform {
		return D.ComposeTransform{D.AffineTransform{Loc: a, Scale: 2}, D.ExpTransform{}, D.StickBreakingTransform{}}
	}, mat{{-1, 0.5}, {0.25, 0.75}}},
	{"ComposeTransform([ExpTransform(), PowerTransform(a)])", func(a *torch.Tensor) D.Transform {
		return D.ComposeTransform{D.ExpTransform{}, D.PowerTransform{Exponent: a}}
	}, vec{-1, 0.5}},
	{"identity_transform", func(*torch.Tensor) D.Transform { return D.ComposeTransform{} }, vec{-1, 0.5}},
	{"CorrCholeskyTransform()", func(*torch.Tensor) D.Transform { return D.CorrCholeskyTransform{} }, mat{{-1, 0.5, 0.25}, {1, 2, 0}}},
	{"CumulativeDistributionTransform(D.Normal(a, 2))", func(a *torch.Tensor) D.Transform {
		return D.CumulativeDistributionTransform{Distribution: D.NewNormal(a, 2)}
	}, vec{-1, 0.5}},
	{"ExpTransform()", func(*torch.Tensor) D.Transform { return D.ExpTransform{} }, vec{-1, 0.5}},
	{"ExpTransform().inv", func(*torch.Tensor) D.Transform { return D.ExpTransform{}.Inv() }, vec{1, 0.5}},
	{"IndependentTransform(ExpTransform(), 1)", func(*torch.Tensor) D.Transform {
		return D.IndependentTransform{Base: D.ExpTransform{}, ReinterpretedBatchNdims: 1}
	}, mat{{-1, 0.5}, {2, 3}}},
	{"LowerCholeskyTransform()", func(*torch.Tensor) D.Transform { return D.LowerCholeskyTransform{} }, mat{{-1, 0.5}, {2, 3}}},
	{"PositiveDefiniteTransform()", func(*torch.Tensor) D.Transform { return D.PositiveDefiniteTransform{} }, mat{{-1, 0.5}, {2, 3}}},
	{"PowerTransform(-a)", func(a *torch.Tensor) D.Transform { return D.PowerTransform{Exponent: a.Neg()} }, mat{{1}, {2}}},
	{"PowerTransform(2.5)", func(*torch.Tensor) D.Transform { return D.PowerTransform{Exponent: 2.5} }, vec{1, 2}},
	{"ReshapeTransform((2, 3), (6,))", func(*torch.Tensor) D.Transform { return D.ReshapeTransform{InShape: []int{2, 3}, OutShape: []int{6}} }, mat{{1, 2, 3}, {4, 5, 6}}},
	{"SigmoidTransform()", func(*torch.Tensor) D.Transform { return D.SigmoidTransform{} }, vec{-1, 100}},
	{"SoftmaxTransform()", func(*torch.Tensor) D.Transform { return D.SoftmaxTransform{} }, vec{-1, 0.5}},
	{"SoftplusTransform()", func(*torch.Tensor) D.Transform { return D.SoftplusTransform{} }, vec{-1, 0.5}},
	{"StackTransform([ExpTransform(), AffineTransform(1, 2)], dim=-1)", func(*torch.Tensor) D.Transform {
		return D.StackTransform{Parts: []D.Transform{D.ExpTransform{}, D.AffineTransform{Loc: 1, Scale: 2}}, Dim: -1}
	}, mat{{-1, 0.5}, {2, 3}}},
	{"StickBreakingTransform()", func(*torch.Tensor) D.Transform { return D.StickBreakingTransform{} }, mat{{-1, 0.5}, {2, 3}}},
	{"TanhTransform()", func(*torch.Tensor) D.Transform { return D.TanhTransform{} }, vec{-1, 0.5}},
}

// transformFacts returns what a transform computes of x.
func transformFacts(t D.Transform, x *torch.Tensor) map[string]any {
	y := t.Forward(x)
	check := func(c constraints.Constraint, x *torch.Tensor) any {
		return attempt(func() any { return plain(c.Check(x)) })
	}
	about := func(c constraints.Constraint) []any { return []any{c.String(), c.IsDiscrete(), c.EventDim()} }
	out := map[string]any{
		"repr": t.String(), "inverse repr": t.Inv().String(), "bijective": t.Bijective(),
		"shapes": []any{ints(t.ForwardShape(x.Shape())), ints(t.InverseShape(y.Shape()))},
		"domain": about(t.Domain()), "codomain": about(t.Codomain()),
		"equal": []any{t.Equal(t), t.Inv().Equal(t.Inv()), t.Equal(D.ExpTransform{})},
		"sign": attempt(func() any {
			if s, ok := t.Sign().(*torch.Tensor); ok {
				return plain(s)
			}
			return t.Sign()
		}),
		"check":         []any{check(t.Domain(), x), check(t.Codomain(), y)},
		"inverse check": check(t.Codomain(), x),
	}
	in := []*torch.Tensor{x}
	for name, f := range map[string]func() *torch.Tensor{
		"forward":          func() *torch.Tensor { return t.Forward(x) },
		"inverse":          func() *torch.Tensor { return t.Inverse(y) },
		"inv":              func() *torch.Tensor { return t.Inv().Forward(y) },
		"jacobian":         func() *torch.Tensor { return t.LogAbsDetJacobian(x, y) },
		"inverse jacobian": func() *torch.Tensor { return t.Inv().LogAbsDetJacobian(y, x) },
	} {
		out[name] = attempt(func() any { return withGradients(f, in) })
	}
	return out
}

// TestLiveTransforms requires that every transform has Python's values, gradients and texts.
func TestLiveTransforms(t *testing.T) {
	live(t, func(p *torchtest.Interpreter) {
		missing := map[string]bool{}
		for _, name := range p.Call("transforms.__all__.copy").([]torch.Value) {
			missing[name.(string)] = true
		}
		delete(missing, "Transform") // abstract: the interface
		for _, r := range transformRows {
			name, _, _ := strings.Cut(r.python, "(")
			delete(missing, name)
			for _, dtype := range []torch.DType{torch.Float32, torch.Float64} {
				t.Run(fmt.Sprint(r.python, " ", dtype), func(t *testing.T) {
					x := tensors([]any{r.input, vec{0.5, 1.5}}, dtype)
					want := p.Call("transform_facts", r.python, x[0], x[1]).(*torch.Dict)
					x[0].RequireGrad(true)
					got := transformFacts(r.make(x[1]), x[0])
					if name != "CumulativeDistributionTransform" { // whose distributions are told apart
						require.True(t, r.make(x[1]).Equal(r.make(x[1])))
					}
					require.Len(t, got, len(want.Entries))
					for _, e := range want.Entries {
						assert.NoError(t, same(got[e.Key.(string)], e.Value), e.Key)
					}
				})
			}
		}
		require.Empty(t, missing, "these transforms have no row")
	})
}

// constraintRows have Python's constraint of a tensor a of two numbers, and the same in Go.
var constraintRows = map[string]func(a *torch.Tensor) constraints.Constraint{
	"boolean":                              fixed(constraints.Boolean),
	"cat([positive, real], 0)":             fixed(constraints.Cat([]constraints.Constraint{constraints.Positive, constraints.Real}, 0, nil)),
	"corr_cholesky":                        fixed(constraints.CorrCholesky),
	"greater_than(a)":                      func(a *torch.Tensor) constraints.Constraint { return constraints.GreaterThan(a) },
	"greater_than_eq(1)":                   fixed(constraints.GreaterThanEq(1)),
	"half_open_interval(0, a)":             func(a *torch.Tensor) constraints.Constraint { return constraints.HalfOpenInterval(0, a) },
	"independent(real, 1)":                 fixed(constraints.Independent(constraints.Real, 1)),
	"independent(interval(0, 2.5), 2)":     fixed(constraints.Independent(constraints.Interval(0, 2.5), 2)),
	"integer_interval(0, 3)":               fixed(constraints.IntegerInterval(0, 3)),
	"interval(-1, a)":                      func(a *torch.Tensor) constraints.Constraint { return constraints.Interval(-1, a) },
	"interval(a, 3)":                       func(a *torch.Tensor) constraints.Constraint { return constraints.Interval(a, 3) },
	"interval(-1.5, 3)":                    fixed(constraints.Interval(-1.5, 3)),
	"less_than(2)":                         fixed(constraints.LessThan(2)),
	"lower_cholesky":                       fixed(constraints.LowerCholesky),
	"lower_triangular":                     fixed(constraints.LowerTriangular),
	"MixtureSameFamilyConstraint(simplex)": fixed(&constraints.MixtureSameFamilyConstraint{Base: constraints.Simplex}),
	"multinomial(3)":                       fixed(constraints.Multinomial(3)),
	"nonnegative":                          fixed(constraints.Nonnegative),
	"nonnegative_integer":                  fixed(constraints.NonnegativeInteger),
	"one_hot":                              fixed(constraints.OneHot),
	"positive":                             fixed(constraints.Positive),
	"positive_definite":                    fixed(constraints.PositiveDefinite),
	"positive_integer":                     fixed(constraints.PositiveInteger),
	"positive_semidefinite":                fixed(constraints.PositiveSemidefinite),
	"real":                                 fixed(constraints.Real),
	"real_vector":                          fixed(constraints.RealVector),
	"simplex":                              fixed(constraints.Simplex),
	"square":                               fixed(constraints.Square),
	"stack([positive, real], -1)":          fixed(constraints.Stack([]constraints.Constraint{constraints.Positive, constraints.Real}, -1)),
	"symmetric":                            fixed(constraints.Symmetric),
	"unit_interval":                        fixed(constraints.UnitInterval),
}

func fixed(c constraints.Constraint) func(*torch.Tensor) constraints.Constraint {
	return func(*torch.Tensor) constraints.Constraint { return c }
}

// checkedMatrices are what constraints are asked about.
var checkedMatrices = []mat{
	{{1, 0}, {0, 1}}, {{1, 0}, {0.6, 0.8}}, {{2, 0.5}, {0.5, 1}}, {{1, 2}, {2, 1}}, {{1, 1}, {1, 1}}, {{0.25, 0.75}, {1, 0}}, {{-1, 3}, {2.5, 0}},
}

// TestLiveConstraints requires that every constraint accepts what Python's does, and has its
// text and transforms.
func TestLiveConstraints(t *testing.T) {
	live(t, func(p *torchtest.Interpreter) {
		missing := map[string]bool{}
		for _, name := range p.Call("constraints.__all__.copy").([]torch.Value) {
			missing[name.(string)] = true
		}
		delete(missing, "Constraint") // abstract: the interface
		for _, name := range []string{"dependent", "dependent_property", "is_dependent"} {
			delete(missing, name) // of Python's classes; in Go a support is a method
		}
		for python, make := range constraintRows {
			name, _, _ := strings.Cut(python, "(")
			delete(missing, name)
			t.Run(python, func(t *testing.T) {
				a := torch.NewTensor(vec{0.5, 1.5})
				c := make(a)
				var checks, transforms []any
				for _, m := range checkedMatrices {
					checks = append(checks, plain(c.Check(torch.NewTensor(m))))
				}
				x := torch.NewTensor(mat{{0.5, -1}, {0.25, 2}})
				for _, to := range []func(constraints.Constraint) D.Transform{D.BijectTo, D.TransformTo} {
					transforms = append(transforms, attempt(func() any {
						t := to(c)
						return []any{t.String(), attempt(func() any { return plain(t.Forward(x)) })}
					}))
				}
				matrices := []any{}
				for _, m := range checkedMatrices {
					matrices = append(matrices, torch.NewTensor(m))
				}
				want := p.Call("constraint_facts", python, a, matrices, x).([]any)
				assert.NoError(t, same([]any{c.String(), c.IsDiscrete(), c.EventDim()}, want[0]))
				assert.NoError(t, same(checks, want[1]))
				assert.NoError(t, same(transforms, want[2]))
			})
		}
		require.Empty(t, missing, "these constraints have no row")
	})
}

// TestInverse requires that an output has an input of which it is the output.
func TestInverse(t *testing.T) {
	for _, r := range transformRows {
		x := tensors([]any{r.input, vec{0.5, 1.5}}, torch.Float64)
		f := r.make(x[1])
		y := f.Forward(x[0])
		torchtest.AssertClose(t, f.Forward(f.Inverse(y)), y, torchtest.CloseOptions{Msg: r.python})
		if f.Bijective() {
			j := f.LogAbsDetJacobian(x[0], y)
			torchtest.AssertClose(t, f.Inv().LogAbsDetJacobian(y, x[0]), j.Neg(), torchtest.CloseOptions{Msg: r.python})
		}
	}
}

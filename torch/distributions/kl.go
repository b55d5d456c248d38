package distributions

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/torch"
)

// A pair of types has a function for the divergence.
type pair struct{ p, q reflect.Type }

var (
	divergencesMu sync.RWMutex
	divergences   = map[pair]func(p, q Distribution) *torch.Tensor{}
)

// RegisterKL gives the function that [KL] calls for two types of distributions, and for
// structs that embed them: torch.distributions.register_kl(P, Q).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.kl.register_kl
func RegisterKL[P, Q Distribution](f func(p P, q Q) *torch.Tensor) {
	divergencesMu.Lock()
	defer divergencesMu.Unlock()
	divergences[pair{reflect.TypeFor[P](), reflect.TypeFor[Q]()}] = func(p, q Distribution) *torch.Tensor {
		return f(p.(P), q.(Q))
	}
}

// KL returns the Kullback-Leibler divergence of p from q, of the shape of their batch:
// torch.distributions.kl_divergence(p, q). It panics with an [*torch.Error] that is a
// [torch.ErrNotImplemented] if no function is registered for the two.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.kl.kl_divergence
func KL(p, q Distribution) *torch.Tensor {
	for _, p := range lineage(p) {
		for _, q := range lineage(q) {
			divergencesMu.RLock()
			f := divergences[pair{reflect.TypeOf(p), reflect.TypeOf(q)}]
			divergencesMu.RUnlock()
			if f != nil {
				return f(p, q)
			}
		}
	}
	notImplemented("KL", "no divergence is registered for %s and %s", className(p), className(q))
	return nil
}

func className(d Distribution) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", d), "*distributions.")
}

// lineage returns a distribution, and those that it embeds: Python's base classes.
func lineage(d Distribution) []Distribution {
	chain := []Distribution{d}
	for {
		v := reflect.Indirect(reflect.ValueOf(d))
		if v.Kind() != reflect.Struct || v.NumField() == 0 || !v.Type().Field(0).Anonymous || !v.Type().Field(0).IsExported() {
			return chain
		}
		f := v.Field(0)
		if f.Kind() == reflect.Struct && f.CanAddr() {
			f = f.Addr()
		}
		base, ok := f.Interface().(Distribution)
		if !ok {
			return chain
		}
		chain, d = append(chain, base), base
	}
}

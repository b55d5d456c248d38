package pickle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/strictzip"
)

// scriptObject is the result of a class or function that only TorchScript has.
type scriptObject struct {
	args  Tuple
	state any
}

// CheckScript reads the pickles of a TorchScript archive, whose root is set, for properties that libtorch does not
// check: that tensors are within their storages, and that values are not nested too deep. It makes nothing of them.
// Errors are a *MalformedError or an *UnsupportedError.
func CheckScript(z *strictzip.Archive, zips *strictzip.Reader, o Options) error {
	o = o.withDefaults(z.Size())
	r := &reader{Options: o, size: int64(z.Size()), nodes: o.MaxNodes, zips: zips, script: true}
	big, err := r.bigEndian(z)
	if err != nil {
		return err
	}
	for _, name := range []string{"data", "constants"} {
		rec := z.Get(name + ".pkl")
		if rec == nil {
			return &MalformedError{Msg: fmt.Sprintf("there is no record %q, so this is not a TorchScript archive", z.Root+name+".pkl")}
		}
		data, _, err := zips.Checked(z, rec, 0)
		if err != nil {
			return err
		}
		m := &machine{reader: r, data: data, record: rec.Name, file: &zipSource{Archive: z, folder: name + "/", big: big}, storages: map[string]*Storage{}}
		if _, err := m.run(); err != nil {
			return err
		}
		r.done += int64(m.pos)
	}
	return nil
}

// scriptCall pushes the result of a call in a pickle of TorchScript: a tensor, which is checked, or an
// object.
func (m *machine) scriptCall(g *global, args Tuple, newObject bool) error {
	if g.name == "torch.jit._pickle.restore_type_tag" && len(args) == 2 {
		if tag, ok := args[1].(string); ok && nesting(tag) > m.MaxDepth {
			return m.unsupported("a type nested deeper than %d: raise Limits.Depth", m.MaxDepth)
		}
	}
	_, over := any(nil), false
	if len(args) > 0 {
		_, over = args[0].(*scriptObject) // a storage of a type that only libtorch knows
	}
	if g.call != nil && (!newObject || g.class) && !over {
		v, err := g.call(m, args)
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || m.spent > m.budget() {
			return m.give(v, 0, err)
		}
	}
	return m.give(&scriptObject{args: args}, costContainer, nil)
}

// nesting returns how deep the brackets of a type are nested.
func nesting(tag string) int {
	depth, most := 0, 0
	for i := range len(tag) {
		if strings.IndexByte("[(", tag[i]) >= 0 {
			depth++
			most = max(most, depth)
		} else if strings.IndexByte("])", tag[i]) >= 0 {
			depth--
		}
	}
	return most
}

package torch

import (
	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// check reads what the options ask for, and refuses what would end the process in libtorch.
func (o *scriptOptions) check(z *strictzip.Archive) error {
	if err := z.SetRoot(); err != nil {
		return err
	}
	if z.Get("constants.pkl") == nil {
		return &badfile.UnsupportedError{Feature: "it is no TorchScript archive: load a state dict with torch.LoadStateDict"}
	}
	limit := o.limits.Inflate
	if limit == 0 {
		limit = strictzip.DefaultLimit(z.Size())
	}
	r := strictzip.NewReader(limit)
	for name := range o.extra {
		rec := z.Get("extra/" + name)
		if rec == nil {
			continue
		}
		b, _, err := r.Checked(z, rec, 0)
		if err != nil {
			return err
		}
		o.extra[name] = append([]byte{}, b...)
	}
	return nil
}

package optim

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// text returns str(v), or repr(v) of an element of a container.
func text(v torch.Value, inside bool) string {
	list := func(open, end string, vs []torch.Value) string {
		parts := make([]string, len(vs))
		for i, e := range vs {
			parts[i] = text(e, true)
		}
		return open + strings.Join(parts, ", ") + end
	}
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return pyrepr.Float(v)
	case string:
		if inside {
			return pyrepr.String(v)
		}
		return v
	case *torch.Tensor:
		if !inside && v.Dim() == 0 {
			return pyrepr.Float(v.Item())
		}
	case torch.Tuple:
		if len(v) == 1 {
			return list("(", ",)", v)
		}
		return list("(", ")", v)
	case []torch.Value:
		return list("[", "]", v)
	}
	return fmt.Sprint(v)
}

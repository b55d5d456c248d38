package terminal

import "fmt"

// Size words a number of bytes, such as "1.5 GiB".
func Size(n int64) string {
	for _, u := range []struct {
		at   int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.at {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.at), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

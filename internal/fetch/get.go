package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/torchhub/torchhub/internal/terminal"
)

// Get sends a GET whose body may have at most limit bytes.
func (c *Client) Get(ctx context.Context, rawURL string, header map[string]string, limit int64, tries int) ([]byte, error) {
	if c.Offline {
		return nil, ErrOffline
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = c.FirstWait
	return backoff.Retry(ctx, func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*c.Stall)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
		if err != nil {
			return nil, backoff.Permanent(err)
		}
		req.Header.Set("User-Agent", "torchhub")
		for k, v := range header {
			req.Header.Set(k, v)
		}
		resp, err := c.HTTPClient(req.Header).Do(req)
		if err != nil {
			err = Connection(err)
		} else {
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = Refusal(resp)
			}
		}
		if f := (Final{}); errors.As(err, &f) {
			return nil, backoff.Permanent(f.Err)
		}
		if s := (*StatusError)(nil); errors.As(err, &s) && time.Until(s.Until) > time.Minute {
			return nil, backoff.Permanent(err)
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
		switch {
		case err != nil && limit > 0:
			return nil, Connection(err)
		case int64(len(data)) > limit && limit > 0:
			return nil, backoff.Permanent(fmt.Errorf("the answer is bigger than %s", terminal.Size(limit)))
		}
		return data, nil
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(uint(max(tries, 1))))
}

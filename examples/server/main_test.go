package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/letters"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/builtin"
)

func TestClassifier(t *testing.T) {
	server := httptest.NewServer(classifier(letters.Load(t)))
	t.Cleanup(server.Close)
	post := func(query string, body []byte) (int, []byte) {
		// The type is the one that curl sends.
		response, err := http.Post(server.URL+query, "application/x-www-form-urlencoded", bytes.NewReader(body))
		if err != nil {
			return 0, []byte(err.Error())
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return 0, []byte(err.Error())
		}
		return response.StatusCode, text
	}

	var wait sync.WaitGroup
	answers := make([][]byte, 16)
	for i := range answers {
		wait.Go(func() { _, answers[i] = post("/classify?k=2", builtin.Picture()) })
	}
	wait.Wait()
	for _, answer := range answers {
		var top []hub.Label
		require.NoError(t, json.Unmarshal(answer, &top), "%s", answer)
		require.Len(t, top, 2)
		require.Equal(t, "letter G", top[0].Name)
	}

	for _, c := range []struct {
		query  string
		body   []byte
		status int
		says   string
	}{
		{"/classify?k=0", builtin.Picture(), http.StatusBadRequest, `k is "0"`},
		{"/classify?k=many", builtin.Picture(), http.StatusBadRequest, `k is "many"`},
		{"/classify", []byte("no picture"), http.StatusUnsupportedMediaType, ""},
		{"/classify", nil, http.StatusUnsupportedMediaType, ""},
		{"/classify", append([]byte("P6 4000 4000 255\n"), make([]byte, 48e6)...), http.StatusRequestEntityTooLarge, "too large"},
	} {
		status, text := post(c.query, c.body)
		require.Equal(t, c.status, status, "%s", text)
		require.Contains(t, string(text), c.says)
	}
}

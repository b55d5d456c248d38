// Server classifies pictures over HTTP:
//
//	go run ./examples/server -m resnet50 &
//	curl --data-binary @dog.jpg 'http://127.0.0.1:8080/classify?k=3'
//
// One model serves all requests. Its answer is a JSON array of the k best classes:
// [{"index":258,"name":"Samoyed","score":0.88}, …].
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/transforms"
)

// maxBody is the size in bytes of the largest picture file that is read.
const maxBody = 20 << 20

func main() {
	log.SetFlags(0)
	repo := flag.String("repo", "", "where the model is published, such as owner/name; empty for torchvision's models")
	name := flag.String("m", "resnet50", "the `model`")
	address := flag.String("address", "127.0.0.1:8080", "the `host:port` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	model, err := hub.Load(ctx, *repo, *name)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	mux := http.NewServeMux()
	mux.Handle("POST /classify", classifier(model))
	server := &http.Server{Addr: *address, Handler: mux, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
	stopped := make(chan struct{})
	go func() {
		<-ctx.Done()
		wait, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		server.Shutdown(wait) // requests under way are answered
		close(stopped)
	}()
	log.Printf("listening on http://%s", *address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-stopped
}

// classifier answers requests whose body is a picture file of any format that [transforms.Decode] reads.
// The parameter k is the number of classes, 5 by default.
func classifier(model *hub.Model) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := 5
		if text := r.URL.Query().Get("k"); text != "" {
			var err error
			if k, err = strconv.Atoi(text); err != nil || k < 1 {
				http.Error(w, fmt.Sprintf("k is %q; it must be a number of at least 1", text), http.StatusBadRequest)
				return
			}
		}
		img, err := transforms.Decode(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			status := http.StatusUnsupportedMediaType
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, err.Error(), status)
			return
		}
		top, err := model.Classify(r.Context(), img, k)
		if err != nil {
			log.Print(err)
			http.Error(w, "the picture could not be classified", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(top)
	})
}

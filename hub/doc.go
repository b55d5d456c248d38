// Package hub is torch.hub for Go: it turns the name of a model into a file of
// weights in the cache and the file into a model that classifies pictures.
//
// The caches are Python's own, that of torch.hub and, for models of the Hugging
// Face Hub, that of huggingface_hub: what Python has downloaded is found, and the
// reverse.
//
// https://docs.pytorch.org/docs/stable/hub.html
package hub

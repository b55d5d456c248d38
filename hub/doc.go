// Package hub is torch.hub for Go: it turns the name of a model into files in
// the cache, and these into a ready-to-run model.
//
// The caches are Python's own, that of torch.hub and, for the Hugging Face Hub,
// that of huggingface_hub: what Python has downloaded or trusts is found, and
// the reverse. A model comes from a Go package that has registered it
// ([Register]), from a repository on GitHub, a folder or a URL with a
// hubconf.json ([Hubconf], [Pack], [Validate]), or from the Hugging Face Hub. No code of
// a repository is run but TorchScript and, where it is trusted by itself, an
// AOTInductor package ([WithNativeCode]). A TorchScript archive whose URL is given as the weights
// has to be trusted by itself too ([WithTrust]). Of a hubconf.py the names and docstrings are
// read, and the command torchhub export makes models for Go of it.
//
// What each function, argument and variable of torch.hub is here, and the test
// that shows it, is a table in docs/torch-hub.md.
//
// https://docs.pytorch.org/docs/stable/hub.html
package hub

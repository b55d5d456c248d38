// Package hub is torch.hub for Go: it turns the name of a model into files in
// the cache, and these into a ready-to-run model.
//
// The caches are Python's own: torch.hub's and, for the Hugging Face Hub, huggingface_hub's.
// Files that Python has downloaded and repositories that it trusts are found, and the reverse. A
// model comes from a Go package that has registered it ([Register]), from a repository on GitHub,
// a folder or a URL with a hubconf.json ([Hubconf], [Pack], [Validate]), or from the Hugging Face
// Hub. The only code of a repository that runs is TorchScript and, if it is trusted separately,
// an AOTInductor package ([WithNativeCode]). A TorchScript archive whose URL is given as the
// weights must be trusted separately too ([WithTrust]). A hubconf.py is not run: its names and
// docstrings are read, and the command torchhub export converts its models for Go.
//
// A table in docs/torch-hub.md gives the equivalent of each function, argument
// and variable of torch.hub, and the test that shows it.
//
// https://docs.pytorch.org/docs/stable/hub.html
package hub

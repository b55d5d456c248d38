// Package nn has neural network layers, and functions on all of a module's
// tensors: torch.nn.
//
// A module is a pointer to a plain struct, and a method Forward is all it
// needs to be used in [Sequential]. Its parameters, buffers and submodules are
// its exported fields, as in encoding/json:
//
//	type Net struct {
//		Conv1 *nn.Conv2d            // conv1.weight, conv1.bias
//		BN1   *nn.BatchNorm2d       // bn1.weight, …
//		Head  nn.Sequential         // head.0.weight, …
//		Scale *torch.Tensor         // scale, a parameter
//		Mean  *torch.Tensor `nn:",buffer"`
//		Cache *torch.Tensor `nn:"-"` // not part of the module
//		Training bool               // set by Train and Eval
//	}
//
// A field's name in the state dict is its Go name in snake case, or the name in
// its tag. The options of a tag come after a comma: "buffer" for a tensor that
// is not trained, and "optional" for one that a checkpoint may lack. Slices and
// arrays of modules number their elements from 0, embedded structs add their
// fields to the outer one, as embedded containers add their modules, and nil fields
// are left out. The contents of a [SequentialDict], [ModuleDict] or [ParameterDict] have the names that it gives. A method StateVersion() int returns
// the version that [SaveStateDict] writes for a module, if it is not 1.
//
// A layer that has parameters, a mode or positional arguments is made by a function, such
// as NewLinear(4, 3). All others are ready as literals whose zero value has Python's
// defaults: &ReLU{}, &ELU{Alpha: 0.5}, &CrossEntropyLoss{LabelSmoothing: 0.1}. [Repr]
// prints modules as Python does.
//
// New layers are initialized as PyTorch's are, with the same numbers after the
// same torch.ManualSeed, and are in training mode. Layers on the meta device
// are not initialized:
//
//	torch.WithDevice(torch.Meta, func() { net = NewNet() })
//	err := nn.LoadStateDict(net, state, nn.LoadOptions{Assign: true})
//
// Forward methods may be called from any number of goroutines at once, except
// while training. Invalid arguments panic with a *torch.Error.
//
// https://docs.pytorch.org/docs/stable/nn.html
package nn

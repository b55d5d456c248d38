// Package torchtest helps to test Go code against PyTorch, as torch.testing does
// in Python: comparisons with PyTorch's tolerances and messages, random tensors
// with its numbers, files of inputs and outputs that Python wrote, and calls of
// functions in a live Python. The page docs/testing.md is a guide:
//
//	func TestNet(t *testing.T) {
//		f := torchtest.Load(t, "testdata/net.pt")
//		net := NewNet()
//		require.NoError(t, nn.LoadStateDict(net, f.StateDict("weights")))
//		torchtest.AssertClose(t, net.Forward(f.Tensor("input")), f.Tensor("output"))
//	}
//
// https://docs.pytorch.org/docs/stable/testing.html
package torchtest

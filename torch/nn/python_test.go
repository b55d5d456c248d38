package nn_test

// The tests of this package share two Pythons, since each imports torch for seconds: one
// that exchanges arrays, and one that exchanges tensors.
const (
	arrayScript  = checkpointScript + netScript + blockScript + portScript
	tensorScript = modulesScript + tiedScript + attentionScript
)

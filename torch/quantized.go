package torch

import (
	"strconv"

	"github.com/torchhub/torchhub/internal/pyrepr"
)

var opDequantize = NewOp("aten::dequantize", "self")

// IsQuantized reports whether x is quantized: x.is_quantized.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_quantized.html
func (x *Tensor) IsQuantized() bool {
	switch x.DType() {
	case QInt8, QUint8, QInt32, QUint4x2, QUint2x4:
		return true
	}
	return false
}

// qschemes are the quantization schemes by c10's numbers.
var qschemes = []QScheme{"torch.per_tensor_affine", "torch.per_channel_affine", "torch.per_tensor_symmetric", "torch.per_channel_symmetric", "torch.per_channel_affine_float_qparams"}

// QScheme returns how x is quantized: x.qscheme(). It panics with an [*Error] if x is
// not quantized.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.qscheme.html
func (x *Tensor) QScheme() QScheme { return qschemes[ask[int](x, opQScheme)] }

// dequantized writes the elements of a quantized tensor.
func dequantized(x *Tensor, o *printing, indent int) string {
	dense := ask[*Tensor](x, opDequantize)
	defer dense.Free()
	return contents(dense, o, indent)
}

// quantization returns the parameters of a quantized tensor as Python's repr writes them.
func quantization(x *Tensor) []string {
	scheme := x.QScheme()
	parts := []string{"quantization_scheme=" + string(scheme)}
	if scheme == "torch.per_tensor_affine" || scheme == "torch.per_tensor_symmetric" {
		return append(parts, "scale="+pyrepr.Float(ask[float64](x, opQScale)), "zero_point="+strconv.Itoa(ask[int](x, opQZeroPoint)))
	}
	scales, zeros := ask[*Tensor](x, opQScales), ask[*Tensor](x, opQZeroPoints)
	defer scales.Free()
	defer zeros.Free()
	return append(parts, "scale="+scales.String(), "zero_point="+zeros.String(), "axis="+strconv.Itoa(ask[int](x, opQAxis)))
}

package pt2

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// source is what AOTInductor writes of inputs [n, 4] float32, [2*n] int64 and of no dimension.
const source = `
AOTI_NOINLINE static void check_input_0(
    ConstantHandle arg4_1 = ConstantHandle(input_handles[0]);
    int32_t arg4_1_expected_dtype = aoti_torch_dtype_float32();
    if (arg4_1_size[0] < 2) {
    if (arg4_1_size[0] > 64) {
    if (4 != arg4_1_size[1]) {
    if (4 != arg4_1_stride[0]) {
    if (1 != arg4_1_stride[1]) {
    int32_t arg4_1_expected_device_type = 0;
    ConstantHandle arg5_1 = ConstantHandle(input_handles[1]);
    int32_t arg5_1_expected_dtype = aoti_torch_dtype_int64();
    if (1 != arg5_1_stride[0]) {
    ConstantHandle arg6_1 = ConstantHandle(input_handles[2]);
    int32_t arg6_1_expected_dtype = aoti_torch_dtype_bool();
AOTI_NOINLINE static void __check_inputs_outputs(
    int64_t s77 = arg4_1_size[0];
    if (_check_aoti_runtime_check_inputs_env()) { assert_size_stride(arg5_1, {2L*s77, }, {1L, }, "input"); }
    if (_check_aoti_runtime_check_inputs_env()) { assert_size_stride(buf0, {7L, }, {1L, }, "input"); }
`

func TestInputs(t *testing.T) {
	in, ok := parseInputs(source)
	require.True(t, ok)
	require.Len(t, in, 3)
	require.Equal(t, []string{"float32", "int64", "bool"}, []string{in[0].DType, in[1].DType, in[2].DType})
	require.Equal(t, []int{0, -1, -1}, []int{in[0].Device, in[1].Device, in[2].Device})
	type many = [][]int
	for _, c := range []struct {
		sizes, strides many
		says           string
	}{
		{many{{3, 4}, {6}, {}}, many{{4, 1}, {1}, {}}, ""},
		{many{{1, 4}, {2}, {}}, many{{9, 1}, {1}, {}}, ""}, // no step is made in a dimension of one
		{many{{0, 4}, {0}, {}}, many{{9, 9}, {9}, {}}, ""},
		{many{{100, 4}, {200}, {}}, many{{4, 1}, {1}, {}}, ""},
		{many{{3, 4}, {6}}, many{{4, 1}, {1}}, "takes 3 tensors, not 2"},
		{many{{3, 4, 1}, {6}, {}}, many{{4, 1, 1}, {1}, {}}, "input 0 has 3 dimensions, and must have 2"},
		{many{{3, 4}, {6}, {1}}, many{{4, 1}, {1}, {1}}, "input 2 has 1 dimensions, and must have 0"},
		{many{{3, 5}, {6}, {}}, many{{5, 1}, {1}, {}}, "size 5 in dimension 1, and must have 4"},
		{many{{3, 4}, {5}, {}}, many{{4, 1}, {1}, {}}, "size 5 in dimension 0, and must have 6"},
		{many{{3, 4}, {6}, {}}, many{{1, 3}, {1}, {}}, "stride 1 in dimension 0, and must have 4"},
		{many{{3, 4}, {6}, {}}, many{{4, 1}, {2}, {}}, "stride 2 in dimension 0, and must have 1"},
	} {
		err := Check(in, c.sizes, c.strides)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.says)
	}

	in, ok = parseInputs("void __check_inputs_outputs(\n")
	require.True(t, ok)
	require.NoError(t, Check(in, nil, nil))
	for _, bad := range []string{"", "int main() {}", "__check_inputs_outputs(\n ConstantHandle a = ConstantHandle(input_handles[1]);", "__check_inputs_outputs(\n ConstantHandle a = ConstantHandle(input_handles[0]);"} {
		_, ok = parseInputs(bad)
		require.False(t, ok, bad)
	}
}

func TestEvaluate(t *testing.T) {
	symbols := map[string]int{"s0": 3, "s77": 5}
	for s, want := range map[string]int{"4": 4, "4L": 4, "s0": 3, "2L*s77": 10, "s0 + 2L*s77 - 1": 12, "(s0 + 1L)*(s77 - 2)": 12, "-s0": -3, "-1L*s0": -3} {
		v, ok := evaluate(s, symbols)
		require.True(t, ok, s)
		require.Equal(t, want, v, s)
	}
	for _, s := range []string{"", "s1", "s0/2", "c10::div_floor_integer(s0, 2)", "s0 +", "(s0", "s0)", "s0 s77", "static_cast<int64_t>(s0)"} {
		_, ok := evaluate(s, symbols)
		require.False(t, ok, s)
	}
}

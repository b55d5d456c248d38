package torch

// A Layout is the way in which a tensor is stored in memory: torch.layout. The
// numbers are those of c10::Layout.
//
// https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.layout
type Layout int8

// Layouts.
const (
	Strided   Layout = 0
	Sparse    Layout = 1 // COO
	SparseCSR Layout = 2
	Mkldnn    Layout = 3
	SparseCSC Layout = 4
	SparseBSR Layout = 5
	SparseBSC Layout = 6
	Jagged    Layout = 7
)

// A MemoryFormat is the order of a dense tensor's dimensions in memory:
// torch.memory_format. The numbers are those of c10::MemoryFormat.
//
// https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.memory_format
type MemoryFormat int8

// Memory formats.
const (
	ContiguousFormat MemoryFormat = 0
	PreserveFormat   MemoryFormat = 1
	ChannelsLast     MemoryFormat = 2
	ChannelsLast3d   MemoryFormat = 3
)

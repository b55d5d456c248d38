package strictzip

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// willNeed makes the kernel read the pages of a mapped file, without waiting for it. On other systems it does
// nothing.
func willNeed(b []byte) {
	before := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % uintptr(os.Getpagesize()))
	start := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), -before)
	_ = unix.Madvise(unsafe.Slice((*byte)(start), before+len(b)), unix.MADV_WILLNEED)
}

//go:build !linux

package strictzip

func willNeed([]byte) {}

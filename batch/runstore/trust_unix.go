//go:build unix

package runstore

import (
	"io/fs"
	"syscall"
)

const (
	// noBlock keeps the opening of a pipe from waiting for its other end.
	noBlock      = syscall.O_NONBLOCK
	ownersMatter = true
)

// owner is who owns a file, and how many names it has.
func owner(info fs.FileInfo) (uid int, links uint64, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), uint64(stat.Nlink), true //nolint:unconvert // its type differs between systems
}

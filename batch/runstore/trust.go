package runstore

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// othersWrite are the permissions to write of everybody but the owner.
const othersWrite fs.FileMode = 0o022

// TrustError says that a folder, or a file of it, may have been prepared by
// somebody else: nothing of it is used.
type TrustError struct {
	Path   string
	Reason string
	Flag   bool // --trust-folder takes it
}

// Error says what is wrong with which path, and what to do.
func (e *TrustError) Error() string {
	remedy := "move it away"
	if e.Flag {
		remedy = "look at it, then give --trust-folder to take it as it is"
	}
	return fmt.Sprintf("%s %s: somebody else may have prepared it: %s", e.Path, e.Reason, remedy)
}

// checkFolder refuses a folder that somebody else owns or can write, or leads to by a
// link. What lies above it is the user's affair.
func checkFolder(path string, info fs.FileInfo) error {
	link, err := os.Lstat(filepath.Clean(path))
	if err != nil {
		return err
	}
	if uid, _, ok := owner(link); ok && !link.IsDir() && uid != os.Geteuid() && uid != 0 {
		return &TrustError{path, fmt.Sprintf("is a link of user %d", uid), true}
	}
	if uid, _, ok := owner(info); ok && uid != os.Geteuid() {
		return &TrustError{path, fmt.Sprintf("belongs to user %d, not to %d, who runs this", uid, os.Geteuid()), true}
	}
	if info.Mode().Perm()&othersWrite != 0 && ownersMatter {
		return &TrustError{path, fmt.Sprintf("can be written by others than its owner (mode %04o)", info.Mode().Perm()), true}
	}
	return nil
}

// checkFile refuses what is no regular file, has a second name somewhere, or
// belongs to somebody else.
func checkFile(path string, info fs.FileInfo, trust bool) error {
	if !info.Mode().IsRegular() {
		return &TrustError{path, "is no regular file", false}
	}
	uid, links, ok := owner(info)
	switch {
	case ok && links > 1:
		return &TrustError{path, "has a second name (a hard link)", false}
	case ok && uid != os.Geteuid() && !trust:
		return &TrustError{path, fmt.Sprintf("belongs to user %d, not to %d, who runs this", uid, os.Geteuid()), true}
	}
	return nil
}

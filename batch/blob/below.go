package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names lists every file below a folder or an S3 prefix, those that begin with
// "_" or "." too, relative to it and with slashes, in no order that counts.
// There may be none, and no folder.
func Names(ctx context.Context, location string) ([]string, error) {
	if IsS3(location) {
		objects, err := OpenObjects(ctx, location)
		if err != nil {
			return nil, err
		}
		names, err := objects.List(ctx, "")
		return names, err
	}
	var names []string
	err := filepath.WalkDir(location, func(path string, d fs.DirEntry, err error) error {
		switch {
		case path == location && errors.Is(err, fs.ErrNotExist):
			return nil
		case path == location && err == nil && !d.IsDir():
			return fmt.Errorf("%s: it is a file: a folder was expected", location)
		case err != nil || d.IsDir():
			return err
		}
		name, err := filepath.Rel(location, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	return names, err
}

// RemoveBelow removes files below a folder or an S3 prefix, and the folders
// below it that are empty then. Those that are not there do not matter.
func RemoveBelow(ctx context.Context, location string, names []string) error {
	if IsS3(location) {
		objects, err := OpenObjects(ctx, location)
		if err != nil {
			return err
		}
		return objects.Delete(ctx, names...)
	}
	for _, name := range names {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("remove %s: it is not below %s", name, location)
		}
		path := filepath.Join(location, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for dir := filepath.Dir(path); len(dir) > len(filepath.Clean(location)); dir = filepath.Dir(dir) {
			if os.Remove(dir) != nil {
				break // it is not empty
			}
		}
	}
	syncFolder(location)
	return nil
}

// Leftovers removes what uploads to a path with a tag left behind that were
// neither committed nor given up, because their process died. S3 keeps such
// parts out of sight until a rule of the bucket removes them.
func Leftovers(location, tag string) error {
	if IsS3(location) {
		return nil
	}
	found, err := filepath.Glob(globEscape(filepath.Dir(location)) + string(filepath.Separator) + globEscape(tempName(location, tag)) + ".*.tmp")
	for _, path := range found {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// globEscape makes a pattern that matches text alone.
func globEscape(text string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(text)
}

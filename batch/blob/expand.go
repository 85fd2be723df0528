package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hiveNull is how Hive, Spark and Athena write the value of a partition whose
// key is null.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

func (s local) expand(ctx context.Context, arg string) ([]Info, error) {
	paths := []string{arg}
	fi, err := os.Stat(arg)
	switch {
	case err == nil && !fi.IsDir():
		in, err := localInfo(arg, fi)
		return []Info{in}, err
	case errors.Is(err, fs.ErrNotExist) && hasMeta(arg):
		if paths, err = glob(arg); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	found, err := s.files(ctx, paths)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("expand %s: no input file is there (files beginning with _ or . are passed over)", arg)
	}
	return found, nil
}

func hasMeta(arg string) bool { return strings.ContainsAny(arg, `*?[`) }

// glob is filepath.Glob without markers and hidden files, unless the pattern
// itself asks for them.
func glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("expand %s: %w", pattern, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("expand %s: the pattern matches nothing", pattern)
	}
	if passedOver(filepath.Base(pattern)) {
		return paths, nil
	}
	return slices.DeleteFunc(paths, func(p string) bool { return passedOver(filepath.Base(p)) }), nil
}

// folderMarker ends the names of empty objects that stand for folders (Hadoop).
const folderMarker = "_$folder$"

// passedOver tells markers and hidden names. A partition whose key begins with
// _ is neither, as in Spark.
func passedOver(name string) bool {
	if strings.HasSuffix(name, folderMarker) {
		return true
	}
	if strings.HasPrefix(name, "_") {
		return !strings.Contains(name, "=")
	}
	return strings.HasPrefix(name, ".") && name != "." && name != ".."
}

// files lists every file of the paths and of the folders among them, in the
// lexical order of the whole path with slashes, which is the order in which an
// object store lists the same names.
func (s local) files(ctx context.Context, paths []string) ([]Info, error) {
	var found []Info
	for _, path := range paths {
		if err := walk(ctx, path, nil, &found); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b Info) int {
		return strings.Compare(filepath.ToSlash(a.Location), filepath.ToSlash(b.Location))
	})
	return found, nil
}

// walk collects the files below path, following links; above are the folders
// it is within, to notice a link that leads back into one of them.
func walk(ctx context.Context, path string, above []fs.FileInfo, found *[]Info) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		in, err := localInfo(path, fi)
		*found = append(*found, in)
		return err
	}
	if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, fi) }) {
		return fmt.Errorf("expand %s: the folder contains itself through a link", path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	if len(above) > 0 && isRun(entries) {
		return nil
	}
	for _, e := range entries {
		if passedOver(e.Name()) {
			continue
		}
		if err := walk(ctx, filepath.Join(path, e.Name()), append(above, fi), found); err != nil {
			return err
		}
	}
	return nil
}

// isRun tells the folder of an earlier run, which nobody means who names a folder
// above it: runs stand in the working folder unless told otherwise.
func isRun(entries []fs.DirEntry) bool {
	named := func(name string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
	}
	return named("job.json") && named("checkpoint.json")
}

// partitions reads the key=value folders of a path.
func partitions(path string) []Partition {
	var found []Partition
	folders := strings.Split(filepath.ToSlash(filepath.Dir(path)), "/")
	for _, folder := range folders {
		name, value, ok := strings.Cut(folder, "=")
		if !ok || name == "" {
			continue
		}
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		p := Partition{Name: name, Value: value, Null: value == hiveNull}
		if p.Null {
			p.Value = ""
		}
		found = append(found, p)
	}
	return found
}

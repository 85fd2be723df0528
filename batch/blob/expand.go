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

func (local) expand(ctx context.Context, arg string) ([]Info, error) {
	paths, base := []string{arg}, arg
	fi, err := os.Stat(arg)
	switch {
	case err == nil && !fi.IsDir():
		in, err := localInfo(arg, fi)
		return []Info{in}, err
	case errors.Is(err, fs.ErrNotExist) && hasMeta(arg):
		if paths, err = glob(arg); err != nil {
			return nil, err
		}
		base = filepath.Dir(arg[:strings.IndexAny(arg, `*?[`)] + "x")
	case err != nil:
		return nil, err
	}
	w := &walker{ctx: ctx, links: linksOf(ctx)}
	if w.root, err = filepath.EvalSymlinks(base); err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := w.walk(path, nil); err != nil {
			return nil, err
		}
	}
	if len(w.found) == 0 {
		return nil, fmt.Errorf("expand %s: no input file is there (files beginning with _ or . are passed over)", arg)
	}
	// The order in which an object store lists the same names.
	slices.SortFunc(w.found, func(a, b Info) int {
		return strings.Compare(filepath.ToSlash(a.Location), filepath.ToSlash(b.Location))
	})
	return w.found, nil
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
	if ignored(filepath.Base(pattern)) {
		return paths, nil
	}
	return slices.DeleteFunc(paths, func(p string) bool { return ignored(filepath.Base(p)) }), nil
}

// folderMarker ends the names of empty objects that stand for folders (Hadoop).
const folderMarker = "_$folder$"

// ignored tells markers and hidden names. A partition whose key begins with
// _ is neither, as in Spark.
func ignored(name string) bool {
	if strings.HasSuffix(name, folderMarker) {
		return true
	}
	if strings.HasPrefix(name, "_") {
		return !strings.Contains(name, "=")
	}
	return strings.HasPrefix(name, ".") && name != "." && name != ".."
}

// links say what becomes of links that lead out of a folder of inputs.
type links struct {
	follow bool
	warn   func(message string)
}

type linksContextKey struct{}

// WithLinks returns a context in which Expand follows links out of the folder that
// an argument names, or does not, which is the default: whoever can write to the
// folder could name any file. warn is told of what is passed over; it may be nil.
func WithLinks(ctx context.Context, follow bool, warn func(message string)) context.Context {
	return context.WithValue(ctx, linksContextKey{}, &links{follow, warn})
}

func linksOf(ctx context.Context) *links {
	if l, ok := ctx.Value(linksContextKey{}).(*links); ok {
		return l
	}
	return &links{}
}

// walker collects the files of folders.
type walker struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one expand
	links *links
	root  string // the real path that links may not lead out of
	found []Info
}

// walk collects the files below path; above are the folders it is within, to notice
// a link that leads back into one of them.
func (w *walker) walk(path string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	if why := w.leadsOut(path); why != "" {
		w.passOver(path, why)
		return nil
	}
	fi, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !fi.IsDir() && !fi.Mode().IsRegular():
		w.passOver(path, "it is a pipe, a device or a socket: name it itself to read it")
		return nil
	case !fi.IsDir():
		in, err := localInfo(path, fi)
		w.found = append(w.found, in)
		return err
	case slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, fi) }):
		return fmt.Errorf("expand %s: the folder contains itself through a link", path)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(above) > 0 && isRun(entries) {
		return err
	}
	for _, e := range entries {
		if ignored(e.Name()) {
			continue
		}
		if err := w.walk(filepath.Join(path, e.Name()), append(above, fi)); err != nil {
			return err
		}
	}
	return nil
}

// leadsOut says why a link is not followed; nothing for all else.
func (w *walker) leadsOut(path string) string {
	fi, err := os.Lstat(path)
	if w.links.follow || err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		return ""
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "it is a link to nothing"
	}
	inside, err := filepath.Rel(w.root, target)
	if err != nil || !filepath.IsLocal(inside) {
		return "it is a link that leads out of the folder: --follow-links follows it"
	}
	return ""
}

func (w *walker) passOver(path, why string) {
	if w.links.warn != nil {
		w.links.warn(fmt.Sprintf("%s is passed over: %s", path, why))
	}
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

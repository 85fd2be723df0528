package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"pushbatch/batch/blob"
)

// publishingFile stands in the folder of a table of several files while its
// files are exchanged: it names all of them, old and new. Where it is, the table
// is not whole; should the process die, the next one knows by it what is ours.
const publishingFile = "_publishing.json"

// publishing is the content of publishingFile.
type publishing struct {
	Files []string `json:"files"`
}

// partName is how the files of a table of several files are named. Nothing else
// is ever removed, whatever a manifest says.
var partName = regexp.MustCompile(`^([^/]+=[^/]*/)?part-\d{5,}\.(csv|ndjson|parquet)(\.gz|\.zst)?$`)

// CheckTarget finds out before a run begins whether its inventory can
// be published at the end: the error says what is in the way. Readers take all
// files of a folder for one table, so files that no manifest of ours names
// are.
func CheckTarget(ctx context.Context, o *Options) error {
	if o.many() {
		return o.checkFolder(ctx)
	}
	_, err := blob.Stat(ctx, o.Target.Location)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && (!blob.IsS3(o.Target.Location) || !errors.Is(err, fs.ErrPermission)) {
		return err // S3 forbids, rather than misses, what those without the right to list ask for
	}
	old, err := readTable(ctx, path.Dir(o.ManifestLocation()))
	if err != nil {
		return err
	}
	if len(old) > 0 {
		return fmt.Errorf("%s is the folder of a table of %d files (%s, …): give the new table another folder",
			path.Dir(o.ManifestLocation()), len(old), old[0])
	}
	return probe(ctx, o.Target.Location)
}

func (o *Options) checkFolder(ctx context.Context) error {
	folder := o.Target.folder()
	names, err := blob.Names(ctx, folder)
	if err != nil {
		return err
	}
	ours, err := readTable(ctx, folder)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return hidden(name) || slices.Contains(ours, name)
	})
	if len(names) > 0 {
		slices.Sort(names)
		files := "files"
		if len(names) == 1 {
			files = "file"
		}
		return fmt.Errorf("the folder %s has %d %s that no %s names (%s), which its readers would take for a part of the table: move them away, or give another --to",
			folder, len(names), files, ManifestFile, strings.Join(names[:min(3, len(names))], ", "))
	}
	return probe(ctx, o.Target.folder()+"/"+ManifestFile)
}

// probe makes sure that a local file can be written. In S3 writing would leave
// something to be seen.
func probe(ctx context.Context, location string) error {
	if blob.IsS3(location) {
		return nil
	}
	upload, err := blob.Create(ctx, location)
	if err != nil {
		return err
	}
	return upload.Abort()
}

// hidden tells names that readers of a folder pass over.
func hidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") && !strings.Contains(part, "=")
	})
}

// readTable names the files of a table of several files that is in a folder, or
// was about to be put there.
func readTable(ctx context.Context, folder string) ([]string, error) {
	var names []string
	var m Manifest
	if err := readJSON(ctx, folder+"/"+ManifestFile, &m); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		names = append(names, f.Path)
	}
	var p publishing
	if err := readJSON(ctx, folder+"/"+publishingFile, &p); err != nil {
		return nil, err
	}
	names = append(names, p.Files...)
	slices.Sort(names)
	return slices.Compact(slices.DeleteFunc(names, func(name string) bool { return !partName.MatchString(name) })), nil
}

// readJSON reads a small file; one that is not there, or may not be seen, or is
// nothing of ours, leaves v empty.
func readJSON(ctx context.Context, location string, v any) error {
	info, err := blob.Stat(ctx, location)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	in, err := blob.Open(ctx, info, 0)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	_ = json.Unmarshal(data, v) // another program's file of this name
	return nil
}

// replace puts the files of a table in place of those of the table that was
// there. All are rendered by now, so that readers see a mix of both for no
// longer than it takes to remove and to rename files (in S3: to upload them);
// while there is no manifest the folder holds no whole table.
func (p *publication) replace(m *Manifest) error {
	folder := p.options.Target.folder()
	old, err := readTable(p.ctx, folder)
	if err != nil {
		return err
	}
	var fresh []string
	for _, f := range m.Files {
		fresh = append(fresh, f.Path)
	}
	if err := p.writeJSON(folder+"/"+publishingFile, publishing{append(slices.Clone(old), fresh...)}); err != nil {
		return err
	}
	if err := blob.RemoveBelow(p.ctx, folder, []string{ManifestFile}); err != nil {
		return err
	}
	stale := slices.DeleteFunc(old, func(name string) bool { return slices.Contains(fresh, name) })
	if err := blob.RemoveBelow(p.ctx, folder, stale); err != nil {
		return err
	}
	if err := p.commit(); err != nil {
		return err
	}
	if err := p.writeJSON(p.options.ManifestLocation(), m); err != nil {
		return err
	}
	return blob.RemoveBelow(p.ctx, folder, []string{publishingFile})
}

func (p *publication) commit() error {
	for _, f := range p.finished {
		if err := f.commit(p.ctx); err != nil {
			return err
		}
	}
	return nil
}

package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"pushbatch/batch"
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
		if err := o.checkFolder(ctx); err != nil {
			return err
		}
	} else if err := o.checkFile(ctx); err != nil {
		return err
	}
	old, err := o.existing(ctx)
	if err != nil {
		return err
	}
	if o.FromInput && old.manifest != nil && !old.manifest.FromInput {
		return o.partial(old, "what INPUT names")
	}
	return o.partial(old, o.Partial)
}

func (o *Options) checkFile(ctx context.Context) error {
	folder := folderOf(o.Target.Location)
	old, err := readTable(ctx, folder)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		return fmt.Errorf("%s is the folder of a table of %d files (%s, …): give the new table another folder", folder, len(old), old[0])
	}
	return probe(ctx, o.Target.Location)
}

// existing is the table that the new one takes the place of.
type existing struct {
	exists   bool
	manifest *Manifest // nil: none describes it
	place    string    // of its manifest, and of the new one
}

// existing looks for the table that is there. The manifest of a single file is
// ManifestFile beside it; where that describes another file, as in a folder of
// several tables, it has the file's name in its own.
func (o *Options) existing(ctx context.Context) (s existing, err error) {
	folder := o.Target.folder()
	places, name := []string{folder + "/" + ManifestFile}, ""
	if !o.many() {
		folder, name = folderOf(o.Target.Location), path.Base(o.Target.Location)
		places = []string{folder + "/_manifest." + name + ".json", folder + "/" + ManifestFile}
		if s.exists, err = isThere(ctx, o.Target.Location); err != nil {
			return s, err
		}
	}
	for _, place := range places {
		var m Manifest
		if err := readJSON(ctx, place, &m); err != nil {
			return s, err
		}
		current := len(m.Files) > 0 && (name == "" || len(m.Files) == 1 && m.Files[0].Path == name)
		if current && (s.exists || name == "") {
			return existing{true, &m, place}, nil
		}
		if current || len(m.Files) == 0 { // the last one, unless another table has it
			s.place = place
		}
	}
	return s, nil
}

// isThere reports whether a file exists. S3 forbids, rather than misses, what those
// without the right to list ask for.
func isThere(ctx context.Context, location string) (bool, error) {
	_, err := blob.Stat(ctx, location)
	if errors.Is(err, fs.ErrNotExist) || blob.IsS3(location) && errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	return err == nil, err
}

// folderOf is the folder of a location.
func folderOf(location string) string {
	folder, _ := path.Split(location)
	if folder == "/" {
		return folder
	}
	return cmp.Or(strings.TrimSuffix(folder, "/"), ".")
}

// partial refuses that a part takes the place of the whole. why names the part;
// empty: it is none.
func (o *Options) partial(old existing, why string) error {
	if why == "" || o.Replace || !old.exists || old.manifest != nil && old.manifest.Partial != "" {
		return nil
	}
	rows := "a table"
	if old.manifest != nil {
		rows = fmt.Sprintf("a whole table (%d rows)", old.manifest.Rows)
	}
	return fmt.Errorf("%s holds %s, and this export is a part of it (%s): give another --to, or --replace if the part is to take its place", o.Place(), rows, why)
}

// refuseSubset looks, once the devices are known, whether those of an INPUT are
// a part of the table that is there.
func (p *publication) refuseSubset(old existing) error {
	o := p.options
	if err := o.partial(old, o.Partial); err != nil || !o.FromInput || old.manifest == nil || p.firstPass.rows >= old.manifest.Rows {
		return err
	}
	fresh := make(map[uint64]bool)
	err := p.eachRow(func(cells []batch.Value) error {
		fresh[p.firstPass.hash(cells)] = true
		return nil
	})
	for _, f := range old.manifest.Files {
		if err == nil {
			err = o.eachID(p.ctx, folderOf(old.place)+"/"+f.Path, func(id string) { delete(fresh, p.firstPass.hashID(id)) })
		}
	}
	if err != nil || len(fresh) > 0 {
		return err
	}
	return o.partial(old, "what INPUT names")
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
		return blob.PassedOver(strings.Split(name, "/")...) || slices.Contains(ours, name)
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
	return probe(ctx, folder+"/"+ManifestFile)
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
// another program's, leaves v empty.
func readJSON[T any](ctx context.Context, location string, v *T) error {
	err := blob.GetJSON(ctx, location, v)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, blob.ErrNoJSON) {
		*v = *new(T)
		return nil
	}
	return err
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
	if err := blob.PutJSON(p.ctx, folder+"/"+publishingFile, publishing{append(slices.Clone(old), fresh...)}); err != nil {
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
	if err := blob.PutJSON(p.ctx, folder+"/"+ManifestFile, m); err != nil {
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

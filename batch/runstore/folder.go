package runstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// Modes of what a run makes: results may hold personal data.
const (
	fileMode   fs.FileMode = 0o600
	folderMode fs.FileMode = 0o700
)

// Names of the files of a run folder.
const (
	JobFile        = "job.json"
	SummaryFile    = "summary.json"
	FailedFile     = "failed.csv"
	RequestsFile   = "requests.ndjson"
	CheckpointFile = "checkpoint.json"
	GatheredFile   = "inventory.spool"   // rows of an export until they are published
	PeopleFile     = "people.ndjson"     // pages of the people listing
	BeforeFile     = "before.ndjson.zst" // what devices were before the run
	PartSuffix     = ".part"

	// DeltaOutcomesFile is what a delta state must know of the rows.
	DeltaOutcomesFile = "delta.outcomes"

	tempSuffix = ".tmp"
	maxJSON    = 64 << 20 // bytes
)

// reports are the files that grow with a run: the only names that a checkpoint may
// have.
var reports = []string{"results.csv", "results.ndjson", "results.parquet", FailedFile, RequestsFile, GatheredFile, PeopleFile, BeforeFile, DeltaOutcomesFile}

// ErrRunExists is returned by Create for a folder that holds a run.
var ErrRunExists = errors.New("the folder holds a run already")

// ErrNoRun is returned by Open for a folder that holds no run.
var ErrNoRun = errors.New("the folder holds no run")

// Folder is a run folder on disk, or in S3 with a spool folder on disk. What stands
// in it is input, not truth: every name is checked, no link is followed.
type Folder struct {
	fs     FS
	path   string
	hold   *Holding // nil: the run is only looked at
	remote *mirror  // nil: on disk
}

// Create makes a location, a path or an s3:// prefix, the folder of a new run and
// holds it. It refuses a folder that holds a run (ErrRunExists), that another
// process is using (*LockedError) or that somebody else may have prepared
// (*TrustError).
// In S3 files grow in a temporary folder; every checkpoint brings what they grew by
// to S3, every published file goes there whole. Close removes the temporary folder.
func Create(ctx context.Context, location string, o Options) (*Folder, error) {
	if blob.IsS3(location) {
		return createS3(ctx, location, o)
	}
	d, err := makeDisk(location, o.Trust)
	if err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	return CreateIn(ctx, d, location, o)
}

// CreateIn is Create over another file layer.
func CreateIn(ctx context.Context, fsys FS, path string, o Options) (*Folder, error) {
	f := &Folder{fs: fsys, path: path}
	if err := f.acquire(ctx, o); err != nil {
		return nil, err
	}
	if f.Exists(JobFile) {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrRunExists), f.Close())
	}
	return f, nil
}

// Open holds the folder of a run that exists, to go on with it. It returns ErrNoRun
// when there is none; the rest is as with Create. In S3 the files are rebuilt as the
// checkpoint says.
func Open(ctx context.Context, location string, o Options) (*Folder, error) {
	if blob.IsS3(location) {
		return openS3(ctx, location, o)
	}
	d, err := openDisk(location, o.Trust)
	if notThere(err) != nil {
		return nil, err
	}
	return OpenIn(ctx, d, location, o)
}

// OpenIn is Open over another file layer.
func OpenIn(ctx context.Context, fsys FS, path string, o Options) (*Folder, error) {
	f := &Folder{fs: fsys, path: path}
	if !f.Exists(JobFile) {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrNoRun), fsys.Close())
	}
	if err := f.acquire(ctx, o); err != nil {
		return nil, err
	}
	names, err := fsys.Names()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for _, name := range names {
		if strings.HasSuffix(name, tempSuffix) { // of a process that died; it costs room, nothing else
			_ = fsys.Remove(name)
		}
	}
	return f, nil
}

// View looks at the folder of a run without holding it: for readers. There may be
// none. Close it.
func View(ctx context.Context, location string, o Options) (*Folder, error) {
	if blob.IsS3(location) {
		return viewS3(ctx, location)
	}
	d, err := openDisk(location, o.Trust)
	if notThere(err) != nil {
		return nil, err
	}
	return &Folder{fs: d, path: location}, nil
}

func (f *Folder) acquire(ctx context.Context, o Options) (err error) {
	if f.hold, err = Hold(ctx, f.path, o); err != nil {
		return errors.Join(err, f.fs.Close())
	}
	return nil
}

// Close lets the next process in.
func (f *Folder) Close() error {
	err := f.fs.Close()
	if f.hold != nil {
		err = errors.Join(err, f.hold.Release())
	}
	f.hold = nil
	if f.remote != nil {
		err = errors.Join(err, f.remote.close())
	}
	return err
}

// Lost is why the run is no longer held; nil while it is.
func (f *Folder) Lost() error {
	if f.hold == nil {
		return nil
	}
	return f.hold.Check()
}

// WhenLost calls stop when the run is lost, see Holding.WhenLost.
func (f *Folder) WhenLost(stop func(error)) { f.hold.WhenLost(stop) }

// Holder tells who works on the run at the moment, see HolderOf.
func (f *Folder) Holder() (Holder, bool) {
	ctx := context.Background()
	if f.remote != nil {
		ctx = f.remote.ctx
	}
	return HolderOf(ctx, f.Path(""))
}

// Path returns the location of a file of the folder, a path or s3://…; that of
// "" is the folder's.
func (f *Folder) Path(name string) string {
	if f.remote != nil {
		return blob.Join(f.remote.location, name)
	}
	return filepath.Join(f.path, name)
}

// LocalPath is where a file lies on this machine while it grows. A file that
// ReportOptions.Kept names is brought to a folder in S3 by the checkpoints.
func (f *Folder) LocalPath(name string) string { return f.LocalFile(name + PartSuffix) }

// LocalFile is where a published file lies on this machine.
func (f *Folder) LocalFile(name string) string { return filepath.Join(f.path, name) }

// Remove deletes a file that is needed no more, wherever the folder is.
func (f *Folder) Remove(name string) error {
	err := f.fs.Remove(name)
	if f.remote != nil {
		err = errors.Join(err, f.remote.remove(name))
	}
	return err
}

// PartSize is how many bytes a report has that grows at LocalPath; false: there is
// none.
func (f *Folder) PartSize(name string) (int64, bool) {
	info, err := f.fs.Stat(name + PartSuffix)
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}

// Exists reports whether the folder has a file of that name.
func (f *Folder) Exists(name string) bool {
	_, err := f.fs.Stat(name)
	return err == nil
}

// WriteFile writes a whole file: after it returned, the new content survives a
// power loss; whenever it is interrupted, the old content (or none) is there.
func (f *Folder) WriteFile(name string, data []byte) error {
	return f.write(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// write makes a whole file: a temporary one is filled, synced and renamed. What goes
// wrong leaves the file that was there.
func (f *Folder) write(name string, fill func(io.Writer) error) error {
	temp := name + "." + rand.Text()[:8] + tempSuffix
	err := f.fill(temp, fill)
	if err == nil {
		err = f.publish(temp, name)
	}
	if err != nil {
		_ = f.fs.Remove(temp) // the error that counts is the first
		return fmt.Errorf("write %s: %w", f.Path(name), err)
	}
	return nil
}

func (f *Folder) fill(temp string, fill func(io.Writer) error) error {
	file, err := f.fs.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	if err = fill(file); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// publish renames a synced file and makes the rename durable.
func (f *Folder) publish(from, to string) error {
	if err := f.fs.Rename(from, to); err != nil {
		return err
	}
	if f.remote != nil {
		return f.remote.publish(to)
	}
	return f.fs.SyncDir()
}

// WriteJSON writes v as indented JSON, as WriteFile does.
func (f *Folder) WriteJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path(name), err)
	}
	return f.WriteFile(name, append(data, '\n'))
}

// ReadJSON reads a file that WriteJSON wrote. A file that is not there is
// fs.ErrNotExist.
func (f *Folder) ReadJSON(name string, v any) error {
	file, err := f.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxJSON+1))
	if err == nil && len(data) > maxJSON {
		err = fmt.Errorf("it has more than %d MiB", maxJSON>>20)
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", f.Path(name), err)
	}
	return nil
}

// SaveCheckpoint makes a checkpoint durable in place of the last one.
func (f *Folder) SaveCheckpoint(c *batch.Checkpoint) error {
	if f.remote != nil {
		return f.remote.save(c)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path(CheckpointFile), err)
	}
	return f.WriteFile(CheckpointFile, data)
}

// LoadCheckpoint reads the last checkpoint, and adds to it the rows of the
// journal that were finished since. It returns nil for a run of which neither is
// there.
func (f *Folder) LoadCheckpoint() (*batch.Checkpoint, error) {
	c := new(batch.Checkpoint)
	err := f.ReadJSON(CheckpointFile, c)
	none := errors.Is(err, fs.ErrNotExist)
	if err != nil && !none {
		return nil, fmt.Errorf("%w (a run goes on with the version that began it, which its job.json names)", err)
	}
	if err := checkPoint(f.Path(CheckpointFile), c); err != nil {
		return nil, err
	}
	rows, next, err := f.readJournal(c.Journal)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	if none && len(rows) == 0 {
		return nil, nil
	}
	c.Recover(rows, next)
	return c, nil
}

// checkPoint refuses what no run saves, and reports that this version does not write:
// a name in a checkpoint decides which file is cut, replaced or deleted.
func checkPoint(location string, c *batch.Checkpoint) error {
	for name, length := range c.Mark {
		if !slices.Contains(reports, name) {
			return fmt.Errorf("read %s: it names a report %q that this version does not write", location, name)
		}
		if length < 0 {
			return fmt.Errorf("read %s: it gives %s %d bytes", location, name, length)
		}
	}
	if err := c.Check(); err != nil {
		return fmt.Errorf("read %s: %w", location, err)
	}
	return nil
}

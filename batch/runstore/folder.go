package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"pushbatch/batch"
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
	PartSuffix     = ".part"
)

// ErrRunExists is returned by CreateFolder for a folder that holds a run.
var ErrRunExists = errors.New("the folder holds a run already")

// ErrNoRun is returned by OpenFolder for a folder that holds no run.
var ErrNoRun = errors.New("the folder holds no run")

// Folder is a run folder on disk, or in S3 with a spool folder on disk.
type Folder struct {
	fs     FS
	path   string
	lock   *lock
	remote *mirror // nil: on disk
}

// CreateFolder makes path the folder of a new run and locks it. It refuses a
// folder that holds a run (ErrRunExists) or that another process is using
// (*LockedError).
func CreateFolder(fsys FS, path string) (*Folder, error) {
	if err := fsys.MkdirAll(path, folderMode); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	f := &Folder{fs: fsys, path: path}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	if f.Exists(JobFile) {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrRunExists)
	}
	return f, nil
}

// OpenFolder locks the folder of a run that exists, to go on with it. It
// returns ErrNoRun when there is none and a *LockedError when another process
// holds it.
func OpenFolder(fsys FS, path string) (*Folder, error) {
	f := ViewFolder(fsys, path)
	if !f.Exists(JobFile) {
		return nil, fmt.Errorf("%s: %w", path, ErrNoRun)
	}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	return f, nil
}

// ViewFolder looks at the folder of a run without locking it: for readers.
func ViewFolder(fsys FS, path string) *Folder { return &Folder{fs: fsys, path: path} }

func (f *Folder) acquire() (err error) {
	f.lock, err = acquireLock(f.LocalFile(lockFile))
	return err
}

// Close gives the lock back.
func (f *Folder) Close() error {
	if f.remote != nil {
		return f.remote.close()
	}
	if f.lock == nil {
		return nil
	}
	l := f.lock
	f.lock = nil
	return l.release()
}

// Path returns the location of a file of the folder, a path or s3://…; that of
// "" is the folder's.
func (f *Folder) Path(name string) string {
	if f.remote != nil {
		return f.remote.objects.Location(name)
	}
	return filepath.Join(f.path, name)
}

// LocalPath is where a file lies on this machine while it grows. A file that
// ReportOptions.Kept names is brought to a folder in S3 by the checkpoints.
func (f *Folder) LocalPath(name string) string { return f.LocalFile(name + PartSuffix) }

// Remove deletes a file that is needed no more, wherever the folder is.
func (f *Folder) Remove(name string) error {
	err := f.fs.Remove(f.LocalFile(name))
	if f.remote != nil {
		err = errors.Join(err, f.remote.remove(name))
	}
	return err
}

// PartSize is how many bytes a report has that grows at LocalPath; false: there is
// none.
func (f *Folder) PartSize(name string) (int64, bool) {
	info, err := f.fs.Stat(f.LocalPath(name))
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}

// Exists reports whether the folder has a file of that name.
func (f *Folder) Exists(name string) bool {
	_, err := f.fs.Stat(f.LocalFile(name))
	return err == nil
}

// WriteFile writes a whole file: after it returned, the new content survives a
// power loss; whenever it is interrupted, the old content (or none) is there.
func (f *Folder) WriteFile(name string, data []byte) error {
	temp := f.LocalFile(name + ".tmp")
	if err := f.writeSynced(temp, data); err != nil {
		return fmt.Errorf("write %s: %w", f.Path(name), err)
	}
	if err := f.publish(temp, f.LocalFile(name)); err != nil {
		return fmt.Errorf("write %s: %w", f.Path(name), err)
	}
	return nil
}

func (f *Folder) writeSynced(path string, data []byte) error {
	file, err := f.fs.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
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
		return f.remote.publish(filepath.Base(to))
	}
	return f.fs.SyncDir(f.path)
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
	file, err := f.fs.OpenFile(f.LocalFile(name), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
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

// LoadCheckpoint reads the last checkpoint. It returns nil for a run that ended
// before its first one.
func (f *Folder) LoadCheckpoint() (*batch.Checkpoint, error) {
	c := new(batch.Checkpoint)
	err := f.ReadJSON(CheckpointFile, c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return c, err
}

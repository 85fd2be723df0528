package runstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pushbatch/batch/blob"
)

func (m *mirror) load(ctx context.Context) (remotePoint, blob.Version, error) {
	var point remotePoint
	object, err := m.objects.Get(ctx, CheckpointFile)
	if err != nil {
		return point, "", err
	}
	if err := json.Unmarshal(object.Data, &point); err != nil {
		return point, "", fmt.Errorf("read %s: %w", m.objects.Location(CheckpointFile), err)
	}
	return point, object.Version, nil
}

// restore makes the checkpoint this process's, then rebuilds the files.
func (m *mirror) restore(ctx context.Context) error {
	point, version, err := m.load(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		version = blob.Absent
	case err != nil:
		return err
	}
	m.saves = point.Saves
	if point.Reports != nil {
		m.reports = point.Reports
	}
	if err := m.put(ctx, point.Checkpoint, version); err != nil {
		return err
	}
	m.removeOrphans(ctx)
	if err := m.fetch(ctx, JobFile, SummaryFile); err != nil || point.Checkpoint == nil {
		return err
	}
	if err := m.spoolJSON(CheckpointFile, point.Checkpoint); err != nil {
		return err
	}
	for name, length := range point.Checkpoint.Mark {
		if point.Checkpoint.Ended {
			err = m.fetch(ctx, name)
		} else {
			err = m.rebuild(ctx, name, length)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeOrphans removes what a process that died left behind: segments that no checkpoint
// came to name, uploads that were never completed. What cannot be removed takes
// room and does no harm.
func (m *mirror) removeOrphans(ctx context.Context) {
	_ = m.objects.AbortStaleUploads(ctx)
	names, err := m.objects.List(ctx, segmentFolder+"/")
	if err != nil {
		return
	}
	for _, r := range m.reports {
		names = slices.DeleteFunc(names, func(name string) bool {
			return slices.ContainsFunc(r.Segments, func(s segment) bool { return s.Name == name })
		})
	}
	_ = m.objects.Delete(ctx, names...)
}

// rebuild makes a growing report of its segments, and takes back what an
// earlier stop has published of it.
func (m *mirror) rebuild(ctx context.Context, name string, length int64) error {
	r := m.reports[name]
	if r == nil {
		r = &mirroredReport{}
	}
	f, err := os.OpenFile(filepath.Join(m.spool, name+PartSuffix), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer f.Close()
	at := int64(0)
	for _, s := range r.Segments {
		n, err := m.objects.Download(ctx, s.Name, f)
		if err != nil {
			return err
		}
		if s.From != at || n != s.To-s.From {
			return fmt.Errorf("%s has %d bytes, but its checkpoint counts %d: it was replaced", m.objects.Location(s.Name), n, s.To-s.From)
		}
		at = s.To
	}
	n, err := io.Copy(f, bytes.NewReader(r.Tail))
	if err == nil && at+n != length {
		err = fmt.Errorf("%s has %d bytes of %s, but counts %d: it was replaced", m.objects.Location(CheckpointFile), at+n, name, length)
	}
	return errors.Join(err, m.objects.Delete(ctx, name))
}

// fetch copies files to the spool folder, as far as they are there.
func (m *mirror) fetch(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := m.fetchOne(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (m *mirror) fetchOne(ctx context.Context, name string) error {
	path := filepath.Join(m.spool, name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = m.objects.Download(ctx, name, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func (m *mirror) spoolJSON(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.spool, name), data, fileMode)
}

package writers

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
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// How a growing report lies in S3: segments, and in the checkpoint itself the
// bytes behind the last one, so that a checkpoint mostly is a single PUT.
const (
	segmentFolder = "segments"
	tailLimit     = 256 << 10 // a longer tail becomes a segment
	wholeSegment  = 8 << 20   // segments of this size stay as they are
	mergeAt       = 32        // shorter ones at the end that are made one
)

// segment is the bytes of a report from From up to To.
type segment struct {
	Name string `json:"name"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// mirroredReport is what of a report is in S3.
type mirroredReport struct {
	Segments []segment `json:"segments,omitempty"`
	Tail     []byte    `json:"tail,omitempty"`
}

func (r *mirroredReport) end() int64 {
	if n := len(r.Segments); n > 0 {
		return r.Segments[n-1].To
	}
	return 0
}

// remotePoint is the checkpoint object. It is written only over the version
// that its writer wrote before (If-Match): who has lost the run cannot move it.
// It names no segment that is not there.
type remotePoint struct {
	Holder     string                     `json:"holder"` // token of the lease
	Saves      int64                      `json:"saves"`
	Checkpoint *batch.Checkpoint          `json:"checkpoint"` // null: none yet
	Reports    map[string]*mirroredReport `json:"reports,omitempty"`
}

// mirror keeps the files of a run in S3 as they are in the spool folder.
type mirror struct {
	ctx     context.Context //nolint:containedctx // the methods of Folder take none; it does not end
	objects *blob.Objects
	spool   string
	lease   *lease // nil: the run is only looked at
	version blob.Version
	saves   int64
	reports map[string]*mirroredReport
	old     []string // segments that the next checkpoint makes needless
}

// held is nil as long as the run may be written.
func (m *mirror) held() error {
	if m.lease == nil {
		return nil
	}
	return m.lease.held()
}

// begin writes the checkpoint of a run that has none.
func (m *mirror) begin(ctx context.Context) error {
	return m.put(ctx, nil, blob.Absent)
}

func (m *mirror) put(ctx context.Context, c *batch.Checkpoint, when blob.Version) error {
	m.saves++
	data, err := json.Marshal(remotePoint{Holder: m.lease.token, Saves: m.saves, Checkpoint: c, Reports: m.reports})
	if err != nil {
		return err
	}
	m.version, err = m.objects.Put(ctx, CheckpointFile, data, when)
	if errors.Is(err, blob.ErrConflict) {
		return m.lease.lose()
	}
	return err
}

// save brings to S3 what the reports have grown by, then the checkpoint.
func (m *mirror) save(c *batch.Checkpoint) error {
	if err := m.held(); err != nil {
		return err
	}
	for name, length := range c.Mark {
		if m.reports[name] == nil {
			m.reports[name] = &mirroredReport{}
		}
		if c.Ended {
			m.drop(m.reports[name])
		} else if err := m.advance(name, m.reports[name], length); err != nil {
			return err
		}
	}
	if err := m.put(m.ctx, c, m.version); err != nil {
		return err
	}
	if len(m.old) == 0 {
		return nil
	}
	old := m.old
	m.old = nil
	return m.objects.Delete(m.ctx, old...)
}

// drop leaves a report's segments to be deleted: it is published whole.
func (m *mirror) drop(r *mirroredReport) {
	for _, s := range r.Segments {
		m.old = append(m.old, s.Name)
	}
	r.Segments, r.Tail = nil, nil
}

// advance brings a report's bytes up to length.
func (m *mirror) advance(name string, r *mirroredReport, length int64) error {
	if length-r.end() < tailLimit {
		tail := make([]byte, length-r.end())
		err := m.reading(name, func(f io.ReaderAt) error {
			_, err := f.ReadAt(tail, r.end())
			return err
		})
		r.Tail = tail
		return err
	}
	r.Tail = nil
	from, kept := r.end(), len(r.Segments)
	for kept > 0 && r.Segments[kept-1].To-r.Segments[kept-1].From < wholeSegment {
		kept--
	}
	if len(r.Segments)-kept < mergeAt {
		kept = len(r.Segments)
	} else {
		from = r.Segments[kept].From
	}
	s := segment{Name: fmt.Sprintf("%s/%s/%015d-%015d-%s", segmentFolder, name, from, length, m.lease.token), From: from, To: length}
	err := m.reading(name, func(f io.ReaderAt) error {
		return m.objects.Upload(m.ctx, s.Name, io.NewSectionReader(f, from, length-from))
	})
	if err != nil {
		return err
	}
	for _, merged := range r.Segments[kept:] {
		m.old = append(m.old, merged.Name)
	}
	r.Segments = append(r.Segments[:kept:kept], s)
	return nil
}

// reading opens a report that grows, or one that is published already.
func (m *mirror) reading(name string, read func(io.ReaderAt) error) error {
	f, err := os.Open(filepath.Join(m.spool, name+partSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(filepath.Join(m.spool, name))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f)
}

// publish brings a whole file to S3. Growing reports come by checkpoints.
func (m *mirror) publish(name string) error {
	if strings.HasSuffix(name, partSuffix) || name == CheckpointFile {
		return nil
	}
	if err := m.held(); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(m.spool, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return m.objects.Upload(m.ctx, name, f)
}

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

// rebuild makes a growing report of its segments, and takes back what an
// earlier stop has published of it.
func (m *mirror) rebuild(ctx context.Context, name string, length int64) error {
	r := m.reports[name]
	if r == nil {
		r = &mirroredReport{}
	}
	f, err := os.OpenFile(filepath.Join(m.spool, name+partSuffix), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
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

// close gives the lease back and removes the spool folder.
func (m *mirror) close() error {
	var err error
	if m.lease != nil {
		err = m.lease.release(m.ctx)
	}
	return errors.Join(err, os.RemoveAll(m.spool))
}

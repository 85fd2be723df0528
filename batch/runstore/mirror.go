package runstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// segmentFolder holds the segments of growing reports.
const segmentFolder = "segments"

// segmentSizes say how a growing report lies in S3: as segments, and in the checkpoint
// itself the bytes after the last one, so that a checkpoint mostly is a single
// PUT.
type segmentSizes struct {
	tail  int64 // a longer tail becomes a segment
	whole int64 // segments of this size stay as they are
	merge int   // shorter ones at the end that are made one
}

var defaultSegments = segmentSizes{tail: 256 << 10, whole: 8 << 20, merge: 32}

// segment is the bytes of a report from From up to To.
type segment struct {
	Name string `json:"name"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

func segmentName(report string, from, to int64, token string) string {
	return fmt.Sprintf("%s/%s/%015d-%015d-%s", segmentFolder, report, from, to, token)
}

// isSegment tells the names of segments, whoever wrote them, from all others.
func isSegment(name string) bool {
	parts := segmentPattern.FindStringSubmatch(name)
	return len(parts) == 2 && slices.Contains(reports, parts[1])
}

var segmentPattern = regexp.MustCompile(`^` + segmentFolder + `/([^/]+)/\d{15}-\d{15}-[A-Z0-9]{12}$`)

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
	ctx      context.Context //nolint:containedctx // the methods of Folder take none; it ends when the run is lost
	abandon  context.CancelCauseFunc
	location string
	spool    *Folder // the folder on disk by itself
	temp     *Spool  // which it lies in
	sizes    segmentSizes
	lease    *lease // nil: the run is only looked at
	version  blob.Version
	saves    int64
	reports  map[string]*mirroredReport
	old      []string // segments that the next checkpoint makes needless
}

func (m *mirror) at(name string) string { return blob.Join(m.location, name) }

// begin writes the first checkpoint of a run. One may be there, of a process
// that died before it could say what the run is.
func (m *mirror) begin(ctx context.Context) error {
	when, err := blob.VersionOf(ctx, m.at(CheckpointFile))
	if err != nil {
		return err
	}
	m.removeOrphans(ctx)
	return m.put(ctx, nil, when)
}

func (m *mirror) put(ctx context.Context, c *batch.Checkpoint, when blob.Version) error {
	m.saves++
	data, err := json.Marshal(remotePoint{Holder: m.lease.token, Saves: m.saves, Checkpoint: c, Reports: m.reports})
	if err != nil {
		return err
	}
	m.version, err = blob.Put(ctx, m.at(CheckpointFile), data, when)
	if errors.Is(err, blob.ErrConflict) {
		return m.lease.takenOver()
	}
	return err
}

// save brings to S3 what the reports have grown by, then the checkpoint.
func (m *mirror) save(c *batch.Checkpoint) error {
	if err := m.lease.check(); err != nil {
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
	if len(m.old) > 0 { // what stays costs room, nothing else
		_ = blob.RemoveBelow(m.ctx, m.location, m.old)
		m.old = nil
	}
	return nil
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
	if length-r.end() < m.sizes.tail {
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
	for kept > 0 && r.Segments[kept-1].To-r.Segments[kept-1].From < m.sizes.whole {
		kept--
	}
	if len(r.Segments)-kept < m.sizes.merge {
		kept = len(r.Segments)
	} else {
		from = r.Segments[kept].From
	}
	s := segment{Name: segmentName(name, from, length, m.lease.token), From: from, To: length}
	err := m.reading(name, func(f io.ReaderAt) error {
		return m.upload(s.Name, io.NewSectionReader(f, from, length-from), blob.AnyVersion)
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
	f, err := os.Open(m.spool.LocalPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(m.spool.LocalFile(name))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f)
}

// publish brings a whole file to S3. Growing reports come by checkpoints. A
// process that loses the run while the file is on its way does not overwrite
// what its successor has published: the condition is from before.
func (m *mirror) publish(name string) error {
	if strings.HasSuffix(name, PartSuffix) || name == CheckpointFile {
		return nil
	}
	when := blob.AnyVersion
	if m.lease != nil {
		var err error
		if when, err = blob.VersionOf(m.ctx, m.at(name)); err != nil {
			return err
		}
		if err := m.lease.check(); err != nil {
			return err
		}
	}
	f, err := os.Open(m.spool.LocalFile(name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err = m.upload(name, f, when); errors.Is(err, blob.ErrConflict) {
		return m.contested(err)
	}
	return err
}

// contested decides about a file that is not as it was a moment ago. While the
// run is this process's it is the one that was sent: an earlier try of the same
// request has arrived.
func (m *mirror) contested(err error) error {
	record, _, failed := readLease(m.ctx, m.location)
	switch {
	case failed != nil:
		return errors.Join(err, failed)
	case record.Token == m.lease.token:
		return nil
	}
	return m.lease.takenOver()
}

// remove deletes a file. What cannot be deleted costs room, nothing else.
func (m *mirror) remove(name string) error {
	if err := m.lease.check(); err != nil {
		return err
	}
	_ = blob.RemoveBelow(m.ctx, m.location, []string{name})
	return nil
}

func (m *mirror) close() error {
	m.abandon(nil)
	return m.temp.Remove()
}

// uploadsFile says which uploads in parts the run has under way, so that the next
// process can give up those of one that died, and no others.
const uploadsFile = "uploads.json"

// upload brings bytes to S3, whole or not at all.
func (m *mirror) upload(name string, from io.Reader, when blob.Version) error {
	noted := false
	err := blob.Copy(m.ctx, m.at(name), from, blob.CreateOptions{When: when, Parts: func(id string) error {
		noted = true
		data, err := json.Marshal(startedUpload{name, id})
		if err == nil {
			_, err = blob.Put(m.ctx, m.at(uploadsFile), data, blob.AnyVersion)
		}
		return err
	}})
	if noted && err == nil {
		_ = blob.RemoveBelow(m.ctx, m.location, []string{uploadsFile})
	}
	return err
}

type startedUpload struct {
	Name string `json:"name"`
	ID   string `json:"upload_id"`
}

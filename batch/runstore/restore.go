package runstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"pushbatch/batch/blob"
)

// load reads the checkpoint object. What it names is checked: it decides which
// objects are read, merged and deleted.
func (m *mirror) load(ctx context.Context) (remotePoint, blob.Version, error) {
	var point remotePoint
	object, err := blob.Get(ctx, m.at(CheckpointFile))
	if err != nil {
		return point, "", err
	}
	if err := json.Unmarshal(object.Data, &point); err != nil {
		return point, "", fmt.Errorf("read %s: %w", m.at(CheckpointFile), err)
	}
	if point.Checkpoint != nil {
		if err := checkPoint(m.at(CheckpointFile), point.Checkpoint); err != nil {
			return point, "", err
		}
	}
	for name, r := range point.Reports {
		strange := func(s segment) bool { // its name has its bounds: none stands for two
			return !isSegment(s.Name) || s.From < 0 || s.To <= s.From || !strings.HasPrefix(s.Name, segmentName(name, s.From, s.To, ""))
		}
		if r == nil || !slices.Contains(reports, name) || slices.ContainsFunc(r.Segments, strange) {
			return point, "", fmt.Errorf("read %s: it names reports or segments that this version does not write", m.at(CheckpointFile))
		}
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
	if err := m.spool.WriteJSON(CheckpointFile, point.Checkpoint); err != nil {
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

// removeOrphans removes what a process that died left behind: segments that no
// checkpoint came to name, an upload that was never completed. Of others nothing is
// touched. What cannot be removed costs room and does no harm.
func (m *mirror) removeOrphans(ctx context.Context) {
	var u startedUpload
	if blob.GetJSON(ctx, m.at(uploadsFile), &u) == nil && (isName(u.Name) || isSegment(u.Name)) && blob.AbortParts(ctx, m.at(u.Name), u.ID) == nil {
		_ = blob.RemoveBelow(ctx, m.location, []string{uploadsFile})
	}
	names, err := blob.Names(ctx, m.at(segmentFolder))
	if err != nil {
		return
	}
	var orphans []string
	for _, name := range names {
		if name = segmentFolder + "/" + name; isSegment(name) && !m.named(name) {
			orphans = append(orphans, name)
		}
	}
	_ = blob.RemoveBelow(ctx, m.location, orphans)
}

// named tells whether the checkpoint names a segment.
func (m *mirror) named(segmentName string) bool {
	for _, r := range m.reports {
		if slices.ContainsFunc(r.Segments, func(s segment) bool { return s.Name == segmentName }) {
			return true
		}
	}
	return false
}

// rebuild makes a growing report of its segments, and takes back what an
// earlier stop has published of it.
func (m *mirror) rebuild(ctx context.Context, name string, length int64) error {
	if err := m.assemble(ctx, name, length); err != nil {
		return err
	}
	return m.remove(name)
}

// assemble makes a growing report of its segments.
func (m *mirror) assemble(ctx context.Context, name string, length int64) error {
	r := m.reports[name]
	if r == nil {
		r = &mirroredReport{}
	}
	return m.spool.write(name+PartSuffix, func(to io.Writer) error {
		at := int64(0)
		for _, s := range r.Segments {
			n, err := blob.Download(ctx, m.at(s.Name), to, s.To-s.From)
			if err != nil {
				return err
			}
			if s.From != at || n != s.To-s.From {
				return fmt.Errorf("%s has %d bytes, but its checkpoint counts %d: it was replaced", m.at(s.Name), n, s.To-s.From)
			}
			at = s.To
		}
		if at += int64(len(r.Tail)); at != length {
			return fmt.Errorf("%s has %d bytes of %s, but counts %d: it was replaced", m.at(CheckpointFile), at, name, length)
		}
		_, err := to.Write(r.Tail)
		return err
	})
}

// Fetch brings published files of a run in S3 onto this machine, as far as they are
// there. On disk there is nothing to do.
func (f *Folder) Fetch(ctx context.Context, names ...string) error {
	if f.remote == nil {
		return nil
	}
	return f.remote.fetch(ctx, names...)
}

// FetchReport brings a report onto this machine, of a run in S3 that is only viewed:
// published, or as far as the last checkpoint vouches for it.
func (f *Folder) FetchReport(ctx context.Context, name string) error {
	if f.remote == nil {
		return nil
	}
	if err := f.remote.fetch(ctx, name); err != nil || f.Exists(name) {
		return err
	}
	point, _, err := f.remote.load(ctx)
	if err != nil || point.Checkpoint == nil {
		return notThere(err)
	}
	f.remote.reports = point.Reports
	return f.remote.assemble(ctx, name, point.Checkpoint.Mark[name])
}

// fetch copies files to the spool folder, as far as they are there. What ReadJSON would
// refuse for its size is not read; reports are as large as a run.
func (m *mirror) fetch(ctx context.Context, names ...string) error {
	for _, name := range names {
		most := int64(math.MaxInt64)
		if strings.HasSuffix(name, ".json") {
			most = maxJSON
		}
		err := m.spool.write(name, func(to io.Writer) error {
			_, err := blob.Download(ctx, m.at(name), to, most)
			return err
		})
		if notThere(err) != nil {
			return err
		}
	}
	return nil
}

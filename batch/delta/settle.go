package delta

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"path/filepath"
	"time"
)

// Settle makes the next generation of what became of the last run's rows. nil
// knows of none: then all devices that the run may have touched are forgotten.
// ended tells that no execution of the run will follow; else it can be resumed,
// and its next Settle counts instead of this one.
func (s *State) Settle(ctx context.Context, outcomes *Outcomes, ended bool) error {
	path, file, err := s.settled(ctx, outcomes)
	if _, damaged := errors.AsType[*DamagedError](err); damaged && s.options.Anew {
		s.pointer, s.path = s.fresh(), ""
		return nil
	}
	if err != nil {
		return err
	}
	s.pointer.Run.Open = false
	if ended {
		s.pointer.Run.Base, s.pointer.Run.Touched = nil, nil
	}
	return s.publish(ctx, file, path)
}

// Preview is Settle on this machine only: the State stays as it is.
func (s *State) Preview(ctx context.Context, outcomes *Outcomes) error {
	path, _, err := s.settled(ctx, outcomes)
	s.path = path
	return err
}

func (s *State) settled(ctx context.Context, outcomes *Outcomes) (path string, _ File, err error) {
	run := s.pointer.Run
	if run == nil || run.Touched == nil {
		return "", File{}, s.damaged(pointerFile, errors.New("its note of the last run names no rows"))
	}
	base, err := s.fetch(ctx, run.Base)
	if err != nil {
		return "", File{}, err
	}
	note, err := s.fetch(ctx, run.Touched)
	if err != nil {
		return "", File{}, err
	}
	m := &merge{run: run, outcomes: outcomes}
	path = s.newTable()
	if m.to, err = createTable[Device](s.options.Files, path); err != nil {
		return "", File{}, err
	}
	known := *s
	known.path = base
	if err := m.merge(ctx, known.devices(ctx), touchedOf(ctx, s.options.Open, note)); err != nil {
		m.to.abandon()
		return "", File{}, err
	}
	file, err := m.to.finish()
	return path, file, err
}

// merge writes a generation from the one before and what became of the rows that
// a run has touched, both sorted by the hash of the device.
type merge struct {
	to       *tableWriter[Device]
	run      *RunNote
	outcomes *Outcomes
}

func (m *merge) merge(ctx context.Context, devices iter.Seq2[*Device, error], rows iter.Seq2[*touched, error]) error {
	nextDevice, stop := iter.Pull2(devices)
	defer stop()
	nextRow, stop := iter.Pull2(rows)
	defer stop()
	known, err := pull(nextDevice)
	row, rowErr := pull(nextRow)
	var group []*touched
	for err = cmp.Or(err, rowErr); err == nil && (known != nil || row != nil); err = cmp.Or(err, rowErr, context.Cause(ctx)) {
		if row == nil || known != nil && bytes.Compare(known.hash[:], row.hash[:]) < 0 {
			if err = m.to.add(known); err == nil {
				known, err = pull(nextDevice)
			}
			continue
		}
		group = append(group[:0], row)
		for row, rowErr = pull(nextRow); row != nil && row.hash == group[0].hash; row, rowErr = pull(nextRow) {
			group = append(group, row)
		}
		var of *Device
		if known != nil && known.hash == group[0].hash {
			of = known
			known, err = pull(nextDevice)
		}
		if d := m.device(of, group); d != nil {
			err = cmp.Or(m.to.add(d), err)
		}
	}
	return err
}

func pull[T any](next func() (*T, error, bool)) (*T, error) {
	v, err, more := next()
	if !more || err != nil {
		return nil, err
	}
	return v, nil
}

// device is what is known of a device after its rows were sent; nil: nothing.
func (m *merge) device(known *Device, rows []*touched) *Device {
	if rows[0].Kind == kindVanish {
		return m.vanished(known, rows[0])
	}
	var requests []Hash
	all, acknowledged, open := true, false, false
	for _, r := range rows {
		is := m.outcomes.of(r.Row)
		h, ok := parseHash(r.RequestHash)
		if r.Kind != kindSend || !ok {
			all = false
			continue
		}
		requests = append(requests, h)
		all = all && is == done
		acknowledged = acknowledged || is == done
		open = open || is == unknown
	}
	last := rows[len(rows)-1]
	for _, r := range rows {
		if r.Kind == kindSend {
			last = r
		}
	}
	switch {
	case all:
		return &Device{
			AppCode: last.AppCode, RegistrationID: last.RegistrationID, RequestHash: hexText(sequence(requests)),
			AcknowledgedAt: m.run.BegunAt.UnixMilli(), Run: m.run.ID,
		}
	case acknowledged || open:
		return &Device{AppCode: last.AppCode, RegistrationID: last.RegistrationID}
	}
	return known
}

// vanished is what is known of a device that the input named no more.
func (m *merge) vanished(known *Device, row *touched) *Device {
	switch m.outcomes.of(row.Row) {
	case done:
		return nil
	case refused:
		return known
	}
	return &Device{AppCode: row.AppCode, RegistrationID: row.RegistrationID}
}

// Forget removes devices, or what was acknowledged of them where keep tells that
// they stay known. It returns how many were there. ids yields registration ids in
// any order. A run that died must have been settled.
func (s *State) Forget(ctx context.Context, ids iter.Seq2[string, error], keep bool) (forgotten int64, err error) {
	p, err := s.plannerOf(ids, func(p *Planner, id string) error { return p.Inert(id, false) })
	if err != nil {
		return 0, err
	}
	defer p.Close()
	path := s.newTable()
	to, err := createTable[Device](s.options.Files, path)
	if err != nil {
		return 0, err
	}
	forgotten, err = s.without(ctx, p, to, keep)
	if err != nil {
		to.abandon()
		return 0, err
	}
	file, err := to.finish()
	if err != nil {
		return 0, err
	}
	s.pointer.Run = nil // whoever would resume it knows the forgotten devices
	return forgotten, s.publish(ctx, file, path)
}

// plannerOf gives the registration ids, but for empty ones, to a planner: a part of
// what the State knows.
func (s *State) plannerOf(ids iter.Seq2[string, error], add func(*Planner, string) error) (*Planner, error) {
	p, err := NewPlanner(PlanOptions{Folder: s.store.Folder(s.options.Folder), Part: true, Now: time.Now()})
	if err != nil {
		return nil, err
	}
	for id, err := range ids {
		if err == nil && id != "" {
			err = add(p, id)
		}
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// Touch notes, before the first request of an execution, which devices a run may
// change that is none of the State's own; folder names it. Whoever finds the note of
// a run that died forgets them all.
func (s *State) Touch(ctx context.Context, ids iter.Seq2[string, error], folder string) error {
	if dead := s.Dead(); dead != nil && dead.Folder == folder {
		return nil // of an execution before
	}
	p, err := s.plannerOf(ids, (*Planner).Vanished)
	if err != nil {
		return err
	}
	defer p.Close()
	note := filepath.Join(s.store.Folder(s.options.Folder), s.newName(touchedPrefix)+tempSuffix)
	plan, err := p.Finish(ctx, s, note, nil)
	if err != nil {
		return err
	}
	_, err = s.Begin(ctx, plan, folder, note, p.options.Now)
	return err
}

// Changed ends the note of Touch: what was acknowledged of the devices that the run
// has changed is forgotten. Another run that found the note has forgotten all.
func (s *State) Changed(ctx context.Context, ids iter.Seq2[string, error], folder string) (int64, error) {
	if dead := s.Dead(); dead == nil || dead.Folder != folder {
		return 0, nil
	}
	s.pointer.Run = nil
	return s.Forget(ctx, ids, true)
}

// without copies the generation but for the devices of a planner.
func (s *State) without(ctx context.Context, p *Planner, to *tableWriter[Device], keep bool) (n int64, err error) {
	named, loaded := make(map[Hash]bool), -1
	for d, err := range s.devices(ctx) {
		if err != nil {
			return n, err
		}
		if bucket := p.rows.Bucket(d.hash); bucket != loaded {
			records, err := p.rows.Load(bucket)
			if err != nil {
				return n, err
			}
			clear(named)
			for i := range records {
				named[records[i].Key] = true
			}
			loaded = bucket
		}
		if named[d.hash] {
			n++
			if !keep {
				continue
			}
			d = &Device{AppCode: d.AppCode, RegistrationID: d.RegistrationID}
		}
		if err := to.add(d); err != nil {
			return n, err
		}
	}
	return n, nil
}

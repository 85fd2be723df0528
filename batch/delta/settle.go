package delta

import (
	"cmp"
	"context"
	"errors"
	"iter"
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
	known := *s
	known.path = base
	return known.merged(ctx, note, outcomes)
}

// merged makes a generation of the one on disk and what became of the rows of a note.
func (s *State) merged(ctx context.Context, note string, outcomes *Outcomes) (path string, _ File, err error) {
	m := &merge{run: cmp.Or(s.pointer.Run, &RunNote{}), outcomes: outcomes}
	path = s.newTable(generationPrefix)
	to, err := createTable[Device](s.options.Files, path)
	if err != nil {
		return "", File{}, err
	}
	err = sideBySide(ctx, s.devices(ctx), touchedOf(ctx, s.options.Open, note), func(known *Device, rows []*touched) error {
		if len(rows) > 0 {
			known = m.device(known, rows)
		}
		if known == nil {
			return nil
		}
		return to.add(known)
	})
	if err != nil {
		to.abandon()
		return "", File{}, err
	}
	file, err := to.finish()
	return path, file, err
}

// merge says what is known of devices after the rows that a run has touched.
type merge struct {
	run      *RunNote
	outcomes *Outcomes
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
	plan, note, err := s.vanishing(ctx, ids)
	if err != nil {
		return 0, err
	}
	n := plan.Counts.Vanished
	gone := NewOutcomes(n)
	for row := int64(1); !keep && row <= n; row++ {
		gone.set(row, done)
	}
	path, file, err := s.merged(ctx, note, gone)
	if err != nil {
		return 0, err
	}
	s.pointer.Run = nil // whoever would resume it knows the forgotten devices
	return n, s.publish(ctx, file, path)
}

// vanishing is the plan of a run that takes back some of the devices that the State
// knows, and its note on disk.
func (s *State) vanishing(ctx context.Context, ids iter.Seq2[string, error]) (plan *Plan, note string, err error) {
	p, err := NewPlanner(PlanOptions{Folder: s.store.Folder(s.options.Folder), Part: true})
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for id, err := range ids {
		if err == nil && id != "" {
			err = p.Vanished(id)
		}
		if err != nil {
			return nil, "", err
		}
	}
	note = s.newTable(touchedPrefix)
	plan, err = p.Finish(ctx, s, note, nil)
	return plan, note, err
}

// Touch notes, before the first request of an execution, which devices a run may
// change that is none of the State's own; folder names it. Whoever finds the note of
// a run that died forgets them all.
func (s *State) Touch(ctx context.Context, ids iter.Seq2[string, error], folder string) error {
	if dead := s.Dead(); dead != nil && dead.Folder == folder {
		return nil // of an execution before
	}
	plan, note, err := s.vanishing(ctx, ids)
	if err != nil {
		return err
	}
	_, err = s.Begin(ctx, plan, folder, note, time.Now())
	return err
}

// Changed ends the note of Touch: what was acknowledged of the devices that the run
// has changed is forgotten. Another run that found the note has forgotten all.
func (s *State) Changed(ctx context.Context, ids iter.Seq2[string, error], folder string) (int64, error) {
	if dead := s.Dead(); dead == nil || dead.Folder != folder {
		return 0, nil
	}
	return s.Forget(ctx, ids, true)
}

package batch

import (
	"context"
	"time"
)

// mapper takes rows through their mappers into the window.
type mapper struct {
	job     *Job
	earlier []Waiting // rows an earlier execution finished, until they are mapped again, by row
	late    []Result  // those that stand after the rows that were mapped when the run stopped
}

// run maps until the reader has ended, which a stop makes it do too. What made an
// input unreadable is returned after the rows before it are finished.
func (m *mapper) run(ctx context.Context, r *reader) error {
	defer m.job.leave()
	err := m.mapAll(ctx, r)
	m.job.closeRow()
	if err != nil {
		select {
		case <-m.job.drained:
		case <-m.job.running.Done():
		}
	}
	return err
}

func (m *mapper) mapAll(ctx context.Context, r *reader) error {
	going := true
	for rows := r.take(); len(rows) > 0; rows = r.take() {
		going = going && m.chunk(rows)
	}
	if going && !m.job.stopped() {
		m.job.live.allRead.Store(r.all)
		return r.err
	}
	m.finishedEarlier(ctx)
	return nil
}

// chunk maps rows as there is space for them. It reports false when the run
// stops.
func (m *mapper) chunk(rows []*slot) bool {
	for len(rows) > 0 {
		n := m.job.window.space(m.job.cfg.Canary)
		if m.job.stopped() {
			return false
		}
		if n == 0 {
			select {
			case <-m.job.space:
			case <-m.job.running.Done():
			}
			continue
		}
		n = min(n, len(rows), 256) // the recorder begins with them
		m.push(rows[:n])
		rows = rows[n:]
	}
	return true
}

// push maps rows and puts them into the window.
func (m *mapper) push(rows []*slot) {
	j, now := m.job, time.Now()
	open := int64(0)
	for _, s := range rows {
		if m.mapRow(s, now); !s.finished {
			s.keys = hashed(s.request.Keys())
			open++
		}
	}
	j.open.Add(open)
	j.live.mapped(rows)
	ready := j.window.push(rows)
	wake(j.changed)
	for _, s := range ready {
		j.ready <- s
	}
}

// mapRow makes a row a request, or gives it its outcome; now is when a row that
// needs no request is finished.
func (m *mapper) mapRow(s *slot, now time.Time) {
	row := &s.result.Row
	if out, done := m.takeEarlier(row.Num); done { // counted then
		s.result.Outcome, s.earlier, s.finished = out, true, true
		return
	}
	request, out := m.job.cfg.Inputs[row.Input].Map(row)
	if s.request = request; out == nil {
		return
	}
	s.result.Outcome, s.finished = *out, true
	if s.result.Finished.IsZero() {
		s.result.Finished = now
	}
}

// takeEarlier returns what an earlier execution made of a row; rows come in order.
func (m *mapper) takeEarlier(num int64) (out Outcome, done bool) {
	for len(m.earlier) > 0 && m.earlier[0].Row <= num {
		out, done = m.earlier[0].Outcome, m.earlier[0].Row == num
		m.earlier = m.earlier[1:]
	}
	return out, done
}

// finishedEarlier reads on, after a stop, to the last row that an earlier
// execution has finished: it is done and must stand in the reports of this one.
func (m *mapper) finishedEarlier(ctx context.Context) {
	num, input, at := m.job.live.position()
	for i := input; i < len(m.job.cfg.Inputs) && len(m.earlier) > 0; i++ {
		source := m.job.cfg.Inputs[i].Source
		for row, err := range source.Rows(ctx, at) {
			if err != nil || len(m.earlier) == 0 {
				return
			}
			num++
			if out, done := m.takeEarlier(num); done {
				row.Num, row.Source, row.Input = num, source.Name(), i
				m.late = append(m.late, Result{row, out})
			}
		}
		at = Position{}
	}
}

// Unsent counts the rows that a stopped run has not recorded, reading the
// inputs on to their end or the limit: together with the rows of Tally they are
// all there are. It must be called after Run. When ctx ends first, or an input
// cannot be read on, the number is not known.
func (j *Job) Unsent(ctx context.Context) (rows int64, known bool) {
	num, input, at := j.live.position()
	if j.live.allRead.Load() {
		return num - j.rec.point.Tally.Rows, true
	}
	for i := input; i < len(j.cfg.Inputs) && !j.limitReached(num); i++ {
		for _, err := range j.cfg.Inputs[i].Source.Rows(ctx, at) {
			if err != nil || ctx.Err() != nil {
				return 0, false
			}
			if num++; j.limitReached(num) {
				break
			}
		}
		at = Position{}
	}
	return num - j.rec.point.Tally.Rows, true
}

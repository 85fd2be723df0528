package batch

import (
	"context"
	"time"
)

// feed pulls rows through their mappers into the ring until the inputs end,
// the limit is reached or the run stops. It returns what made an input
// unreadable; rows before that are finished as usual.
func (j *Job) feed() error {
	num := j.rec.point.Rows
	at := j.rec.point.Next
	for i := j.rec.point.Input; i < len(j.cfg.Inputs); i++ {
		more, err := j.feedInput(i, at, &num)
		if err != nil || !more {
			return err
		}
		at = Position{}
	}
	j.live.allRead.Store(true)
	return nil
}

// feedInput feeds one input and reports whether the next one may follow.
func (j *Job) feedInput(i int, from Position, num *int64) (more bool, err error) {
	in := j.cfg.Inputs[i]
	if j.limitReached(*num) {
		j.live.allRead.Store(true)
		return false, nil
	}
	rows, join := readAhead(j.running, in.Source, from)
	defer join()
	for name := in.Source.Name(); ; {
		taken, err := rows.take()
		if j.stopped() {
			return false, nil // an error, too, may come of the stop
		}
		if len(taken) == 0 {
			if err != nil {
				return false, abortOf(err, "input_unreadable")
			}
			return true, nil
		}
		j.clock.look()
		for k := range taken {
			*num++
			taken[k].Num, taken[k].Source, taken[k].Input = *num, name, i
		}
		if more := j.feedRows(taken, in.Map); !more {
			return false, nil
		}
		j.show()
	}
}

// feedRows feeds rows that were read together and reports whether others may
// follow.
func (j *Job) feedRows(rows []Row, mapRow Mapper) (more bool) {
	for i := range rows {
		row := &rows[i]
		if !j.canaryPassed(row.Num) || !j.room() {
			return false
		}
		j.submit(row, mapRow)
		if j.limitReached(row.Num) {
			j.live.allRead.Store(true)
			return false
		}
		if (i+1)%showEvery == 0 {
			j.show()
		}
	}
	return true
}

// showEvery is after how many rows that needed no request others see them.
const showEvery = 256

// show lets others see what was fed: the recorder is woken once for many rows
// that needed no request.
func (j *Job) show() {
	j.ring.show()
	j.live.read(j.read)
	wake(j.ring.settled)
}

func (j *Job) limitReached(num int64) bool { return j.cfg.Limit > 0 && num >= j.cfg.Limit }

// feedFinished reads on, after a stop, to the last row that an earlier sitting
// has finished: it is done and must stand in the reports of this one. Of the
// rows between them none is sent any more.
func (j *Job) feedFinished(ctx context.Context) {
	if !j.stopped() {
		return
	}
	j.clock.look()
	num, input, at := j.read.num, j.read.input, j.read.next
	for i := input; i < len(j.cfg.Inputs) && len(j.waiting) > 0; i++ {
		in := j.cfg.Inputs[i]
		for row, err := range in.Source.Rows(ctx, at) {
			if err != nil || j.ring.full() {
				return
			}
			num++
			row.Num, row.Source, row.Input = num, in.Source.Name(), i
			if j.submit(&row, in.Map); len(j.waiting) == 0 {
				return
			}
		}
		at = Position{}
	}
}

// room waits until the ring has space for one more row; false: the run stops.
func (j *Job) room() bool {
	for j.ring.full() {
		j.show()
		select {
		case <-j.ring.space:
			j.clock.look()
		case <-j.running.Done():
			return false
		}
	}
	return !j.stopped()
}

// canaryPassed holds the first row behind the canary rows back until all of
// those are recorded; a bad one among them has stopped the run by then.
func (j *Job) canaryPassed(num int64) bool {
	if num != j.cfg.Canary+1 || j.cfg.Canary == 0 {
		return true
	}
	for j.live.recorded.Load() < j.cfg.Canary {
		j.show()
		select {
		case <-j.ring.space:
			j.clock.look()
		case <-j.running.Done():
			return false
		}
	}
	return !j.stopped()
}

// submit maps a row and puts it into the ring.
func (j *Job) submit(row *Row, mapRow Mapper) {
	s := j.ring.next()
	if out, done := j.waiting[row.Num]; done { // an earlier sitting finished and counted it
		delete(j.waiting, row.Num)
		s.result.Row, s.result.Outcome, s.request, s.carried = *row, out, nil, true
		j.read = reading{row.Num, row.Input, row.Next}
		j.pushSettled(s)
		return
	}
	s.mapRow(row, mapRow, j.clock.now)
	j.enter(s)
}

// enter puts a row into the ring that is mapped in the slot behind the tail.
func (j *Job) enter(s *slot) {
	row := &s.result.Row
	j.read = reading{row.Num, row.Input, row.Next}
	if s.request == nil {
		j.settle(s)
		j.pushSettled(s)
		return
	}
	s.keys = s.request.Keys()
	j.open.Add(1)
	s.setState(slotOpen)
	j.ring.push()
	j.ring.show() // before join, or its end could wake a recorder that does not see it yet
	if j.chains.join(s) {
		j.ready <- s
	}
}

// pushSettled puts a row into the ring that needs no request. It is settled
// before it is in: a checkpoint must not miss a row that an earlier one had.
// show tells the recorder.
func (j *Job) pushSettled(s *slot) {
	s.setState(slotSettled)
	j.ring.push()
}

// mapRow maps a row into a slot that is not in the window yet. now is when a row
// that needs no request is finished.
func (s *slot) mapRow(row *Row, mapRow Mapper, now time.Time) {
	s.result.Row = *row
	request, out := mapRow(&s.result.Row)
	s.request, s.carried = request, false
	if out == nil {
		return
	}
	s.result.Outcome = *out
	if s.result.Finished.IsZero() {
		s.result.Finished = now
	}
}

// Unsent counts the rows that a stopped run has not recorded, reading the
// inputs on to their end or the limit: together with the rows of Tally they are
// all there are. It must be called after Run. When ctx ends first, or an input
// cannot be read on, the number is not known.
func (j *Job) Unsent(ctx context.Context) (rows int64, known bool) {
	num, input, at := j.read.num, j.read.input, j.read.next
	if j.live.allRead.Load() {
		return num - j.rec.finished, true
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
	return num - j.rec.finished, true
}

package batch

import "sync"

const (
	// aheadRows is how many rows are read ahead of those that are mapped;
	// aheadBytes bounds their memory where they are wide or long.
	aheadRows  = 512
	aheadBytes = 512 << 10
	// chunkRows is how many rows are allocated at a time.
	chunkRows = 64
)

// reader pulls rows from the inputs while the ones before them are mapped. What
// was read never waits for what was not.
type reader struct {
	job   *Job
	num   int64
	some  chan struct{} // wakes the mapper; capacity 1
	space chan struct{} // wakes the reader; capacity 1

	free []slot // for the rows that are read next

	mu    sync.Mutex
	rows  []*slot // read and not taken yet
	bytes int64   // of rows
	full  bool    // rows must be taken first
	ended bool
	all   bool  // the end of the inputs or the limit was reached
	err   error // what made an input unreadable
}

func newReader(j *Job) *reader {
	return &reader{job: j, some: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

func (r *reader) run() error {
	var all bool
	err := Guard(func() (err error) { all, err = r.inputs(); return err })
	r.mu.Lock()
	r.ended, r.all, r.err = true, all, err
	r.mu.Unlock()
	wake(r.some)
	return nil
}

// inputs reads the inputs and reports whether it got to their end or the limit.
func (r *reader) inputs() (all bool, err error) {
	point := &r.job.rec.point
	r.num = point.Rows
	at := point.Next
	for i := point.Input; i < len(r.job.cfg.Inputs) && !r.job.limitReached(r.num); i++ {
		if more, err := r.input(i, at); !more {
			return false, err
		}
		at = Position{}
	}
	return true, nil
}

// input reads one input and reports whether the next one may follow.
func (r *reader) input(i int, from Position) (more bool, err error) {
	source := r.job.cfg.Inputs[i].Source
	for row, err := range source.Rows(r.job.running, from) {
		switch {
		case err != nil && r.job.stopped():
			return false, nil // it may come of the stop
		case err != nil:
			return false, abortOf(err, "input_unreadable")
		}
		r.num++
		row.Num, row.Source, row.Input = r.num, source.Name(), i
		if !r.put(&row) {
			return false, nil
		}
		if r.job.limitReached(r.num) {
			break
		}
	}
	return !r.job.stopped(), nil
}

// put hands a row over when there is space for it; false: the run stops.
func (r *reader) put(row *Row) bool {
	if len(r.free) == 0 {
		r.free = make([]slot, chunkRows)
	}
	s := &r.free[0]
	r.free = r.free[1:]
	s.result.Row, s.size = *row, sizeOf(row.Values)+sizeOf(row.Excess)
	r.mu.Lock()
	for r.full {
		r.mu.Unlock()
		select {
		case <-r.space:
		case <-r.job.running.Done():
			return false
		}
		r.mu.Lock()
	}
	r.rows = append(r.rows, s)
	r.bytes += s.size
	r.full = len(r.rows) >= aheadRows || r.bytes >= aheadBytes
	first := len(r.rows) == 1
	r.mu.Unlock()
	if first { // the mapper may wait
		wake(r.some)
		return !r.job.stopped()
	}
	return true
}

// take returns the rows that were read since the last call, none when the reader
// has ended.
func (r *reader) take() []*slot {
	for {
		r.mu.Lock()
		rows := r.rows
		if len(rows) > 0 || r.ended {
			r.rows, r.bytes, r.full = make([]*slot, 0, len(rows)), 0, false
			r.mu.Unlock()
			wake(r.space)
			return rows
		}
		r.mu.Unlock()
		<-r.some
	}
}

// sizeOf is how much memory values take, with all that is in them, about.
func sizeOf(values []Value) (n int64) {
	for i := range values {
		n += int64(32 + len(values[i].Text))
		if nested := values[i].Nested; nested != nil {
			n += 48 + sizeOf(nested.Values)
			for _, name := range nested.Names {
				n += int64(16 + len(name))
			}
		}
	}
	return n
}

func (j *Job) limitReached(num int64) bool { return j.cfg.Limit > 0 && num >= j.cfg.Limit }

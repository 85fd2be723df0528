package batch

import (
	"context"
	"sync"
	"time"
)

const (
	// aheadRows is how many rows are read ahead of those that are being mapped.
	aheadRows = 2048
	// aheadValues and aheadBytes bound the memory of rows read ahead where they
	// are wide or long.
	aheadValues = 64 << 10
	aheadBytes  = 512 << 10
	// aheadLinger is how long a quarter of them is waited for: to wake a goroutine
	// costs as much as to read some hundred rows.
	aheadLinger = 200 * time.Microsecond
)

// ahead reads rows in a goroutine of its own while the ones before them are
// mapped. Rows are handed over many at a time, and a moment after they were read
// where they come slowly: what was read never waits for what was not.
type ahead struct {
	ctx   context.Context
	some  chan struct{} // wakes the taker; capacity 1
	space chan struct{} // wakes the reader; capacity 1
	few   int           // rows that are worth a hand-over

	mu    sync.Mutex
	rows  []Row
	bytes int64 // of rows
	ended bool
	err   error // why the source ended; nil: at the proven end of the input

	// The taker's.
	spare  []Row // rows taken before, to be filled again
	linger *time.Timer
}

// readAhead begins reading a source at a position. The goroutine belongs to
// whoever calls it and ends with the source's rows or with ctx; join waits for
// that.
func readAhead(ctx context.Context, source Source, from Position) (rows *ahead, join func()) {
	ctx, cancel := context.WithCancel(ctx)
	most := min(max(aheadValues/max(1, len(source.Header())), 1), aheadRows)
	a := &ahead{
		ctx: ctx, some: make(chan struct{}, 1), space: make(chan struct{}, 1), few: max(1, most/4),
		rows: make([]Row, 0, most), spare: make([]Row, 0, most),
		linger: time.NewTimer(time.Hour),
	}
	a.linger.Stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := Guard(func() error { a.read(source, from); return nil }); err != nil {
			a.end(err)
		}
	}()
	return a, func() { cancel(); <-ended }
}

func (a *ahead) read(source Source, from Position) {
	for row, err := range source.Rows(a.ctx, from) {
		if err != nil {
			a.end(err)
			return
		}
		if !a.put(&row) {
			return
		}
	}
	a.end(nil)
}

// put hands a row over; false: nobody takes it any more.
func (a *ahead) put(row *Row) bool {
	a.mu.Lock()
	for a.full() {
		a.mu.Unlock()
		select {
		case <-a.space:
		case <-a.ctx.Done():
			return false
		}
		a.mu.Lock()
	}
	a.rows = append(a.rows, *row)
	a.bytes += sizeOf(row)
	n, full := len(a.rows), a.full()
	a.mu.Unlock()
	if n == 1 || n == a.few || full {
		wake(a.some)
	}
	return true
}

// full reports whether what was read must be taken first. mu must be held.
func (a *ahead) full() bool {
	return len(a.rows) == cap(a.rows) || a.bytes >= aheadBytes
}

// sizeOf is how much memory the texts of a row take, about.
func sizeOf(row *Row) int64 {
	n := row.Next.Offset - row.Pos.Offset
	if n > 0 {
		return n
	}
	for i := range row.Values { // the format has no offsets
		n += int64(len(row.Values[i].Text))
	}
	return n
}

func (a *ahead) end(err error) {
	a.mu.Lock()
	a.ended, a.err = true, err
	a.mu.Unlock()
	wake(a.some)
}

// take returns the rows that were read since the last call, at least one, and
// uses those of the last call again. There are none at the end of the input,
// when it cannot be read further, which is the error, or when ctx is done.
func (a *ahead) take() ([]Row, error) {
	for lingered := false; ; {
		a.mu.Lock()
		n, ended, err := len(a.rows), a.ended, a.err
		if n >= a.few || n > 0 && (ended || lingered || a.full()) {
			rows := a.rows
			a.rows, a.spare, a.bytes = a.spare[:0], rows, 0
			a.mu.Unlock()
			wake(a.space)
			return rows, nil
		}
		a.mu.Unlock()
		if ended {
			return nil, err
		}
		var enough <-chan time.Time
		if n > 0 {
			a.linger.Reset(aheadLinger)
			enough = a.linger.C
		}
		select {
		case <-a.some:
		case <-enough:
			lingered = true
		case <-a.ctx.Done():
			return nil, nil
		}
	}
}

// stopwatch tells the time to rows that are finished without a wait: it is
// looked at once for many of them.
type stopwatch struct{ now time.Time }

func (s *stopwatch) look() { s.now = time.Now() }

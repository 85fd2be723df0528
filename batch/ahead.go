package batch

import (
	"context"
	"sync"
	"time"
)

// aheadRows is how many rows are read ahead of the one that is being mapped.
const aheadRows = 256

// ahead reads rows in a goroutine of its own while the ones before them are
// mapped. Rows are handed over many at a time where the reader is the faster
// one, and at once where rows come slowly: what was read never waits for what
// was not.
type ahead struct {
	ctx   context.Context
	some  chan struct{} // wakes the taker; capacity 1
	space chan struct{} // wakes the reader; capacity 1

	mu    sync.Mutex
	rows  []Row
	ended bool
	err   error // why the source ended; nil: at the proven end of the input

	spare []Row // the taker's: rows taken before, to be filled again
}

// readAhead begins reading a source at a position. The goroutine belongs to
// whoever calls it and ends with the source's rows or with ctx; join waits for
// that.
func readAhead(ctx context.Context, source Source, from Position) (rows *ahead, join func()) {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{
		ctx: ctx, some: make(chan struct{}, 1), space: make(chan struct{}, 1),
		rows: make([]Row, 0, aheadRows), spare: make([]Row, 0, aheadRows),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.read(source, from)
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
	for len(a.rows) == cap(a.rows) {
		a.mu.Unlock()
		select {
		case <-a.space:
		case <-a.ctx.Done():
			return false
		}
		a.mu.Lock()
	}
	a.rows = append(a.rows, *row)
	first := len(a.rows) == 1
	a.mu.Unlock()
	if first {
		wake(a.some)
	}
	return true
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
	for {
		a.mu.Lock()
		rows, ended, err := a.rows, a.ended, a.err
		if len(rows) > 0 {
			a.rows, a.spare = a.spare[:0], rows
		}
		a.mu.Unlock()
		switch {
		case len(rows) > 0:
			wake(a.space)
			return rows, nil
		case ended:
			return nil, err
		}
		select {
		case <-a.some:
		case <-a.ctx.Done():
			return nil, nil
		}
	}
}

// stopwatch tells the time to rows that are finished without a wait: it is
// looked at once for many of them.
type stopwatch struct{ now time.Time }

func (s *stopwatch) look() { s.now = time.Now() }

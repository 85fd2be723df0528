package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"pushbatch/batch"
)

// spec is one row of a made-up input and everything that will happen to it.
type spec struct {
	num     int64 // 1-based over the run
	input   int
	index   int64 // 0-based in its input
	keys    []string
	settled batch.Status  // Rejected or Skipped; 0: it is sent
	answer  batch.Status  // Succeeded or Failed, when it is sent
	latency time.Duration // of the attempt that is answered
	backoff time.Duration // after a first attempt without effect; 0: there is none
}

func (s *spec) status() batch.Status {
	if s.settled != 0 {
		return s.settled
	}
	return s.answer
}

// line is what the sink must hold of a row. It names nothing that depends on
// when or how often the row was sent.
func (s *spec) line() string {
	return fmt.Sprintf("%d in%d:%d %s %s", s.num, s.input, s.index+1, s.status(), codeOf(s.status()))
}

func lineOf(r *batch.Result) string {
	return fmt.Sprintf("%d %s:%d %s %s", r.Row.Num, r.Row.Source, r.Row.SourceNum(), r.Status, r.Code)
}

func codeOf(s batch.Status) string {
	switch s {
	case batch.Failed:
		return "48013"
	case batch.Rejected:
		return "phone_invalid;email_invalid"
	case batch.Skipped:
		return "nothing_to_do"
	}
	return ""
}

// world is the platform, the disk and the inputs that the executions of one run
// share. It notes every rule that is broken.
type world struct {
	specs  [][]spec // by input
	window int
	delay  func() time.Duration // of a flush and of a save

	mu       sync.Mutex
	faults   []string
	dead     bool // a kill: from here on nothing has an effect any more
	busy     map[string]int64
	applied  map[string]int64 // key -> row that was applied to it last in this execution
	store    map[string]int64 // key -> row that was applied to it last
	answered map[int64]time.Time
	sends    map[int64]int
	resend   map[int64]bool // rows that may be sent again: a kill forgot them, or caught them in flight
	inFlight int
	peak     int
	recorded int64 // written in input order, as the window sees it

	lines   []string // the results file
	durable int      // lines that were flushed
	closed  int      // times the sink was closed in this execution
	saved   []byte   // the last checkpoint, as JSON

	journal *journal // nil: there is none
}

// journal is that of a world: it survives a kill.
type journal struct {
	w       *world
	parts   [2][]journalLine
	current int
	next    int64
}

type journalLine struct {
	number int64
	row    batch.Waiting
}

func (j *journal) Append(row batch.Waiting) error {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if !j.w.dead {
		j.parts[j.current] = append(j.parts[j.current], journalLine{j.next, row})
		j.next++
	}
	return nil
}

func (j *journal) Begin() int64 {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if !j.w.dead {
		j.current = 1 - j.current
	}
	return j.next
}

func (j *journal) Drop() error {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if !j.w.dead {
		j.parts[1-j.current] = nil
	}
	return nil
}

// rows are those from a line on.
func (j *journal) rows(from int64) (rows []batch.Waiting) {
	for _, line := range append(slices.Clone(j.parts[1-j.current]), j.parts[j.current]...) {
		if line.number >= from {
			rows = append(rows, line.row)
		}
	}
	return rows
}

func newWorld(inputs ...[]spec) *world {
	w := &world{
		specs: inputs, window: 1 << 30, delay: func() time.Duration { return 0 },
		store: map[string]int64{}, answered: map[int64]time.Time{}, sends: map[int64]int{}, resend: map[int64]bool{},
	}
	var num int64
	for i := range inputs {
		for n := range inputs[i] {
			num++
			inputs[i][n].num, inputs[i][n].input, inputs[i][n].index = num, i, int64(n)
		}
	}
	w.begin(0)
	return w
}

// begin starts a execution: the sink is opened at a mark.
func (w *world) begin(mark int64) {
	w.dead, w.closed, w.peak, w.recorded = false, 0, 0, mark
	w.busy, w.applied = map[string]int64{}, map[string]int64{}
	if int(mark) > w.durable {
		w.fault("the checkpoint claims %d lines, %d are durable", mark, w.durable)
		return
	}
	w.lines, w.durable = w.lines[:mark], int(mark)
}

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

func (w *world) all() (rows []*spec) {
	for i := range w.specs {
		for n := range w.specs[i] {
			rows = append(rows, &w.specs[i][n])
		}
	}
	return rows
}

// want is the results file and the platform's state after the first limit rows
// were applied one after the other.
func (w *world) want(limit int64) (lines []string, store map[string]int64) {
	store = map[string]int64{}
	for _, s := range w.all() {
		if limit > 0 && s.num > limit {
			break
		}
		lines = append(lines, s.line())
		if s.settled == 0 && s.answer == batch.Succeeded {
			for _, k := range s.keys {
				store[k] = s.num
			}
		}
	}
	return lines, store
}

// config is a Config over the world; the caller sets the numbers.
func (w *world) config() batch.Config {
	cfg := batch.Config{Sink: sink{w}, Save: w.save}
	if w.journal != nil {
		cfg.Journal = w.journal
	}
	for i := range w.specs {
		cfg.Inputs = append(cfg.Inputs, batch.Input{Source: source{w: w, input: i, failAt: -1}, Map: w.mapper(i)})
	}
	return cfg
}

func (w *world) mapper(input int) batch.Mapper {
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		s := &w.specs[input][row.Pos.Row]
		w.mu.Lock()
		defer w.mu.Unlock()
		if s.num != row.Num {
			w.fault("row %d has the number %d", s.num, row.Num)
		}
		if open := row.Num - w.recorded; open > int64(w.window) {
			w.fault("row %d makes %d unfinished rows, the window is %d", row.Num, open, w.window)
		}
		if s.settled != 0 {
			return nil, &batch.Outcome{Status: s.settled, Code: codeOf(s.settled), Message: "as asked"}
		}
		return &call{w: w, spec: s}, nil
	}
}

// call is the request of a row.
type call struct {
	w    *world
	spec *spec
}

func (c *call) Keys() []string { return c.spec.keys }

func (c *call) Send(ctx context.Context) (batch.Outcome, error) {
	began := time.Now()
	attempts := 1
	c.w.enter(c.spec)
	defer c.w.leave(c.spec)
	if c.spec.backoff > 0 {
		attempts++
		select {
		case <-time.After(c.spec.backoff):
		case <-batch.Stopping(ctx):
			return batch.Outcome{}, batch.ErrUnsent
		case <-ctx.Done():
			return batch.Outcome{}, batch.ErrUnsent
		}
	}
	if !pause(ctx, c.spec.latency/2) {
		return batch.Outcome{}, batch.ErrUnsent
	}
	c.w.apply(c.spec)
	if !pause(ctx, c.spec.latency-c.spec.latency/2) {
		return batch.Outcome{}, batch.ErrUnsent
	}
	if !c.w.answer(c.spec) {
		return batch.Outcome{}, batch.ErrUnsent
	}
	return batch.Outcome{
		Status: c.spec.answer, Code: codeOf(c.spec.answer), HTTPStatus: 200, Attempts: attempts, Latency: time.Since(began),
	}, nil
}

// pause lets d go by and reports whether ctx lasted as long.
func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *world) enter(s *spec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return
	}
	w.inFlight++
	w.peak = max(w.peak, w.inFlight)
	if w.sends[s.num]++; w.sends[s.num] > 1 && !w.resend[s.num] {
		w.fault("row %d is sent a second time, and no kill excuses it", s.num)
	}
	for _, k := range uniq(s.keys) {
		if other := w.busy[k]; other != 0 {
			w.fault("rows %d and %d are under way together, both touch %s", other, s.num, k)
		}
		w.busy[k] = s.num
	}
}

func (w *world) leave(s *spec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return
	}
	w.inFlight--
	for _, k := range s.keys {
		delete(w.busy, k)
	}
}

// apply is the moment at which the platform does what the row asks for.
func (w *world) apply(s *spec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return
	}
	for _, k := range uniq(s.keys) {
		if w.applied[k] > s.num {
			w.fault("row %d takes effect after row %d, both touch %s", s.num, w.applied[k], k)
		}
		w.applied[k] = s.num
		if s.answer == batch.Succeeded {
			w.store[k] = s.num
		}
	}
}

// answer notes that the row's answer was read, in time before a kill.
func (w *world) answer(s *spec) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return false
	}
	w.answered[s.num] = time.Now()
	return true
}

func (w *world) save(c *batch.Checkpoint) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	time.Sleep(w.delay())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return nil
	}
	if c.Mark["results"] > int64(w.durable) {
		w.fault("a checkpoint claims %d lines, %d are durable", c.Mark["results"], w.durable)
	}
	if c.Rows != c.Mark["results"] || c.Tally.Rows != c.Rows {
		w.fault("a checkpoint of %d rows counts %d and marks %d", c.Rows, c.Tally.Rows, c.Mark["results"])
	}
	if c.Ended && w.closed == 0 {
		w.fault("a checkpoint says that the run has ended before the results were published")
	}
	w.saved = data
	return nil
}

// checkpoint is the last one saved, read back from its JSON; nil: there is none.
func (w *world) checkpoint() *batch.Checkpoint {
	var c batch.Checkpoint
	if w.saved != nil {
		if err := json.Unmarshal(w.saved, &c); err != nil {
			w.fault("read the checkpoint: %v", err)
		}
	}
	if w.journal != nil {
		rows := w.journal.rows(c.Journal)
		c.Recover(rows, w.journal.next)
		if w.saved == nil && len(rows) == 0 {
			return nil
		}
	} else if w.saved == nil {
		return nil
	}
	return &c
}

// kill is kill -9: nothing has an effect any more, and of the lines that were
// not flushed a random part is lost. Rows that the last checkpoint does not hold
// may be sent again if they were in flight, or finished at or after since.
func (w *world) kill(rng *rand.Rand, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead, w.inFlight = true, 0
	w.lines = w.lines[:w.durable+rng.IntN(len(w.lines)-w.durable+1)]
	c := w.checkpoint()
	if c == nil {
		c = &batch.Checkpoint{}
	}
	kept := map[int64]bool{}
	for _, k := range c.Waiting {
		kept[k.Row] = true
	}
	w.resend = map[int64]bool{}
	for row := range w.sends {
		at, answered := w.answered[row]
		switch {
		case row <= c.Rows || kept[row]:
		case !answered:
			w.resend[row] = true
		case at.Before(since):
			w.fault("row %d finished %s before the kill and is kept nowhere", row, time.Since(at))
			w.resend[row] = true
		default:
			w.resend[row] = true
		}
		if w.resend[row] {
			delete(w.answered, row)
		}
	}
}

// unanswered lets the rows be sent again that a graceful stop gave up.
func (w *world) unanswered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resend = map[int64]bool{}
	for row := range w.sends {
		if _, done := w.answered[row]; !done {
			w.resend[row] = true
		}
	}
}

// source yields the rows of one input.
type source struct {
	w      *world
	input  int
	failAt int64         // index of the row at which it cannot be read; -1: never
	pace   time.Duration // between rows
}

var errBroken = errors.New("unexpected end of the stream")

func (s source) Name() string { return fmt.Sprintf("in%d", s.input) }
func (s source) Header() batch.Header {
	return batch.Header{{Name: "registrationId", Kind: batch.Text}}
}
func (s source) Identity() batch.Identity { return batch.Identity{URI: s.Name(), Size: -1} }
func (s source) Close() error             { return nil }

func (s source) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		for n := from.Row; ; n++ {
			switch {
			case ctx.Err() != nil:
				yield(batch.Row{}, ctx.Err())
				return
			case n == s.failAt:
				yield(batch.Row{}, errBroken)
				return
			case n >= int64(len(s.w.specs[s.input])):
				return
			}
			time.Sleep(s.pace)
			if !yield(batch.Row{Pos: positionOf(n), Next: positionOf(n + 1)}, nil) {
				return
			}
		}
	}
}

func positionOf(n int64) batch.Position {
	if n == 0 {
		return batch.Position{}
	}
	return batch.Position{Row: n, Line: n + 2, Offset: 20 + 10*n}
}

// sink is the results file of a world.
type sink struct{ w *world }

func (s sink) Write(r *batch.Result) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.lines = append(s.w.lines, lineOf(r))
	if s.w.dead {
		s.w.lines = s.w.lines[:len(s.w.lines)-1]
	}
	s.w.recorded = r.Row.Num
	if r.Finished.IsZero() {
		s.w.fault("row %d has no time of its end", r.Row.Num)
	}
	return nil
}

func (s sink) Flush() (batch.Mark, error) {
	time.Sleep(s.w.delay())
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.closed > 0 {
		s.w.fault("the sink is flushed after it was closed")
	}
	if !s.w.dead {
		s.w.durable = len(s.w.lines)
	}
	return batch.Mark{"results": int64(len(s.w.lines))}, nil
}

func (s sink) Close() error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.closed++
	if !s.w.dead {
		s.w.durable = len(s.w.lines)
	}
	return nil
}

func uniq(keys []string) []string {
	seen := map[string]bool{}
	var list []string
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			list = append(list, k)
		}
	}
	return list
}

// makeRows makes random rows: devices and identities come again and again, some
// rows are rejected or skipped, most answers are quick, a few take very long.
func makeRows(rng *rand.Rand, n int) []spec {
	rows := make([]spec, n)
	devices, people := 1+rng.IntN(n/2+1), 1+rng.IntN(n/2+1)
	for i := range rows {
		s := &rows[i]
		s.keys = []string{fmt.Sprintf("device %d", rng.IntN(devices))}
		for range rng.IntN(3) {
			s.keys = append(s.keys, fmt.Sprintf("person %d", rng.IntN(people)))
		}
		s.answer = batch.Succeeded
		switch p := rng.IntN(100); {
		case p < 5:
			s.settled = batch.Rejected
		case p < 8:
			s.settled = batch.Skipped
		case p < 16:
			s.answer = batch.Failed
		}
		if rng.IntN(4) > 0 {
			s.latency = time.Duration(rng.IntN(200)) * time.Millisecond
		}
		if rng.IntN(20) == 0 {
			s.backoff = time.Duration(1+rng.IntN(3000)) * time.Millisecond
		}
	}
	return rows
}

// makeInputs spreads random rows over up to three inputs, of which some may be
// empty.
func makeInputs(rng *rand.Rand) (inputs [][]spec) {
	for range 1 + rng.IntN(3) {
		inputs = append(inputs, makeRows(rng, rng.IntN(200)))
	}
	return inputs
}

package simulator

import (
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Call is one request as the simulator saw it.
type Call struct {
	Seq            int64
	Op             Op
	Method, Path   string
	RegistrationID string
	Identity       []string  // values of a personalize request: "externalId:…", "phoneNumber:…", "email:…" (lower case)
	Arrived        time.Time // at the door, before any jitter
	Counted        time.Time // at the limit's counter; zero: never got there
	End            time.Time // when the answer was complete
	Status         int       // 0: no answer
	Code           string    // the error's
	Effect         bool      // the request changed something
	Fault          string    // name of the fault it met
	Overlapped     bool      // shared its device or an identity value with a request still under way
}

// Stats are the counts of all requests since New or Reset.
type Stats struct {
	Requests int64                    `json:"requests"`    // but those for applications, which a job may make by itself before its first row
	ByOp     map[string]map[int]int64 `json:"byOperation"` // operation, status (0: no answer)
	ByCode   map[string]int64         `json:"byCode"`
	ByFault  map[string]int64         `json:"byFault"`
	Effects  int64                    `json:"effects"`
	Overlaps int64                    `json:"overlaps"`            // requests that met another of the same device or identity value
	InFlight int                      `json:"inFlight"`            // now
	Most     int                      `json:"maxInFlight"`         // in flight at any time
	PerWall  map[string]int           `json:"maxPerWallSecond"`    // operation, most requests counted in a wall-clock second
	PerSlide map[string]int           `json:"maxPerSlidingSecond"` // the same in any second
}

// ledger is the call log.
type ledger struct {
	mu       sync.Mutex
	keep     bool
	sink     io.Writer
	seq      int64
	calls    []*Call
	busy     map[string]int // keys of the requests under way
	counts   [opCount]map[int]int64
	codes    map[string]int64
	faults   map[string]int64
	effects  int64
	overlaps int64
	inFlight int
	most     int
	seconds  [opCount]second
	wallMax  [opCount]int
	slideMax [opCount]int
}

func newLedger(cfg *Config) *ledger {
	l := &ledger{
		keep: !cfg.CountersOnly, sink: cfg.CallLog, busy: map[string]int{},
		codes: map[string]int64{}, faults: map[string]int64{},
	}
	for op := range l.counts {
		l.counts[op] = map[int]int64{}
	}
	return l
}

// begin notes that a request arrived.
func (l *ledger) begin(c *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Op != OpApplications { // a look at the account before the first row moves no fault that names requests by number
		l.seq++
	}
	c.Seq = l.seq
	l.inFlight++
	l.most = max(l.most, l.inFlight)
	if c.RegistrationID != "" {
		c.Overlapped = l.enter("registrationId:" + c.RegistrationID)
	}
	for _, key := range c.Identity {
		c.Overlapped = l.enter(key) || c.Overlapped
	}
	if c.Overlapped {
		l.overlaps++
	}
}

// enter reports whether a request with the key is under way already.
func (l *ledger) enter(key string) bool {
	n := l.busy[key]
	l.busy[key] = n + 1
	return n > 0
}

func (l *ledger) leave(key string) {
	if n := l.busy[key]; n > 1 {
		l.busy[key] = n - 1
	} else {
		delete(l.busy, key)
	}
}

// counted notes that a request reached the limit's counter.
func (l *ledger) counted(c *Call, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Counted = now
	s := &l.seconds[c.Op]
	s.advance(now)
	s.note(now)
	l.wallMax[c.Op] = max(l.wallMax[c.Op], s.count)
	l.slideMax[c.Op] = max(l.slideMax[c.Op], s.sliding())
}

// end notes that the answer is complete. It comes before the client can see
// that, so that the client's next request does not overlap with this one.
func (l *ledger) end(c *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.End = time.Now()
	l.inFlight--
	if c.RegistrationID != "" {
		l.leave("registrationId:" + c.RegistrationID)
	}
	for _, key := range c.Identity {
		l.leave(key)
	}
	l.counts[c.Op][c.Status]++
	if c.Code != "" {
		l.codes[c.Code]++
	}
	if c.Fault != "" {
		l.faults[c.Fault]++
	}
	if c.Effect {
		l.effects++
	}
	if l.keep {
		l.calls = append(l.calls, c)
	}
	if l.sink != nil {
		_, _ = l.sink.Write(append(toJSON(c.line()), '\n')) // a log that cannot be written must not change answers
	}
}

func (l *ledger) snapshot() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Call, len(l.calls))
	for i, c := range l.calls {
		out[i] = *c
	}
	slices.SortFunc(out, func(a, b Call) int { return int(a.Seq - b.Seq) })
	return out
}

func (l *ledger) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Stats{
		Requests: l.seq, ByOp: map[string]map[int]int64{}, ByCode: maps.Clone(l.codes), ByFault: maps.Clone(l.faults),
		Effects: l.effects, Overlaps: l.overlaps, InFlight: l.inFlight, Most: l.most,
		PerWall: map[string]int{}, PerSlide: map[string]int{},
	}
	for op := range opCount {
		if len(l.counts[op]) > 0 {
			st.ByOp[op.String()] = maps.Clone(l.counts[op])
		}
		if l.wallMax[op] > 0 {
			st.PerWall[op.String()] = l.wallMax[op]
			st.PerSlide[op.String()] = l.slideMax[op]
		}
	}
	return st
}

// line is a call as the call log has it.
func (c *Call) line() any {
	counted := ""
	if !c.Counted.IsZero() {
		counted = c.Counted.UTC().Format(time.RFC3339Nano)
	}
	return struct {
		Seq            int64    `json:"seq"`
		Op             string   `json:"op"`
		Method         string   `json:"method"`
		Path           string   `json:"path"`
		RegistrationID string   `json:"registrationId,omitempty"`
		Identity       []string `json:"identity,omitempty"`
		Arrived        string   `json:"arrived"`
		Counted        string   `json:"counted,omitempty"`
		End            string   `json:"end"`
		Status         int      `json:"status"`
		Code           string   `json:"code,omitempty"`
		Effect         bool     `json:"effect"`
		Fault          string   `json:"fault,omitempty"`
		Overlapped     bool     `json:"overlapped"`
	}{
		c.Seq, c.Op.String(), c.Method, c.Path, c.RegistrationID, c.Identity, c.Arrived.UTC().Format(time.RFC3339Nano), counted,
		c.End.UTC().Format(time.RFC3339Nano), c.Status, c.Code, c.Effect, c.Fault, c.Overlapped,
	}
}

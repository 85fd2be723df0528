package simulator

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Call is one request as the simulator saw it, and a line of the call log.
type Call struct {
	Seq            int64     `json:"seq"`
	Op             Op        `json:"op"`
	Method         string    `json:"method"`
	Path           string    `json:"path"`
	RegistrationID string    `json:"registrationId,omitempty"`
	Identity       []string  `json:"identity,omitempty"` // values of a personalize request: "externalId:…", "phoneNumber:…", "email:…" (lower case)
	Arrived        time.Time `json:"arrived"`            // at the door, before any jitter
	Counted        time.Time `json:"counted,omitzero"`   // at the limit's counter; zero: never got there
	End            time.Time `json:"end"`                // when the answer was complete
	Status         int       `json:"status"`             // 0: no answer
	Code           string    `json:"code,omitempty"`     // the error's
	Effect         bool      `json:"effect"`             // the request changed something
	Fault          string    `json:"fault,omitempty"`    // name of the fault it met
	Overlapped     bool      `json:"overlapped"`         // shared its device or an identity value with a request still under way
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
	mu      sync.Mutex
	sink    io.Writer
	busy    map[string]int // keys of the requests under way
	counts  Stats
	seconds [opCount]second
}

func newLedger(cfg *Config) *ledger {
	return &ledger{
		sink: cfg.CallLog, busy: map[string]int{},
		counts: Stats{
			ByOp: map[string]map[int]int64{}, ByCode: map[string]int64{}, ByFault: map[string]int64{},
			PerWall: map[string]int{}, PerSlide: map[string]int{},
		},
	}
}

// begin notes that a request arrived.
func (l *ledger) begin(c *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Op != OpApplications { // a look at the account before the first row moves no fault that names requests by number
		l.counts.Requests++
	}
	c.Seq = l.counts.Requests
	l.counts.InFlight++
	l.counts.Most = max(l.counts.Most, l.counts.InFlight)
	for _, key := range c.keys() {
		c.Overlapped = c.Overlapped || l.busy[key] > 0
		l.busy[key]++
	}
	if c.Overlapped {
		l.counts.Overlaps++
	}
}

// keys are what a request touches, valid or not.
func (c *Call) keys() []string {
	if c.RegistrationID == "" {
		return c.Identity
	}
	return append([]string{"registrationId:" + c.RegistrationID}, c.Identity...)
}

// counted notes that a request reached the limit's counter.
func (l *ledger) counted(c *Call, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Counted = now
	s, op := &l.seconds[c.Op], c.Op.String()
	s.advance(now)
	s.note(now)
	l.counts.PerWall[op] = max(l.counts.PerWall[op], s.count)
	l.counts.PerSlide[op] = max(l.counts.PerSlide[op], len(s.last))
}

// end notes that the answer is complete. It comes before the client can see
// that, so that the client's next request does not overlap with this one.
func (l *ledger) end(c *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.End = time.Now().UTC()
	l.counts.InFlight--
	for _, key := range c.keys() {
		if l.busy[key]--; l.busy[key] == 0 {
			delete(l.busy, key)
		}
	}
	op := c.Op.String()
	if l.counts.ByOp[op] == nil {
		l.counts.ByOp[op] = map[int]int64{}
	}
	l.counts.ByOp[op][c.Status]++
	if c.Code != "" {
		l.counts.ByCode[c.Code]++
	}
	if c.Fault != "" {
		l.counts.ByFault[c.Fault]++
	}
	if c.Effect {
		l.counts.Effects++
	}
	if l.sink != nil {
		_, _ = l.sink.Write(append(toJSON(c), '\n')) // a log that cannot be written must not change answers
	}
}

func (l *ledger) stats() (st Stats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = json.Unmarshal(toJSON(l.counts), &st) // a copy, with the maps
	return st
}

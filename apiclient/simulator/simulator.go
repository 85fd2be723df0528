package simulator

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Simulator is the platform's stand-in. It is safe for concurrent use.
type Simulator struct {
	cfg    Config
	limits Limits
	tokens tokens

	mu      sync.Mutex // guards all below
	store   *store
	counts  [opCount]second // what the limits admitted
	dice    *dice
	log     *ledger
	started time.Time // the first request
	seeds   seeds
}

// seeds are what Reset goes back to.
type seeds struct {
	at     time.Time
	people int
}

// New returns a simulator of an account without people.
func New(cfg Config) *Simulator {
	if cfg.TokenLifetime == 0 {
		cfg.TokenLifetime = time.Hour
	}
	s := &Simulator{cfg: cfg, tokens: tokens{issued: map[string]time.Time{}}}
	s.limits = *PublishedLimits()
	if cfg.Limits != nil {
		s.limits = *cfg.Limits
	}
	s.seeds.at = time.Now()
	s.Reset()
	return s
}

// Reset forgets all requests and goes back to what was seeded. Issued tokens
// stay good.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = newStore(&s.cfg, s.seeds.people, s.seeds.at)
	s.counts = [opCount]second{}
	s.dice = newDice(&s.cfg)
	s.log = newLedger(&s.cfg)
	s.started = time.Time{}
}

// SeedPeople replaces everything by n generated people with 0 to 3 devices
// each, the same for the same Config. They take about 1.5 KB of memory each.
func (s *Simulator) SeedPeople(n int) {
	s.mu.Lock()
	s.seeds.people = n
	s.mu.Unlock()
	s.Reset()
}

// ServeHTTP answers one request.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Admin && strings.HasPrefix(r.URL.Path, adminPath) {
		s.serveAdmin(w, r)
		return
	}
	deliver(w, s.handle(r))
}

// handle takes a request to its answer and writes it down.
func (s *Simulator) handle(r *http.Request) answer {
	s.mu.Lock()
	x := handling{sim: s, r: r, log: s.log}
	s.mu.Unlock()
	x.receive()
	x.log.begin(x.call)
	a := x.run()
	x.call.Status, x.call.Code, x.call.Effect = a.status, a.code, a.effect
	if a.ending == cutConnection || a.ending == clientGone {
		x.call.Status = 0
	}
	x.log.end(x.call)
	return a
}

// Stats returns the counts since New or Reset.
func (s *Simulator) Stats() Stats {
	s.mu.Lock()
	log := s.log
	s.mu.Unlock()
	return log.stats()
}

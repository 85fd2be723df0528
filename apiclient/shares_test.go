package apiclient

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/testdata/thorough"
)

// memoryShares is a store of shares in memory, which takes its time and can be
// out of reach.
type memoryShares struct {
	mu     sync.Mutex
	data   []byte
	writes int
}

// reach is one process's way to the store.
type reach struct {
	store   *memoryShares
	latency func() time.Duration
	down    func() bool
	lossy   bool // an answer is lost now and then, though the record was written
	n       int
}

var errDown = errors.New("out of reach")

func (r *reach) Update(ctx context.Context, change func([]byte) ([]byte, error)) error {
	for {
		if r.down() {
			return errDown
		}
		r.store.mu.Lock()
		old, version := r.store.data, r.store.writes
		r.store.mu.Unlock()
		if err := sleep(ctx, r.latency()); err != nil {
			return err
		}
		data, err := change(old)
		if err != nil || data == nil {
			return err
		}
		if err := sleep(ctx, r.latency()); err != nil {
			return err
		}
		if r.down() {
			return errDown
		}
		r.store.mu.Lock()
		quicker := r.store.writes != version
		if !quicker {
			r.store.data, r.store.writes = data, version+1
		}
		r.store.mu.Unlock()
		if r.n++; !quicker && r.lossy && r.n%7 == 0 {
			return errDown
		}
		if !quicker {
			return nil
		}
	}
}

// sharingProcess is a client among others, with its own clock.
type sharingProcess struct {
	client *Client
	down   atomic.Bool // its store is out of reach
	ctx    context.Context
	stop   context.CancelFunc
	group  sync.WaitGroup
}

func startSharing(t *testing.T, store *memoryShares, p http.RoundTripper, rate float64, skew time.Duration, latency func() time.Duration) *sharingProcess {
	t.Helper()
	sp := &sharingProcess{}
	way := &reach{store: store, latency: latency, down: func() bool { return sp.down.Load() }, lossy: skew != 0}
	sp.client = newClient(t, p, func(cfg *Config) {
		cfg.Rate, cfg.Shares = rate, way
		cfg.shareClock = func() time.Time { return time.Now().Add(skew) }
	})
	sp.ctx, sp.stop = context.WithCancel(t.Context())
	sp.group.Go(func() {
		if err := sp.client.KeepShares(sp.ctx); err != nil {
			t.Error(err)
		}
	})
	return sp
}

// work keeps n callers busy until the process stops.
func (sp *sharingProcess) work(n int) {
	for i := range n {
		sp.group.Go(func() {
			for k := 0; sp.ctx.Err() == nil; k++ {
				_, _ = sp.client.Do(sp.ctx, GetCall(fmt.Sprintf("%d-%d", i, k)))
			}
		})
	}
}

// kill ends the process without a word to the others.
func (sp *sharingProcess) kill() {
	sp.down.Store(true)
	sp.stop()
	sp.group.Wait()
}

// between counts arrivals from one time after start to another.
func (p *platform) between(start time.Time, from, to time.Duration) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.arrivals {
		if d := at.Sub(start); d >= from && d < to {
			n++
		}
	}
	return n
}

func TestThreeProcessesShareARate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &windows{limit: 50}
		p := &platform{answer: w.answer, work: 5 * time.Millisecond}
		store, start := &memoryShares{}, time.Now()
		latency := uniform(1, 50*time.Millisecond)
		var all []*sharingProcess
		for i := range 3 {
			sp := startSharing(t, store, p, 50, time.Duration(i-1)*time.Second, latency)
			sp.work(64)
			all = append(all, sp)
		}
		time.Sleep(time.Minute)
		if n := p.between(start, 20*time.Second, time.Minute); n < 46*40 {
			t.Errorf("%.1f a second together, want 46", float64(n)/40)
		}
		total := 0
		for _, sp := range all {
			s := sp.client.Stats().Ops[OpGet].Share
			total += s.Permits
			if s.Processes != 3 || s.Permits < 12 || s.Permits > 22 {
				t.Errorf("a process has %+v", s)
			}
		}
		if total > 50 {
			t.Errorf("%d permits together", total)
		}

		all[0].kill()
		time.Sleep(35 * time.Second)
		if got := all[1].client.Stats().Ops[OpGet].Share.Permits + all[2].client.Stats().Ops[OpGet].Share.Permits; got < 46 {
			t.Errorf("35 s after one was killed the others have %d of 50", got)
		}

		down := time.Since(start)
		all[1].down.Store(true)
		all[2].down.Store(true)
		time.Sleep(60 * time.Second)
		if n := p.between(start, down+shareTerm, down+60*time.Second); n > 0 {
			t.Errorf("%d requests after the shares had run out", n)
		}
		if why := all[1].client.Stats().Waiting; why != WaitShare {
			t.Errorf("waiting for %q", why)
		}
		all[1].down.Store(false)
		all[2].down.Store(false)
		back := time.Since(start)
		time.Sleep(30 * time.Second)
		if n := p.between(start, back+10*time.Second, back+30*time.Second); n < 46*20 {
			t.Errorf("%.1f a second after the store came back", float64(n)/20)
		}
		all[1].stop()
		time.Sleep(8 * time.Second) // window and margin, clocks that differ, a look, and one whose answer is lost
		if got := all[2].client.Stats().Ops[OpGet].Share.Permits; got != 50 {
			t.Errorf("the last has %d of 50 after the other ended", got)
		}
		all[2].stop()
		for _, sp := range all {
			sp.group.Wait()
		}
		if len(p.refused) > 0 {
			t.Errorf("%d refused", len(p.refused))
		}
	})
}

func TestWhoWaitsMoreGetsMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed, work: 5 * time.Millisecond}
		store := &memoryShares{}
		latency := func() time.Duration { return 0 }
		small, large := startSharing(t, store, p, 40, 0, latency), startSharing(t, store, p, 60, 0, latency)
		small.work(8)
		large.work(80)
		time.Sleep(30 * time.Second)
		a, b := small.client.Stats().Ops[OpGet].Share, large.client.Stats().Ops[OpGet].Share
		if b.Permits < 3*a.Permits || a.Permits < 1 || a.Permits+b.Permits > 40 || a.Total != 40 || b.Total != 40 {
			t.Errorf("the one that waits less has %+v, the other %+v", a, b)
		}
		small.stop()
		large.stop()
		small.group.Wait()
		large.group.Wait()
	})
}

// The applications are asked for before anybody keeps shares.
func TestApplicationsNeedNoShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, &platform{answer: succeed}, func(cfg *Config) {
			cfg.Shares = &reach{store: &memoryShares{}, latency: func() time.Duration { return 0 }, down: func() bool { return true }}
		})
		if _, err := c.Do(t.Context(), ApplicationsCall()); err != nil {
			t.Error(err)
		}
	})
}

// A 429 that one process meets slows the others.
func TestRefusalSlowsAllProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refusing atomic.Bool
		one := &platform{work: time.Millisecond, answer: func(int, *http.Request) (*http.Response, error) {
			if refusing.Swap(false) {
				return reply(429, "", "Retry-After", "5"), nil
			}
			return reply(200, "{}"), nil
		}}
		other := &platform{answer: succeed, work: time.Millisecond}
		store, start := &memoryShares{}, time.Now()
		latency := func() time.Duration { return 20 * time.Millisecond }
		a, b := startSharing(t, store, one, 20, 0, latency), startSharing(t, store, other, 20, 0, latency)
		a.work(10)
		b.work(10)
		time.Sleep(20 * time.Second)
		refusing.Store(true)
		time.Sleep(10 * time.Second)
		if n := other.between(start, 22*time.Second, 25*time.Second); n > 0 {
			t.Errorf("%d requests of the other process while the platform wanted none", n)
		}
		if n := other.between(start, 26*time.Second, 30*time.Second); n == 0 {
			t.Error("the other process does not go on")
		}
		a.stop()
		b.stop()
		a.group.Wait()
		b.group.Wait()
	})
}

// A removed record begins anew, and not before the share of a process that could not
// see it gone has run out.
func TestRemovedRecordKeepsTheRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed, work: 5 * time.Millisecond}
		store, start := &memoryShares{}, time.Now()
		latency := func() time.Duration { return 0 }
		a, b := startSharing(t, store, p, 20, 0, latency), startSharing(t, store, p, 20, 0, latency)
		a.work(30)
		b.work(30)
		time.Sleep(30 * time.Second)
		b.down.Store(true)
		store.mu.Lock()
		store.data, store.writes = nil, store.writes+1
		store.mu.Unlock()
		time.Sleep(60 * time.Second)
		p.mu.Lock()
		got := most(p.arrivals)
		p.mu.Unlock()
		if got > 20 {
			t.Errorf("%d requests within a second at a rate of 20", got)
		}
		b.down.Store(false)
		time.Sleep(20 * time.Second)
		if n := p.between(start, 105*time.Second, 110*time.Second); n < 90 {
			t.Errorf("%d requests in 5 s after all was well again", n)
		}
		for _, sp := range []*sharingProcess{a, b} {
			sp.stop()
			sp.group.Wait()
		}
	})
}

var shareSchedules = flag.Int("share-schedules", 50, "schedules of TestSharesNeverExceedTheRate; at least 2000 with FULL_TESTS=1")

// Whatever processes do, when they start, end, die or lose the store, and
// however their clocks differ: at no time do the shares add up to more than the rate,
// and no second sees more requests.
func TestSharesNeverExceedTheRate(t *testing.T) {
	t.Parallel()
	schedules := max(*shareSchedules, thorough.Of(0, 2000))
	for seed := range uint64(schedules) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runSharesSchedule(t, seed) })
		})
	}
}

// sharingWorld is processes that share a rate, and what they send.
type sharingWorld struct {
	t        *testing.T
	permits  int
	work     time.Duration
	mu       sync.Mutex
	alive    []*sharingProcess
	arrivals []time.Time
}

// send is one request: what all processes have at that moment is added up.
func (w *sharingWorld) send() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrivals = append(w.arrivals, time.Now())
	sum := 0
	for _, other := range w.alive {
		l := other.client.limiters[OpGet]
		l.mu.Lock()
		if !l.share.isOver(l.clock.now()) {
			sum += l.share.stats.Permits
		}
		l.mu.Unlock()
	}
	if sum > w.permits {
		w.t.Errorf("the shares add up to %d of %d", sum, w.permits)
	}
}

// start begins a process with n callers. They take permits as calls do; a whole call
// would cost ten times as much.
func (w *sharingWorld) start(sp *sharingProcess, n int) {
	w.mu.Lock()
	w.alive = append(w.alive, sp)
	w.mu.Unlock()
	l := sp.client.limiters[OpGet]
	for range n {
		sp.group.Go(func() {
			for {
				g, err := l.wait(sp.ctx, sp.client.sequence.Add(1))
				if err != nil {
					return
				}
				w.send()
				_ = sleep(sp.ctx, w.work)
				l.ended(g, w.work, true)
			}
		})
	}
}

func (w *sharingWorld) end(i int, killed bool) {
	sp := w.alive[i]
	if killed {
		sp.kill()
	} else {
		sp.stop()
		sp.group.Wait()
	}
	w.mu.Lock()
	w.alive = append(w.alive[:i], w.alive[i+1:]...)
	w.mu.Unlock()
}

func runSharesSchedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 99))
	rate := []float64{0.5, 1, 3, 7, 12}[rng.IntN(5)]
	w := &sharingWorld{t: t, permits: max(1, int(rate)), work: time.Duration(rng.IntN(100)) * time.Millisecond}
	store := &memoryShares{}
	latency := uniform(seed, []time.Duration{time.Millisecond, 300 * time.Millisecond, 3 * time.Second}[rng.IntN(3)])
	started := 0
	for range 12 {
		switch n := rng.IntN(10); {
		case n < 4 && len(w.alive) < 5 || len(w.alive) == 0:
			skew := time.Duration(rng.IntN(2001)-1000) * time.Millisecond // two differ by up to 2 s
			w.start(startSharing(t, store, nil, rate, skew, latency), 1+rng.IntN(20))
			started++
		case n < 6:
			w.end(rng.IntN(len(w.alive)), n == 5)
		default:
			sp := w.alive[rng.IntN(len(w.alive))]
			sp.down.Store(!sp.down.Load())
		}
		time.Sleep(time.Duration(rng.IntN(15_000)) * time.Millisecond)
	}
	for len(w.alive) > 0 {
		w.end(0, false)
	}
	window := time.Duration(float64(time.Second) / min(rate, 1))
	if got := mostWithin(w.arrivals, window); got > w.permits {
		t.Errorf("%d requests within %v at a rate of %v", got, window, rate)
	}
	if len(w.arrivals) == 0 {
		t.Errorf("nothing was sent at all by %d processes", started)
	}
}

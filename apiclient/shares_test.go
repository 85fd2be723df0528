package apiclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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
		if got := all[1].client.Stats().Ops[OpGet].Share.Permits + all[2].client.Stats().Ops[OpGet].Share.Permits; got < 48 {
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
		time.Sleep(6 * time.Second)
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

// Whatever processes do, when they start, end, die or lose the store, and
// however their clocks differ: no second sees more requests than the rate.
func TestSharesNeverExceedTheRate(t *testing.T) {
	t.Parallel()
	schedules := 30
	if os.Getenv("FULL_TESTS") != "" {
		schedules = 500
	}
	for seed := range uint64(schedules) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runSharesSchedule(t, seed) })
		})
	}
}

func runSharesSchedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 99))
	rate := []float64{0.5, 1, 3, 7, 12}[rng.IntN(5)]
	p := &platform{answer: succeed, work: time.Duration(rng.IntN(100)) * time.Millisecond}
	store := &memoryShares{}
	slowest := []time.Duration{time.Millisecond, 300 * time.Millisecond, 3 * time.Second}[rng.IntN(3)]
	latency := uniform(seed, slowest)
	var alive []*sharingProcess
	for range 25 {
		switch n := rng.IntN(10); {
		case n < 4 && len(alive) < 5 || len(alive) == 0:
			skew := time.Duration(rng.IntN(2000)-1000) * time.Millisecond
			sp := startSharing(t, store, p, rate, skew, latency)
			sp.work(1 + rng.IntN(20))
			alive = append(alive, sp)
		case n < 6:
			i := rng.IntN(len(alive))
			if n == 5 {
				alive[i].down.Store(true)
			}
			alive[i].stop()
			alive[i].group.Wait()
			alive = append(alive[:i], alive[i+1:]...)
		default:
			sp := alive[rng.IntN(len(alive))]
			sp.down.Store(!sp.down.Load())
		}
		time.Sleep(time.Duration(rng.IntN(15_000)) * time.Millisecond)
	}
	for _, sp := range alive {
		sp.stop()
		sp.group.Wait()
	}
	window := time.Duration(float64(time.Second) / min(rate, 1))
	if got := mostWithin(p.arrivals, window); got > max(1, int(rate)) {
		t.Errorf("%d requests within %v at a rate of %v", got, window, rate)
	}
	if len(p.arrivals) == 0 {
		t.Error("nothing was sent at all")
	}
}

package apiclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/testdata/thorough"
)

// outage makes a platform that is out of reach for a time.
type outage struct {
	from, until time.Duration
	how         func() (*http.Response, error)
	start       time.Time
	during      []time.Time
}

func (o *outage) answer(_ int, r *http.Request) (*http.Response, error) {
	if d := time.Since(o.start); d >= o.from && d < o.until {
		if r.URL.Path != ApplicationsCall().Path { // which is asked behind a probe
			o.during = append(o.during, time.Now())
		}
		return o.how()
	}
	return reply(200, "{}"), nil
}

func refuse() (*http.Response, error) { return nil, syscall.ECONNREFUSED }

func answerer(status int, body string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return reply(status, body), nil }
}

const generalError = `{"requestError":{"serviceException":{"messageId":"GENERAL_ERROR","text":"x"}}}`

func TestOutageCostsNoAttempt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		how      func() (*http.Response, error)
		attempts int
		callers  int
	}{
		{"refused", refuse, 10, 64},
		{"refused, few attempts", refuse, 3, 64},
		{"refused, one caller", refuse, 10, 1},
		{"bad gateway", answerer(502, "<html>"), 10, 8},
		{"platform errors", answerer(500, generalError), 10, 64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &outage{from: 10 * time.Second, until: 6 * time.Minute, how: tt.how, start: time.Now()}
				p := &platform{answer: o.answer, work: 20 * time.Millisecond}
				var log bytes.Buffer
				c := newClient(t, p, func(cfg *Config) {
					cfg.MaxAttempts = tt.attempts
					cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				})
				done := load(t, c, tt.callers, 8*time.Minute) // reports every error
				if most := 64*tt.attempts + 40; len(o.during) > most {
					t.Errorf("%d requests during the outage, want at most %d", len(o.during), most)
				}
				tail := o.during[len(o.during)-6:]
				if gap := tail[5].Sub(tail[4]); gap < 25*time.Second || gap > 35*time.Second {
					t.Errorf("the last probes are %v apart, want 30s", gap)
				}
				if done < 60*40*tt.callers/64 {
					t.Errorf("only %d calls succeeded", done)
				}
				if text := log.String(); !strings.Contains(text, "out of reach") || !strings.Contains(text, "answers again") {
					t.Errorf("log:\n%s", text)
				}
			})
		})
	}
}

func TestOutageThatLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return refuse() }}
		c := newClient(t, p, func(cfg *Config) { cfg.MaxOutage = 10 * time.Minute })
		start := time.Now()
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				_, err := c.Do(t.Context(), GetCall(fmt.Sprint(i)))
				if !errors.Is(err, ErrOutage) || !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("got %v", err)
				}
			})
		}
		group.Wait()
		if took := time.Since(start); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("gave up after %v", took)
		}
		if _, err := c.Do(t.Context(), GetCall("late")); !errors.Is(err, ErrOutage) {
			t.Errorf("a later call: %v", err)
		}
	})
}

func TestOutageWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &outage{until: 5 * time.Hour, how: refuse, start: time.Now()}
		c := newClient(t, &platform{answer: o.answer}, func(cfg *Config) { cfg.MaxOutage = -1 })
		if _, err := c.Do(t.Context(), GetCall("1")); err != nil {
			t.Error(err)
		}
	})
}

// Rows that always fail use up their attempts, whether others succeed beside
// them or they are the last that are left.
func TestPoisonRowsAreNoOutage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		how    func() (*http.Response, error)
		rows   int
		others int
	}{
		{"one among many", answerer(500, generalError), 1, 200},
		{"one among many, gateway", answerer(504, ""), 1, 200},
		{"a few, alone", answerer(500, generalError), 3, 0},
		{"one, alone", answerer(500, ""), 1, 0},
		{"a few whose answer is cut", answerer(200, "{"), 3, 0},
		{"a few that a gateway gives up, alone", answerer(504, ""), 9, 0},
		{"a few whose connection breaks", func() (*http.Response, error) { return nil, syscall.ECONNRESET }, 3, 20},
	}
	for _, tt := range thorough.Sample(tests, 2) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{work: time.Millisecond, answer: func(_ int, r *http.Request) (*http.Response, error) {
					if strings.Contains(r.URL.Path, "poison") {
						return tt.how()
					}
					return reply(200, "{}"), nil
				}}
				c := newClient(t, p, nil)
				var group sync.WaitGroup
				for i := range tt.rows {
					group.Go(func() {
						resp, err := c.Do(t.Context(), GetCall(fmt.Sprint("poison", i)))
						if e := asError(err); e == nil || errors.Is(err, ErrOutage) || resp.Attempts != 10 {
							t.Errorf("got %+v, %v; want 10 attempts", resp, err)
						}
					})
				}
				if tt.others > 0 {
					group.Go(func() { load(t, c, 8, 5*time.Minute) })
				}
				start := time.Now()
				group.Wait()
				if took := time.Since(start); took > 6*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// What knows no applications is not the platform: a few calls make an outage then.
func TestFewCallsAtAnotherPlaceAreAnOutage(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 501} {
		synctest.Test(t, func(t *testing.T) {
			p := &platform{work: time.Millisecond, answer: func(_ int, r *http.Request) (*http.Response, error) {
				if r.URL.Path == ApplicationsCall().Path {
					return reply(status, "no such page"), nil
				}
				return reply(503, ""), nil
			}}
			c := newClient(t, p, func(cfg *Config) { cfg.MaxAttempts, cfg.MaxOutage = 100, time.Minute })
			var group sync.WaitGroup
			for i := range 3 {
				group.Go(func() {
					if _, err := c.Do(t.Context(), GetCall(fmt.Sprint(i))); !errors.Is(err, ErrOutage) {
						t.Errorf("%d: %v, want an outage", status, err)
					}
				})
			}
			group.Wait()
		})
	}
}

// A probe whose caller goes away leaves probing to another.
func TestProbeThatIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &outage{until: time.Minute, how: refuse, start: time.Now()}
		p := &platform{answer: o.answer}
		c := newClient(t, p, func(cfg *Config) { cfg.MaxAttempts = 3 })
		stop := make(chan struct{})
		var group sync.WaitGroup
		for i := range 5 {
			ctx := t.Context()
			if i < 3 {
				ctx = WithDrain(ctx, stop)
			}
			group.Go(func() {
				if _, err := c.Do(ctx, GetCall(fmt.Sprint(i))); err != nil && !errors.Is(err, ErrDrained) {
					t.Error(err)
				}
			})
		}
		time.Sleep(20 * time.Second)
		close(stop)
		group.Wait()
	})
}

// A server as it is: every call succeeds within ten attempts.
func TestFaultyServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := uniform(5, 999)
		p := &platform{work: 5 * time.Millisecond, answer: func(int, *http.Request) (*http.Response, error) {
			switch n := faults(); {
			case n < 30:
				return reply(500, generalError), nil
			case n < 60:
				return reply(503, ""), nil
			case n < 100:
				return nil, io.EOF
			case n < 110:
				r := reply(200, "{")
				r.ContentLength = 20
				return r, nil
			case n < 130:
				return reply(502, "<html>bad gateway</html>"), nil
			}
			return reply(200, "{}"), nil
		}}
		c := newClient(t, p, nil)
		load(t, c, 64, thorough.Of(3*time.Minute, 10*time.Minute))
	})
}

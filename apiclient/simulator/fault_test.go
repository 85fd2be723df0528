package simulator_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/openapitest"
	"pushbatch/testdata/thorough"
)

func faults(t testing.TB, text string) []simulator.Fault {
	t.Helper()
	list, err := simulator.ParseFaults(text)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// socket returns a transport that reaches the simulator over a real connection.
func socket(t *testing.T, sim *simulator.Simulator) http.RoundTripper {
	t.Helper()
	server := httptest.NewServer(openapitest.Wrap(t, sim))
	t.Cleanup(server.Close)
	transport := &http.Transport{
		DisableKeepAlives: true, // else net/http repeats a get on a connection that broke
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(server.URL, "http://"))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		fault  string
		effect bool
		body   bool // what breaks is the body
	}{
		{"cut-before=always", false, false},
		{"cut-after=always", true, false},
		{"cut-body=always", true, true},
	}
	for _, c := range cases {
		for _, name := range []string{"memory", "socket"} {
			t.Run(c.fault+" "+name, func(t *testing.T) {
				t.Parallel()
				var log callLog
				sim := simulator.New(simulator.Config{Faults: faults(t, c.fault), CallLog: &log})
				call := newCaller(t, sim)
				if name == "socket" {
					call.rt = socket(t, sim)
				}
				_, err := handling(call, "PATCH", pushPath+"d", `{"isPrimary":true}`)
				if c.body && !errors.Is(err, io.ErrUnexpectedEOF) || !c.body && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("error %v", err)
				}
				if got := strings.Contains(state(t, sim), `"isPrimary":true`); got != c.effect {
					t.Errorf("took effect: %t, want %t", got, c.effect)
				}
				got := log.calls(t)
				if len(got) != 1 || got[0].Effect != c.effect || got[0].Fault == "" {
					t.Errorf("call log %+v", got)
				}
			})
		}
	}
}

func handling(c *caller, method, path, body string) (int, error) {
	resp, err := c.rt.RoundTrip(c.request(method, path, body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func TestCutBodyOfAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{Faults: faults(t, "cut-body=always")})
	if _, err := handling(newCaller(t, sim), "POST", pushPath+"d/depersonalize", ""); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want a reset", err)
	}
}

func TestCutWithoutAConnectionToBreak(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("panic %v, want http.ErrAbortHandler", r)
		}
	}()
	sim := simulator.New(simulator.Config{Faults: faults(t, "cut-before=always")})
	sim.ServeHTTP(httptest.NewRecorder(), newCaller(t, sim).request("GET", pushPath+"d", ""))
}

func TestStatusFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		fault, contentType, has string
		status                  int
	}{
		{"500", "application/json", "GENERAL_ERROR", 500},
		{"503", "application/json", "SERVICE_UNAVAILABLE", 503},
		{"403", "application/json", "FORBIDDEN", 403},
		{"newer-503", "application/json", "E503", 503},
		{"older-504", "application/json", "GATEWAY_TIMEOUT", 504},
		{"push-500", "application/json", "40500", 500},
		{"html-502", "text/html", "502 Bad Gateway", 502},
		{"empty-503", "", "", 503},
		{"outage", "text/html", "503", 503},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			sim := simulator.New(simulator.Config{Faults: faults(t, c.fault+"=always")})
			r := newCaller(t, sim).do("PATCH", pushPath+"d", `{"isPrimary":true}`)
			if r.status != c.status || r.header.Get("Content-Type") != c.contentType || !strings.Contains(r.body, c.has) {
				t.Errorf("answered %d %v %q", r.status, r.header, r.body)
			}
			if state(t, sim) != "" {
				t.Error("the request took effect")
			}
		})
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	get := func(n int) []string { return slicesOf("GET "+pushPath+"a", n) }
	cases := []struct {
		fault    string
		requests []string
		want     string // . for answered, x for the fault
	}{
		{"500=always", get(3), "xxx"},
		{"500=100%", get(3), "xxx"},
		{"500=#2", get(4), ".x.."},
		{"500=#2-3", get(4), ".xx."},
		{"500=/2", get(5), ".x.x."},
		{"500@get=always", []string{"GET " + pushPath + "a", "POST " + pushPath + "a/depersonalize"}, "x."},
		{"500@@/b$=always", []string{"GET " + pushPath + "a", "GET " + pushPath + "b"}, ".x"},
		{"500@list-persons@.=#2", []string{"GET " + personsPath, "GET " + pushPath + "b", "GET " + personsPath}, "..x"},
		{"500=#1,503=#1-2", get(3), "xx."},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			call := newCaller(t, simulator.New(simulator.Config{Faults: faults(t, c.fault)}))
			got := ""
			for _, request := range c.requests {
				method, path, _ := strings.Cut(request, " ")
				got += map[bool]string{true: ".", false: "x"}[call.do(method, path, "").status == 200]
			}
			if got != c.want {
				t.Errorf("faults at %s, want %s", got, c.want)
			}
		})
	}
}

func slicesOf(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

func TestShares(t *testing.T) {
	t.Parallel()
	requests := thorough.Of(8_000, 20_000)
	met := func(seed uint64) map[string]int64 {
		sim := simulator.New(simulator.Config{
			Seed: seed, Limits: &simulator.Limits{},
			Faults: faults(t, "500=3%,503=3%,cut-before=2%,cut-after=2%,cut-body=1%,html-502=2%"),
		})
		call := newCaller(t, sim)
		call.rt = sim.RoundTripper()
		for range requests {
			_, _ = handling(call, "GET", pushPath+"d", "")
		}
		return sim.Stats().ByFault
	}
	first := met(1)
	for name, share := range map[string]float64{"500": .03, "503": .03, "cut-before": .02, "cut-after": .02, "cut-body": .01, "html-502": .02} {
		want := share * float64(requests)
		if got := float64(first[name]); got < want*.75 || got > want*1.25 {
			t.Errorf("%s met %v times, want about %v", name, got, want)
		}
	}
	if again := met(1); again["500"] != first["500"] || again["cut-body"] != first["cut-body"] {
		t.Errorf("the same seed gave %v, then %v", first, again)
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	cases := []struct {
		fault    string
		min, max time.Duration
	}{
		{"latency=20ms", 20 * time.Millisecond, 20 * time.Millisecond},
		{"latency=10ms-40ms", 10 * time.Millisecond, 40 * time.Millisecond},
		{"latency=exp:30ms", 0, 600 * time.Millisecond},
		{"jitter=5ms-40ms", 5 * time.Millisecond, 40 * time.Millisecond},
		{"latency=10ms,jitter=1ms", 11 * time.Millisecond, 11 * time.Millisecond},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simulator.New(simulator.Config{Limits: &simulator.Limits{}, Faults: faults(t, c.fault)})
				call := newCaller(t, sim)
				for range 50 {
					begin := time.Now()
					call.do("GET", pushPath+"d", "")
					if took := time.Since(begin); took < c.min || took > c.max {
						t.Errorf("took %v, want %v to %v", took, c.min, c.max)
					}
				}
			})
		})
	}
}

// Jitter delays the limit's counting, latency does not.
func TestJitterComesBeforeTheLimit(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]time.Duration{"jitter=700ms": 700 * time.Millisecond, "latency=700ms": 0} {
		synctest.Test(t, func(t *testing.T) {
			var log callLog
			sim := simulator.New(simulator.Config{Faults: faults(t, fault), CallLog: &log})
			newCaller(t, sim).do("GET", pushPath+"a", "")
			if c := log.calls(t)[0]; c.Counted.Sub(c.Arrived) != want || c.End.Sub(c.Arrived) != 700*time.Millisecond {
				t.Errorf("%s: counted %v after arrival, want %v", fault, c.Counted.Sub(c.Arrived), want)
			}
		})
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		call := newCaller(t, simulator.New(simulator.Config{Faults: faults(t, "outage=10s-70s")}))
		got := ""
		for range 9 {
			got += map[int]string{200: ".", 503: "x"}[call.do("GET", pushPath+"d", "").status]
			time.Sleep(10 * time.Second)
		}
		if want := ".xxxxxx.."; got != want {
			t.Errorf("outage at %s, want %s", got, want)
		}
	})
}

func TestClientsThatLeave(t *testing.T) {
	t.Parallel()
	cases := []struct {
		fault  string
		effect bool
	}{
		{"hang=always", false},
		{"jitter=5s", false},
		{"latency=10s", false}, // leaves in the first half
		{"latency=3s", true},   // leaves in the second half
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log callLog
				sim := simulator.New(simulator.Config{Faults: faults(t, c.fault), CallLog: &log})
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				r := newCaller(t, sim).request("PATCH", pushPath+"d", `{"isPrimary":true}`).WithContext(ctx)
				if _, err := sim.RoundTripper().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want the deadline", err)
				}
				calls := log.calls(t)
				if len(calls) != 1 || calls[0].Effect != c.effect || calls[0].Status != 0 {
					t.Errorf("call log %+v, want effect %t", calls, c.effect)
				}
				if _, err := sim.RoundTripper().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) || len(log.calls(t)) != 1 {
					t.Errorf("a request that was given up before was sent (%v)", err)
				}
			})
		})
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"500", "=3%", "200=3%", "600=3%", "x=3%", "x-500=3%", "500=3", "500=0%", "500=101%", "500=x%", "500=#0", "500=#3-2",
		"500=#x", "500=#1-x", "500=/0", "500=/x", "500=10s", "500=70s-10s", "500=x-10s", "500@nothing=3%", "500@get@[=3%", "latency=",
		"latency=40ms-x", "latency=exp:x", ",",
	} {
		if got, err := simulator.ParseFaults(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
	if got, err := simulator.ParseFaults(" "); got != nil || err != nil {
		t.Errorf("no faults were read as %v, %v", got, err)
	}
}

package watch

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip is a transport without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

// A web hook that never answers holds up the end of a run for a minute at most.
func TestNotifyIsBounded(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]roundTrip{
		"silent": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"down": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusInternalServerError, Body: io.NopCloser(strings.NewReader(""))}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries, began := 0, time.Now()
			n := &Notifier{url: "https://example.com", client: http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				tries++
				return transport(r)
			})}}
			ctx, cancel := context.WithTimeout(t.Context(), notifyWithin)
			defer cancel()
			if err := n.post(ctx, []byte("{}"), "id"); err == nil || tries != notifyTries && name == "down" || tries < 2 || time.Since(began) > notifyWithin {
				t.Errorf("%s: %v after %d attempts and %s", name, err, tries, time.Since(began))
			}
		})
	}
}

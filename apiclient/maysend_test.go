package apiclient

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
)

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What MaySend forbids is not sent, repetitions included.
func TestMaySend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent, lost := 0, errors.New("lost")
		c := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
			sent++
			return reply(http.StatusServiceUnavailable, "{}"), nil
		}), func(cfg *Config) {
			cfg.MaySend = func() error {
				if sent == 2 {
					return lost
				}
				return nil
			}
		})
		for range 2 {
			_, err := c.Do(t.Context(), GetCall("a"))
			if !errors.Is(err, lost) {
				t.Errorf("got %v", err)
			}
			if answer := (*Error)(nil); errors.As(err, &answer) { // the row would count as failed
				t.Errorf("%v passes for an answer of the platform", err)
			}
		}
		if sent != 2 {
			t.Errorf("%d requests were sent", sent)
		}
	})
}

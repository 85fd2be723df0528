package apiclient

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// echo sends the authorization back in every kind of answer.
func echo(w http.ResponseWriter, n int, auth string) {
	w.Header().Set("Location", "https://host.example/"+auth)
	w.WriteHeader([]int{400, 401, 403, 429, 500, 302, 200, 404}[n%8])
	switch n % 3 {
	case 0:
		_, _ = fmt.Fprintf(w, `{"errorCode":%q,"errorMessage":%q,"violations":[%q]}`, auth, "who is "+auth, auth)
	case 1:
		_, _ = fmt.Fprintf(w, "<html>%s %s", auth, strings.Repeat(auth, 20))
	default:
		_, _ = fmt.Fprintf(w, `{"requestError":{"serviceException":{"messageId":"A","text":%q,"validationErrors":{%q:[]}}}}`, auth, auth)
	}
}

// No error, log line, hook or statistic shows the key, whatever the server
// sends back.
func TestSecretIsNowhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var shown strings.Builder
		p := &platform{answer: func(n int, r *http.Request) (*http.Response, error) {
			if n%11 == 10 {
				return nil, fmt.Errorf("dial with %s", r.Header.Get("Authorization"))
			}
			w := httptest.NewRecorder()
			echo(w, n, r.Header.Get("Authorization"))
			return w.Result(), nil
		}}
		c := newClient(t, p, func(cfg *Config) {
			cfg.Log = slog.New(slog.NewTextHandler(&shown, &slog.HandlerOptions{Level: slog.LevelDebug}))
			cfg.OnAttempt = func(a Attempt) { fmt.Fprintf(&shown, "%+v\n", a) }
		})
		failures := 0
		for i := range 100 {
			if _, err := c.Do(t.Context(), GetCall(fmt.Sprint(i))); err != nil {
				failures++
				fmt.Fprintf(&shown, "%v %+v %q\n", err, err, err)
			}
		}
		fmt.Fprintf(&shown, "%+v", c.Stats())
		for _, form := range echoes(secret) {
			if strings.Contains(shown.String(), form) {
				t.Errorf("the secret shows:\n%s", shown.String())
			}
		}
		if failures < 50 || strings.Count(shown.String(), "***") < 50 {
			t.Errorf("only %d failures were looked at", failures)
		}
	})
}

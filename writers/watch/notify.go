package watch

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"pushbatch/writers/report"
)

// Bounds of a notification. The end of a run waits for it, but not long.
const (
	notifyTries   = 5
	notifyTimeout = 10 * time.Second // of one attempt
	notifyWithin  = time.Minute      // of all
	notifyBackoff = time.Second      // before the second attempt; doubled before each further one
	notifyLast    = 5 * time.Second  // when a second signal has ended everything else
)

// Notifier tells a URL how a run ended.
type Notifier struct {
	url    string
	secret []byte
	agent  string
	client http.Client
}

// NewNotifier checks the URL: https, or plain http to loopback. Without a secret
// notifications are not signed. An error does not show the URL, which may hold one.
func NewNotifier(address, secret, agent string) (*Notifier, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("an address such as https://example.com/hook was expected")
	case u.Scheme == "http" && !onLoopback(u.Hostname()):
		return nil, errors.New("https was expected (plain http is for loopback)")
	}
	return &Notifier{url: address, secret: []byte(secret), agent: agent, client: http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func onLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Notify sends the summary, for a minute at most; when ctx has ended already, for
// some seconds.
func (n *Notifier) Notify(ctx context.Context, s *report.Summary) error {
	body, err := json.MarshalIndent(s, "", "  ") // the bytes of summary.json
	if err != nil {
		return err
	}
	within := notifyWithin
	if ctx.Err() != nil { // a second signal: whoever gave it wants the end
		within = notifyLast
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	return n.post(bounded, append(body, '\n'), deliveryID(s))
}

// deliveryID is the same for every attempt to tell of one end of a run.
func deliveryID(s *report.Summary) string {
	sum := sha256.Sum256([]byte(s.Run + "\x00" + s.StartedAt.Format(time.RFC3339Nano) + "\x00" + strconv.Itoa(s.Executions)))
	return hex.EncodeToString(sum[:16])
}

// post tries until it is taken, refused for good, or the time is used up.
func (n *Notifier) post(ctx context.Context, body []byte, id string) error {
	wait := notifyBackoff
	for try := 1; ; try++ {
		again, err := n.once(ctx, body, id)
		if err == nil || !again || try == notifyTries {
			return err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return err
		}
	}
}

// once makes one attempt and reports whether another may help.
func (n *Notifier) once(ctx context.Context, body []byte, id string) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the address is not usable") // the error would show it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", n.agent)
	req.Header.Set("Idempotency-Key", id)
	if len(n.secret) > 0 {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		req.Header.Set("Pushbatch-Timestamp", at)
		req.Header.Set("Pushbatch-Signature", "v1="+n.signature(at, body))
	}
	resp, err := n.client.Do(req)
	if broken, ok := errors.AsType[*url.Error](err); ok {
		return true, broken.Err // without the address
	}
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection ends well
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
	return again, fmt.Errorf("it answered HTTP %d", resp.StatusCode)
}

// signature is HMAC-SHA256 over timestamp, a point and the body, in hexadecimal.
func (n *Notifier) signature(timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, n.secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

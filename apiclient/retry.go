package apiclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"
)

// activeCall is one call over all its attempts.
type activeCall struct {
	client   *Client
	call     *Call
	limiter  *limiter
	sequence uint64
	resp     Response

	last    error         // of the last attempt
	used    int           // attempts that count against MaxAttempts
	since   time.Duration // when the first of them failed
	renewed bool          // an access token was refused and fetched again
	probe   bool          // this call is the probe of an outage

	// The failures among used that belong to the latest streak: they are given
	// back when it turns out to be an outage.
	streak   uint64
	inStreak int
}

func (d *activeCall) run(ctx context.Context) error {
	defer func() {
		if d.probe {
			d.client.breaker.abandon()
		}
	}()
	for {
		g, authorization, err := d.admit(ctx)
		if err == nil {
			err = d.attempt(ctx, g, authorization)
		}
		if err == nil {
			return nil
		}
		e, refused := errors.AsType[*Error](err)
		if !refused || errors.Is(err, ErrOutage) || ctx.Err() != nil { // the cause of ctx may be an answer, too
			return d.stop(err)
		}
		if again, err := d.again(ctx, e); !again {
			return err
		}
	}
}

// stop ends the call for a reason that is not its own, and says what the last
// attempt came to.
func (d *activeCall) stop(err error) error {
	if _, refused := errors.AsType[*Error](err); d.last != nil && !refused {
		return fmt.Errorf("%w (last attempt: %v)", err, d.last) //nolint:errorlint // the call did not end by that: it must not look so
	}
	return err
}

// admit returns when an attempt may be made: no outage, a valid token, a permit,
// all at once.
func (d *activeCall) admit(ctx context.Context) (g *permit, authorization string, err error) {
	c := d.client
	for {
		if !d.probe {
			if d.probe, err = c.breaker.wait(ctx); err != nil {
				return nil, "", err
			}
		}
		if c.tokens != nil {
			if err := c.tokens.ensure(ctx, d.call.Op); err != nil {
				return nil, "", err
			}
		}
		if g, err = d.limiter.wait(ctx, d.sequence); err != nil {
			return nil, "", err
		}
		if c.tokens != nil {
			authorization = c.tokens.header()
		}
		ready := (c.tokens == nil || authorization != "") && (d.probe || c.breaker.clear())
		if err = stopped(ctx); err == nil {
			err = c.refusals.err()
		}
		if err == nil && ready {
			err = c.cfg.MaySend()
		}
		if err == nil && ready {
			return g, authorization, nil
		}
		d.limiter.unused(g)
		if err != nil {
			return nil, "", err
		}
	}
}

// attempt sends the request once and notes what came of it in breaker and limiter.
func (d *activeCall) attempt(ctx context.Context, g *permit, authorization string) error {
	c := d.client
	c.counters.requests.Add(1)
	if d.resp.Attempts+d.resp.Throttled > 0 {
		c.counters.retries.Add(1)
	}
	started := time.Now()
	a := c.transport.send(ctx, c.request(d.call, authorization))
	d.note(&a)
	if a.written > 0 { // a new connection, or a busy machine: it went out later than it was allowed to
		g.sent = started.Sub(c.clock.start) + a.written
	}
	took := c.clock.now() - g.sent
	switch {
	case a.err == nil:
		c.breaker.answered()
		c.refusals.other()
		d.probe = false
		d.limiter.ended(g, took, true)
		d.resp.Body = a.body
		return nil
	case a.status == http.StatusTooManyRequests:
		if err := d.throttled(g, took, a.err); err != nil {
			return err
		}
	default:
		if a.err.Class != Temporary {
			c.refusals.other()
		}
		d.limiter.ended(g, took, a.status != 0)
		if a.status == http.StatusServiceUnavailable && a.err.RetryAfter > 0 {
			d.hold(a.err)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if a.status == http.StatusUnauthorized && c.tokens != nil && !d.renewed {
		d.renewed = true
		c.tokens.refuse(authorization)
		a.err.Class = Temporary
		return a.err
	}
	d.renewed = false
	return a.err
}

func (d *activeCall) note(a *answer) {
	d.resp.Status, d.resp.Latency = a.status, a.latency
	if a.status == http.StatusTooManyRequests {
		d.resp.Throttled++
	} else {
		d.resp.Attempts++
	}
	if hook := d.client.cfg.OnAttempt; hook != nil {
		hook(Attempt{
			Op: d.call.Op, Number: d.resp.Attempts + d.resp.Throttled,
			Status: a.status, Latency: a.latency, Date: a.date, Err: a.err,
		})
	}
}

// throttled handles a 429: the operation pauses, its rate falls. It returns an
// ErrOutage when the platform has refused everything for too long.
func (d *activeCall) throttled(g *permit, took time.Duration, e *Error) error {
	c := d.client
	c.counters.throttled.Add(1)
	left, err := c.refusals.add(c.clock.now(), e)
	if err != nil {
		d.limiter.unused(g)
		d.limiter.release()
		return err
	}
	pausedFor, rate, shouldLog := d.limiter.refused(g, took, e.RetryAfter, left)
	if shouldLog {
		d.warnPause("the platform refused for its limit", pausedFor, e,
			slog.Float64("rate", math.Round(100*rate)/100), slog.String("code", e.Code))
	}
	return nil
}

// hold pauses the operation as a 503 asks, no longer than an outage may last.
func (d *activeCall) hold(e *Error) {
	if pausedFor, shouldLog := d.limiter.holdFor(min(e.RetryAfter, d.client.breaker.left())); shouldLog {
		d.warnPause("the platform asked to wait", pausedFor, e)
	}
}

// warnPause says for how long nothing is sent, and what was asked for where that is
// more than is waited for.
func (d *activeCall) warnPause(message string, pausedFor time.Duration, e *Error, attrs ...slog.Attr) {
	all := append([]slog.Attr{slog.String("operation", d.call.Op.String()), slog.Duration("pause", pausedFor.Round(time.Millisecond))}, attrs...)
	if e.RetryAfter > pausedFor+time.Second {
		all = append(all, slog.String("asked_for", e.RetryAfter.Round(time.Second).String()+", longer than is waited for"))
	}
	d.client.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn, message, all...)
}

// again decides after a failed attempt whether there will be another, and
// waits until it may begin.
func (d *activeCall) again(ctx context.Context, e *Error) (bool, error) {
	c := d.client
	d.last = e
	switch {
	case e.Status == http.StatusTooManyRequests && !e.token, e.Status == http.StatusUnauthorized && e.Temporary():
		d.answered() // costs nothing
		d.logRetry(e, 0)
		return true, nil
	case !e.Temporary():
		if e.Status != 0 {
			d.answered()
		}
		return false, e
	}
	d.used++
	if d.failed(ctx, e) {
		return true, nil
	}
	if d.used >= c.cfg.MaxAttempts {
		return false, e
	}
	wait := backoff(c.cfg.BackoffBase, c.cfg.BackoffCap, d.used-1)
	if e.token {
		wait = max(wait, min(e.RetryAfter, retryAfterMax))
	}
	if left := c.breaker.left(); left > 0 {
		wait = min(wait, left)
	}
	if e.token && e.RetryAfter > 0 && wait >= toldPause {
		d.warnPause("the platform asked to wait", wait, e)
	}
	d.logRetry(e, wait)
	c.counters.backoff.Add(1)
	defer c.counters.backoff.Add(-1)
	if err := pause(ctx, wait, nil); err != nil {
		return false, d.stop(err)
	}
	return true, nil
}

// logRetry says why a call is made again. The platform's message is left out: it
// may repeat what the row holds.
func (d *activeCall) logRetry(e *Error, wait time.Duration) {
	attrs := []slog.Attr{
		slog.String("operation", d.call.Op.String()), slog.Int("attempt", d.resp.Attempts+d.resp.Throttled),
		slog.String("code", e.Code), slog.Duration("wait", wait.Round(time.Millisecond)),
	}
	if e.Status > 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if d.call.Row > 0 {
		attrs = append(attrs, slog.Int64("row", d.call.Row))
	}
	d.client.cfg.Log.LogAttrs(context.Background(), slog.LevelDebug, "the request is made again", attrs...)
}

func (d *activeCall) answered() {
	d.client.breaker.answered()
	d.probe = false
}

// failed reports the failure to the breaker, takes back attempts that an
// outage used up, and reports whether there is an outage now.
func (d *activeCall) failed(ctx context.Context, e *Error) bool {
	w := d.client.breaker
	d.forgive()
	if e.mayBeOwn() && d.client.counters.calls.Load() < outageFailures && w.doubtful(d.probe) && d.client.answersOthers(ctx) {
		d.answered()
	}
	f := failure{
		sequence: d.sequence, distant: e.distant(), probe: d.probe, err: e,
		last: d.used >= d.client.cfg.MaxAttempts, since: math.MaxInt64,
	}
	if d.used > 1 {
		f.since = d.since
	}
	id, outage := w.failed(f)
	if d.used == 1 {
		d.since = d.client.clock.now()
	}
	d.probe = false
	if id != d.streak {
		d.streak, d.inStreak = id, 0
	}
	d.inStreak++
	if outage {
		d.forgive()
	}
	return outage
}

// answersOthers asks once for what has to do with no row, and reports whether the
// platform answers that: what stands in its place and knows no such path does not.
func (c *Client) answersOthers(ctx context.Context) bool {
	call := ApplicationsCall()
	a := c.transport.send(ctx, c.request(&call, ""))
	return a.err == nil || a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
}

// forgive takes back the attempts of a streak that became an outage.
func (d *activeCall) forgive() {
	if d.inStreak > 0 && d.client.breaker.wasOutage(d.streak) {
		d.used -= d.inStreak
		d.inStreak = 0
	}
}

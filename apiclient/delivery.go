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

// delivery is one call on its way, over all its attempts.
type delivery struct {
	client *Client
	call   *Call
	lane   *lane
	ticket uint64
	resp   Response

	last    error // of the last attempt
	used    int   // attempts that count against MaxAttempts
	renewed bool  // an access token was refused and fetched again
	probe   bool  // this call is the probe of an outage

	// The failures among used that belong to the latest streak: they are given
	// back when it turns out to be an outage.
	streak   uint64
	inStreak int
}

func (d *delivery) run(ctx context.Context) error {
	defer func() {
		if d.probe {
			d.client.weather.abandon()
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
		e := asError(err)
		if e == nil || errors.Is(err, ErrOutage) {
			return d.stop(err)
		}
		if again, err := d.again(ctx, e); !again {
			return err
		}
	}
}

// stop ends the call for a reason that is not its own, and says what the last
// attempt came to.
func (d *delivery) stop(err error) error {
	if d.last != nil && asError(err) == nil {
		return fmt.Errorf("%w (last attempt: %w)", err, d.last)
	}
	return err
}

// admit returns when an attempt may be made: no outage, a valid token, a grant
// of the lane, all at once.
func (d *delivery) admit(ctx context.Context) (g *grant, authorization string, err error) {
	c := d.client
	for {
		if !d.probe {
			if d.probe, err = c.weather.wait(ctx); err != nil {
				return nil, "", err
			}
		}
		if c.tokens != nil {
			if err := c.tokens.ensure(ctx, d.call.Op); err != nil {
				return nil, "", err
			}
		}
		if g, err = d.lane.wait(ctx, d.ticket); err != nil {
			return nil, "", err
		}
		if c.tokens != nil {
			authorization = c.tokens.header()
		}
		ready := (c.tokens == nil || authorization != "") && (d.probe || c.weather.clear())
		if err = stopped(ctx); err == nil && ready {
			err = c.maySend()
		}
		if err == nil && ready {
			return g, authorization, nil
		}
		d.lane.unused(g)
		if err != nil {
			return nil, "", err
		}
	}
}

func (c *Client) maySend() error {
	if c.cfg.MaySend == nil {
		return nil
	}
	return c.cfg.MaySend()
}

// attempt sends the request once and tells everybody what came of it.
func (d *delivery) attempt(ctx context.Context, g *grant, authorization string) error {
	c := d.client
	c.counters.requests.Add(1)
	if d.resp.Attempts+d.resp.Throttled > 0 {
		c.counters.retries.Add(1)
	}
	started := time.Now()
	a := c.exchanger.send(ctx, c.message(d.call, authorization))
	d.note(started, &a)
	took := c.clock.now() - g.sent
	switch {
	case a.err == nil:
		c.weather.answered()
		d.probe = false
		d.lane.settle(g, took, true)
		d.resp.Body = a.body
		return nil
	case a.status == http.StatusTooManyRequests:
		d.throttled(g, took, a.err)
	default:
		d.lane.settle(g, took, a.status != 0)
		if a.status == http.StatusServiceUnavailable && a.err.RetryAfter > 0 {
			d.hold(a.err.RetryAfter)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if a.status == http.StatusUnauthorized && c.tokens != nil && !d.renewed {
		d.renewed = true
		c.tokens.refuse(authorization)
		a.err.Class = Temporary
	}
	return a.err
}

func (d *delivery) note(started time.Time, a *answer) {
	d.resp.Status, d.resp.Latency = a.status, a.latency
	if a.status == http.StatusTooManyRequests {
		d.resp.Throttled++
	} else {
		d.resp.Attempts++
	}
	if hook := d.client.cfg.OnAttempt; hook != nil {
		at := Attempt{
			Op: d.call.Op, Number: d.resp.Attempts + d.resp.Throttled,
			Status: a.status, Started: started, Latency: a.latency,
		}
		if a.err != nil {
			at.Code = a.err.Code
		}
		hook(at)
	}
}

func (d *delivery) throttled(g *grant, took time.Duration, e *Error) {
	c := d.client
	c.counters.throttled.Add(1)
	pausedFor, rate, fell := d.lane.refused(g, took, e.RetryAfter)
	if fell {
		c.cfg.Log.Warn("the platform refused for its limit", "operation", d.call.Op.String(),
			"pause", pausedFor.Round(time.Millisecond), "rate", math.Round(100*rate)/100, "code", e.Code)
	}
}

func (d *delivery) hold(asked time.Duration) {
	pausedFor := d.lane.holdFor(asked)
	d.client.cfg.Log.Warn("the platform asked to wait", "operation", d.call.Op.String(),
		"pause", pausedFor.Round(time.Millisecond))
}

// again decides after a failed attempt whether there will be another, and
// waits until it may begin.
func (d *delivery) again(ctx context.Context, e *Error) (bool, error) {
	c := d.client
	d.last = e
	switch {
	case e.Status == http.StatusTooManyRequests && !e.token, e.Status == http.StatusUnauthorized && e.Temporary():
		d.answered() // costs nothing
		d.tellAgain(e, 0)
		return true, nil
	case !e.Temporary():
		if e.Status != 0 {
			d.answered()
		}
		return false, e
	}
	d.used++
	if d.failed(e) {
		return true, nil
	}
	if d.used >= c.cfg.MaxAttempts {
		return false, e
	}
	wait := backoff(c.cfg.BackoffBase, c.cfg.BackoffCap, d.used-1)
	if e.token {
		wait = max(wait, e.RetryAfter)
	}
	d.tellAgain(e, wait)
	c.counters.backoff.Add(1)
	defer c.counters.backoff.Add(-1)
	if err := pause(ctx, wait, nil); err != nil {
		return false, d.stop(err)
	}
	return true, nil
}

// tellAgain says why a call is made again. The platform's words are not among it:
// they may repeat what the row holds.
func (d *delivery) tellAgain(e *Error, wait time.Duration) {
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

func (d *delivery) answered() {
	d.client.weather.answered()
	d.probe = false
}

// failed reports the failure to the weather, takes back attempts that an
// outage used up, and reports whether there is an outage now.
func (d *delivery) failed(e *Error) bool {
	w := d.client.weather
	d.forgive()
	id, outage := w.failed(failure{
		ticket: d.ticket, distant: e.distant(), probe: d.probe, err: e,
		last: d.used >= d.client.cfg.MaxAttempts,
	})
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

// forgive takes back the attempts of a streak that became an outage.
func (d *delivery) forgive() {
	if d.inStreak > 0 && d.client.weather.wasOutage(d.streak) {
		d.used -= d.inStreak
		d.inStreak = 0
	}
}

package apiclient

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"time"
)

// ShareStore keeps the record by which processes share a limit.
type ShareStore interface {
	// Update hands the record (nil: there is none yet) to change and stores what
	// that returns, atomically: when another process was quicker, change is called
	// again with what is there then. nil from change leaves the record as it is.
	Update(ctx context.Context, change func(record []byte) ([]byte, error)) error
}

const (
	shareTerm   = 30 * time.Second // for which a share is held
	shareRenew  = 10 * time.Second
	shareLook   = time.Second
	shareAnswer = 5 * time.Second // in which the store must answer

	// shareMargin is how long after its end a share still counts as taken, beside
	// the limit's own window: clocks may differ by 2 s, and the last request may
	// be under way.
	shareMargin = 2*time.Second + 200*time.Millisecond
)

// sharer keeps the shares of one client. All of it belongs to the goroutine of
// KeepShares.
type sharer struct {
	client  *Client
	token   string
	host    string
	account string
	used    []*sharedOp          // operations
	seen    map[string]time.Time // slowdowns of other processes, by token and operation
	wrote   time.Time
	failing bool
}

// sharedOp is an operation that is in use and whose limit is shared.
type sharedOp struct {
	limiter  *limiter
	holder   shareHolder // as it was last written
	next     shareHolder // as it is to be written. A share that became smaller is so for the calls at once
	info     ShareStats
	barred   time.Time // nothing is taken before: the record was lost
	taken    int64     // permits that calls took, ever
	measured time.Time
}

// KeepShares keeps this client's shares of the limits that it shares with other
// processes by Config.Shares, until ctx ends; then it gives them back. Without
// it a client with Config.Shares sends nothing. It returns nil, or an error when
// what the store holds is no record of shares.
func (c *Client) KeepShares(ctx context.Context) error {
	if c.cfg.Shares == nil {
		return nil
	}
	host, _ := os.Hostname() // an unnamed host is no reason not to share
	s := &sharer{
		client: c, token: rand.Text()[:12], host: host,
		account: c.base.Scheme + "://" + c.base.Host, seen: map[string]time.Time{},
	}
	tick := time.NewTicker(shareLook)
	defer tick.Stop()
	for {
		if err := s.look(ctx); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-c.shareKick:
		case <-ctx.Done():
			s.end()
			return nil
		}
	}
}

// look reads the record, takes and gives what is due, and writes where something
// changed or it is time to renew.
func (s *sharer) look(ctx context.Context) error {
	start, now := s.client.clock.now(), s.client.cfg.shareClock()
	s.measure(now)
	wrote := false
	limited, cancel := context.WithTimeout(ctx, shareAnswer)
	defer cancel()
	err := s.client.cfg.Shares.Update(limited, func(data []byte) ([]byte, error) {
		record, err := readShares(data)
		if err != nil {
			return nil, err
		}
		now = s.client.cfg.shareClock() // what is given up is given up now, however long the store took
		wrote = len(s.used) > 0 && now.Sub(s.wrote) >= shareRenew
		for _, o := range s.used {
			o.next = o.holder // what was decided on an earlier record counts no more
			o.next.Given = slices.Clone(o.holder.Given)
			wrote = s.divide(record, o, now) || wrote
		}
		if !wrote {
			return nil, nil
		}
		s.renew(record, now)
		return json.Marshal(record)
	})
	if errors.Is(err, errShareRecord) {
		return err
	}
	for _, o := range s.used {
		if err == nil {
			o.holder = o.next
		}
		if err == nil && wrote {
			s.wrote = now
			o.limiter.setShare(o.info, start+shareTerm)
		}
	}
	s.report(ctx, err)
	return nil
}

func (s *sharer) report(ctx context.Context, err error) {
	switch {
	case err != nil && ctx.Err() == nil && !s.failing:
		s.client.cfg.Log.Warn("the shares of the limit cannot be renewed: nothing is sent once this process's share runs out", "error", err)
	case err == nil && s.failing:
		s.client.cfg.Log.Warn("the shares of the limit can be renewed again")
	}
	s.failing = err != nil
}

// end gives all shares back; where the store does not allow it they run out.
func (s *sharer) end() {
	ctx, cancel := context.WithTimeout(context.Background(), shareAnswer)
	defer cancel()
	for _, o := range s.used {
		o.limiter.setShare(ShareStats{}, 0)
	}
	_ = s.client.cfg.Shares.Update(ctx, func(data []byte) ([]byte, error) {
		record, err := readShares(data)
		if err != nil {
			return nil, err
		}
		now := s.client.cfg.shareClock()
		for i := range record.Holders {
			if h := &record.Holders[i]; h.Token == s.token {
				h.resize(0, now)
				h.Until = now
			}
		}
		return json.Marshal(record)
	})
}

// measure notes what each operation needs. One that was never used takes no part.
func (s *sharer) measure(now time.Time) {
	for op, l := range s.client.limiters {
		if l.share == nil {
			continue
		}
		waiting, taken, slowed := l.demand(now)
		i := slices.IndexFunc(s.used, func(o *sharedOp) bool { return o.limiter == l })
		if i < 0 && waiting == 0 {
			continue
		}
		if i < 0 {
			rate := min(s.client.cfg.rate(Op(op)), maxPaced)
			s.used = append(s.used, &sharedOp{limiter: l, measured: now, info: ShareStats{Total: rate}, holder: shareHolder{
				Token: s.token, Host: s.host, PID: os.Getpid(), Account: s.account, Operation: Op(op).String(),
				Rate: rate, Since: now, Waiting: float64(waiting),
			}})
			i = len(s.used) - 1
		}
		o := s.used[i]
		h := &o.holder
		h.Waiting += 0.3 * (float64(waiting) - h.Waiting)
		if took := now.Sub(o.measured); took > 0 {
			h.Used += 0.3 * (float64(taken-o.taken)*float64(o.window())/float64(took) - h.Used)
		}
		o.taken, o.measured = taken, now
		if slowed != nil {
			h.Slowed = slowed
		}
	}
}

// window is the time in which a permit is good for one request.
func (o *sharedOp) window() time.Duration {
	return time.Duration(float64(time.Second) / min(o.info.Total, 1))
}

// divide works out this process's share of an operation and reports whether the
// record must be written. What is given up is given up at once, what is taken is
// used only once it is written.
func (s *sharer) divide(record *shareRecord, o *sharedOp, now time.Time) (changed bool) {
	h := &o.next
	was, all := s.sharers(record, h, now)
	switch {
	case now.After(h.Until): // others may have taken it
		h.Permits = 0
	case was == nil && h.Permits > 0: // somebody removed the record: who is out of reach still has a share
		o.barred = now.Add(shareTerm + o.window() + shareMargin)
		h.Permits = 0
	}
	o.info.Total = h.Rate
	for _, other := range all[1:] {
		o.info.Total = min(o.info.Total, other.Rate)
		s.heed(o.limiter, other, now)
	}
	permits := max(1, int(o.info.Total))
	free := permits - h.Permits - h.given(now, o.window())
	for i := range record.Holders {
		if other := &record.Holders[i]; h.besides(other) {
			free -= other.taken(now, o.window())
		}
	}
	if now.Before(o.barred) {
		free = 0
	}
	h.resize(nextShare(all, permits, free, now), now)
	o.info.Permits, o.info.Processes = h.Permits, len(all)
	if o.limiter.shareNow() > h.Permits {
		o.limiter.setShare(o.info, -1)
	}
	// A larger share than is in use was written before, and the answer was lost.
	return was == nil || h.Permits != was.Permits || h.Permits > o.limiter.shareNow() || h.waits() != was.waits() ||
		h.Waiting > 1.5*was.Waiting+1 || h.Slowed != nil && (was.Slowed == nil || !h.Slowed.At.Equal(was.Slowed.At))
}

// besides reports whether other shares the same limit and is another process.
func (h *shareHolder) besides(other *shareHolder) bool {
	return other.Account == h.Account && other.Operation == h.Operation && other.Token != h.Token
}

// sharers returns the holder as the record has it, and all that live, this one
// in front.
func (s *sharer) sharers(record *shareRecord, h *shareHolder, now time.Time) (was *shareHolder, all []*shareHolder) {
	all = []*shareHolder{h}
	for i := range record.Holders {
		other := &record.Holders[i]
		switch {
		case other.Token == h.Token && other.Operation == h.Operation:
			was = other
		case h.besides(other) && !now.After(other.Until.Add(shareMargin)):
			all = append(all, other)
		}
	}
	return was, all
}

// heed slows this process for a 429 that another has met.
func (s *sharer) heed(l *limiter, other *shareHolder, now time.Time) {
	key := other.Token + " " + other.Operation
	if other.Slowed == nil || !other.Slowed.At.After(s.seen[key]) {
		return
	}
	s.seen[key] = other.Slowed.At
	if now.Sub(other.Slowed.At) < time.Minute {
		l.slow(other.Slowed.Factor, other.Slowed.Pause.Sub(now))
	}
}

// renew puts this process's shares into the record, for another term, and takes
// out what is over.
func (s *sharer) renew(record *shareRecord, now time.Time) {
	record.Holders = slices.DeleteFunc(record.Holders, func(h shareHolder) bool {
		window := time.Duration(float64(time.Second) / min(max(h.Rate, 1e-6), 1))
		return h.Token == s.token || h.taken(now, window) == 0 && now.After(h.Until.Add(window+shareMargin))
	})
	for _, o := range s.used {
		h := &o.next
		h.Until = now.Add(shareTerm)
		h.Given = slices.DeleteFunc(h.Given, func(g givenShare) bool { return now.After(g.At.Add(o.window() + shareMargin)) })
		record.Holders = append(record.Holders, *h)
	}
}

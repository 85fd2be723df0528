package main

import (
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// startProgress shows where a run stands until the returned function is called.
func (x *execution) startProgress(engine *batch.Job) (end func()) {
	speed := &pace{points: []pacePoint{{0, engine.Progress().DoneBefore}}}
	stop := every(x.every, engine.Stop, func() { x.printer.show(x.snapshot(engine, speed)) })
	return func() { stop(); x.printer.end(x.lastSnapshot(engine)) }
}

// every calls f in a goroutine of its own, which ends with the returned function.
// A fault of f is given to fault, once.
func every(interval time.Duration, fault func(error), f func()) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if err := batch.Guard(func() error { f(); return nil }); err != nil {
				fault(err)
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (x *execution) snapshot(engine *batch.Job, speed *pace) progressSnapshot {
	p := engine.Progress()
	s := progressSnapshot{
		operation: x.operation.Name, done: p.Done,
		bad: p.Statuses[batch.Failed] + p.Statuses[batch.Rejected], rejected: p.Statuses[batch.Rejected],
	}
	s.total, s.exact = x.total(p)
	s.rate = speed.rate(p.Elapsed, p.Done)
	if x.client != nil {
		s.setTraffic(x.client.Stats(), x.requestName())
	}
	return s
}

// lastSnapshot is where an execution ended: its rate is that of the whole.
func (x *execution) lastSnapshot(engine *batch.Job) progressSnapshot {
	p := engine.Progress()
	whole := &pace{points: []pacePoint{{0, p.DoneBefore}}}
	s := x.snapshot(engine, whole)
	s.ended, s.waiting, s.retrying, s.limit = max(p.Elapsed, 1), waiting{}, 0, 0
	return s
}

// setTraffic says what holds the requests of an operation back.
func (s *progressSnapshot) setTraffic(c apiclient.Stats, operation string) {
	s.retrying = c.Retrying
	s.limit = settledRate(c, operation)
	s.shared = shareText(opStats(c, operation).Share)
	if c.Waiting == apiclient.WaitLimit {
		return
	}
	s.waiting.why = c.Waiting
	if !c.Until.IsZero() {
		s.waiting.left = max(0, time.Until(c.Until))
	}
	if !c.GivesUp.IsZero() {
		s.waiting.givesUp = max(0, time.Until(c.GivesUp))
	}
}

// total is how many rows the run has: known at the end of the inputs, until
// then estimated.
func (x *execution) total(p batch.Progress) (rows int64, exact bool) {
	if p.AllRead {
		return p.Read, true
	}
	if x.people != nil {
		return x.estimateDevices(p.Read), false
	}
	rows, _ = x.spec.estimateAt(p.Read, p.Input, p.Next)
	return rows, false
}

// estimateDevices takes the devices of the people listed so far for an average;
// 0: the platform has not said yet how many people there are.
func (x *execution) estimateDevices(rows int64) int64 {
	c := x.people.Count()
	if c.People == 0 || c.Total < c.People {
		return 0
	}
	return int64(float64(rows) * float64(c.Total) / float64(c.People))
}

// estimate says how many rows a run has, as of a checkpoint.
func (s *runSpec) estimate(c *batch.Checkpoint) (rows int64, known bool) {
	if c.Ended {
		return c.Rows, true
	}
	return s.estimateAt(c.Rows, c.Input, c.Next)
}

// estimateAt takes the bytes that the rows read so far took for an average.
// Streams and compressed inputs have no size to compare with.
func (s *runSpec) estimateAt(rows int64, input int, at batch.Position) (total int64, known bool) {
	var all, read int64
	for i, in := range s.Inputs {
		if in.Size < 0 || in.Compressed {
			return 0, false
		}
		all += in.Size
		switch {
		case i < input:
			read += in.Size
		case i == input:
			read += min(at.Offset, in.Size)
		}
	}
	if read == 0 {
		return 0, false
	}
	total = int64(float64(rows) * float64(all) / float64(read))
	if s.Limit > 0 {
		total = min(total, s.Limit)
	}
	return total, true
}

package main

import (
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// startProgress shows where a run stands until the returned function is called.
func (j *job) startProgress(engine *batch.Job) (end func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() { // ends with end
		defer close(ended)
		tick := time.NewTicker(j.every)
		defer tick.Stop()
		speed := &pace{points: []pacePoint{{0, engine.Progress().DoneBefore}}}
		for {
			select {
			case <-tick.C:
				j.printer.show(j.standing(engine, speed))
			case <-done:
				j.printer.end(j.lastStanding(engine))
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (j *job) standing(engine *batch.Job, speed *pace) standing {
	p := engine.Progress()
	s := standing{
		operation: j.operation.Name, done: p.Done,
		bad: p.Statuses[batch.Failed] + p.Statuses[batch.Rejected],
	}
	s.total, s.exact = j.total(p)
	s.rate = speed.rate(p.Elapsed, p.Done)
	if j.client != nil {
		s.tellTraffic(j.client.Stats(), j.requestName())
	}
	return s
}

// lastStanding is where a sitting ended: its rate is that of the whole.
func (j *job) lastStanding(engine *batch.Job) standing {
	p := engine.Progress()
	whole := &pace{points: []pacePoint{{0, p.DoneBefore}}}
	s := j.standing(engine, whole)
	s.ended, s.waiting, s.retrying, s.limit = max(p.Elapsed, 1), waiting{}, 0, 0
	return s
}

// tellTraffic says what holds the requests of an operation back.
func (s *standing) tellTraffic(c apiclient.Stats, operation string) {
	s.retrying = c.Retrying
	s.limit = settledRate(c, operation)
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
func (j *job) total(p batch.Progress) (rows int64, exact bool) {
	if p.AllRead {
		return p.Read, true
	}
	rows, _ = j.spec.estimateAt(p.Read, p.Input, p.Next)
	return rows, false
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

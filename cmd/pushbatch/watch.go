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
		for {
			select {
			case <-tick.C:
				j.printer.show(j.standing(engine))
			case <-done:
				j.printer.end(j.standing(engine))
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (j *job) standing(engine *batch.Job) standing {
	p := engine.Progress()
	s := standing{
		operation: j.operation.Name, done: p.Done,
		bad: p.Statuses[batch.Failed] + p.Statuses[batch.Rejected],
	}
	s.total, s.exact = j.total(p)
	if secs := p.Elapsed.Seconds(); secs > 0 {
		s.rate = float64(p.Done-p.DoneBefore) / secs
	}
	if j.client != nil {
		s.waiting = waitingText(j.client.Stats())
	}
	return s
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

// waitingText says why no request goes out just now. Waiting for the limit is
// what a run does all the time: the rate tells it.
func waitingText(s apiclient.Stats) string {
	if s.Waiting == apiclient.NotWaiting || s.Waiting == apiclient.WaitLimit {
		return ""
	}
	text := s.Waiting.String()
	if left := time.Until(s.Until).Round(time.Second); left > 0 {
		text += " for " + left.String()
	}
	return text
}

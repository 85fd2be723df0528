package batch

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"pushbatch/batch/jsonappend"
)

// Waiting is a finished row whose turn to be written had not come when a
// checkpoint was taken, because an earlier row was still under way.
type Waiting struct {
	Row     int64   `json:"row"`
	Outcome Outcome `json:"outcome"`
}

// AppendJSON appends what json.Marshal makes, in a sixth of its time: it is done
// for every row.
func (w *Waiting) AppendJSON(dst []byte) []byte {
	o := &w.Outcome
	dst = strconv.AppendInt(append(dst, `{"row":`...), w.Row, 10)
	dst = append(append(append(dst, `,"outcome":{"status":"`...), o.Status.String()...), '"')
	for _, text := range [...]struct{ name, value string }{
		{`,"registration_id":`, o.RegistrationID},
		{`,"code":`, o.Code},
		{`,"message":`, o.Message},
		{`,"error_columns":`, o.ErrorColumns},
		{`,"warnings":`, o.Warnings},
	} {
		if text.value != "" {
			dst = jsonappend.String(append(dst, text.name...), text.value)
		}
	}
	for _, number := range [...]struct {
		name  string
		value int64
	}{{`,"http_status":`, int64(o.HTTPStatus)}, {`,"attempts":`, int64(o.Attempts)}, {`,"latency":`, int64(o.Latency)}} {
		if number.value != 0 {
			dst = strconv.AppendInt(append(dst, number.name...), number.value, 10)
		}
	}
	if len(o.Payload) > 0 {
		dst = base64.StdEncoding.AppendEncode(append(dst, `,"payload":"`...), o.Payload)
		dst = append(dst, '"')
	}
	dst = o.Finished.AppendFormat(append(dst, `,"finished":"`...), time.RFC3339Nano)
	return append(dst, `"}}`...)
}

// Checkpoint is where a run stands: everything before the watermark is durable
// in the sink's files up to Mark; of the rows after it those in Waiting are
// finished too. A run that is resumed from a checkpoint ends with the same
// results as one that never stopped.
type Checkpoint struct {
	Rows        int64           `json:"rows"`     // rows recorded; the watermark
	Input       int             `json:"input"`    // input of the next row
	Next        Position        `json:"position"` // where it starts there
	Mark        Mark            `json:"mark"`
	Tally       Tally           `json:"tally"`
	Waiting     []Waiting       `json:"waiting,omitempty"`
	Elapsed     time.Duration   `json:"elapsed_ns"` // time the run has worked so far, all executions together
	SavedAt     time.Time       `json:"saved_at,omitzero"`
	Stopped     bool            `json:"stopped,omitempty"`      // the execution came to its end by itself: nothing was sent since
	Journal     int64           `json:"journal,omitempty"`      // number of the first line of the journal that is not in here
	Ended       bool            `json:"ended"`                  // the end of the input was reached and every row is recorded
	CallerState json.RawMessage `json:"caller_state,omitempty"` // what Config.CallerState gave
}

// MaxWaiting bounds the rows that a checkpoint, or a journal, holds: half as many again
// as the largest run has under way (16 for each of 10,000 requests). One takes 1.4 KB.
const MaxWaiting = 1 << 18

// Check refuses what no run can have saved, for others may have written it: a number
// below zero or too high to count on, a code without its count, more than a run keeps.
func (c *Checkpoint) Check() error {
	codes, warnings := slices.Collect(maps.Values(c.Tally.Codes)), slices.Collect(maps.Values(c.Tally.Warnings))
	lowest := min(slices.Min(c.Tally.Statuses[:]), c.Rows, int64(c.Input), c.Next.Row, c.Next.Line, c.Next.Offset)
	if lowest < 0 || c.Rows > 1<<53 || len(c.Waiting) > MaxWaiting || len(c.CallerState) > 1<<20 ||
		max(len(codes), len(warnings)) > maxCodes+1 || slices.Contains(codes, nil) || slices.Contains(warnings, nil) {
		return errors.New("it holds what no run saves: it was damaged or replaced")
	}
	return nil
}

// Recover adds rows that a journal holds and the checkpoint does not. next is the
// number of the journal's next line.
func (c *Checkpoint) Recover(rows []Waiting, next int64) {
	have := make(map[int64]bool, len(c.Waiting))
	for _, w := range c.Waiting {
		have[w.Row] = true
	}
	for _, w := range rows {
		if w.Row > c.Rows && !have[w.Row] {
			c.Waiting = append(c.Waiting, w)
		}
	}
	c.Journal = next
}

// Journal keeps rows that were sent until a checkpoint holds them, so that they
// outlive the process. Its methods are called from any goroutine, also at the same
// time. A row is appended before any row that shares a key with it is sent.
type Journal interface {
	// Append keeps a finished row. An error stops the run.
	Append(Waiting) error
	// Begin is called before a checkpoint is taken and returns its Journal number:
	// what is appended later may be missing in the checkpoint.
	Begin() int64
	// Drop forgets what was appended before the last Begin: a checkpoint holds it.
	Drop() error
}

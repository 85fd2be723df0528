package batch

import (
	"encoding/json"
	"time"
)

// Waiting is a finished row whose turn to be written had not come when a
// checkpoint was taken, because an earlier row was still under way.
type Waiting struct {
	Row     int64   `json:"row"`
	Outcome Outcome `json:"outcome"`
}

// Checkpoint is where a run stands: everything before the watermark is durable
// in the sink's files up to Mark; of the rows behind it those in Waiting are
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
	Ended       bool            `json:"ended"`                  // the end of the input was reached and every row is recorded
	CallerState json.RawMessage `json:"caller_state,omitempty"` // what Config.CallerState gave
}

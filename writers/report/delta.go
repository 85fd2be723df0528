package report

import (
	"fmt"
	"io"
	"time"
)

// Delta is what a run with a delta state found before its first request: rows, but
// for Vanished and Known, which are devices.
type Delta struct {
	State     string  `json:"state,omitempty"`
	First     bool    `json:"first_run,omitempty"` // nothing was known
	New       int64   `json:"new"`
	Changed   int64   `json:"changed"`
	Unchanged int64   `json:"unchanged"`
	TooOld    int64   `json:"too_old"`
	Vanished  int64   `json:"vanished"`
	ToSend    int64   `json:"to_send"` // the vanished ones of a mirror included
	Known     int64   `json:"known"`   // to the state, before the run
	Seconds   float64 `json:"sending_seconds"`
	Refused   bool    `json:"too_many_vanished,omitempty"` // more than --max-vanished
}

// counts lists the rows by what they are to the state.
func (d *Delta) counts() []fact {
	return []fact{
		countFact("New", "delta.new", d.New), countFact("Changed", "delta.changed", d.Changed),
		countFact("Unchanged", "delta.unchanged", d.Unchanged), countFact("Too old", "delta.too_old", d.TooOld),
		countFact("Vanished", "delta.vanished", d.Vanished), countFact("To send", "delta.to_send", d.ToSend),
	}
}

// facts are those of the page; nil has none.
func (d *Delta) facts() []fact {
	if d == nil {
		return nil
	}
	return append(d.counts(), fact{Name: "Delta state", Value: d.State})
}

// Text is the counts in one line, and how long sending takes at the run's rate.
func (d *Delta) Text() string {
	return fmt.Sprintf("new %s, changed %s, unchanged %s, too old %s, vanished %s; to send %s in about %s", Grouped(d.New), Grouped(d.Changed),
		Grouped(d.Unchanged), Grouped(d.TooOld), Grouped(d.Vanished), Grouped(d.ToSend), time.Duration(d.Seconds*float64(time.Second)).Round(time.Second))
}

func (d *Delta) printTo(w io.Writer) {
	if d != nil {
		fmt.Fprintf(w, "  delta      %s\n", d.Text())
	}
}

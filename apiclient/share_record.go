package apiclient

import (
	"encoding/json"
	"errors"
	"time"
)

// shareRecord is what the processes that share a limit know of each other.
type shareRecord struct {
	Kind    string        `json:"kind"`
	Holders []shareHolder `json:"holders"`
}

const shareKind = "pushbatch shares 1"

// shareHolder is one process's part of one operation's limit. Its times are of
// its own clock.
type shareHolder struct {
	Token     string       `json:"token"` // names the process
	Host      string       `json:"host"`
	PID       int          `json:"pid"`
	Account   string       `json:"account"`
	Operation string       `json:"operation"`
	Rate      float64      `json:"rate"`    // the --rate it names
	Permits   int          `json:"permits"` // its share, requests in a window
	Until     time.Time    `json:"until"`   // when the share runs out
	Since     time.Time    `json:"since"`   // when it last got a share or lost all of it
	Waiting   float64      `json:"waiting"` // calls that wait for a permit
	Used      float64      `json:"used"`    // permits in a window
	Given     []givenShare `json:"given,omitempty"`
	Slowed    *slowdown    `json:"slowed,omitempty"`
}

// givenShare are permits that were given up. Another process may use them once
// no window can hold requests of both.
type givenShare struct {
	Permits int       `json:"permits"`
	At      time.Time `json:"at"`
}

// slowdown is the last 429 that a process met. It slows the others as well.
type slowdown struct {
	At     time.Time `json:"at"`
	Factor float64   `json:"factor"` // by which the rate fell
	Pause  time.Time `json:"pause"`  // until when the platform wants no request
}

// taken returns how many permits a holder may still be using.
func (h *shareHolder) taken(now time.Time, window time.Duration) int {
	n := h.given(now, window)
	if !now.After(h.Until.Add(window + shareMargin)) {
		n += h.Permits
	}
	return n
}

func (h *shareHolder) given(now time.Time, window time.Duration) (n int) {
	for _, g := range h.Given {
		if !now.After(g.At.Add(window + shareMargin)) {
			n += g.Permits
		}
	}
	return n
}

// resize changes a holder's own share; what it gives up cools down.
func (h *shareHolder) resize(permits int, now time.Time) {
	if permits < h.Permits {
		h.Given = append(h.Given, givenShare{h.Permits - permits, now})
	}
	if (permits == 0) != (h.Permits == 0) {
		h.Since = now
	}
	h.Permits = permits
}

// CheckShares says whether data is a record that clients share limits by. No data
// is one: nobody has begun.
func CheckShares(data []byte) error {
	_, err := readShares(data)
	return err
}

func readShares(data []byte) (*shareRecord, error) {
	record := &shareRecord{}
	if len(data) == 0 {
		return &shareRecord{Kind: shareKind}, nil
	}
	if err := json.Unmarshal(data, record); err != nil || record.Kind != shareKind {
		return nil, errShareRecord
	}
	return record, nil
}

var errShareRecord = errors.New("what is there is no record of shares: name another place")

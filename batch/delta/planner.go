package delta

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"pushbatch/batch/spill"
)

// Duplicates says what becomes of the rows of a device that stands in the input
// more than once.
type Duplicates string

// The values of --on-duplicate.
const (
	SendAll      Duplicates = "all"    // all are sent, in order
	SendLast     Duplicates = "last"   // the last valid one is sent, the others are superseded
	RejectDiffer Duplicates = "reject" // none is sent when they differ; equal repeats are superseded
)

// PlanOptions say how a plan is made.
type PlanOptions struct {
	Folder      string // for temporary files, as large as the registration ids of the input
	OnDuplicate Duplicates
	Full        bool          // send every row
	Adopt       bool          // send nothing, take every valid row as acknowledged
	Part        bool          // of the input: what it does not name has not vanished
	MaxAge      time.Duration // send again what was acknowledged longer ago; 0: never
	Now         time.Time
}

// Planner takes the rows of the inputs in order and makes the plan of the run.
// It is used by one goroutine.
type Planner struct {
	options PlanOptions
	rows    *spill.Buckets
	plan    *Plan
	record  []byte

	doubtful int64 // rows
}

// NewPlanner begins a plan. Close the planner.
func NewPlanner(o PlanOptions) (*Planner, error) {
	rows, err := spill.New(o.Folder, 0)
	if err != nil {
		return nil, err
	}
	return &Planner{options: o, rows: rows, plan: &Plan{}}, nil
}

// Close removes what lies on disk.
func (p *Planner) Close() error { return p.rows.Close() }

// Request takes the next row, which makes a request with that hash.
func (p *Planner) Request(appCode, registrationID string, request Hash) error {
	return p.add(kindSend, appCode, registrationID, request)
}

// Inert takes the next row, which makes no request. idle tells that it has
// nothing to do, else it is rejected: then, without a registration id, nobody knows
// which device it names.
func (p *Planner) Inert(registrationID string, idle bool) error {
	switch {
	case registrationID == "":
		p.plan.next()
		if !idle {
			p.plan.Counts.Unreadable++
		}
		return nil
	case idle:
		return p.add(kindIdle, "", registrationID, Hash{})
	}
	return p.add(kindInert, "", registrationID, Hash{})
}

// Vanished takes, after all rows, a device that is to be a row after them. It must
// be known to the State, and the order be that in which a plan lists them.
func (p *Planner) Vanished(registrationID string) error {
	p.plan.Mirror = true
	return p.spill(kindVanish, 0, "", registrationID, Hash{})
}

func (p *Planner) add(kind string, appCode, registrationID string, request Hash) error {
	return p.spill(kind, p.plan.next(), appCode, registrationID, request)
}

func (p *Planner) spill(kind string, row int64, appCode, registrationID string, request Hash) error {
	b := binary.AppendUvarint(append(p.record[:0], byte(slices.Index(kinds, kind))), uint64(row))
	b = append(b, request[:]...)
	b = binary.AppendUvarint(b, uint64(len(appCode)))
	p.record = append(append(b, appCode...), registrationID...)
	return p.rows.Add(DeviceHash(registrationID), p.record)
}

// sorted yields the rows that were spilled by the hash of their device, those of one
// device in input order.
func (p *Planner) sorted(yield func(*touched, error) bool) {
	for records, err := range p.rows.All() {
		if err != nil {
			yield(nil, err)
			return
		}
		rows := make([]touched, len(records))
		for i := range records {
			rows[i].parse(&records[i])
		}
		slices.SortStableFunc(rows, func(a, b touched) int { return bytes.Compare(a.hash[:], b.hash[:]) })
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}

// kinds are those of rows, by the byte that they are spilled with.
var kinds = []string{kindSend, kindInert, kindIdle, kindVanish}

func (t *touched) parse(r *spill.Record) {
	data := r.Data
	t.hash, t.Kind = r.Key, kinds[data[0]]
	row, n := binary.Uvarint(data[1:])
	data = data[1+n:]
	copy(t.request[:], data)
	data = data[len(t.request):]
	length, n := binary.Uvarint(data)
	at := n + int(length)
	t.Row, t.AppCode, t.RegistrationID = int64(row), string(data[n:at]), string(data[at:])
}

// Rows is how many rows were taken.
func (p *Planner) Rows() int64 { return p.plan.Rows }

// Doubt says that the row before may name another device than was understood.
func (p *Planner) Doubt() { p.doubtful++ }

// Unreadable is how many rows name a device that nobody can read for certain.
func (p *Planner) Unreadable() int64 { return p.plan.Counts.Unreadable + p.doubtful }

// Finish joins the rows with what a State knows; nil knows nothing. The plan's
// note is made at a path on disk; without one there is none: the run sends nothing.
// Devices that vanished are listed as CSV, to be rows after the others; nil: they
// are only counted.
func (p *Planner) Finish(ctx context.Context, state *State, notePath string, vanished io.Writer) (_ *Plan, err error) {
	j := &join{plan: p.plan, options: &p.options, hashes: state != nil && state.pointer.HashVersion == hashVersion}
	if state != nil {
		p.plan.Run, p.plan.Serial, p.plan.First = strings.ToLower(rand.Text()[:12]), state.pointer.Serial, state.First()
	}
	if state != nil && notePath != "" {
		if j.note, err = createTable[touched](state.options.Files, notePath); err != nil {
			return nil, err
		}
	}
	if vanished != nil {
		p.plan.Mirror, j.list = true, csv.NewWriter(vanished)
		if err := j.list.Write([]string{"registration_id", "app_code"}); err != nil {
			return nil, err
		}
	}
	return p.plan, errors.Join(sideBySide(ctx, state.devices(ctx), p.sorted, j.device), j.finish())
}

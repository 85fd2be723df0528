package delta

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"io"
	"iter"
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

// What a row is to its device.
const (
	rowRequest  byte = iota // makes a request
	rowInert                // rejected, but names the device
	rowIdle                 // has nothing to do
	rowVanished             // no row: the device is to be depersonalized
)

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
	return p.add(rowRequest, appCode, registrationID, request)
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
		return p.add(rowIdle, "", registrationID, Hash{})
	}
	return p.add(rowInert, "", registrationID, Hash{})
}

// Vanished takes, after all rows, a device that is to be a row after them. It must
// be known to the State, and the order be that in which a plan lists them.
func (p *Planner) Vanished(registrationID string) error {
	p.plan.Mirror = true
	return p.spill(rowVanished, 0, "", registrationID, Hash{})
}

func (p *Planner) add(kind byte, appCode, registrationID string, request Hash) error {
	return p.spill(kind, p.plan.next(), appCode, registrationID, request)
}

func (p *Planner) spill(kind byte, row int64, appCode, registrationID string, request Hash) error {
	b := binary.AppendUvarint(append(p.record[:0], kind), uint64(row))
	b = append(b, request[:]...)
	b = binary.AppendUvarint(b, uint64(len(appCode)))
	p.record = append(append(b, appCode...), registrationID...)
	return p.rows.Add(DeviceHash(registrationID), p.record)
}

// plannedRow is a row as it was spilled.
type plannedRow struct {
	device                  Hash
	kind                    byte
	row                     int64
	request                 Hash
	appCode, registrationID []byte
}

func parseRow(r *spill.Record) plannedRow {
	data := r.Data
	p := plannedRow{device: r.Key, kind: data[0]}
	row, n := binary.Uvarint(data[1:])
	data = data[1+n:]
	p.row = int64(row)
	copy(p.request[:], data)
	data = data[len(p.request):]
	length, n := binary.Uvarint(data)
	p.appCode, p.registrationID = data[n:n+int(length)], data[n+int(length):]
	return p
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
	j := &join{plan: p.plan, options: &p.options}
	next, stop := iter.Pull2(state.devices(ctx))
	defer stop()
	j.next, j.hashes = next, state != nil && state.pointer.HashVersion == hashVersion
	if state != nil {
		p.plan.begin(state)
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
	return p.plan, errors.Join(j.run(ctx, p.rows), j.finish())
}

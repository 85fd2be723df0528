package delta

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
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
}

// What a row is to its device.
const (
	rowRequest byte = iota // makes a request
	rowInert               // rejected, but names the device
	rowIdle                // has nothing to do
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
// nothing to do, else it is rejected. Without a registration id nobody knows which
// device it names.
func (p *Planner) Inert(registrationID string, idle bool) error {
	switch {
	case registrationID == "":
		p.plan.next()
		p.plan.Counts.Unreadable++
		return nil
	case idle:
		return p.add(rowIdle, "", registrationID, Hash{})
	}
	return p.add(rowInert, "", registrationID, Hash{})
}

func (p *Planner) add(kind byte, appCode, registrationID string, request Hash) error {
	row := p.plan.next()
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

// Unreadable is how many rows name a device that nobody can read.
func (p *Planner) Unreadable() int64 { return p.plan.Counts.Unreadable }

// Finish joins the rows with what a State knows; nil knows nothing. The plan's
// note is made at a path on disk; without one there is none: the run sends nothing.
// Devices that vanished are listed as CSV, to be rows behind the others; nil: they
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

// join goes through the devices of the input and those of the State side by
// side, both sorted by their hash.
type join struct {
	plan    *Plan
	options *PlanOptions
	next    func() (*Device, error, bool)
	known   *Device // the device of the State that is next
	hashes  bool    // its request hashes can be compared
	note    *tableWriter[touched]
	list    *csv.Writer // of vanished devices; nil: they are only counted
}

func (j *join) run(ctx context.Context, rows *spill.Buckets) error {
	if err := j.advance(); err != nil {
		return err
	}
	for records, err := range rows.All() {
		if err = cmp.Or(err, context.Cause(ctx)); err != nil {
			return err
		}
		planned := make([]plannedRow, len(records))
		for i := range records {
			planned[i] = parseRow(&records[i])
		}
		slices.SortStableFunc(planned, func(a, b plannedRow) int { return bytes.Compare(a.device[:], b.device[:]) })
		for len(planned) > 0 {
			n := 1
			for n < len(planned) && planned[n].device == planned[0].device {
				n++
			}
			if err := j.device(planned[:n]); err != nil {
				return err
			}
			planned = planned[n:]
		}
	}
	for j.known != nil {
		if err := j.vanished(); err != nil {
			return err
		}
	}
	return nil
}

func (j *join) advance() (err error) {
	known, err, more := j.next()
	if !more {
		known = nil
	}
	j.known = known
	return err
}

// device plans the rows of one device.
func (j *join) device(rows []plannedRow) error {
	for j.known != nil && bytes.Compare(j.known.hash[:], rows[0].device[:]) < 0 {
		if err := j.vanished(); err != nil {
			return err
		}
	}
	known := j.known
	if known != nil && known.hash == rows[0].device {
		if err := j.advance(); err != nil {
			return err
		}
		j.plan.Counts.Known++
	} else {
		known = nil
	}
	kept, inert := j.duplicates(rows)
	if len(kept) == 0 {
		return nil
	}
	send := j.judge(kept, known)
	if !send || j.note == nil {
		return nil
	}
	for _, r := range kept {
		if err := j.touch(r, hexText(r.request), kindSend); err != nil {
			return err
		}
	}
	for _, r := range inert {
		if err := j.touch(r, "", kindInert); err != nil {
			return err
		}
	}
	return nil
}

func (j *join) touch(r *plannedRow, hash, kind string) error {
	return j.note.add(&touched{
		AppCode: string(r.appCode), RegistrationID: string(r.registrationID), RequestHash: hash, Row: r.row, Kind: kind,
	})
}

// duplicates sorts the rows of a device into those that stand for it and those
// that are rejected anyway.
func (j *join) duplicates(rows []plannedRow) (kept, inert []*plannedRow) {
	differ := false
	for i := range rows {
		switch r := &rows[i]; r.kind {
		case rowRequest:
			kept = append(kept, r)
			differ = differ || r.request != kept[0].request
		case rowInert:
			inert = append(inert, r)
			j.plan.Counts.Rejected++
		default:
			j.plan.Counts.Idle++
		}
	}
	if len(kept) < 2 {
		return kept, inert
	}
	j.plan.Counts.Repeated++
	if differ {
		for _, r := range kept[1:] {
			j.plan.mark(r.row, repeated)
		}
	}
	switch {
	case j.options.OnDuplicate == SendLast:
		return j.supersede(kept, len(kept)-1), inert
	case j.options.OnDuplicate == RejectDiffer && !differ:
		return j.supersede(kept, 0), inert
	case j.options.OnDuplicate == RejectDiffer:
		for _, r := range kept {
			j.plan.mark(r.row, Duplicate)
		}
		j.plan.Counts.Duplicates += int64(len(kept))
		return nil, nil
	}
	return kept, inert
}

// supersede keeps one row of a device.
func (j *join) supersede(rows []*plannedRow, keep int) []*plannedRow {
	for i, r := range rows {
		if i != keep {
			j.plan.mark(r.row, Superseded)
		}
	}
	j.plan.Counts.Superseded += int64(len(rows) - 1)
	return rows[keep : keep+1]
}

// judge compares the requests of a device with what was acknowledged of it, and
// reports whether it is noted.
func (j *join) judge(rows []*plannedRow, known *Device) bool {
	requests := make([]Hash, len(rows))
	for i, r := range rows {
		requests[i] = r.request
	}
	n, counts := int64(len(rows)), &j.plan.Counts
	send := true
	switch {
	case known == nil:
		counts.New += n
	case known.RequestHash == "" || !j.hashes || known.RequestHash != hexText(sequence(requests)):
		counts.Changed += n
	case j.tooOld(known):
		counts.TooOld += n
	default:
		counts.Unchanged += n
		send = false
	}
	switch {
	case j.options.Adopt:
		j.all(rows, Adopted)
		counts.Adopted += n
		return true
	case send || j.options.Full:
		counts.Send += n
		return true
	}
	j.all(rows, Unchanged)
	return false
}

func (j *join) all(rows []*plannedRow, a Action) {
	for _, r := range rows {
		j.plan.mark(r.row, a)
	}
}

// tooOld reports whether an acknowledgement is older than the maximum for its
// device, which lies between half of --max-age and the whole.
func (j *join) tooOld(known *Device) bool {
	if j.options.MaxAge <= 0 {
		return false
	}
	share := float64(binary.BigEndian.Uint32(known.hash[8:])) / (1 << 32)
	most := time.Duration(float64(j.options.MaxAge) * (1 + share) / 2)
	return j.options.Now.Sub(time.UnixMilli(known.AcknowledgedAt)) > most
}

// vanished counts the device of the State that is next, which the input does not
// name, and lists it.
func (j *join) vanished() error {
	d, counts := j.known, &j.plan.Counts
	counts.Known++
	counts.Vanished++
	if j.list != nil {
		if err := j.list.Write([]string{d.RegistrationID, d.AppCode}); err != nil {
			return err
		}
	}
	if j.list != nil && j.note != nil {
		err := j.note.add(&touched{
			AppCode: d.AppCode, RegistrationID: d.RegistrationID, Row: j.plan.Rows + counts.Vanished, Kind: kindVanish,
		})
		if err != nil {
			return err
		}
	}
	return j.advance()
}

func (j *join) finish() (err error) {
	if j.list != nil {
		j.list.Flush()
		err = j.list.Error()
	}
	if j.note != nil {
		var noteErr error
		j.plan.Note, noteErr = j.note.finish()
		err = errors.Join(err, noteErr)
	}
	return err
}

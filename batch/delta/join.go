package delta

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"slices"
	"time"

	"pushbatch/batch/spill"
)

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
		if err := j.vanished(!j.options.Part); err != nil {
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
		if err := j.vanished(!j.options.Part); err != nil {
			return err
		}
	}
	known := j.known
	if known != nil && known.hash == rows[0].device && rows[0].kind == rowVanished {
		return j.vanished(true)
	}
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
	send := j.decide(kept, known)
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

// decide compares the requests of a device with what was acknowledged of it, and
// reports whether it is noted.
func (j *join) decide(rows []*plannedRow, known *Device) bool {
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
// name, and lists it if it is taken for one that has vanished.
func (j *join) vanished(taken bool) error {
	d, counts := j.known, &j.plan.Counts
	counts.Known++
	if !taken {
		return j.advance()
	}
	counts.Vanished++
	if j.list != nil {
		if err := j.list.Write([]string{d.RegistrationID, d.AppCode}); err != nil {
			return err
		}
	}
	if j.plan.Mirror && j.note != nil {
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

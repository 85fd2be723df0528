package delta

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"iter"
	"slices"
	"time"
)

// sideBySide gives each every device that the State or a row names, in the order of
// their hashes, by which both are sorted: what the State has of it (nil: nothing) and
// its rows (none: only the State knows it), which are valid until each returns.
func sideBySide(ctx context.Context, devices iter.Seq2[*Device, error], rows iter.Seq2[*touched, error], each func(*Device, []*touched) error) error {
	nextDevice, stop := iter.Pull2(devices)
	defer stop()
	nextRow, stop := iter.Pull2(rows)
	defer stop()
	known, err, isKnown := nextDevice()
	row, rowErr, isRow := nextRow()
	var group []*touched
	for err = cmp.Or(err, rowErr); err == nil && (isKnown || isRow); err = cmp.Or(err, rowErr, context.Cause(ctx)) {
		if !isRow || isKnown && bytes.Compare(known.hash[:], row.hash[:]) < 0 {
			if err = each(known, nil); err == nil {
				known, err, isKnown = nextDevice()
			}
			continue
		}
		group = append(group[:0], row)
		for row, rowErr, isRow = nextRow(); isRow && rowErr == nil && row.hash == group[0].hash; row, rowErr, isRow = nextRow() {
			group = append(group, row)
		}
		if !isKnown || known.hash != group[0].hash {
			err = each(nil, group)
		} else if err = each(known, group); err == nil {
			known, err, isKnown = nextDevice()
		}
	}
	return err
}

// join plans a run, device by device.
type join struct {
	plan    *Plan
	options *PlanOptions
	hashes  bool // those of requests that the State has can be compared
	note    *tableWriter[touched]
	list    *csv.Writer // of vanished devices; nil: they are only counted
}

// device plans the rows of one device, and counts one that no row names.
func (j *join) device(known *Device, rows []*touched) error {
	if known != nil {
		j.plan.Counts.Known++
	}
	if len(rows) == 0 && j.options.Part {
		return nil
	}
	if len(rows) == 0 || rows[0].Kind == kindVanish {
		return j.vanished(known)
	}
	kept, inert := j.duplicates(rows)
	if len(kept) == 0 || !j.decide(kept, known) || j.note == nil {
		return nil
	}
	for _, r := range slices.Concat(kept, inert) {
		if r.Kind == kindSend {
			r.RequestHash = hexText(r.request)
		}
		if err := j.note.add(r); err != nil {
			return err
		}
	}
	return nil
}

// duplicates sorts the rows of a device into those that stand for it and those
// that are rejected anyway.
func (j *join) duplicates(rows []*touched) (kept, inert []*touched) {
	differ := false
	for _, r := range rows {
		switch r.Kind {
		case kindSend:
			kept = append(kept, r)
			differ = differ || r.request != kept[0].request
		case kindInert:
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
			j.plan.mark(r.Row, repeated)
		}
	}
	switch {
	case j.options.OnDuplicate == SendLast:
		return j.supersede(kept, len(kept)-1), inert
	case j.options.OnDuplicate == RejectDiffer && !differ:
		return j.supersede(kept, 0), inert
	case j.options.OnDuplicate == RejectDiffer:
		for _, r := range kept {
			j.plan.mark(r.Row, Duplicate)
		}
		j.plan.Counts.Duplicates += int64(len(kept))
		return nil, nil
	}
	return kept, inert
}

// supersede keeps one row of a device.
func (j *join) supersede(rows []*touched, keep int) []*touched {
	for i, r := range rows {
		if i != keep {
			j.plan.mark(r.Row, Superseded)
		}
	}
	j.plan.Counts.Superseded += int64(len(rows) - 1)
	return rows[keep : keep+1]
}

// decide compares the requests of a device with what was acknowledged of it, and
// reports whether it is noted.
func (j *join) decide(rows []*touched, known *Device) bool {
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

func (j *join) all(rows []*touched, a Action) {
	for _, r := range rows {
		j.plan.mark(r.Row, a)
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

// vanished counts and lists a device of the State that the input does not name; nil:
// the State has forgotten it since.
func (j *join) vanished(d *Device) error {
	if d == nil {
		return nil
	}
	counts := &j.plan.Counts
	counts.Vanished++
	if j.list != nil {
		if err := j.list.Write([]string{d.RegistrationID, d.AppCode}); err != nil {
			return err
		}
	}
	if !j.plan.Mirror || j.note == nil {
		return nil
	}
	return j.note.add(&touched{AppCode: d.AppCode, RegistrationID: d.RegistrationID, Row: j.plan.Rows + counts.Vanished, Kind: kindVanish})
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

package main

import (
	"cmp"
	"crypto/sha256"
	bits "encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbatch/batch/spill"
	"pushbatch/writers/report"
)

// duplicates finds devices and identity values that stand in more than one row.
// Rows are sorted on disk: memory does not grow with them.
type duplicates struct {
	rows  *spill.Buckets
	count int64 // rows that were added
	err   error // the first; nothing is added after it
}

// duplicateBuckets is enough for a hundred million rows with 100 MB a bucket.
const duplicateBuckets = 256

// add notes a row that would be sent: what it touches, and what is sent.
func (d *duplicates) add(input int, row int64, keys []string, call []byte) {
	content := sha256.Sum256(call)
	data := bits.BigEndian.AppendUint64(nil, uint64(d.count))
	data = bits.AppendUvarint(bits.AppendUvarint(data, uint64(input)), uint64(row))
	data = append(data, content[:8]...)
	d.count++
	for _, key := range keys {
		kind := byte('p') // an identity value
		if strings.HasPrefix(key, "r:") {
			kind = 'r'
		}
		if d.err == nil {
			d.err = d.rows.Add(spill.KeyOf(key), append(data[:len(data):len(data)], kind))
		}
	}
}

// duplicateReport is what stands more than once: devices, or persons by an
// identity value.
type duplicateReport struct {
	Values   int64            `json:"values"`   // that stand in more than one row
	Rows     int64            `json:"rows"`     // in which they stand
	Differ   int64            `json:"differ"`   // values whose rows are not all the same
	Examples [][]duplicateRow `json:"examples"` // rows of the first ones

	counted []byte // a bit a row: an identity has several values
}

type duplicateRow struct {
	Source string `json:"source"`
	Row    int64  `json:"row"`

	at int64 // among all rows
}

// occurrence is one row of a device or identity value.
type occurrence struct {
	duplicateRow
	input   int
	content string
	person  bool
}

func readOccurrence(data []byte) occurrence {
	o := occurrence{person: data[len(data)-1] == 'p'}
	o.at = int64(bits.BigEndian.Uint64(data))
	rest := data[8:]
	input, n := bits.Uvarint(rest)
	row, m := bits.Uvarint(rest[n:])
	o.input, o.Row, o.content = int(input), int64(row), string(rest[n+m:len(rest)-1])
	return o
}

// finish counts, and removes what lay on disk.
func (d *duplicates) finish(names []string) (devices, persons *duplicateReport, err error) {
	defer func() { err = cmp.Or(err, d.rows.Close()) }()
	if d.err != nil {
		return nil, nil, d.err
	}
	devices, persons = newDuplicateReport(d.count), newDuplicateReport(d.count)
	for records, err := range d.rows.All() {
		if err != nil {
			return nil, nil, err
		}
		groups := make(map[spill.Key][]occurrence)
		for _, r := range records {
			groups[r.Key] = append(groups[r.Key], readOccurrence(r.Data))
		}
		for _, group := range groups {
			if len(group) > 1 && group[0].person {
				persons.add(group, names)
			} else if len(group) > 1 {
				devices.add(group, names)
			}
		}
	}
	return devices, persons, nil
}

func newDuplicateReport(rows int64) *duplicateReport {
	return &duplicateReport{Examples: [][]duplicateRow{}, counted: make([]byte, rows/8+1)}
}

func (r *duplicateReport) add(group []occurrence, names []string) {
	r.Values++
	for _, o := range group {
		if bit := byte(1) << (o.at % 8); r.counted[o.at/8]&bit == 0 {
			r.counted[o.at/8] |= bit
			r.Rows++
		}
	}
	if slices.ContainsFunc(group, func(o occurrence) bool { return o.content != group[0].content }) {
		r.Differ++
	}
	var rows []duplicateRow
	for _, o := range group[:min(len(group), shownExamples)] {
		o.Source = names[o.input]
		rows = append(rows, o.duplicateRow)
	}
	r.Examples = append(r.Examples, rows)
	slices.SortFunc(r.Examples, func(a, b []duplicateRow) int {
		return slices.CompareFunc(a, b, func(a, b duplicateRow) int { return cmp.Compare(a.at, b.at) })
	})
	r.Examples = slices.CompactFunc(r.Examples, slices.Equal)
	r.Examples = r.Examples[:min(len(r.Examples), shownExamples)]
}

func (r *duplicateReport) printTo(w io.Writer, what string) {
	if r.Values == 0 {
		return
	}
	fmt.Fprintf(w, "    %s %s in %s rows", report.Grouped(r.Values), report.Plural(r.Values, what), report.Grouped(r.Rows))
	if r.Differ > 0 {
		fmt.Fprintf(w, ", %s with rows that differ", report.Grouped(r.Differ))
	}
	examples := make([]string, len(r.Examples))
	for i, rows := range r.Examples {
		places := make([]string, len(rows))
		for j, row := range rows {
			places[j] = fmt.Sprintf("%s row %d", row.Source, row.Row)
		}
		examples[i] = strings.Join(places, " and ")
	}
	fmt.Fprintf(w, "; first: %s\n", strings.Join(examples, "; "))
}

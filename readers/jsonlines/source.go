package jsonlines

import (
	"context"
	"fmt"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// HeaderRecords is how many records at most make the header; they end at
// headerBytes too.
const (
	HeaderRecords = 1000
	headerBytes   = 1 << 20
)

// source is an NDJSON input: one JSON object a line.
//
// Its columns are the names found in the first 1,000 records, or the first
// MiB, in the order in which they come up. The members of the objects
// identity, attributes and systemData are columns of their own with dotted
// names (identity.email), nested or dotted in the file; every other object is
// one value. A name that comes up only later is a problem of its row, unless
// it begins with _, which columns that are passed over do.
type source struct {
	textfile.Source
	columns map[string]int
}

// Open reads the first records to find the columns.
func Open(ctx context.Context, in textfile.Input) (batch.Source, error) {
	s := &source{Source: textfile.Source{Input: in, Dialect: "NDJSON"}, columns: make(map[string]int)}
	s.First = batch.Position{Line: 1, Offset: in.Text.Start()}
	s.Read = func(ctx context.Context, from batch.Position) (textfile.Reading, error) {
		return s.newReading(ctx, from)
	}
	return s, s.readHeader(ctx)
}

// readHeader collects the names of the first records. Lines that are no object
// are left to the rows.
func (s *source) readHeader(ctx context.Context) error {
	r, err := s.newReading(ctx, s.First)
	if err != nil {
		return err
	}
	defer r.Close()
	records, first := 0, (*jsonFault)(nil)
	for r.Next.Row < HeaderRecords && r.Next.Offset < s.First.Offset+headerBytes {
		line, ok, err := r.line()
		if err != nil {
			if records > 0 || r.Next.Row > 0 {
				break // the end, or what the rows will meet again
			}
			return textfile.EmptyInput(err)
		}
		if !ok {
			continue
		}
		fault := s.collect(line)
		if fault == nil {
			records++
		} else if first == nil {
			first = fault
		}
	}
	s.nameTypes()
	switch {
	case records == 0 && first != nil && first.end:
		return inputerror.New(inputerror.CodeFormat, "it is JSON, but not one object a line: write it as such (jq -c . FILE > FILE.ndjson)")
	case records == 0:
		return &inputerror.Error{Code: inputerror.CodeJSON, Line: r.Pos.Line, Err: fmt.Errorf("none of the first %d lines is a JSON object", r.Next.Row)}
	case len(s.Columns) > textfile.MaxColumns:
		return textfile.TooManyColumns(len(s.Columns))
	case len(s.Columns) == 0:
		return inputerror.New(inputerror.CodeHeader, "the first %d records have no field", records)
	}
	return nil
}

// collect adds the names of a record to the header.
func (s *source) collect(line string) *jsonFault {
	record := record{jsonText: jsonText{line: line, stored: s.Text}}
	record.field = func(name []byte, value batch.Value) *jsonFault {
		record.flaw = nil // of the row, which will say so
		at, known := s.columns[string(name)]
		if !known && value.Kind == batch.Null && batch.Flattened(string(name)) {
			return nil
		}
		if !known {
			at = len(s.Columns)
			s.columns[string(name)] = at
			s.Columns = append(s.Columns, batch.Column{Name: string(name)})
		}
		s.Columns[at].Type = typeWith(s.Columns[at].Type, value.Kind)
		return nil
	}
	return record.read()
}

// anyJSON is the type of a column that has values of several kinds, or none.
const anyJSON = "json"

// typeWith is the type of a column of the given type that has a value of a kind
// as well.
func typeWith(typ string, kind batch.Kind) string {
	switch {
	case kind == batch.Null, typ == kind.String():
		return typ
	case typ == "":
		return kind.String()
	}
	return anyJSON
}

// nameTypes ends the gathering of types: what the first records agree on is
// what a column is said to hold. Rows keep the types of their values whatever
// that is.
func (s *source) nameTypes() {
	kinds := map[string]batch.Kind{batch.Number.String(): batch.Number, batch.Bool.String(): batch.Bool}
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Kind = kinds[c.Type]; c.Type == "" {
			c.Type = anyJSON
		}
	}
}

// record reads the fields of one line. The name of a field of an object that is
// flattened follows that object's; name is valid until field returns.
type record struct {
	jsonText
	field func(name []byte, value batch.Value) *jsonFault
	name  []byte
}

func (r *record) read() *jsonFault {
	r.space()
	fault := r.members(func(name string) *jsonFault {
		if r.next() == '{' && batch.Flattened(name) {
			return r.members(func(inner string) *jsonFault { return r.one(name, ".", inner) })
		}
		return r.one(name)
	})
	if r.space(); fault == nil && r.at < len(r.line) {
		return r.fault("expected the end of the line after the object")
	}
	return fault
}

func (r *record) one(name ...string) *jsonFault {
	value, fault := r.value()
	if fault != nil {
		return fault
	}
	r.name = r.name[:0]
	for _, part := range name {
		r.name = append(r.name, part...)
	}
	return r.field(r.name, value)
}

package readers

import (
	"context"
	"fmt"
	"strings"

	"pushbatch/batch"
)

// What the header of an NDJSON input is made of.
const (
	headerRecords = 1000
	headerBytes   = 1 << 20
)

// ndjsonSource is an NDJSON input: one JSON object a line.
//
// Its columns are the names found in the first 1,000 records, or the first
// MiB, in the order in which they come up. The members of the objects
// identity, attributes and systemData are columns of their own with dotted
// names (identity.email), nested or dotted in the file; every other object is
// one value. A name that comes up only later is a problem of its row, unless
// it begins with _, which columns that are passed over do.
type ndjsonSource struct {
	textSource
	columns map[fieldName]int
	fields  []fieldName // of each column, as it was first seen
}

// fieldName is a name of a record, or a name within one of its objects that
// are flattened. Both parts are kept apart to look them up without joining.
type fieldName struct{ object, name string }

func (f fieldName) String() string {
	if f.object == "" {
		return f.name
	}
	return f.object + "." + f.name
}

func openNDJSON(ctx context.Context, o *opening) (batch.Source, error) {
	s := &ndjsonSource{textSource: newTextSource(o), columns: make(map[fieldName]int)}
	s.said = o.described("NDJSON")
	s.first = batch.Position{Line: 1, Offset: o.text.start()}
	s.textSource.read = func(ctx context.Context, from batch.Position) (textReading, error) { return s.newReading(ctx, from) }
	return s, s.readHeader(ctx)
}

// readHeader collects the names of the first records. Lines that are no object
// are left to the rows.
func (s *ndjsonSource) readHeader(ctx context.Context) error {
	r, err := s.newReading(ctx, s.first)
	if err != nil {
		return err
	}
	defer r.close()
	records, first := 0, (*jsonFault)(nil)
	for r.next.Row < headerRecords && r.next.Offset < s.first.Offset+headerBytes {
		line, ok, err := r.line()
		if err != nil {
			if records > 0 || r.next.Row > 0 {
				break // the end, or what the rows will meet again
			}
			return emptyInput(err)
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
		return failure(CodeFormat, "it is JSON, but not one object a line: write it as such (jq -c . FILE > FILE.ndjson)")
	case records == 0:
		return &Error{Code: CodeJSON, Line: r.pos.Line, Err: fmt.Errorf("none of the first %d lines is a JSON object", r.next.Row)}
	case len(s.header) > maxColumns:
		return tooManyColumns(len(s.header))
	case len(s.header) == 0:
		return failure(CodeHeader, "the first %d records have no field", records)
	}
	return nil
}

// collect adds the names of a record to the header.
func (s *ndjsonSource) collect(line string) *jsonFault {
	record := ndjsonRecord{jsonText: jsonText{line: line, encoding: s.text.encoding, nested: new(nestedStack)}}
	record.field = func(f fieldName, value batch.Value) *jsonFault {
		record.flaw = nil // of the row, which will say so
		if _, known := s.columns[f]; !known && !(value.Kind == batch.Null && isFlattened(f.String())) {
			s.addColumn(f)
		}
		if at, known := s.columns[f]; known {
			s.header[at].Type = typeWith(s.header[at].Type, value.Kind)
		}
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
func (s *ndjsonSource) nameTypes() {
	kinds := map[string]batch.Kind{batch.Number.String(): batch.Number, batch.Bool.String(): batch.Bool}
	for i := range s.header {
		c := &s.header[i]
		if c.Kind = kinds[c.Type]; c.Type == "" {
			c.Type = anyJSON
		}
	}
}

// addColumn makes a column that is found under its nested and its dotted name.
func (s *ndjsonSource) addColumn(f fieldName) {
	full := strings.Clone(f.String())
	dotted := fieldName{name: full}
	if at, known := s.columns[dotted]; known {
		s.columns[fieldName{strings.Clone(f.object), strings.Clone(f.name)}] = at
		return
	}
	if object, name, found := strings.Cut(full, "."); found && isFlattened(object) {
		s.columns[fieldName{object, name}] = len(s.header)
		f = fieldName{object, name}
	} else {
		f = dotted
	}
	s.columns[dotted] = len(s.header)
	s.fields = append(s.fields, f)
	s.header = append(s.header, batch.Column{Name: full})
}

// ndjsonRecord reads the fields of one line.
type ndjsonRecord struct {
	jsonText
	field func(fieldName, batch.Value) *jsonFault
}

func (r *ndjsonRecord) read() *jsonFault {
	r.space()
	fault := r.members(func(name string) *jsonFault {
		if r.next() == '{' && isFlattened(name) {
			return r.members(func(inner string) *jsonFault { return r.one(fieldName{name, inner}) })
		}
		return r.one(fieldName{name: name})
	})
	if r.space(); fault == nil && r.at < len(r.line) {
		return r.fault("expected the end of the line behind the object")
	}
	return fault
}

func (r *ndjsonRecord) one(f fieldName) *jsonFault {
	value, fault := r.value()
	if fault != nil {
		return fault
	}
	return r.field(f, value)
}

package batch

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Column is one column of an input as its file declares it.
type Column struct {
	Name string // as it stands in the file
	Kind Kind   // Text for every CSV column; Null where the file does not say and its first records do not agree (NDJSON)
	Type string // the file's own word for the type, for people: "text", "int64", "list<string>"

	// Partition is set for the value of a key=value folder (Hive style) on the
	// way to the file. It is used only where it is mapped and never unknown.
	Partition bool

	// Undecoded says why the values are only what is stored, in another form than
	// their file means them to be read: such a column must not be used. Empty: they
	// are decoded.
	Undecoded string
}

// Flattened reports whether an object of this name gives one column a field
// (identity.email): identity, attributes and systemData do, in any letter case.
func Flattened(name string) bool {
	return slices.Contains([]string{"identity", "attributes", "systemdata"}, strings.ToLower(name))
}

// Header is the columns of one input, in file order.
type Header []Column

// Index is the place of the column of a name, -1 when there is none.
func (h Header) Index(name string) int {
	return slices.IndexFunc(h, func(c Column) bool { return c.Name == name })
}

// Position is where the next row of a source starts. The zero Position is the
// first row. What Line and Offset mean is the source's own affair; Row is
// always the number of rows before the position.
type Position struct {
	Row    int64 `json:"row"`              // rows before this position
	Line   int64 `json:"line,omitempty"`   // 1-based line where the row starts; 0 where the format has no lines
	Offset int64 `json:"offset,omitempty"` // byte offset in the decoded (decompressed) stream, before transcoding where possible
}

// Row is one record of an input. It owns its memory, which it may share with the
// rows around it: it stays valid for as long as it is kept.
type Row struct {
	Num    int64    // 1-based over the whole run; set by the engine
	Source string   // the input as it was named or expanded; set by the engine
	Input  int      // index of the input in the run; set by the engine
	Pos    Position // where this row starts; Pos.Row+1 is its number in its source
	Next   Position // where the row after it starts
	Values []Value  // one per header column; a record that is too short has Null at its end
	Excess []Value  // what has no column: cells after the last one, or a line that is no record; only with Err
	Err    *Problem // the record could not be decoded, or the first of Faults; Values then hold what could be read
	// Faults are the cells that could not be decoded, where all else of the record
	// could: the row is bad only where such a column is used. See CheckFaults.
	Faults []Problem
}

// CheckFaults keeps of Faults what stands in columns that are used, and sets Err to
// the first of these: what is passed over never makes a row bad. A record that
// could not be decoded as a whole stays bad.
func (r *Row) CheckFaults(used func(column string) bool) {
	if len(r.Faults) == 0 {
		return
	}
	r.Err = nil
	for i := range r.Faults {
		if used(r.Faults[i].Column) {
			r.Err = &r.Faults[i]
			return
		}
	}
}

// SourceNum is the row's 1-based number in its source, the header not counted.
func (r *Row) SourceNum() int64 { return r.Pos.Row + 1 }

// Problem is one reason why a row is not sent, or why an input cannot be used.
type Problem struct {
	Code    string // stable, lower_snake_case, listed in the error catalogue
	Column  string // the column as the file names it; empty when the whole row is meant
	Message string // what was expected and found, by shape; never the value itself, which may be personal
}

// Error returns the message with the column in front.
func (p *Problem) Error() string {
	if p.Column == "" {
		return p.Message
	}
	return "column " + p.Column + ": " + p.Message
}

// Identity is what tells one version of an input from another. A resumed run
// must find the identity it was started with.
type Identity struct {
	URI         string    `json:"uri"`
	Size        int64     `json:"size"`                  // bytes as stored; -1 when not known (standard input)
	ModTime     time.Time `json:"mod_time,omitzero"`     // zero when not known
	ETag        string    `json:"etag,omitempty"`        // S3
	Fingerprint string    `json:"fingerprint,omitempty"` // hash over size and the first, middle and last blocks
}

// Source is one input, opened: its header was read and understood.
//
// A Source is used by one goroutine at a time. Rows may be called more than
// once, each time from another position that an earlier row named as its Pos
// or Next.
type Source interface {
	// Name is the input as the user named it, or what a glob expanded to.
	Name() string
	// Header is the input's columns. It does not change.
	Header() Header
	// Rows yields the rows from a position on, in file order. A row that
	// cannot be decoded while the rest of the file can is yielded with Row.Err
	// set. An error ends the sequence: the input cannot be read further. The
	// sequence ends without an error only at a proven end of the input; a cut
	// connection or a truncated file is an error. Stopping the iteration
	// releases what it held.
	Rows(ctx context.Context, from Position) iter.Seq2[Row, error]
	// Identity names the version of the source's bytes.
	Identity() Identity
	// Close releases what Open took. It may be called more than once.
	Close() error
}

// Texts yields, of every row of a source, the cells of some columns as text, null as
// the empty one, in a slice that is used again. A column that is not there and a row
// that cannot be decoded are errors, which end it.
func Texts(ctx context.Context, source Source, columns ...string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		at, texts := make([]int, len(columns)), make([]string, len(columns))
		for i, name := range columns {
			if at[i] = source.Header().Index(name); at[i] < 0 {
				yield(nil, fmt.Errorf("it has no column %s", name))
				return
			}
		}
		for row, err := range source.Rows(ctx, Position{}) {
			if err == nil && row.Err != nil {
				err = row.Err
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for i, column := range at {
				texts[i] = row.Values[column].String()
			}
			if !yield(texts, nil) {
				return
			}
		}
	}
}

// Each yields what f makes of every value, up to the first error, of either.
func Each[T, U any](from iter.Seq2[T, error], f func(T) (U, error)) iter.Seq2[U, error] {
	return func(yield func(U, error) bool) {
		for value, err := range from {
			var made U
			if err == nil {
				made, err = f(value)
			}
			if !yield(made, err) || err != nil {
				return
			}
		}
	}
}

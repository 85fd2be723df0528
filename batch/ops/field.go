package ops

import (
	"slices"

	"pushbatch/batch"
)

// emptyRule says what an empty cell means.
type emptyRule uint8

const (
	emptyOmit   emptyRule = iota // nothing is sent
	emptyNull                    // JSON null is sent: the platform clears the value
	emptyReject                  // the row is refused
)

// invalidRule says what becomes of a cell that its target does not take.
type invalidRule uint8

const (
	invalidReject invalidRule = iota // the row is refused
	invalidOmit                      // the cell is left out, with a warning
	invalidNull                      // JSON null is sent, with a warning
)

// cellRules are what a mapping says about the cells of a column.
type cellRules struct {
	trim     bool
	empty    emptyRule
	empties  []string     // texts that count as an empty cell
	fallback *batch.Value // stands for an empty cell; nil: none
	invalid  invalidRule
	values   map[string]batch.Value
	layouts  []*dateLayout // the first that fits counts; none: YYYY-MM-DD
	decimal  string        // the decimal sign of numbers; empty: JSON's syntax
	region   string        // of phone numbers
	splits   string        // the text at which tags are split; empty: each of , ; |
}

// field is a target of this binding and where its values come from.
type field struct {
	target
	cellRules
	column  string // the name of the column as messages show it
	index   int    // in the header; -1: a constant
	value   batch.Value
	null    string        // the text that means JSON null; empty: none
	plain   bool          // a text that is there, and is not null, goes to the target as it is
	country *regionColumn // the row's own region of phone numbers; nil: none
	members *members      // of an object of other targets
}

// read takes the field's cell of a row into the request builder.
func (f *field) read(a *requestBuilder, row *batch.Row) {
	switch {
	case f.index < 0:
		f.put(a, f.value)
	case f.invalid != invalidReject && isFaulty(row, f.column):
		f.leaveOut(a)
	default:
		v := cellOf(row, f.index)
		if f.plain && v.Kind == batch.Text && v.Text != "" && v.Text != f.null {
			f.def.put(a, f, v)
			return
		}
		f.country.read(row)
		f.take(a, v)
	}
}

// cellOf is a cell of a row; a record that is too short has Null at its end.
func cellOf(row *batch.Row, index int) batch.Value {
	if index < len(row.Values) {
		return row.Values[index]
	}
	return batch.Value{}
}

// isFaulty reports whether the cell of a column could not be decoded.
func isFaulty(row *batch.Row, column string) bool {
	return slices.ContainsFunc(row.Faults, func(p batch.Problem) bool { return p.Column == column })
}

// leaveOut is what becomes of a cell that its target does not take, where the
// mapping has a rule for it.
func (f *field) leaveOut(a *requestBuilder) {
	if f.invalid == invalidNull {
		f.clear(a)
		a.warn(codeCellNulled, f.column)
		return
	}
	a.warn(codeCellOmitted, f.column)
}

// take applies the column's rules for empty cells, trimming, nulls and value
// maps, then hands the value to its target.
func (f *field) take(a *requestBuilder, v batch.Value) {
	if v.Kind == batch.Text {
		if f.trim {
			v.Text = trimSpace(v.Text)
		}
		if v.Text != "" && v.Text == f.null {
			f.clear(a)
			return
		}
	}
	switch {
	case isEmpty(v), v.Text != "" && slices.Contains(f.empties, v.Text): // of any type: a data frame has NaN where it has no number
		f.takeEmpty(a)
	case f.values != nil:
		f.attempt(a, v, (*field).translate)
	default:
		f.attempt(a, v, (*field).put)
	}
}

// attempt puts a value and takes it back where it is not what the target takes
// and the mapping has a rule for that.
func (f *field) attempt(a *requestBuilder, v batch.Value, put func(*field, *requestBuilder, batch.Value)) {
	if f.invalid == invalidReject {
		put(f, a, v)
		return
	}
	before := *a
	if put(f, a, v); len(a.problems) > len(before.problems) {
		*a = before
		f.leaveOut(a)
	}
}

func isEmpty(v batch.Value) bool {
	switch v.Kind {
	case batch.Null:
		return true
	case batch.Text:
		return v.Text == ""
	case batch.List, batch.Object:
		return v.Nested == nil || len(v.Nested.Values) == 0
	}
	return false
}

func (f *field) takeEmpty(a *requestBuilder) {
	switch {
	case f.fallback != nil:
		f.put(a, *f.fallback)
	case f.empty == emptyNull:
		f.clear(a)
	case f.empty == emptyReject:
		a.reject(f, codeCellEmpty, "the cell is empty, which the mapping does not allow")
	}
}

// otherValues stands for every value that a mapping does not list.
const otherValues = "*"

// translate looks a value up in the mapping's values. A value that is not
// listed is what "*" says, or refused: what it should become is not known.
func (f *field) translate(a *requestBuilder, v batch.Value) {
	to, listed := f.values[v.Text]
	if !listed {
		to, listed = f.values[otherValues]
	}
	switch {
	case !listed || v.Kind == batch.List || v.Kind == batch.Object:
		a.reject(f, codeValueUnlisted, "expected one of the values that the mapping lists, found "+describe(v))
	case to.Kind == batch.Null:
		f.clear(a)
	default:
		f.put(a, to)
	}
}

// put hands a value that is there to the field's target.
func (f *field) put(a *requestBuilder, v batch.Value) {
	switch {
	case f.def.shape == objectShape:
		f.members.put(a, f, v)
	case f.isWhole():
		a.eachMember(f, v)
	default:
		f.def.put(a, f, v)
	}
}

// clear sends JSON null where the platform can clear the value.
func (f *field) clear(a *requestBuilder) {
	if f.def.null == nil || f.isWhole() {
		a.note(f)
		a.reject(f, codeNullNotAllowed, "the platform cannot clear "+f.target.String()+": leave the cell empty or give a value")
		return
	}
	f.def.null(a, f)
}

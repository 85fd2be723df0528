package ops

import "pushbatch/batch"

// emptyRule says what an empty cell means.
type emptyRule uint8

const (
	emptyOmit   emptyRule = iota // nothing is sent
	emptyNull                    // JSON null is sent: the platform clears the value
	emptyReject                  // the row is refused
)

// field is a target of this binding and where its values come from.
type field struct {
	target
	column string // the name of the column as messages show it
	index  int    // in the header; -1: a constant
	value  batch.Value

	null     string // the text that means JSON null; empty: none
	trim     bool
	empty    emptyRule
	fallback *batch.Value // stands for an empty cell; nil: none
	values   map[string]batch.Value
	layout   *dateLayout // nil: YYYY-MM-DD
	region   string      // of phone numbers
	splits   string      // the text at which tags are split; empty: each of , ; |
	members  *members    // of a group
}

// read takes the field's cell of a row into the request builder.
func (f *field) read(a *requestBuilder, row *batch.Row) {
	if f.index < 0 {
		f.put(a, f.value)
		return
	}
	if f.index < len(row.Values) {
		f.take(a, row.Values[f.index])
		return
	}
	f.take(a, batch.Value{})
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
	if isEmpty(v) {
		f.takeEmpty(a)
		return
	}
	if f.values != nil {
		f.translate(a, v)
		return
	}
	f.put(a, v)
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

// translate looks a value up in the mapping's values. A value that is not
// listed is refused: what it should become is not known.
func (f *field) translate(a *requestBuilder, v batch.Value) {
	to, listed := f.values[v.Text]
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
		f.def.object(a, f, v)
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

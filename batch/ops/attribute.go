package ops

import (
	"strconv"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

func (a *requestBuilder) putCustom(f *field, v batch.Value) {
	if value, ok := a.attribute(f, v); ok {
		a.custom = a.add(f, a.custom, f.attr, value)
	}
}

func (a *requestBuilder) clearCustom(f *field) { a.custom = a.add(f, a.custom, f.attr, apiclient.Null) }

func (a *requestBuilder) putData(f *field, v batch.Value) {
	value, ok := a.attribute(f, v)
	if ok && a.checkDataText(f, v) {
		a.data = a.add(f, a.data, f.attr, value)
	}
}

func (a *requestBuilder) clearData(f *field) { a.data = a.add(f, a.data, f.attr, apiclient.Null) }

func (a *requestBuilder) checkDataText(f *field, v batch.Value) bool {
	return v.Kind != batch.Text || a.checkLength(f, v.Text, maxDataText, codeTextTooLong)
}

// maxAttributes is ours: what one request may carry at most.
const maxAttributes = 10_000

// given is an attribute that a row has given.
type given struct {
	def  *definition
	name string
}

// add appends an attribute. A name that is there already came from another
// column of the row.
func (a *requestBuilder) add(f *field, list []apiclient.Attribute, name string, value apiclient.Value) []apiclient.Attribute {
	switch {
	case len(list) == maxAttributes:
		a.reject(f, codeAttributesTooMany, "the row gives more than "+strconv.Itoa(maxAttributes)+" attributes")
		return list
	case a.distinct:
	case a.given[given{f.def, name}]:
		a.reject(f, codeAttributeRepeated, "the attribute "+quoteName(name)+" is given twice in this row")
		return list
	default:
		a.given[given{f.def, name}] = true
	}
	return append(list, apiclient.Attribute{Name: name, Value: value})
}

// attribute reads a value as its column declares it; without a declaration it
// stays what the file says it is.
func (a *requestBuilder) attribute(f *field, v batch.Value) (apiclient.Value, bool) {
	before := len(a.problems)
	value := a.typed(f, v)
	return value, len(a.problems) == before
}

func (a *requestBuilder) typed(f *field, v batch.Value) apiclient.Value {
	switch f.typ {
	case typeString:
		return a.textAttribute(f, v)
	case typeNumber:
		return a.number(f, v)
	case typeBoolean:
		return a.boolean(f, v)
	case typeDate:
		day, _ := a.day(f, v)
		return apiclient.Date(day)
	}
	switch v.Kind {
	case batch.Number:
		return a.number(f, v)
	case batch.Bool:
		return a.boolean(f, v)
	case batch.Date:
		day, _ := a.day(f, v)
		return apiclient.Date(day)
	case batch.Timestamp:
		a.reject(f, codeTypeMismatch, "the platform keeps days, not timestamps: declare the column as date (midnight only) or string")
		return apiclient.Value{}
	}
	return a.textAttribute(f, v)
}

func (a *requestBuilder) textAttribute(f *field, v batch.Value) apiclient.Value {
	if v.Kind == batch.List || v.Kind == batch.Object {
		a.reject(f, codeTypeMismatch, "an attribute holds one value, found "+describe(v))
		return apiclient.Value{}
	}
	a.checkText(f, v.Text, true)
	return apiclient.String(v.Text)
}

// quoteName shows the name of an attribute, which comes from a cell when a
// whole object stands there: it is cut short, and one that looks like a person's
// value is not shown.
func quoteName(name string) string {
	const shown = 40
	if isValueLike(name) {
		return "whose name looks like a value"
	}
	if len(name) > shown {
		name = strings.ToValidUTF8(name[:shown], "") + "…"
	}
	return strconv.Quote(name)
}

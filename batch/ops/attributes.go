package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// putAttribute gives the request an attribute of the field's list.
func (a *requestBuilder) putAttribute(f *field, v batch.Value) {
	value, ok := a.attribute(f, v)
	if ok && (f.def.longest == 0 || v.Kind != batch.Text || a.checkLength(f, v.Text, f.def.longest, codeTextTooLong)) {
		a.add(f, value)
	}
}

func (a *requestBuilder) clearAttribute(f *field) { a.add(f, apiclient.Null) }

// maxAttributes is ours: what one request may carry at most.
const maxAttributes = 10_000

// given is an attribute that a row has given.
type given struct {
	def  *definition
	name string
}

// add appends an attribute. A name that is there already came from another
// column of the row.
func (a *requestBuilder) add(f *field, value apiclient.Value) {
	list := f.def.list(a)
	switch {
	case len(*list) == maxAttributes:
		a.reject(f, codeAttributesTooMany, "the row gives more than "+strconv.Itoa(maxAttributes)+" attributes")
		return
	case a.distinct:
	case a.given[given{f.def, f.attr}]:
		a.reject(f, codeAttributeRepeated, "the attribute "+quoteName(f.attr)+" is given twice in this row")
		return
	default:
		a.given[given{f.def, f.attr}] = true
	}
	*list = append(*list, apiclient.Attribute{Name: f.attr, Value: value})
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

// eachMember treats every member of a whole object as a column of its own
// would be treated: null and empty values follow the column's rule for empty
// cells, the null literal clears.
func (a *requestBuilder) eachMember(f *field, v batch.Value) {
	object, ok := a.object(f, v)
	if !ok {
		return
	}
	for i, name := range object.Names {
		member := *f
		member.attr = name
		if !a.checkAttributeName(f, name) {
			continue
		}
		switch value := object.Values[i]; {
		case value.Kind == batch.Text && value.Text != "" && value.Text == f.null:
			a.clearAttribute(&member)
		case !isEmpty(value):
			member.attempt(a, value, func(f *field, a *requestBuilder, v batch.Value) { a.putAttribute(f, v) })
		case f.empty == emptyNull:
			a.clearAttribute(&member)
		case f.empty == emptyReject:
			a.reject(f, codeCellEmpty, "the attribute "+quoteName(name)+" is empty, which the mapping does not allow")
		}
	}
}

func (a *requestBuilder) checkAttributeName(f *field, name string) bool {
	if name == "" || utf8.RuneCountInString(name) > maxAttributeName {
		a.reject(f, codeAttributeName, "the name of an attribute has 1 to 256 characters")
		return false
	}
	return a.checkCharacters(f, name, false)
}

func (a *requestBuilder) object(f *field, v batch.Value) (*batch.Nested, bool) {
	switch v.Kind {
	case batch.Object:
		return v.Nested, true
	case batch.Text:
		object, err := parseObject(v.Text)
		if err == nil {
			return object, true
		}
		if !a.checkTyped(f, v.Text) {
			return nil, false
		}
		a.reject(f, codeObjectInvalid, "expected a JSON object of plain values: "+err.Error())
		return nil, false
	}
	a.reject(f, codeTypeMismatch, "expected an object, found "+describe(v))
	return nil, false
}

// parseObject reads a JSON object of scalars in the order of the text.
func parseObject(text string) (*batch.Nested, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("the text does not begin with {")
	}
	object := new(batch.Nested)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("the JSON is broken")
		}
		value, err := parseScalar(d)
		if err != nil {
			return nil, err
		}
		object.Names = append(object.Names, name.(string))
		object.Values = append(object.Values, value)
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the JSON ends too early")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return object, nil
}

func parseScalar(d *json.Decoder) (batch.Value, error) {
	token, err := d.Token()
	if err != nil {
		return batch.Value{}, errors.New("the JSON is broken")
	}
	switch token := token.(type) {
	case string:
		return batch.TextValue(token), nil
	case json.Number:
		return batch.Value{Kind: batch.Number, Text: token.String()}, nil
	case bool:
		return batch.BoolValue(token), nil
	case nil:
		return batch.Value{}, nil
	}
	return batch.Value{}, errors.New("a value is a list or an object")
}

// members reads an object of other targets: identity, attributes, systemData.
// What a member means is looked up once.
type members struct {
	schema    *schema
	operation *Operation
	taken     []target // by columns and constants
	fields    map[string]*field
}

func (m *members) put(a *requestBuilder, f *field, v batch.Value) {
	object, ok := a.group(f, v)
	if !ok {
		return
	}
	for i, name := range object.Names {
		member, known := m.fields[name]
		if !known {
			member = m.resolve(f, name)
			m.fields[name] = member
		}
		switch {
		case member == nil:
			a.reject(f, codeMemberUnknown, "the member "+quoteName(name)+" is not known"+m.schema.suggest(name))
		case member.def == nil: // known, nothing to do here
		case m.isTaken(member.target) && !isEmpty(object.Values[i]):
			a.reject(f, codeAttributeRepeated, member.target.String()+" is given twice in this row")
		default:
			member.take(a, object.Values[i])
		}
	}
}

func (a *requestBuilder) group(f *field, v batch.Value) (*batch.Nested, bool) {
	if v.Kind == batch.Object {
		return v.Nested, true
	}
	if v.Kind == batch.Text && strings.HasPrefix(v.Text, "{") {
		if object, err := parseObject(v.Text); err == nil {
			return object, true
		}
	}
	a.reject(f, codeTypeMismatch, "expected an object, found "+describe(v))
	return nil, false
}

// resolve returns the field of a member; one without a target is passed over,
// nil is not known.
func (m *members) resolve(f *field, name string) *field {
	full, err := m.schema.find(f.def.name + "." + name)
	switch {
	case err != nil:
		return nil
	case full.def == nil && m.schema.isReadOnly(f.def.name+"."+name):
		return &field{}
	case full.def == nil || full.def.shape == objectShape:
		return nil
	case !m.operation.takes(full.def):
		return &field{}
	}
	member := *f
	member.target = full
	member.column = f.column + "." + name
	member.splits = ""
	return &member
}

func (m *members) isTaken(want target) bool {
	return slices.ContainsFunc(m.taken, want.same)
}

package ops

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"pushbatch/batch"
)

// Use says what happens to a column of the input.
type Use string

// The uses of a column.
const (
	Sent     Use = "sent"         // its values become part of the request
	NotTaken Use = "not taken"    // known, but this operation has no use for it
	ReadOnly Use = "read-only"    // a column of an inventory that nobody can write
	Result   Use = "result"       // begins with _: a result column of an earlier run
	Region   Use = "phone region" // says the region of each row's phone number, nothing else
	Ignored  Use = "ignored"      // the mapping says so
	Folder   Use = "folder name"  // of a key=value folder that nothing maps
	Unmapped Use = "passed over"  // unknown, and the run ignores unmapped columns
)

// How a column's target was found.
const (
	ByName     = "name"
	ByMapping  = "mapping"
	ByConstant = "constant"
)

// ColumnUse tells what a binding does with one column or constant.
type ColumnUse struct {
	Column string // as the file names it; for a constant its target
	Index  int    // in the header; -1 for a constant
	Use    Use
	Target string // in the platform's spelling, such as customAttributes.vip; empty when it is unknown
	Type   string // what the values must be: id, text, number, …; empty when not sent
	Found  string // ByName, ByMapping, ByConstant; empty when it has no target

	Layouts string // of days, where the mapping names some, separated by commas
}

// Binding is an operation tied to the columns of one input.
type Binding struct {
	Map     batch.Mapper // for one goroutine at a time
	Columns []ColumnUse  // every column in file order, then the constants
}

// BindError says why an operation cannot be tied to the columns of an input.
// Nothing was sent. It names everything that is wrong at once.
type BindError struct {
	Problems []batch.Problem
	Columns  []ColumnUse // what could be decided, as in Binding; none from ParseMapping
}

// Error has one line for each problem, the first of very many.
func (e *BindError) Error() string {
	lines := make([]string, len(e.Problems))
	for i := range e.Problems {
		lines[i] = e.Problems[i].Message
	}
	return strings.Join(firstOf(lines, 50), "\n")
}

// firstOf cuts a long list short, and says so.
func firstOf(list []string, shown int) []string {
	if len(list) <= shown {
		return list
	}
	return append(list[:shown:shown], fmt.Sprintf("and %d more", len(list)-shown))
}

// Bind decides what every column of h means. The error is a *BindError.
func (o *Operation) Bind(h batch.Header, options Options) (*Binding, error) {
	b := &binder{operation: o, header: h, options: &options, schema: newSchema(), taken: make(map[given]*field)}
	b.checkOptions()
	if b.mapping = options.Mapping; b.mapping == nil {
		b.mapping = new(Mapping)
	}
	b.checkMapping(b.mapping)
	b.inventory = isInventory(h)
	if b.lacksHeader() {
		return nil, &BindError{Problems: b.problems}
	}
	for i := range h {
		b.column(i)
	}
	for _, c := range b.constants() {
		b.constant(c)
	}
	b.checkRequired()
	if len(b.problems) > 0 {
		return nil, &BindError{Problems: b.problems, Columns: b.uses}
	}
	m := b.mapper()
	return &Binding{Map: m.mapRow, Columns: b.uses}, nil
}

// binder gathers what a binding is made of.
type binder struct {
	operation *Operation
	header    batch.Header
	options   *Options
	mapping   *Mapping
	schema    *schema
	fields    []*field
	taken     map[given]*field // by target and attribute
	uses      []ColumnUse
	problems  []batch.Problem
	inventory bool // the input is an exported inventory
	excused   bool // something required may be meant by a column that was refused
}

func (b *binder) refuse(code, column, format string, args ...any) {
	b.problems = append(b.problems, batch.Problem{Code: code, Column: column, Message: fmt.Sprintf(format, args...)})
}

func (b *binder) checkOptions() {
	if r := b.options.PhoneRegion; r != "" && !isRegion(strings.ToUpper(r)) {
		b.refuse(codeOptionInvalid, "", "phone region %q is not one of the two-letter region codes such as HR", r)
	}
	b.options.PhoneRegion = strings.ToUpper(b.options.PhoneRegion)
}

// isInventory reports whether columns are those of an export: then the ones that
// nobody can write are no slips.
func isInventory(h batch.Header) bool {
	seen := make(map[string]bool, len(h))
	for i := range h {
		seen[fold(h[i].Name)] = true
	}
	return seen["exportedat"] && seen["applicationid"] && seen["registrationid"]
}

// lacksHeader refuses an input whose first line is a row: no column has a known
// name, and one is named like a value. Its names are not told: they are a person's
// data.
func (b *binder) lacksHeader() bool {
	at := -1
	for i := range b.header {
		name := b.header[i].Name
		if m, err := b.schema.find(name); err != nil || m.def != nil || b.mapping.rules[name] != nil {
			return false
		}
		if at < 0 && isValueLike(name) {
			at = i
		}
	}
	if at >= 0 {
		b.refuse(codeHeaderMissing, "", "the first line looks like a row, not like the names of columns (see its column %d): "+
			"put a line of names in front, such as registrationId,externalId,phoneNumber", at+1)
	}
	return at >= 0
}

// isValueLike reports whether a text is hardly a column's name: an e-mail address,
// a UUID, or a number or date of five digits or more.
func isValueLike(name string) bool {
	letters, digits, dashes := 0, 0, 0
	for _, c := range name {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '-':
			dashes++
		case unicode.IsLetter(c):
			letters++
		}
	}
	user, domain, address := strings.Cut(name, "@")
	return address && user != "" && strings.Contains(domain, ".") ||
		letters == 0 && digits >= 5 ||
		len(name) == 36 && dashes == 4 && digits >= 5
}

// ShownName is the name of a column as the log shows it: one that looks like a value
// of a person is not shown.
func ShownName(name string) string {
	if isValueLike(name) {
		return "(a name that looks like a value)"
	}
	return name
}

func (b *binder) has(name string) bool {
	return slices.ContainsFunc(b.fields, func(f *field) bool { return f.def.name == name })
}

// checkRequired refuses inputs in which no row could be complete. It is silent
// when a refused column may be the one that is missing.
func (b *binder) checkRequired() {
	grouped := slices.ContainsFunc(b.fields, func(f *field) bool { return f.members != nil && f.def.name != "attributes" })
	for _, name := range b.operation.Required {
		if !b.has(name) && !b.excused {
			b.refuse(codeColumnMissing, "", "%s needs a column %s; the columns are %s", b.operation.Name, name, b.headerNames())
		}
	}
	if one := b.operation.OneOf; len(one) > 0 && !b.excused && !grouped && !slices.ContainsFunc(one, b.has) {
		b.refuse(codeColumnMissing, "", "%s needs at least one column of %s; the columns are %s",
			b.operation.Name, strings.Join(one, ", "), b.headerNames())
	}
	if !b.options.HasAppCode && !b.has("appCode") {
		b.refuse(codeAppCodeMissing, "", "no application code: give --app-code, INFOBIP_APP_CODE or a column appCode")
	}
}

// headerNames lists the header's names; a header of hundreds is cut short.
func (b *binder) headerNames() string {
	names := make([]string, len(b.header))
	for i, c := range b.header {
		if names[i] = c.Name; isValueLike(c.Name) {
			names[i] = fmt.Sprintf("column %d", i+1)
		}
	}
	return strings.Join(firstOf(names, 20), ", ")
}

func (b *binder) newRequestBuilder() *requestBuilder {
	return &requestBuilder{options: b.options, phones: newPhoneBook(), given: make(map[given]bool)}
}

package ops

import (
	"errors"
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
	Sent       Use = "sent"         // its values become part of the request
	NotTaken   Use = "not taken"    // known, but this operation has no use for it
	ReadOnly   Use = "read-only"    // a column of an inventory that nobody can write
	Result     Use = "result"       // begins with _: a result column of an earlier run
	Region     Use = "phone region" // says the region of each row's phone number, nothing else
	Ignored    Use = "ignored"      // the mapping says so
	Folder     Use = "folder name"  // of a key=value folder that nothing maps
	PassedOver Use = "passed over"  // unknown, and the run ignores unmapped columns
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
	const shown = 50
	lines := make([]string, 0, shown+1)
	for i := range e.Problems {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Problems)-shown))
			break
		}
		lines = append(lines, e.Problems[i].Message)
	}
	return strings.Join(lines, "\n")
}

// Bind decides what every column of h means. The error is a *BindError.
func (o *Operation) Bind(h batch.Header, options Options) (*Binding, error) {
	b := &binder{operation: o, header: h, options: &options, schema: newSchema(), taken: make(map[given]*field)}
	b.checkOptions()
	if options.Mapping != nil {
		b.checkMapping(options.Mapping)
	}
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
		if m, err := b.schema.find(name); err != nil || m.def != nil || b.options.Mapping.rule(name) != nil {
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

// column decides about one column of the header.
func (b *binder) column(i int) {
	name := b.header[i].Name
	use := ColumnUse{Column: name, Index: i}
	rule := b.options.Mapping.rule(name)
	switch {
	case rule != nil:
		use.Found = ByMapping
		b.use(use, rule.to, func(f *field) {
			rule.apply(f)
			f.country = b.regionColumn(rule.regionFrom)
		})
	case b.options.Mapping.ignores(name):
		use.Use = Ignored
		b.uses = append(b.uses, use)
	case b.header[i].Partition: // a folder's name is a column only when it is mapped
		use.Use = Folder
		b.uses = append(b.uses, use)
	case strings.HasPrefix(name, "_"):
		use.Use = Result
		b.uses = append(b.uses, use)
	default:
		b.byName(use)
	}
}

func (b *binder) byName(use ColumnUse) {
	m, err := b.schema.find(use.Column)
	switch {
	case err != nil:
		b.excused = true
		b.refuse(codeColumnInvalid, use.Column, "column %q: %v", use.Column, err)
	case m.def != nil:
		use.Found = ByName
		b.use(use, m, nil)
	case (b.operation.exported || b.inventory) && b.schema.isReadOnly(use.Column):
		use.Use = ReadOnly
		b.uses = append(b.uses, use)
	case b.options.Mapping.isRegion(use.Column):
		use.Use = Region
		b.uses = append(b.uses, use)
	case b.options.IgnoreUnmapped:
		use.Use = PassedOver
		b.uses = append(b.uses, use)
	default:
		b.unknown(use)
	}
}

// regionColumn finds the column that a mapping names by region_from.
func (b *binder) regionColumn(name string) *regionColumn {
	at := slices.IndexFunc(b.header, func(c batch.Column) bool { return c.Name == name })
	if at < 0 {
		return nil
	}
	return &regionColumn{name: name, index: at}
}

func (b *binder) unknown(use ColumnUse) {
	b.excused = true
	name := use.Column
	if isValueLike(name) {
		b.refuse(codeColumnUnknown, name, "column %d has a name that looks like a value: "+
			"is the first line a row? Put a line of names in front, map the column with --map, or pass it over with --ignore-unmapped", use.Index+1)
		return
	}
	hint := b.schema.suggest(name)
	if hint == "" && b.schema.isReadOnly(name) {
		hint = ": nobody can write it; list it under ignore: in the mapping or pass it over with --ignore-unmapped"
	} else if hint == "" {
		hint = ": map it with --map, or pass it over with --ignore-unmapped"
	}
	b.refuse(codeColumnUnknown, name, "unknown column %q%s", name, hint)
}

// use ties a column or constant to its target, unless the operation does not
// take it.
func (b *binder) use(use ColumnUse, m target, apply func(*field)) {
	use.Target = m.String()
	use.Use = NotTaken
	if b.takes(m) {
		use.Use = Sent
		if use.Index >= 0 && b.header[use.Index].Undecoded != "" {
			b.refuse(codeColumnInvalid, use.Column, "column %q cannot be sent: %s: write it as text, a number or a date, or leave it out", use.Column, b.header[use.Index].Undecoded)
		}
		f := b.newField(use, m)
		if apply != nil {
			apply(f)
		}
		use.Type = f.typeName()
		b.checkRepeated(f)
		b.fields = append(b.fields, f)
	}
	b.uses = append(b.uses, use)
}

func (b *binder) takes(m target) bool {
	if m.def.shape != objectShape {
		return b.operation.takes(m.def)
	}
	for _, t := range b.schema.targets {
		if b.operation.takes(t) && slices.ContainsFunc(t.aliases, func(alias string) bool {
			return strings.HasPrefix(alias, fold(m.def.name)+".")
		}) {
			return true
		}
	}
	return false
}

func (b *binder) newField(use ColumnUse, m target) *field {
	f := &field{
		target: m, column: use.Column, index: use.Index,
		null: b.options.NullLiteral, cellRules: cellRules{region: b.options.PhoneRegion},
	}
	if m.def.shape == objectShape {
		f.members = &members{schema: b.schema, operation: b.operation, fields: make(map[string]*field)}
	}
	return f
}

func (f *field) typeName() string {
	switch {
	case f.def.shape == prefixShape && f.attr == "":
		return "object"
	case f.typ != typeOwn:
		return f.typ.String()
	case f.def.shape == prefixShape:
		return "as in the file"
	}
	return f.def.kind
}

func (b *binder) checkRepeated(f *field) {
	place := given{f.def, f.attr}
	if have := b.taken[place]; have != nil && !b.alternative(have, f) {
		b.refuse(codeColumnRepeated, f.column, "%s is given twice: by %s and by %s", f.target, have.origin(), f.origin())
	}
	b.taken[place] = f
}

// alternative tells columns of failed.csv that hold one attribute with the types
// that it had in several inputs: a row gives one of them.
func (b *binder) alternative(f, g *field) bool {
	return f.attr != "" && f.typ != g.typ && slices.ContainsFunc(b.header, func(c batch.Column) bool { return batch.IsFailedColumn(c.Name) })
}

func (f *field) origin() string {
	if f.index < 0 {
		return "a constant"
	}
	return fmt.Sprintf("column %q", f.column)
}

func (b *binder) has(name string) bool {
	return slices.ContainsFunc(b.fields, func(f *field) bool { return f.def.name == name })
}

// checkRequired refuses inputs in which no row could be complete. It is silent
// when a refused column may be the one that is missing.
func (b *binder) checkRequired() {
	grouped := slices.ContainsFunc(b.fields, func(f *field) bool { return f.members != nil && f.def.name == "identity" })
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
	const shown = 20
	names := make([]string, 0, len(b.header))
	for i, c := range b.header {
		if i == shown {
			names = append(names, fmt.Sprintf("and %d more", len(b.header)-shown))
			break
		}
		if isValueLike(c.Name) {
			names = append(names, fmt.Sprintf("column %d", i+1))
			continue
		}
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// constants are those of the mapping, overruled by those of --set.
func (b *binder) constants() []Constant {
	var list []Constant
	for _, c := range b.options.Mapping.constantList() {
		if !slices.ContainsFunc(b.options.Constants, func(set Constant) bool { return fold(set.bareTarget()) == fold(c.bareTarget()) }) {
			list = append(list, c)
		}
	}
	return append(list, b.options.Constants...)
}

// constant ties a constant to its target and tries it once, so that a bad one
// is found before the first row.
func (b *binder) constant(c Constant) {
	m, err := b.schema.find(c.Target)
	if err == nil && m.def == nil {
		err = errors.New("there is no such target" + b.schema.suggest(c.Target))
	}
	if err != nil {
		b.refuse(codeTargetUnknown, "", "%sconstant %s: %v", c.where, c.Target, err)
		return
	}
	before := len(b.fields)
	b.use(ColumnUse{Column: m.String(), Index: -1, Found: ByConstant}, m, func(f *field) { f.value = c.Value })
	if len(b.fields) > before {
		b.tryConstant(c, b.fields[before])
	}
}

func (b *binder) tryConstant(c Constant, f *field) {
	a := b.newRequestBuilder()
	f.read(a, nil)
	for _, p := range a.problems {
		b.refuse(p.Code, "", "%sconstant %s: %s", c.where, c.Target, p.Message)
	}
}

func (b *binder) newRequestBuilder() *requestBuilder {
	return &requestBuilder{options: b.options, phones: newPhoneBook(), given: make(map[given]bool)}
}

package ops

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"pushbatch/batch"
)

// Mapping is a mapping file: what its columns, constants and ignore say. A nil
// Mapping says nothing.
type Mapping struct {
	name      string
	rules     map[string]*columnRule
	order     []string // columns as the file has them
	constants []Constant
	ignored   map[string]int  // column to line
	regions   map[string]bool // columns that region_from names
}

type columnRule struct {
	cellRules
	line       int
	to         target
	where      string // file and line, for messages
	regionFrom string // the column with each row's own region; empty: none
	emptySet   bool
	decimalSet ast.Node
}

// ParseMapping reads a mapping file; name is for messages. The error is a
// *BindError that names the line of everything that is wrong: unknown keys and
// targets come with the nearest known name.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	p := &mappingParser{name: name, schema: newSchema()}
	p.mapping = &Mapping{name: name, rules: make(map[string]*columnRule), ignored: make(map[string]int), regions: make(map[string]bool)}
	p.document(data)
	for _, column := range p.mapping.order {
		if line, ignored := p.mapping.ignored[column]; ignored {
			p.refuse(line, codeMappingInvalid, "column %q stands under columns: too: it is sent or passed over, not both", column)
		}
	}
	if len(p.problems) > 0 {
		return nil, &BindError{Problems: p.problems}
	}
	return p.mapping, nil
}

// CheckIgnored refuses a column under ignore: that none of the inputs of a run has.
func (m *Mapping) CheckIgnored(inputs []batch.Header) error {
	if m == nil {
		return nil
	}
	for _, column := range slices.Sorted(maps.Keys(m.ignored)) {
		if !slices.ContainsFunc(inputs, func(h batch.Header) bool { return h.Index(column) >= 0 }) {
			return fmt.Errorf("%s:%d: the input has no column %q", m.name, m.ignored[column], column)
		}
	}
	return nil
}

// apply gives a field what the rule says.
func (r *columnRule) apply(f *field) {
	region := f.region
	if f.cellRules = r.cellRules; f.region == "" {
		f.region = region
	}
}

// mappingParser gathers everything that is wrong with a mapping file.
type mappingParser struct {
	name     string
	schema   *schema
	mapping  *Mapping
	problems []batch.Problem
}

func (p *mappingParser) where(line int) string { return fmt.Sprintf("%s:%d: ", p.name, line) }

func (p *mappingParser) refuse(line int, code, format string, args ...any) {
	p.problems = append(p.problems, batch.Problem{Code: code, Message: p.where(line) + fmt.Sprintf(format, args...)})
}

func (p *mappingParser) refuseNode(n ast.Node, format string, args ...any) {
	p.refuse(lineOf(n), codeMappingInvalid, format, args...)
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

func (p *mappingParser) columns(n ast.Node) {
	p.entries(n, "columns as NAME: TARGET", func(column string, k, value ast.Node) {
		rule := &columnRule{line: lineOf(k), where: p.where(lineOf(k))}
		before := len(p.problems)
		if _, ok := value.(ast.MapNode); ok {
			p.options(rule, column, value)
		} else {
			p.target(rule, value)
		}
		if len(p.problems) == before {
			p.mapping.rules[column] = rule
			p.mapping.order = append(p.mapping.order, column)
		}
	})
}

// target reads what a column is mapped to.
func (p *mappingParser) target(rule *columnRule, n ast.Node) {
	name, ok := scalarText(n)
	if !ok || name == "" || n.Type() == ast.NullType {
		p.refuseNode(n, "expected the name of a target, such as registrationId")
		return
	}
	to, err := p.schema.find(name)
	switch {
	case err != nil:
		p.refuse(lineOf(n), codeTargetUnknown, "target %q: %v", name, err)
	case to.def == nil:
		p.refuse(lineOf(n), codeTargetUnknown, "unknown target %q%s", name, p.schema.suggest(name))
	}
	rule.to = to
}

func (p *mappingParser) constants(n ast.Node) {
	p.entries(n, "constants as TARGET: VALUE", func(target string, k, value ast.Node) {
		v, ok := scalarValue(value)
		if !ok || isEmpty(v) {
			p.refuseNode(k, "constant %s: expected one value that is not empty", target)
			return
		}
		m, err := p.schema.find(target)
		if err != nil {
			p.refuse(lineOf(k), codeTargetUnknown, "constant %s: %v", target, err)
		} else if m.def == nil {
			p.refuse(lineOf(k), codeTargetUnknown, "unknown target %q%s", target, p.schema.suggest(target))
		}
		p.mapping.constants = append(p.mapping.constants, Constant{Target: target, Value: v, where: p.where(lineOf(k))})
	})
}

func (p *mappingParser) ignore(n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		if n.Type() != ast.NullType {
			p.refuseNode(n, "expected a list of columns, as in ignore: [comment]")
		}
		return
	}
	for _, item := range list.Values {
		if column, ok := scalarText(item); ok {
			p.mapping.ignored[column] = lineOf(item)
		} else {
			p.refuseNode(item, "expected the name of a column")
		}
	}
}

// checkMapping refuses what a mapping says about columns the input lacks, and
// values that their target would refuse in every row.
func (b *binder) checkMapping(m *Mapping) {
	names := make([]string, len(b.header))
	known := make(map[string]bool, len(names))
	for i, c := range b.header {
		names[i], known[c.Name] = c.Name, true
	}
	for _, column := range m.order {
		b.checkColumnExists(m, column, m.rules[column].line, known, names)
		if from := m.rules[column].regionFrom; from != "" {
			b.checkColumnExists(m, from, m.rules[column].line, known, names)
		}
		b.tryRule(m.rules[column])
	}
	rest := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return m.rules[name] != nil || m.ignored[name] > 0 })
	for column, line := range m.ignored {
		if didYouMean(column, rest...) != "" { // else another input of the run may have it, see CheckIgnored
			b.checkColumnExists(m, column, line, known, names)
		}
	}
}

func (b *binder) checkColumnExists(m *Mapping, column string, line int, known map[string]bool, names []string) {
	if !known[column] {
		b.excused = true
		b.refuse(codeColumnUnknown, column, "%s:%d: the input has no column %q%s", m.name, line, column, didYouMean(column, names...))
	}
}

// tryRule puts the values that the mapping itself gives, once.
func (b *binder) tryRule(r *columnRule) {
	if r.fallback == nil && r.values == nil || !b.takes(r.to) {
		return
	}
	f := b.newField(ColumnUse{}, r.to)
	r.apply(f)
	a := b.newRequestBuilder()
	if r.fallback != nil {
		f.put(a, *r.fallback)
	}
	for _, text := range slices.Sorted(maps.Keys(r.values)) {
		a.custom, a.data = a.custom[:0], a.data[:0]
		clear(a.given)
		f.translate(a, batch.TextValue(text))
	}
	for _, p := range a.problems {
		b.refuse(p.Code, "", "%sa value the mapping gives: %s", r.where, p.Message)
	}
}

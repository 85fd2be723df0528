package ops

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"pushbatch/batch"
)

// columnOption is an option that a mapping knows for a column.
type columnOption struct {
	name string
	read func(*mappingParser, *columnRule, ast.Node) error
}

// columnOptions is every option, in the order help shows them.
func columnOptions() []columnOption {
	return []columnOption{
		{"to", nil},
		{"type", (*mappingParser).readType},
		{"layout", (*mappingParser).readLayouts},
		{"decimal", (*mappingParser).readDecimal},
		{"region", (*mappingParser).readRegion},
		{"region_from", (*mappingParser).readRegionFrom},
		{"separator", (*mappingParser).readSeparator},
		{"empty", (*mappingParser).readEmpty},
		{"empty_values", (*mappingParser).readEmptyValues},
		{"invalid", (*mappingParser).readInvalid},
		{"trim", (*mappingParser).readTrim},
		{"default", (*mappingParser).readDefault},
		{"values", (*mappingParser).readValues},
	}
}

// options reads {to: TARGET, OPTION: VALUE, …}. The target is read first, as
// the other options depend on it.
func (p *mappingParser) options(rule *columnRule, column string, n ast.Node) {
	var found bool
	p.entries(n, "options", func(key string, _, value ast.Node) {
		if key == "to" {
			found = true
			p.target(rule, value)
		}
	})
	if !found {
		p.refuse(rule.line, codeMappingInvalid, "column %q has no to: TARGET", column)
	}
	p.entries(n, "options", func(key string, k, value ast.Node) {
		if key != "to" {
			p.option(rule, key, k, value)
		}
	})
	if rule.fallback != nil && rule.emptySet {
		p.refuse(rule.line, codeMappingInvalid, "column %q has both default and empty: an empty cell can mean only one thing", column)
	}
	if rule.decimalSet != nil && rule.to.typ != typeNumber && rule.to.typ != typeOwn {
		p.refuseNode(rule.decimalSet, "option decimal: %s is not a number", rule.to)
	} else if rule.decimalSet != nil {
		rule.to.typ = typeNumber
	}
}

func (p *mappingParser) option(rule *columnRule, key string, k, value ast.Node) {
	var names []string
	for _, o := range columnOptions() {
		names = append(names, o.name)
		if o.name != key {
			continue
		}
		if rule.to.def == nil {
			return // the target was refused
		}
		if err := o.read(p, rule, value); err != nil {
			p.refuseNode(value, "option %s: %v", key, err)
		}
		return
	}
	p.refuseNode(k, "unknown option %q%s: the options are %s", key, didYouMean(key, names...), strings.Join(names, ", "))
}

func (p *mappingParser) readType(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	typ, err := parseType(text)
	if err != nil {
		return err
	}
	if rule.to.typ != typeOwn && rule.to.typ != typ {
		return fmt.Errorf("the target says %s already", rule.to.typ)
	}
	rule.to.typ = typ
	return rule.to.check()
}

// readLayouts takes one layout or a list of them, of which the first that fits
// counts.
func (p *mappingParser) readLayouts(rule *columnRule, n ast.Node) error {
	if rule.to.def.name != "birthday" && (rule.to.def.shape != prefixShape || rule.to.isWhole()) {
		return fmt.Errorf("%s is not a date", rule.to)
	}
	if rule.to.typ != typeOwn && rule.to.typ != typeDate {
		return fmt.Errorf("the type is %s already", rule.to.typ)
	}
	texts, err := texts(n, "layouts, such as DD.MM.YYYY")
	if err != nil {
		return err
	}
	for _, text := range texts {
		layout, err := parseLayout(text)
		if err != nil {
			return err
		}
		rule.layouts = append(rule.layouts, layout)
	}
	if rule.to.def.shape == prefixShape {
		rule.to.typ = typeDate
	}
	return nil
}

// texts reads one text or a list of them.
func texts(n ast.Node, expected string) ([]string, error) {
	nodes := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		nodes = list.Values
	}
	var all []string
	for _, item := range nodes {
		text, ok := scalarText(item)
		if !ok || text == "" {
			return nil, errors.New("expected " + expected)
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return nil, errors.New("expected " + expected + ", the list is empty")
	}
	return all, nil
}

func (p *mappingParser) readDecimal(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	switch {
	case rule.to.def.shape != prefixShape || rule.to.isWhole():
		return fmt.Errorf("%s is not a number", rule.to)
	case text != "," && text != ".":
		return errors.New(`expected "," or "."`)
	}
	rule.decimal, rule.decimalSet = text, n
	return nil
}

func (p *mappingParser) readRegion(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	rule.region = strings.ToUpper(text)
	switch {
	case rule.to.def.name != "phoneNumber":
		return fmt.Errorf("%s is not a phone number", rule.to)
	case !isRegion(rule.region):
		return fmt.Errorf("%q is not one of the two-letter region codes such as HR", text)
	}
	return nil
}

func (p *mappingParser) readRegionFrom(rule *columnRule, n ast.Node) error {
	text, ok := scalarText(n)
	switch {
	case rule.to.def.name != "phoneNumber":
		return fmt.Errorf("%s is not a phone number", rule.to)
	case !ok || text == "":
		return errors.New("expected the name of the column with each row's country")
	}
	rule.regionFrom, p.mapping.regions[text] = text, true
	return nil
}

func (p *mappingParser) readSeparator(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	switch {
	case rule.to.def.name != "tags":
		return fmt.Errorf("%s is not a list", rule.to)
	case text == "":
		return errors.New("the separator is empty")
	}
	rule.splits = text
	return nil
}

func (p *mappingParser) readEmpty(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	rules := map[string]emptyRule{"omit": emptyOmit, "null": emptyNull, "reject": emptyReject}
	empty, known := rules[text]
	switch {
	case !known:
		return fmt.Errorf("expected omit, null or reject%s", didYouMean(text, "omit", "null", "reject"))
	case empty == emptyNull && rule.to.def.null == nil:
		return fmt.Errorf("the platform cannot clear %s", rule.to)
	}
	rule.empty, rule.emptySet = empty, true
	return nil
}

func (p *mappingParser) readEmptyValues(rule *columnRule, n ast.Node) (err error) {
	rule.empties, err = texts(n, `texts that count as an empty cell, such as [N/A, "-"]`)
	return err
}

func (p *mappingParser) readInvalid(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	rules := map[string]invalidRule{"reject": invalidReject, "omit": invalidOmit, "null": invalidNull}
	invalid, known := rules[text]
	switch def := rule.to.def; {
	case !known:
		return fmt.Errorf("expected reject, omit or null%s", didYouMean(text, "reject", "omit", "null"))
	case invalid == invalidReject:
	case def.identity || def.name == "identity" || def.name == "registrationId" || def.name == "appCode":
		return fmt.Errorf("a row without a valid %s would touch another device or person: only reject is possible", rule.to)
	case invalid == invalidNull && (def.null == nil || rule.to.isWhole()):
		return fmt.Errorf("the platform cannot clear %s", rule.to)
	}
	rule.invalid = invalid
	return nil
}

func (p *mappingParser) readTrim(rule *columnRule, n ast.Node) error {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return errors.New("expected true or false")
	}
	rule.trim = b.Value
	return nil
}

func (p *mappingParser) readDefault(rule *columnRule, n ast.Node) error {
	v, ok := scalarValue(n)
	if !ok || isEmpty(v) {
		return errors.New("expected one value that is not empty")
	}
	rule.fallback = &v
	return nil
}

func (p *mappingParser) readValues(rule *columnRule, n ast.Node) error {
	if rule.to.isWhole() {
		return fmt.Errorf("%s is an object: give its attributes columns of their own", rule.to)
	}
	rule.values = make(map[string]batch.Value)
	p.entries(n, "values as CELL: VALUE", func(key string, k, value ast.Node) {
		v, ok := scalarValue(value)
		if !ok {
			p.refuseNode(k, "expected one value for %q", key)
			return
		}
		rule.values[key] = v
	})
	if _, all := rule.values[otherValues]; all && (rule.to.def.identity || rule.to.def.name == "registrationId") {
		return fmt.Errorf("\"*\" would make all other cells one and the same %s: list them", rule.to)
	}
	if len(rule.values) == 0 {
		return errors.New("expected values as CELL: VALUE")
	}
	return nil
}

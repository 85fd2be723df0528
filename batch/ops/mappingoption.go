package ops

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"pushbatch/batch"
)

// columnOptions is every option a mapping knows for a column, in the order
// help shows them.
func columnOptions() []string {
	return []string{"to", "type", "layout", "region", "separator", "empty", "trim", "default", "values"}
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
}

func (p *mappingParser) option(rule *columnRule, key string, k, value ast.Node) {
	read := map[string]func(*columnRule, ast.Node) error{
		"type": readType, "layout": readLayout, "region": readRegion, "separator": readSeparator, "empty": readEmpty,
		"trim": readTrim, "default": readDefault, "values": p.readValues,
	}[key]
	if read == nil {
		p.refuseNode(k, "unknown option %q%s: the options are %s", key, didYouMean(key, columnOptions()...), strings.Join(columnOptions(), ", "))
		return
	}
	if rule.to.def == nil {
		return // the target was refused
	}
	if err := read(rule, value); err != nil {
		p.refuseNode(value, "option %s: %v", key, err)
	}
}

func readType(rule *columnRule, n ast.Node) error {
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

func readLayout(rule *columnRule, n ast.Node) (err error) {
	if rule.to.def.name != "birthday" && rule.to.def.shape != prefixShape {
		return fmt.Errorf("%s is not a date", rule.to)
	}
	text, _ := scalarText(n)
	rule.layout, err = parseLayout(text)
	if err == nil && rule.to.def.shape == prefixShape {
		rule.to.typ = typeDate
	}
	return err
}

func readRegion(rule *columnRule, n ast.Node) error {
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

func readSeparator(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	switch {
	case rule.to.def.name != "tags":
		return fmt.Errorf("%s is not a list", rule.to)
	case text == "":
		return fmt.Errorf("the separator is empty")
	}
	rule.splits = text
	return nil
}

func readEmpty(rule *columnRule, n ast.Node) error {
	text, _ := scalarText(n)
	rules := map[string]emptyRule{"omit": emptyOmit, "null": emptyNull, "reject": emptyReject}
	empty, known := rules[text]
	switch {
	case !known:
		return fmt.Errorf("expected omit, null or reject%s", didYouMean(text, "omit", "null", "reject"))
	case empty == emptyNull && !rule.to.def.clears:
		return fmt.Errorf("the platform cannot clear %s", rule.to)
	}
	rule.empty, rule.emptySet = empty, true
	return nil
}

func readTrim(rule *columnRule, n ast.Node) error {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return fmt.Errorf("expected true or false")
	}
	rule.trim = b.Value
	return nil
}

func readDefault(rule *columnRule, n ast.Node) error {
	v, ok := scalarValue(n)
	if !ok || isEmpty(v) {
		return fmt.Errorf("expected one value that is not empty")
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
	if len(rule.values) == 0 {
		return fmt.Errorf("expected values as CELL: VALUE")
	}
	return nil
}

package ops

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushbatch/batch"
)

// Constant is a value that every row gets.
type Constant struct {
	Target string // as a header would name it, such as additionalData.score:number
	Value  batch.Value
	where  string // file and line, for messages; empty for --set
}

// ParseConstant reads TARGET=VALUE. What TARGET means, and whether VALUE suits
// it, is checked by Bind.
func ParseConstant(text string) (Constant, error) {
	target, value, found := strings.Cut(text, "=")
	switch {
	case !found || target == "":
		return Constant{}, fmt.Errorf("constant %q: expected TARGET=VALUE", target)
	case value == "":
		return Constant{}, fmt.Errorf("constant %s: the value is empty", target)
	}
	return Constant{Target: target, Value: batch.TextValue(value)}, nil
}

// bareTarget is the target without a declared type.
func (c Constant) bareTarget() string {
	if base, suffix, typed := cutLast(c.Target, ':'); typed {
		if _, err := parseType(suffix); err == nil {
			return base
		}
	}
	return c.Target
}

// constants are those of the mapping, overruled by those of --set.
func (b *binder) constants() []Constant {
	var list []Constant
	for _, c := range b.mapping.constants {
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
		b.excused = true
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

package ops

import (
	"fmt"
	"slices"
	"strings"

	"pushbatch/batch"
)

// column decides about one column of the header.
func (b *binder) column(i int) {
	name := b.header[i].Name
	use := ColumnUse{Column: name, Index: i}
	rule := b.mapping.rules[name]
	switch {
	case rule != nil:
		use.Found = ByMapping
		b.use(use, rule.to, func(f *field) {
			rule.apply(f)
			f.country = b.regionColumn(rule.regionFrom)
		})
	case b.mapping.ignored[name] > 0:
		use.Use = Ignored
		if b.mapping.regions[name] {
			use.Use = Region
		}
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
	case b.mapping.regions[use.Column]:
		use.Use = Region
		b.uses = append(b.uses, use)
	case b.options.IgnoreUnmapped:
		use.Use = Unmapped
		b.uses = append(b.uses, use)
	default:
		b.unknown(use)
	}
}

// regionColumn finds the column that a mapping names by region_from.
func (b *binder) regionColumn(name string) *regionColumn {
	at := b.header.Index(name)
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
		if f.layouts != nil {
			use.Layouts = f.layoutName(", ")
		}
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

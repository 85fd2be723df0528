package parquetfile

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"pushbatch/batch"
)

// A VARIANT is stored as bytes: metadata has the names of all members, value the
// value itself. A shredded one has members whose types agree in columns of their
// own, typed_value (VariantEncoding.md, VariantShredding.md of the format).

// resolveVariant reports false for a group that is not what the format demands.
func (n *node) resolveVariant() bool {
	metadata := slices.Index(n.names, "metadata")
	if metadata < 0 || n.children[metadata].shape != leafShape || n.children[metadata].leaf.width > 0 || !n.isShredded() {
		return false
	}
	n.shape = variantShape
	return true
}

// buildVariant makes the JSON value of what is stored.
func (c *column) buildVariant(n *node) (batch.Value, error) {
	stored, err := c.buildStruct(n)
	if err != nil {
		return batch.Value{}, err
	}
	metadata := stored.Nested.Values[slices.Index(n.names, "metadata")].Text
	v := variant{column: c}
	if err := v.readNames(metadata); err != nil {
		return batch.Value{}, err
	}
	value, _, err := v.unshred(n, stored)
	return value, err
}

// variant decodes one value.
type variant struct {
	column *column
	names  []string
}

func (v *variant) damaged() error { return damaged("a VARIANT of column %s", v.column.name) }

// offsets reads count+1 little-endian numbers of size bytes, which rise and end
// within what follows them, and returns the parts that they cut.
func (v *variant) offsets(b []byte, count, size int) (numbers []int, rest []byte, err error) {
	if count < 0 || count+1 > len(b)/size {
		return nil, nil, v.damaged()
	}
	rest = b[(count+1)*size:]
	for i := range count + 1 {
		n := number(b[i*size:], size)
		if n > len(rest) {
			return nil, nil, v.damaged()
		}
		numbers = append(numbers, n)
	}
	return numbers, rest, nil
}

func number(b []byte, size int) int { return int(unsigned(b[:size])) }

func (v *variant) readNames(metadata string) error {
	b := []byte(metadata)
	if len(b) < 2 || b[0]&15 != 1 {
		return v.damaged()
	}
	size := int(b[0]>>6) + 1
	if len(b) < 1+size || number(b[1:], size) > maxRowValues {
		return v.damaged()
	}
	ends, text, err := v.offsets(b[1+size:], number(b[1:], size), size)
	if err != nil {
		return err
	}
	for i := range len(ends) - 1 {
		if ends[i] > ends[i+1] {
			return v.damaged()
		}
		v.names = append(v.names, string(text[ends[i]:ends[i+1]]))
	}
	return nil
}

// decode makes a value of its bytes.
func (v *variant) decode(b []byte, depth int) (batch.Value, error) {
	v.column.values++ // parts may overlap: a few bytes could name millions
	if len(b) == 0 || depth > maxNesting || v.column.values > maxRowValues {
		return batch.Value{}, v.damaged()
	}
	header, body := b[0]>>2, b[1:]
	switch b[0] & 3 {
	case 0:
		return v.primitive(header, body)
	case 1:
		if int(header) > len(body) {
			return batch.Value{}, v.damaged()
		}
		return v.text(body[:header])
	case 2:
		return v.object(header, body, depth)
	}
	return v.array(header, body, depth)
}

func (v *variant) text(b []byte) (batch.Value, error) {
	if !utf8.Valid(b) {
		return batch.Value{}, v.damaged()
	}
	return batch.TextValue(string(b)), nil
}

// count reads how many parts an object or array has.
func (v *variant) count(b []byte, large bool) (n int, rest []byte, err error) {
	size := 1
	if large {
		size = 4
	}
	if len(b) < size || number(b, size) > maxRowValues {
		return 0, nil, v.damaged() // or more parts than a row may have: room is made for all of them
	}
	return number(b, size), b[size:], nil
}

func (v *variant) array(header byte, b []byte, depth int) (batch.Value, error) {
	count, b, err := v.count(b, header&4 != 0)
	if err != nil {
		return batch.Value{}, err
	}
	starts, parts, err := v.offsets(b, count, int(header&3)+1)
	if err != nil {
		return batch.Value{}, err
	}
	list := &batch.Nested{Values: make([]batch.Value, count)}
	for i := range count {
		if list.Values[i], err = v.decode(parts[starts[i]:], depth+1); err != nil {
			return batch.Value{}, err
		}
	}
	return batch.Value{Kind: batch.List, Nested: list}, nil
}

func (v *variant) object(header byte, b []byte, depth int) (batch.Value, error) {
	count, b, err := v.count(b, header&16 != 0)
	size := int(header>>2&3) + 1
	if err != nil || count > len(b)/size {
		return batch.Value{}, v.damaged()
	}
	ids := b
	starts, parts, err := v.offsets(b[count*size:], count, int(header&3)+1)
	if err != nil {
		return batch.Value{}, err
	}
	object := &batch.Nested{Names: make([]string, count), Values: make([]batch.Value, count)}
	for i := range count {
		id := number(ids[i*size:], size)
		if id >= len(v.names) {
			return batch.Value{}, v.damaged()
		}
		object.Names[i] = v.names[id]
		if object.Values[i], err = v.decode(parts[starts[i]:], depth+1); err != nil {
			return batch.Value{}, err
		}
	}
	return batch.Value{Kind: batch.Object, Nested: object}, nil
}

// variantPrimitive is a type of values that are no text, object or array.
type variantPrimitive struct {
	kind   batch.Kind
	size   int // of the stored value
	append func(dst, raw []byte) ([]byte, valueFault)
}

// variantPrimitives are the types by their numbers.
func variantPrimitives() []variantPrimitive {
	decimal := func(size int) variantPrimitive {
		return variantPrimitive{batch.Number, 1 + size, appendVariantDecimal}
	}
	clock, _ := timeType(unitMicros, 2)
	return []variantPrimitive{
		0:  {kind: batch.Null},
		1:  {batch.Bool, 0, func(dst, _ []byte) ([]byte, valueFault) { return append(dst, "true"...), noFault }},
		2:  {batch.Bool, 0, func(dst, _ []byte) ([]byte, valueFault) { return append(dst, "false"...), noFault }},
		3:  {batch.Number, 1, appendSigned},
		4:  {batch.Number, 2, appendSigned},
		5:  {batch.Number, 4, appendSigned},
		6:  {batch.Number, 8, appendSigned},
		7:  {batch.Number, 8, appendFloat64},
		8:  decimal(4),
		9:  decimal(8),
		10: decimal(16),
		11: {batch.Date, 4, appendDay},
		12: {batch.Timestamp, 8, timestampType(unitMicros, true).append},
		13: {batch.Timestamp, 8, timestampType(unitMicros, false).append},
		14: {batch.Number, 4, appendFloat32},
		15: {kind: batch.Text, append: appendBase64},
		16: {kind: batch.Text, append: appendText},
		17: {batch.Text, 8, clock.append},
		18: {batch.Timestamp, 8, timestampType(unitNanos, true).append},
		19: {batch.Timestamp, 8, timestampType(unitNanos, false).append},
		20: {batch.Text, 16, appendUUID},
	}
}

func (v *variant) primitive(id byte, b []byte) (batch.Value, error) {
	types := variantPrimitives()
	if int(id) >= len(types) {
		return batch.Value{}, v.damaged()
	}
	t := types[id]
	if t.kind == batch.Text && t.size == 0 {
		if len(b) < 4 {
			return batch.Value{}, v.damaged()
		}
		t.size = number(b, 4)
		b = b[4:]
	}
	if t.size > len(b) {
		return batch.Value{}, v.damaged()
	}
	if t.kind == batch.Null {
		return batch.Value{}, nil
	}
	text, fault := t.append(nil, b[:t.size])
	if fault != noFault {
		return v.column.cursors[0].scan.fault(fault, string(text)), nil
	}
	return batch.Value{Kind: t.kind, Text: string(text)}, nil
}

// appendVariantDecimal reads a scale and a little-endian number.
func appendVariantDecimal(dst, raw []byte) ([]byte, valueFault) {
	scale, digits := int(raw[0]), slices.Clone(raw[1:])
	slices.Reverse(digits)
	return appendBigDecimal(dst, digits, scale)
}

func appendBase64(dst, raw []byte) ([]byte, valueFault) {
	return base64.StdEncoding.AppendEncode(dst, raw), noFault
}

package ops

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"pushbatch/batch"
)

// Bounds of a YAML file. The parser's time and memory grow with the square of depth and
// lines: a small file of brackets would take the machine; 20,000 keys take 2.7 s of CPU.
const (
	maxYAMLBytes = 1 << 20
	maxYAMLDepth = 32
	maxYAMLLines = 20_000
)

// CheckYAML refuses a file that is larger, longer or nested deeper than any mapping or
// configuration is. It looks at the bytes only and is called before parsing.
func CheckYAML(data []byte) error {
	if len(data) > maxYAMLBytes {
		return fmt.Errorf("the file has %d bytes, at most %d are read", len(data), maxYAMLBytes)
	}
	if n := max(bytes.Count(data, []byte("\n")), bytes.Count(data, []byte("\r"))); n > maxYAMLLines {
		return fmt.Errorf("the file has %d lines, at most %d are read", n, maxYAMLLines)
	}
	depth, number := 0, 0
	for line := range bytes.Lines(data) {
		number++
		dashes := 0
		for rest := bytes.TrimLeft(line, " "); len(rest) > 1 && rest[0] == '-' && (rest[1] == ' ' || rest[1] == '\t'); dashes++ {
			rest = bytes.TrimLeft(rest[1:], " \t")
		}
		for i, c := range line {
			if c == '#' && (i == 0 || line[i-1] == ' ') {
				break
			}
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth+dashes > maxYAMLDepth {
				return fmt.Errorf("line %d is nested deeper than %d levels", number, maxYAMLDepth)
			}
		}
	}
	return nil
}

func (p *mappingParser) document(data []byte) {
	if err := CheckYAML(data); err != nil {
		p.refuse(1, codeMappingInvalid, "%v", err)
		return
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		p.refuse(lineOfError(err), codeMappingInvalid, "%s", messageOf(err))
		return
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			p.refuseNode(doc.Body, "a mapping is one YAML document, a second one begins here")
			return
		}
		body = doc.Body
	}
	if body == nil || body.Type() == ast.CommentType {
		return
	}
	p.section(body)
}

// lineOfError and messageOf take a YAML error apart: the library's own text
// shows the lines around the mistake, which may hold what is not to be shown.
func lineOfError(err error) int {
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
		return syntax.GetToken().Position.Line
	}
	return 1
}

func messageOf(err error) string {
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		return syntax.GetMessage()
	}
	return "it is not YAML"
}

func (p *mappingParser) section(body ast.Node) {
	sections := map[string]func(ast.Node){"columns": p.columns, "constants": p.constants, "ignore": p.ignore}
	p.entries(body, "the keys columns, constants and ignore", func(key string, k, value ast.Node) {
		if read := sections[key]; read != nil {
			read(value)
			return
		}
		p.refuseNode(k, "unknown key %q%s: a mapping has the keys columns, constants and ignore", key, didYouMean(key, "columns", "constants", "ignore"))
	})
}

func didYouMean(name string, candidates ...string) string {
	if best, _ := nearest(name, candidates); best != "" {
		return fmt.Sprintf(" (did you mean %s?)", best)
	}
	return ""
}

// entries calls each for the entries of a YAML mapping; anything else is
// refused with what was expected.
func (p *mappingParser) entries(n ast.Node, expected string, each func(key string, k, value ast.Node)) {
	entries, ok := n.(ast.MapNode)
	if !ok {
		if n != nil && n.Type() == ast.NullType {
			return
		}
		p.refuseNode(n, "expected %s", expected)
		return
	}
	for it := entries.MapRange(); it.Next(); {
		key, ok := keyText(it.Key())
		if !ok {
			p.refuseNode(it.Key(), "a key must be plain text; anchors, aliases and merged keys are not accepted")
			continue
		}
		each(key, it.Key(), it.Value())
	}
}

func keyText(n ast.MapKeyNode) (string, bool) {
	if n.IsMergeKey() {
		return "", false
	}
	if k, ok := n.(*ast.MappingKeyNode); ok {
		return scalarText(k.Value)
	}
	return scalarText(n)
}

// scalarText returns a scalar as it stands in the file: Y stays Y, 007 stays
// 007.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// scalarValue returns a scalar with the type that YAML 1.2 gives it. A number
// that JSON would not take stays text.
func scalarValue(n ast.Node) (batch.Value, bool) {
	text, ok := scalarText(n)
	switch n := n.(type) {
	case *ast.NullNode:
		return batch.Value{}, true
	case *ast.BoolNode:
		return batch.BoolValue(n.Value), true
	case *ast.IntegerNode, *ast.FloatNode:
		if isNumber(text) {
			return batch.Value{Kind: batch.Number, Text: text}, true
		}
	}
	return batch.TextValue(text), ok
}

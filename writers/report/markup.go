package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"reflect"
	"strings"
	"text/template/parse"
)

//go:embed page.css
var pageStyle string

//go:embed page.html
var pageHTML string

// markup writes page.html with the values of a page in it. The template packages
// call methods by their names, so that the linker would have to keep every exported
// method of every type: 9 MB more. So only their parser is taken, and what the page
// needs of the language is carried out here: fields, if, range and templates.
//
// Whatever stands in a field is text, never markup: only page.html is written as it is.
type markup struct {
	out   []byte
	trees map[string]*parse.Tree
}

// render makes the page. Its policy names our style by its hash.
func (p *page) render() []byte {
	hash := sha256.Sum256([]byte(pageStyle))
	text := strings.NewReplacer("HASH", base64.StdEncoding.EncodeToString(hash[:]), "STYLE", pageStyle).Replace(pageHTML)
	trees, err := parse.Parse("page", text, "{{", "}}")
	if err != nil {
		panic(err) // it is the same in every run
	}
	m := markup{trees: trees}
	m.nodes(trees["page"].Root, reflect.ValueOf(p))
	return m.out
}

// nodes writes a part of the template; dot is what its fields are fields of.
func (m *markup) nodes(list *parse.ListNode, dot reflect.Value) {
	if list == nil {
		return // no else
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			m.out = append(m.out, n.Text...)
		case *parse.ActionNode:
			m.out = append(m.out, escaped(fmt.Sprint(valueOf(n.Pipe, dot)))...)
		case *parse.IfNode:
			if isThere(valueOf(n.Pipe, dot)) {
				m.nodes(n.List, dot)
			} else {
				m.nodes(n.ElseList, dot)
			}
		case *parse.RangeNode:
			for list, i := valueOf(n.Pipe, dot), 0; i < list.Len(); i++ {
				m.nodes(n.List, list.Index(i))
			}
		case *parse.TemplateNode:
			m.nodes(m.trees[n.Name].Root, valueOf(n.Pipe, dot))
		default:
			panic("page.html has what is not carried out: " + n.String())
		}
	}
}

// valueOf is what a field, a dot or a text of the template stands for.
func valueOf(pipe *parse.PipeNode, dot reflect.Value) reflect.Value {
	switch arg := pipe.Cmds[0].Args[0].(type) {
	case *parse.StringNode:
		return reflect.ValueOf(arg.Text)
	case *parse.FieldNode:
		for _, name := range arg.Ident {
			dot = reflect.Indirect(dot).FieldByName(name)
		}
	}
	return dot
}

func isThere(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() > 0
	}
	return !v.IsZero()
}

// escaped makes a text safe between tags and between quotes. HTML has no way to
// write a NUL.
func escaped(text string) string {
	return html.EscapeString(strings.ReplaceAll(text, "\x00", "\uFFFD"))
}

// Package form fills in what people read, the page and the terminal's texts, in the
// language of text/template: fields, variables, functions, if, with, range and templates.
//
//	f := form.New(text, html.EscapeString, form.Functions{"grouped": grouped})
//	page := f.Fill("page", summary)
//
// The template packages call methods by their names, so that the linker would have to
// keep every exported method of every type: 9 MB more. So only their parser is taken.
// A fault of a form is a panic: forms are part of the program.
package form

import (
	"fmt"
	"maps"
	"reflect"
	"text/template/parse"
)

// Functions are what a form can call, by name. Each returns one value.
type Functions map[string]any

// Form is a text with places to be filled in.
type Form struct {
	trees     map[string]*parse.Tree
	functions Functions
	escape    func(string) string
}

// New reads a form, whose own text is named "main". Whatever is filled in passes escape:
// only the form itself is written as it is. Of functions with one name the last counts.
func New(text string, escape func(string) string, functions ...Functions) *Form {
	f := &Form{functions: Functions{}, escape: escape}
	for _, more := range functions {
		maps.Copy(f.functions, more)
	}
	var err error
	if f.trees, err = parse.Parse("main", text, "{{", "}}", f.functions); err != nil {
		panic(err)
	}
	return f
}

// Fill fills the text or template with a name in; $ stands for the value everywhere.
func (f *Form) Fill(name string, value any) []byte {
	w := &filling{Form: f, variables: map[string]reflect.Value{"$": reflect.ValueOf(value)}}
	w.template(name, w.variables["$"])
	return w.out
}

// notCarriedOut tells of what the parser knows and a form cannot have, such as a variable
// of its own or a pipeline.
const notCarriedOut = "the form has what is not carried out: "

// filling is a form that is being filled in.
type filling struct {
	*Form
	out       []byte
	variables map[string]reflect.Value
}

func (w *filling) template(name string, dot reflect.Value) { w.nodes(w.trees[name].Root, dot) }

// nodes writes a part of the form; dot is what its fields are fields of.
func (w *filling) nodes(list *parse.ListNode, dot reflect.Value) {
	if list == nil {
		return // no else
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			w.out = append(w.out, n.Text...)
		case *parse.ActionNode:
			w.out = append(w.out, w.escape(fmt.Sprint(w.value(n.Pipe, dot)))...)
		case *parse.IfNode:
			w.branch(&n.BranchNode, w.value(n.Pipe, dot), dot, dot)
		case *parse.WithNode:
			v := w.value(n.Pipe, dot)
			w.branch(&n.BranchNode, v, v, dot)
		case *parse.RangeNode:
			list := w.value(n.Pipe, dot)
			if w.each(n, list); list.Len() == 0 {
				w.nodes(n.ElseList, dot)
			}
		case *parse.TemplateNode:
			w.template(n.Name, w.value(n.Pipe, dot))
		default:
			panic(notCarriedOut + n.String())
		}
	}
}

// branch writes what belongs to a value that is there, else what belongs to none.
func (w *filling) branch(n *parse.BranchNode, value, then, otherwise reflect.Value) {
	isThere := !value.IsZero()
	if value.Kind() == reflect.Slice {
		isThere = value.Len() > 0
	}
	if isThere {
		w.nodes(n.List, then)
	} else {
		w.nodes(n.ElseList, otherwise)
	}
}

// each writes a list; its variables are index and element.
func (w *filling) each(n *parse.RangeNode, list reflect.Value) {
	for i := range list.Len() {
		if names := n.Pipe.Decl; len(names) == 2 {
			w.variables[names[0].Ident[0]], w.variables[names[1].Ident[0]] = reflect.ValueOf(i), list.Index(i)
		}
		w.nodes(n.List, list.Index(i))
	}
}

// value is what a field or a call stands for.
func (w *filling) value(pipe *parse.PipeNode, dot reflect.Value) reflect.Value {
	args := pipe.Cmds[0].Args
	name, isCall := args[0].(*parse.IdentifierNode)
	switch {
	case len(pipe.Cmds) > 1, len(pipe.Decl) == 1, !isCall && len(args) > 1:
		panic(notCarriedOut + pipe.String())
	case !isCall:
		return w.operand(args[0], dot)
	}
	f := reflect.ValueOf(w.functions[name.Ident])
	values := make([]reflect.Value, len(args)-1)
	for i := range values {
		values[i] = fitted(w.operand(args[i+1], dot), parameter(f.Type(), i))
	}
	return f.Call(values)[0]
}

func (w *filling) operand(n parse.Node, dot reflect.Value) reflect.Value {
	switch n := n.(type) {
	case *parse.StringNode:
		return reflect.ValueOf(n.Text)
	case *parse.NumberNode:
		return reflect.ValueOf(n.Int64)
	case *parse.PipeNode:
		return w.value(n, dot)
	case *parse.IdentifierNode:
		return reflect.ValueOf(w.functions[n.Ident]).Call(nil)[0]
	case *parse.FieldNode:
		return field(dot, n.Ident)
	case *parse.VariableNode:
		return field(w.variables[n.Ident[0]], n.Ident[1:])
	case *parse.DotNode:
		return dot
	}
	panic(notCarriedOut + n.String())
}

func field(of reflect.Value, names []string) reflect.Value {
	for _, name := range names {
		of = reflect.Indirect(of).FieldByName(name)
	}
	return of
}

func parameter(f reflect.Type, i int) reflect.Type {
	if last := f.NumIn() - 1; f.IsVariadic() && i >= last {
		return f.In(last).Elem()
	}
	return f.In(i)
}

// fitted is a value as a parameter: what a pointer points to, its address, or a number of
// the other type.
func fitted(v reflect.Value, want reflect.Type) reflect.Value {
	switch {
	case v.Type().AssignableTo(want):
		return v
	case v.Kind() == reflect.Pointer:
		v = v.Elem()
	case want.Kind() == reflect.Pointer:
		v = v.Addr()
	}
	return v.Convert(want)
}

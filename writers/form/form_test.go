package form_test

import (
	"html"
	"strings"
	"testing"

	"pushbatch/writers/form"
)

type inner struct{ Name string }

type outer struct {
	Title string
	N     int
	There *int64
	Gone  *inner
	List  []inner
	*inner
}

func TestFill(t *testing.T) {
	t.Parallel()
	n := int64(0)
	value := &outer{Title: "<b>", N: 3, There: &n, List: []inner{{"a"}, {"b&"}}, inner: &inner{"own"}}
	functions := form.Functions{
		"twice": func(n int64) int64 { return 2 * n },
		"name":  func(i *inner) string { return "name of " + i.Name },
		"join":  func(sign string, list ...string) string { return strings.Join(list, sign) },
		"some":  func() []string { return []string{"x", "y"} },
		"none":  func() []string { return nil },
		"over":  func() string { return "first" },
	}
	for text, want := range map[string]string{
		`{{.Title}} & {{.Name}}`:                                                                  "&lt;b&gt; & own",
		`{{twice .N}} {{twice .There}} {{twice 4}}`:                                               "6 0 8",
		`{{if .There}}there{{else}}gone{{end}}`:                                                   "there", // a pointer to 0
		`{{if .Gone}}there{{else if .N}}n{{else}}gone{{end}}`:                                     "n",
		`{{with .Gone}}{{.Name}}{{else}}{{.Title}}{{end}}`:                                        "&lt;b&gt;",
		`{{with .List}}{{range .}}{{.Name}}{{end}}{{end}}`:                                        "ab&amp;",
		`{{range $i, $e := .List}}{{$i}}{{$e.Name}}{{$.N}} {{end}}`:                               "0a3 1b&amp;3 ",
		`{{range .List}}{{name .}};{{end}}`:                                                       "name of a;name of b&amp;;",
		`{{join "+" .Name (join "-" "p" "q")}}`:                                                   "own+p-q",
		`{{range some}}{{.}}{{end}}{{join over "u" "v"}}`:                                         "xyufirstv",
		`{{define "t"}}[{{.}}]{{end}}{{template "t" twice .N}}`:                                   "[6]",
		`a {{- /* nothing */ -}} b{{range .List}}{{else}}{{end}}`:                                 "ab",
		`{{with .Gone}}{{range .List}}{{end}}{{end}}{{range none}}{{.}}{{else}}{{.Title}}{{end}}`: "&lt;b&gt;",
		`{{over}}`: "second", // of functions with one name the last counts
	} {
		later := form.Functions{}
		if text == `{{over}}` {
			later["over"] = func() string { return "second" }
		}
		if have := string(form.New(text, html.EscapeString, functions, later).Fill("main", value)); have != want {
			t.Errorf("%s gives %q, want %q", text, have, want)
		}
	}
}

// What the language has beyond that is never passed over in silence.
func TestNotCarriedOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{{.N | printed}}`, `{{$n := .N}}`, `{{with $n := .N}}{{end}}`, `{{range $n := .List}}{{end}}`, `{{.Title 1}}`, `{{printed true}}`, `{{printed nil}}`,
		`{{range .List}}{{break}}{{end}}`, `{{(.List).Name}}`,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is filled in", text)
				}
			}()
			form.New(text, html.EscapeString, form.Functions{"printed": func(int) string { return "" }}).Fill("main", &outer{List: []inner{{"a"}}})
		}()
	}
}

package report

import (
	"bytes"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func TestEscaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`a" b='c'`:      "a&#34; b=&#39;c&#39;",
		"<b>&amp;":      "&lt;b&gt;&amp;amp;",
		"{{.Title}}":    "{{.Title}}", // a value is no template
		"a\x00\n]]>":    "a\uFFFD\n]]&gt;",
		"\u2028 \u00e9": "\u2028 \u00e9",
	} {
		if have := escaped(text); have != want {
			t.Errorf("%q gives %q, want %q", text, have, want)
		}
	}
}

// evil ends every place a text can stand in: text, attributes of either
// quotation, titles, styles, scripts, comments, sections of raw text. Each is short
// enough to be shown whole.
var evil = []string{
	"%d\"'`=/></title>", "%d</style></svg></table>", "%d--> ]]>\n\t", "%d<script>alert(1)</script>", "%d<img src=x onerror=alert(2)>", "%d&quot;&#60;{{.Title}}",
}

// Every text of a summary and of what was asked is one that would end the place where it
// stands. The page has the same elements and attributes as with harmless texts: none of
// it has become markup. None is left out.
func TestPageTakesNothingForMarkup(t *testing.T) {
	t.Parallel()
	harmless, _, _ := pageFilledWith("harmless%dtext")
	for _, format := range evil {
		page, texts, f := pageFilledWith(format)
		if len(f.texts) < 50 {
			t.Fatalf("only %d texts", len(f.texts))
		}
		if diff := cmp.Diff(harmless, page); diff != "" {
			t.Errorf("%s became markup: %s", format, diff)
		}
		for i, text := range f.texts {
			if !strings.Contains(texts, path.Base(text)) && !unshown.MatchString(f.paths[i]) {
				t.Errorf("%s is not on the page as text", f.paths[i])
			}
		}
		if strings.Contains(texts, "invalid") {
			t.Error("a value is missing")
		}
	}
}

// unshown are texts that the page does not show.
var unshown = regexp.MustCompile(`^Summary\.(Runs|ReasonCode|Outcome|Share|Warnings.*\.Message|Table\.(Inventory\.key|Partial|Unnamed|Applications\[\d\]\.(ID|Code)))|^Run\.Given`)

// filled fills values with texts of its own, with 1 in every number and two elements in
// every list.
type filled struct {
	format       string
	texts, paths []string
}

// pageFilledWith makes a page of filled values, and returns its elements with their
// attributes and all its texts.
func pageFilledWith(format string) (elements []string, texts string, f *filled) {
	f = &filled{format: format}
	s, r := new(Summary), new(Run)
	f.fill(reflect.ValueOf(s).Elem(), "Summary")
	f.fill(reflect.ValueOf(r).Elem(), "Run")
	s.Outcome, s.Runs, s.Partial = Stopped, nil, ""
	for i := range s.Inventory { // as views are named
		s.Inventory["os"] = s.Inventory[i]
	}
	page := html.NewTokenizer(bytes.NewReader(Page(s, r)))
	for page.Next() != html.ErrorToken {
		token := page.Token()
		if token.Type == html.TextToken || token.Type == html.CommentToken {
			texts += token.Data
			continue
		}
		element := token.Type.String() + " " + token.Data
		for _, a := range token.Attr {
			element, texts = element+" "+a.Key, texts+a.Val+" "
		}
		elements = append(elements, element)
	}
	return elements, texts, f
}

func (f *filled) fill(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		text := fmt.Sprintf(f.format, 1000+len(f.texts))
		f.texts, f.paths = append(f.texts, text), append(f.paths, path)
		v.SetString(text)
	case reflect.Int, reflect.Int64, reflect.Int8:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, path+".key")
		f.fill(value, path+".value")
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				f.fill(v.Field(i), path+"."+field.Name)
			}
		}
	case reflect.Func: // set by hand
	default:
		panic(path + " is of a kind that is not filled: " + v.Kind().String())
	}
}

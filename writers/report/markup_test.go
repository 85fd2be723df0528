package report

import (
	"fmt"
	"html"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
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
// quotation, titles, styles, scripts, comments, sections of raw text.
const evil = "%d\"'`=/></title></style></svg></table>--> ]]>\n\t<script>alert(1)</script><img src=x onerror=alert(2)>&quot;&#60;{{.Title}}"

// Every field of a page is filled with a text that would end the place where it
// stands. The page is then the same as with harmless texts: none of it has
// become markup, in text or attributes, and none is left out.
func TestPageTakesNothingForMarkup(t *testing.T) {
	t.Parallel()
	bad, good := pageFilledWith(evil), pageFilledWith("harmless%dtext")
	have, want := string(bad.page.render()), string(good.page.render())
	if len(bad.texts) < 50 || len(bad.texts) != len(good.texts) {
		t.Fatalf("%d and %d fields", len(bad.texts), len(good.texts))
	}
	for i, text := range bad.texts {
		if safe := html.EscapeString(text); strings.Contains(have, safe) {
			have = strings.ReplaceAll(have, safe, good.texts[i])
		} else if !bad.unseen[i] {
			t.Errorf("%s is not on the page as text", bad.paths[i])
		}
		have = strings.ReplaceAll(have, html.EscapeString(url.PathEscape(text)), good.texts[i])
	}
	if have != want {
		at := 0
		for at < min(len(have), len(want)) && have[at] == want[at] {
			at++
		}
		t.Errorf("a text became markup at\n%s\nwant\n%s", around(have, at), around(want, at))
	}
	if strings.Contains(want, "{{") || strings.Contains(want, "invalid") {
		t.Error("a value is missing")
	}
}

func around(text string, at int) string { return text[max(0, at-100):min(len(text), at+100)] }

// filled is a page with a text of its own in every field, 1 in every number and
// two elements in every list.
type filled struct {
	page         page
	texts, paths []string
	unseen       map[int]bool // not shown by design
}

func pageFilledWith(format string) *filled {
	f := &filled{unseen: make(map[int]bool)}
	f.fill(reflect.ValueOf(&f.page).Elem(), "page", format)
	return f
}

// unshown are fields that a list of what has them does not show.
var unshown = regexp.MustCompile(`\.Settings\[\d\]\.(Key|Raw|Note|Class)$|\.Bars\[\d\]\.fact\.Class$|\.MoreErrors\[\d\]\.(Meaning|Remedy|Examples.*)$|\.Scale\[\d\]\.Anchor$`)

func (f *filled) fill(v reflect.Value, path, format string) {
	switch v.Kind() {
	case reflect.String:
		f.unseen[len(f.texts)] = unshown.MatchString(path)
		text := fmt.Sprintf(format, 1000+len(f.texts))
		f.texts, f.paths = append(f.texts, text), append(f.paths, path)
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), path, format)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), fmt.Sprintf("%s[%d]", path, i), format)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i), path+"."+v.Type().Field(i).Name, format)
		}
	default:
		panic(path + " is of a kind that is not filled")
	}
}

package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"strings"
)

//go:embed page.css
var pageStyle literal

// literal is text of ours. Constants become literals by themselves, strings do
// not: the compiler sees to it that what a file or an answer brought in cannot
// be taken for markup.
type literal string

// markup is HTML in the making. It is not made from a template: the packages
// for these call methods by their names, so that the linker would have to keep
// every exported method of every type, those of the S3 client above all.
type markup []byte

// put appends a pattern with a value for every {} in it, between tags or
// between the quotes of an attribute.
func (m *markup) put(pattern literal, values ...string) {
	rest := string(pattern)
	for _, v := range values {
		before, after, _ := strings.Cut(rest, "{}")
		*m, rest = append(append(*m, before...), escaped(v)...), after
	}
	*m = append(*m, rest...)
}

// escaped makes a text safe between tags and between quotes. HTML has no way to
// write a NUL.
func escaped(text string) string {
	return html.EscapeString(strings.ReplaceAll(text, "\x00", "\uFFFD"))
}

// head is what comes before the body. Its policy names our style by its hash.
func (m *markup) head(title string) {
	hash := sha256.Sum256([]byte(pageStyle))
	m.put(
		`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{}</title>
<style>`,
		"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "+
			"style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'", title,
	)
	m.put(pageStyle)
	m.put("</style>\n</head>\n")
}

// table begins a table that scrolls by itself where the screen is narrow; its
// class may be empty.
func (m *markup) table(label, id, class string) {
	m.put(`<div class="scroll" tabindex="0" role="region" aria-label="{}"><table`, label)
	m.optional(` id="{}"`, id)
	m.optional(` class="{}"`, class)
	m.put(`><thead><tr>`)
}

// optional appends a pattern unless its value is empty.
func (m *markup) optional(pattern literal, value string) {
	if value != "" {
		m.put(pattern, value)
	}
}

// key says where in summary.json a number stands.
func (m *markup) key(key, raw string) {
	if key != "" {
		m.put(` data-key="{}" data-value="{}"`, key, raw)
	}
}

// colour is the square that explains a colour.
func (m *markup) colour(class string) {
	m.put(`<svg class="key" aria-hidden="true"><rect class="{}" width="100%" height="100%"/></svg>`, class)
}

func (m *markup) facts(facts []fact) {
	for _, f := range facts {
		m.put("<div><dt>")
		if f.Class != "" {
			m.colour(f.Class)
		}
		m.put("{}</dt><dd><span", f.Name)
		m.key(f.Key, f.Raw)
		m.put(">{}</span>", f.Value)
		m.optional(" <small>{}</small>", f.Note)
		m.put("</dd></div>\n")
	}
}

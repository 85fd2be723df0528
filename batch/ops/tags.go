package ops

import (
	"encoding/json"
	"slices"
	"strings"

	"pushbatch/batch"
)

// isTagSplit tells the characters that separate the tags of a text cell when no
// mapping names the one separator.
func isTagSplit(c byte) bool { return c == ',' || c == ';' || c == '|' }

// putTags takes a list, a JSON array of strings, or a text with separators.
// Spaces around a tag do not belong to it. Tags are a set: repeats are sent once.
func (a *requestBuilder) putTags(f *field, v batch.Value) {
	switch {
	case v.Kind == batch.List:
		a.putTagList(f, v.Nested.Values)
	case v.Kind == batch.Text && v.Text[0] == '[':
		a.putTagArray(f, v.Text)
	default:
		if s, ok := a.asText(f, v); ok {
			a.splitTags(f, s)
		}
	}
}

func (a *requestBuilder) clearTags(*field) { a.attributes.ClearTags = true }

func (a *requestBuilder) splitTags(f *field, s string) {
	for {
		at, width := f.cut(s)
		if at < 0 {
			a.addSplitTag(f, s)
			return
		}
		a.addSplitTag(f, s[:at])
		s = s[at+width:]
	}
}

// addSplitTag passes over what a separator too many makes.
func (a *requestBuilder) addSplitTag(f *field, tag string) {
	if strings.TrimSpace(tag) != "" {
		a.addTag(f, tag)
	}
}

func (f *field) cut(s string) (at, width int) {
	if f.splits != "" {
		return strings.Index(s, f.splits), len(f.splits)
	}
	for i := range len(s) {
		if isTagSplit(s[i]) {
			return i, 1
		}
	}
	return -1, 0
}

func (a *requestBuilder) addTag(f *field, tag string) {
	tag = strings.TrimSpace(tag)
	if tag == "" {
		a.reject(f, codeTagEmpty, "one of the tags in the list has no name")
		return
	}
	a.checkText(f, tag, false)
	if !slices.Contains(a.tags, tag) {
		a.tags = append(a.tags, tag)
	}
}

func (a *requestBuilder) putTagList(f *field, list []batch.Value) {
	for _, v := range list {
		if v.Kind == batch.Null || v.Kind == batch.Text && v.Text == "" {
			a.addTag(f, "")
		} else if s, ok := a.asText(f, v); ok {
			a.addTag(f, s)
		}
	}
}

func (a *requestBuilder) putTagArray(f *field, text string) {
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		a.reject(f, codeTagsInvalid, `the cell begins as a JSON array but is not one of strings: ["one","two"]`)
		return
	}
	for _, tag := range list {
		a.addTag(f, tag)
	}
}

package ops

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pushbatch/batch"
)

// describe says what a value looks like without telling it: values may be
// personal.
func describe(v batch.Value) string {
	switch v.Kind {
	case batch.Text:
		return describeText(v.Text)
	case batch.List, batch.Object:
		return article(v.Kind)
	}
	return article(v.Kind) + " of " + plural(utf8.RuneCountInString(v.Text), "character")
}

func article(k batch.Kind) string {
	if k == batch.Object {
		return "an " + k.String()
	}
	return "a " + k.String()
}

// describeText says how long a text is and what it is made of, as a person would:
// 8 characters: digits, "." and ",". Signs tell nothing of a person.
func describeText(s string) string {
	if nullWords[strings.ToLower(s)] || s != "" && strings.Trim(s, "-.?") == "" {
		return "a word that stands for no value (say empty_values: in the mapping)"
	}
	const shown = 4
	var kinds []string
	for _, r := range s {
		kind := "other characters"
		switch {
		case unicode.IsLetter(r) || unicode.IsMark(r):
			kind = "letters"
		case unicode.IsDigit(r):
			kind = "digits"
		case unicode.IsSpace(r):
			kind = "spaces"
		case unicode.IsPunct(r) || unicode.IsSymbol(r):
			kind = strconv.Quote(string(r))
		}
		if len(kinds) == shown && !slices.Contains(kinds, kind) {
			kind = "other characters"
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if last := len(kinds) - 1; last > 0 {
		kinds = append(kinds[:last-1], kinds[last-1]+" and "+kinds[last])
	}
	return plural(utf8.RuneCountInString(s), "character") + ": " + strings.Join(kinds, ", ")
}

// position is the 1-based number of the character at byte offset at.
func position(s string, at int) string { return strconv.Itoa(utf8.RuneCountInString(s[:at]) + 1) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sortedByCount are the keys, the most frequent first, equal ones by name.
func sortedByCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}

func percent(part, whole int64) string { return strconv.FormatInt((100*part+whole/2)/whole, 10) + " %" }

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
	if s == "" {
		return "an empty text"
	}
	if nullWords[strings.ToLower(s)] || strings.Trim(s, "-.?") == "" {
		return "a word that stands for no value (say empty_values: in the mapping)"
	}
	const shown = 4
	var kinds []string
	for _, r := range s {
		kind := "other characters"
		switch {
		case unicode.IsLetter(r) || unicode.IsMark(r):
			kind = "letters"
		case r >= '0' && r <= '9':
			kind = "digits"
		case unicode.IsDigit(r):
			kind = "digits that are not 0 to 9"
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

// nearest returns the candidate with the smallest edit distance to name, and
// that distance. It returns nothing when even the best shares less than about
// half of its letters.
func nearest(name string, candidates []string) (best string, distance int) {
	folded := []rune(fold(name))
	for _, c := range candidates {
		other := []rune(fold(c))
		d := editDistance(folded, other)
		if d*2 > max(len(folded), len(other)) {
			continue
		}
		if best == "" || d < distance {
			best, distance = c, d
		}
	}
	return best, distance
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that make b of a (optimal string alignment).
func editDistance(a, b []rune) int {
	before := make([]int, len(b)+1) // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// Nearest returns the candidate that name is most likely a misspelling of,
// empty when none is near. Letter case, spaces, - and _ do not count.
func Nearest(name string, candidates []string) string {
	best, _ := nearest(name, candidates)
	return best
}

// Misspelling is Nearest for names that may well mean something else: at most a
// quarter of the letters of name, or one, differ.
func Misspelling(name string, candidates []string) string {
	best, distance := nearest(name, candidates)
	if distance > max(1, len(fold(name))/4) {
		return ""
	}
	return best
}

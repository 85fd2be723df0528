package ops

import (
	"strconv"
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

// describeText says how long a text is and where something stands in it that
// a number or an id would not have.
func describeText(s string) string {
	text := plural(utf8.RuneCountInString(s), "character")
	letter, other := -1, -1
	n := 0
	for _, r := range s {
		n++
		switch {
		case unicode.IsDigit(r):
		case unicode.IsLetter(r):
			if letter < 0 {
				letter = n
			}
		case other < 0 && !(n == 1 && r == '+'):
			other = n
		}
	}
	switch {
	case letter > 0:
		text += ", a letter at position " + strconv.Itoa(letter)
	case other > 0:
		text += ", neither letter nor digit at position " + strconv.Itoa(other)
	default:
		text += ", digits only"
	}
	return text
}

// position is the 1-based number of the character at byte offset at.
func position(s string, at int) string { return strconv.Itoa(utf8.RuneCountInString(s[:at]) + 1) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

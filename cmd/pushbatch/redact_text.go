package main

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// valuesOf lists what a call says of its row: the device and every text and number
// of its body.
func valuesOf(call []byte) (values []string) {
	maskedCall(call, func(value string) string {
		values = append(values, value)
		if plain, err := url.PathUnescape(value); err == nil && plain != value {
			values = append(values, plain)
		}
		return ""
	})
	return values
}

// longWord is from which length on a value is also found within a word.
const longWord = 6

// message replaces in the words of the platform the values given, wherever they
// stand as words of their own or are long, whatever their letter case, and what
// looks like an address, a number or an id of somebody else.
func (r *redactor) message(text string, values []string) string {
	text = cutWord.ReplaceAllString(text, "…") // half a value would not be found
	slices.SortFunc(values, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, value := range values {
		text = r.replace(text, value)
	}
	return foreignWord.ReplaceAllStringFunc(text, func(word string) string {
		if strings.HasPrefix(word, redactedPrefix) || !personal(word) {
			return word
		}
		return r.value(word)
	})
}

func (r *redactor) replace(text, value string) string {
	if value == "" || utf8.RuneCountInString(value) < 2 && !isDigit(value[0]) {
		return text
	}
	pattern := `(?i)` + regexp.QuoteMeta(value)
	if len(value) < longWord {
		pattern = `(?i)(^|[^\pL\pN])` + regexp.QuoteMeta(value) + `($|[^\pL\pN])`
	}
	found, err := regexp.Compile(pattern)
	if err != nil { // not with a quoted text
		return redactedPrefix
	}
	with := `${1}` + r.value(value) + `${2}`
	text = found.ReplaceAllString(text, with)
	return found.ReplaceAllString(text, with) // of two words with one space between, each needs it
}

// cutWord finds a word that was cut.
var cutWord = regexp.MustCompile(`\S+…`)

// foreignWord finds hashes and words that may be something of a person.
var foreignWord = regexp.MustCompile(redactedPrefix + `[0-9a-f]+|\+[0-9][0-9 ()/.-]{5,}[0-9]|[\pL\pN_+@][\pL\pN_.+@-]*[\pL\pN]`)

// Words from these numbers of characters and digits on may name somebody.
const (
	idLength = 16
	idDigits = 6
)

func personal(word string) bool {
	digits := 0
	for i := range len(word) {
		if isDigit(word[i]) {
			digits++
		}
	}
	return strings.Contains(word, "@") || digits >= idDigits || digits > 0 && len(word) >= idLength
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

package main

import (
	"regexp"
	"strings"
)

// words replaces in a text of our own the words that look like an address, a number
// or an id: a name of a column or member may be one.
func (r *redactor) words(text string) string {
	return foreignWord.ReplaceAllStringFunc(text, func(word string) string {
		if strings.HasPrefix(word, redactedPrefix) || !personal(word) {
			return word
		}
		return r.value(word)
	})
}

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

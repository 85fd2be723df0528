package jsonlines

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"pushbatch/readers/inputerror"
)

// escapes are the characters after a backslash and what they stand for.
const (
	escapes   = `"\/bfnrt`
	unescaped = "\"\\/\b\f\n\r\t"
)

// unescaped replaces the escapes of a string that begins at an index of the
// line.
func (j *jsonText) unescaped(text string, begin int) (string, *jsonFault) {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		next := strings.IndexByte(text[i:], '\\')
		if next < 0 {
			b.WriteString(text[i:])
			break
		}
		b.WriteString(text[i : i+next])
		i += next + 1
		if known := strings.IndexByte(escapes, text[i]); known >= 0 {
			b.WriteByte(unescaped[known])
			i++
			continue
		}
		r, size := unicodeEscape(text[i:])
		if size == 0 {
			return "", &jsonFault{code: inputerror.CodeJSON, at: begin + i, say: "an escape in a text is none that JSON knows"}
		}
		if r == loneSurrogate {
			j.flawed(begin+i, "an escape in the text is half of a surrogate pair")
			b.WriteString(text[i-1 : i+size]) // as it stands, to be mended where rows are given back
		} else {
			b.WriteRune(r)
		}
		i += size
	}
	return b.String(), nil
}

// loneSurrogate is half of a pair: no character.
const loneSurrogate = -1

// unicodeEscape reads u0041 or, for a pair, ud83d\ude00. The size is 0 for
// what is neither.
func unicodeEscape(text string) (r rune, size int) {
	first, ok := hexRune(text)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 5
	}
	if len(text) < 11 || text[5] != '\\' {
		return loneSurrogate, 5
	}
	second, _ := hexRune(text[6:])
	if r = utf16.DecodeRune(first, second); r == utf8.RuneError {
		return loneSurrogate, 5
	}
	return r, 11
}

func hexRune(text string) (rune, bool) {
	if len(text) < 5 || text[0] != 'u' || strings.ContainsAny(text[1:5], "+-_") {
		return 0, false
	}
	n, err := strconv.ParseUint(text[1:5], 16, 16)
	return rune(n), err == nil
}

package ops

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// invisible are characters that show nothing, or nothing but a gap, and come
// from copying out of web pages and documents.
func invisible(r rune) bool {
	switch r {
	case '\u00A0', '\u00AD', '\u2007', '\u202F', '\u2060', '\uFEFF', '\u3164', '\u180E':
		return true
	}
	return r >= '\u200B' && r <= '\u200F' || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

func isGap(r rune) bool { return unicode.IsSpace(r) || invisible(r) }

// trimSpace cuts white space of every kind and zero-width characters off both
// ends (mapping option trim).
func trimSpace(s string) string {
	return strings.TrimFunc(s, isGap)
}

// checkEncoding refuses bytes that are not UTF-8.
func (a *requestBuilder) checkEncoding(f *field, s string) bool {
	if utf8.ValidString(s) {
		return true
	}
	a.reject(f, codeEncodingInvalid, "the text is not valid UTF-8: name the encoding of the file with --encoding")
	return false
}

// checkControls refuses control characters; lines says that line breaks and
// tabs are allowed.
func (a *requestBuilder) checkControls(f *field, s string, lines bool) bool {
	for at, r := range s {
		if unicode.IsControl(r) && !(lines && strings.ContainsRune("\n\r\t", r)) {
			a.reject(f, codeControlCharacter, "there is a "+controlName(s[at])+" at position "+position(s, at))
			return false
		}
	}
	return true
}

// controlName calls those by their name that people type.
func controlName(c byte) string {
	switch c {
	case '\n', '\r':
		return "line break"
	case '\t':
		return "tab"
	}
	return "control character"
}

// checkSpaces refuses gaps around s, and invisible characters anywhere: a
// person does not see them, the platform takes the value for another one.
func (a *requestBuilder) checkSpaces(f *field, s string) bool {
	if at := strings.IndexFunc(s, invisible); at >= 0 {
		a.reject(f, codeInvisibleCharacter, "there is a non-breaking space, zero-width or other invisible character at position "+position(s, at))
		return false
	}
	if strings.TrimFunc(s, unicode.IsSpace) != s {
		a.reject(f, codeSpaceAround, "there are spaces around the value: remove them, or set trim: true in the mapping")
		return false
	}
	return true
}

// checkSpreadsheet refuses what a spreadsheet makes of a long number. It looks
// only at cells that begin the way such damage does.
func (a *requestBuilder) checkSpreadsheet(f *field, s string) bool {
	switch c := s[0]; {
	case c == '#':
		return a.checkErrorCell(f, s)
	case c == '\'' || c == '=':
		return a.checkQuoted(f, s)
	case c >= '0' && c <= '9', c == '+', c == '-':
		return a.checkDigits(f, s)
	}
	return true
}

// nullWords are how databases, data frames and languages write that there is no
// value, in lower case. As an id or address they would tie all such rows to one
// person.
var nullWords = map[string]bool{
	`\n`: true, "<na>": true, "nan": true, "none": true, "nil": true, "(null)": true,
	"undefined": true, "n/a": true, "#n/a": true, "null": true, "<null>": true, "[null]": true, "<none>": true,
}

const longestNullWord = len("undefined")

// checkNullWord refuses a word that stands for no value. Spaces around it do not
// make it one.
func (a *requestBuilder) checkNullWord(f *field, s string) bool {
	if len(s) > 2*longestNullWord || s != "" && allDigits(s[len(s)-1:]) {
		return true
	}
	if s = trimSpace(s); len(s) > longestNullWord || !nullWords[strings.ToLower(s)] {
		return true
	}
	if f.def.name == "registrationId" {
		a.reject(f, codeNullWord, "the cell holds a word that stands for no value: without a registration id the row cannot be sent")
	} else {
		a.reject(f, codeNullWord, "the cell holds a word that stands for no value: leave it empty, or name the word under empty_values: in the mapping")
	}
	return false
}

// checkErrorCell refuses what a spreadsheet shows instead of a value.
func (a *requestBuilder) checkErrorCell(f *field, s string) bool {
	if !strings.HasPrefix(s, "#") || !errorCell.MatchString(s) {
		return true
	}
	a.reject(f, codeSpreadsheetError, "the cell holds a spreadsheet's error instead of a value: mend the formula and export again")
	return false
}

// errorCell finds Excel's errors, which are words in capitals that end with
// ! or ?, "#N/A" and "#GETTING_DATA", and a cell too narrow for its number.
var errorCell = regexp.MustCompile(`^#(#+|N/A|GETTING_DATA|[A-Z/0_]{3,}[!?])$`)

// checkQuoted refuses the marks that keep a spreadsheet from reading a text as
// a number: an apostrophe in front, or a formula around it.
func (a *requestBuilder) checkQuoted(f *field, s string) bool {
	inner := strings.Trim(s, `'="`)
	if inner == "" || strings.Trim(inner, "0123456789+") != "" {
		return true
	}
	a.reject(f, codeSpreadsheetQuote, "the digits stand after a spreadsheet's text mark (an apostrophe or a formula): export the plain value")
	return false
}

func (a *requestBuilder) checkDigits(f *field, s string) bool {
	switch rest := strings.TrimLeft(s, "+-0123456789"); {
	case rest == "" || strings.IndexByte(".,eE", rest[0]) < 0: // nearly all
		return true
	case isScientific(s):
		a.reject(f, codeSpreadsheetScientific, "the number is in scientific notation, digits are lost: format the column as text and export again")
	case isWholeDecimal(s):
		a.reject(f, codeSpreadsheetDecimal, "the number ends with a decimal zero: format the column as text and export again")
	default:
		return true
	}
	return false
}

// isScientific knows the form that spreadsheets and data frames write: one
// digit, maybe decimals, E, a sign, digits.
func isScientific(s string) bool {
	s = strings.TrimLeft(s, "+-")
	mantissa, exponent, found := cutExponent(s)
	if !found || len(exponent) < 2 || exponent[0] != '+' && exponent[0] != '-' || !allDigits(exponent[1:]) {
		return false
	}
	if len(mantissa) < 1 || !allDigits(mantissa[:1]) {
		return false
	}
	return len(mantissa) == 1 || (mantissa[1] == '.' || mantissa[1] == ',') && allDigits(mantissa[2:])
}

func cutExponent(s string) (mantissa, exponent string, found bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// isWholeDecimal knows 385912345678.0, also with a comma.
func isWholeDecimal(s string) bool {
	whole, decimals, found := strings.Cut(strings.TrimLeft(s, "+-"), ".")
	if !found {
		whole, decimals, found = strings.Cut(strings.TrimLeft(s, "+-"), ",")
	}
	return found && allDigits(whole) && decimals != "" && strings.Trim(decimals, "0") == ""
}

// allDigits reports whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

package jsonlines

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"pushbatch/readers/inputerror"
)

// escapes are a surrogate pair, another character by its number, and whatever else
// follows a backslash.
var escapes = regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.`)

// unescaped replaces the escapes of a string that begins at an index of the line.
// What stands between them stays as it is, valid UTF-8 or not.
func (j *jsonText) unescaped(text string, begin int) (string, *jsonFault) {
	var whole string
	if json.Unmarshal([]byte(`"`+text+`"`), &whole) == nil && !strings.ContainsRune(whole, utf8.RuneError) {
		return whole, nil // nothing is damaged: seven times as fast as escape by escape
	}
	var b strings.Builder
	rest := 0
	for _, at := range escapes.FindAllStringIndex(text, -1) {
		escape, char := text[at[0]:at[1]], ""
		if json.Unmarshal([]byte(`"`+escape+`"`), &char) != nil {
			return "", &jsonFault{code: inputerror.CodeJSON, at: begin + at[0] + 1, say: "an escape in a text is none that JSON knows"}
		}
		if char == "\uFFFD" && !strings.EqualFold(escape, `\uFFFD`) {
			j.flawed(begin+at[0]+1, "an escape in the text is half of a surrogate pair")
			char = escape // as it stands, to be fixed where rows are given back
		}
		b.WriteString(text[rest:at[0]])
		b.WriteString(char)
		rest = at[1]
	}
	b.WriteString(text[rest:])
	return b.String(), nil
}

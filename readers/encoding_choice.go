package readers

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"pushbatch/batch"
	"pushbatch/readers/textfile"
)

// EncodingChoice is a way in which bytes that are not UTF-8 make sense.
type EncodingChoice struct {
	Names   []string `json:"names"`           // for --encoding; they read these bytes alike
	Letters string   `json:"letters"`         // the first letters beyond ASCII, as it reads them
	Cells   []string `json:"cells,omitempty"` // the first cells that have such, as it reads them: values, not to be logged
}

// candidateEncodings are tried in this order: the code pages of spreadsheets first.
var candidateEncodings = [...]string{
	"windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
	"windows-1257", "iso-8859-2", "iso-8859-15", "iso-8859-5", "koi8-r", "cp850", "cp852", "cp437", "cp866", "macintosh",
	"gb18030", "big5", "shift_jis", "euc-kr",
}

const (
	mostChoices = 4
	mostLetters = 8
	mostCells   = 3
)

// EncodingChoices are the encodings that fit a source whose text is not UTF-8; none
// where it is, or where it was not looked at yet.
func EncodingChoices(source batch.Source) []EncodingChoice {
	if c, ok := unwrapped(source).(interface{ Decoded() textfile.Text }); ok {
		return c.Decoded().(*text).choices
	}
	return nil
}

// fittingEncodings tells which encodings make words of stored bytes. It is never
// nil.
func fittingEncodings(stored []byte) []EncodingChoice {
	choices := []EncodingChoice{}
	var read []string
	for _, name := range candidateEncodings {
		text, ok := decodeAs(name, stored)
		if !ok || !isPlausible(text) {
			continue
		}
		if same := slices.Index(read, text); same >= 0 {
			choices[same].Names = append(choices[same].Names, name)
			continue
		}
		if len(choices) == mostChoices {
			continue
		}
		read = append(read, text)
		choices = append(choices, EncodingChoice{Names: []string{name}, Letters: letters(text), Cells: cells(text)})
	}
	return choices
}

// decodeAs reports false for bytes that mean nothing in an encoding.
func decodeAs(name string, stored []byte) (text string, ok bool) {
	decoded, err := encodingNamed(name).NewDecoder().Bytes(stored)
	text = string(decoded)
	return text, err == nil && !strings.ContainsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || r >= 0x80 && r < 0xA0 // no one ever wrote these control characters
	})
}

// withinWords are the marks beyond ASCII that stand between letters.
const withinWords = "’ʼ·‧‐‑–—"

// isPlausible reports whether words are of one script, begin with their only
// capital or are all capitals, and have no signs or quotes in them.
func isPlausible(text string) bool {
	var before rune
	var script *unicode.RangeTable
	mark := false // before is one that stands in no word, after a letter
	for _, r := range text {
		letter := unicode.IsLetter(r) || unicode.Is(unicode.Mn, r)
		if mark && letter {
			return false
		}
		mark = unicode.IsLetter(before) && endsWord(r)
		switch own := scriptOf(r); {
		case !letter && unicode.IsLetter(before) && isSign(r) && r != '°': // as in N° client
			return false
		case !letter:
			script = nil
		case unicode.IsLower(before) && unicode.IsUpper(r) && (before >= utf8.RuneSelf || r >= utf8.RuneSelf):
			return false
		case unicode.IsLetter(r) && script != nil && own != script:
			return false
		case unicode.IsLetter(r):
			if isSign(before) {
				return false
			}
			script = own
		}
		before = r
	}
	return true
}

// endsWord reports whether a character is punctuation beyond ASCII that stands in no word.
func endsWord(r rune) bool {
	return r >= utf8.RuneSelf && unicode.IsPunct(r) && !strings.ContainsRune(withinWords, r)
}

// isSign reports whether a character beyond ASCII is neither letter, punctuation nor space.
func isSign(r rune) bool {
	return r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsPunct(r) && !unicode.IsSpace(r)
}

func scriptOf(r rune) *unicode.RangeTable {
	for _, script := range [...]*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Hebrew, unicode.Arabic, unicode.Han} {
		if unicode.Is(script, r) {
			return script
		}
	}
	return nil
}

// letters are the first different characters beyond ASCII.
func letters(text string) string {
	var found []string
	for _, r := range text {
		if r >= utf8.RuneSelf && !slices.Contains(found, string(r)) && len(found) < mostLetters {
			found = append(found, string(r))
		}
	}
	return strings.Join(found, " ")
}

// cells are the first different pieces between separators that have such
// characters.
func cells(text string) (found []string) {
	for _, cell := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;\t|\r\n\"{}[]:", r) }) {
		cell = strings.TrimSpace(cell)
		if letters(cell) != "" && !slices.Contains(found, cell) {
			found = append(found, cell)
		}
		if len(found) == mostCells {
			break
		}
	}
	return found
}

// encodingAdvice says which encodings fit, and the letters in which they differ.
func encodingAdvice(choices []EncodingChoice) string {
	if len(choices) == 0 {
		return "no encoding that is known makes words of it: the file may be damaged, or name its encoding with --encoding"
	}
	texts := make([]string, len(choices))
	for i, c := range choices {
		texts[i] = fmt.Sprintf("%s (%s)", strings.Join(c.Names[:min(len(c.Names), 3)], " or "), c.Letters)
	}
	return "these encodings fit, with the letters they read: " + strings.Join(texts, ", ") + ": give --encoding the one whose letters are right (inspect --show-values shows whole cells)"
}

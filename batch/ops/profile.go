package ops

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"pushbatch/batch"
)

// Look is what a cell looks like, whatever its column is for: coarse enough to
// count cells by it, and told without telling a value.
type Look string

// The looks of cells. A day has its layout after it, see LookOf.
const (
	LookEmpty     Look = "empty"
	LookNullWord  Look = "a word that stands for no value"
	LookSpaces    Look = "spaces or invisible characters around the value"
	LookEmail     Look = "an e-mail address"
	LookBoolean   Look = "yes or no"
	LookDay       Look = "a day as "
	LookID        Look = "an id such as a UUID"
	LookPhone     Look = "an international phone number"
	LookDialled   Look = "digits with signs between, such as a phone number"
	LookWhole     Look = "a whole number"
	LookZeros     Look = "digits that begin with 0"
	LookNumber    Look = "a number"
	LookComma     Look = "a number with a decimal comma"
	LookThousands Look = "a number with separators of thousands"
	LookEither    Look = "a number with three digits after a sign that may be a decimal one or separate thousands"
	LookObject    Look = "a JSON object"
	LookArray     Look = "a JSON array"
	LookWord      Look = "a word"
	LookText      Look = "text"
)

// knownLayouts are the forms in which people write days. Of texts that fit two
// of them, both are possible.
var knownLayouts = []string{"YYYY-MM-DD", "DD.MM.YYYY", "D.M.YYYY", "DD.MM.YYYY.", "D.M.YYYY.", "D/M/YYYY", "M/D/YYYY", "YYYY/MM/DD", "D-M-YYYY", "M-D-YYYY", "YYYY.MM.DD", "YYYY.MM.DD.", "D. M. YYYY", "D. M. YYYY."}

var uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$|^[0-9A-Fa-f]{32,64}$`)

// LookOf says what a cell looks like.
func LookOf(v batch.Value) Look {
	switch v.Kind {
	case batch.Null:
		return LookEmpty
	case batch.Text:
		return textLook(v.Text)
	case batch.Bool:
		return LookBoolean
	case batch.Number:
		if allDigits(strings.TrimPrefix(v.Text, "-")) {
			return LookWhole
		}
		return LookNumber
	case batch.Date:
		return LookDay + "YYYY-MM-DD"
	case batch.List:
		return LookArray
	case batch.Object:
		return LookObject
	}
	return LookText
}

func textLook(s string) Look {
	folded := strings.ToLower(s)
	switch {
	case s == "":
		return LookEmpty
	case nullWords[trimSpace(folded)] || strings.Trim(s, "-.? ") == "":
		return LookNullWord
	case trimSpace(s) != s:
		return LookSpaces
	case isPlainAddress(s):
		return LookEmail
	case uuidForm.MatchString(s):
		return LookID
	case s[0] == '{' && json.Valid([]byte(s)):
		return LookObject
	case s[0] == '[' && json.Valid([]byte(s)):
		return LookArray
	case slices.Contains([]string{"true", "false", "yes", "no"}, folded):
		return LookBoolean
	}
	if layouts := layoutsOf(s); layouts != "" {
		return LookDay + Look(layouts)
	}
	if _, ok := midnight(s); ok {
		return LookDay + "YYYY-MM-DD"
	}
	return numberLook(s)
}

// layoutsOf names the layouts that a text fits, joined by " or ".
func layoutsOf(s string) string {
	if len(s) < len("1.1.2000") || len(s) > len("01. 01. 2000.") {
		return ""
	}
	var fit []string
	for _, text := range knownLayouts {
		if layout, err := parseLayout(text); err == nil {
			if _, ok := layout.parse(s); ok && !slices.ContainsFunc(fit, func(f string) bool { return strings.HasPrefix(f, "DD.MM.YYYY") }) {
				fit = append(fit, text)
			}
		}
	}
	return strings.Join(fit, " or ")
}

// eitherSign finds numbers such as 1,234 and 1.234.
var eitherSign = regexp.MustCompile(`^-?[1-9][0-9]{0,2}[.,][0-9]{3}$`)

func numberLook(s string) Look {
	digits, dialled := len(digitsOf(s)), strings.IndexFunc(s, func(r rune) bool { return !isPhoneRune(r) }) < 0
	switch {
	case strings.HasPrefix(s, "+") && digits >= 8 && dialled:
		return LookPhone
	case allDigits(s) && s[0] == '0' && s != "0":
		return LookZeros
	case allDigits(s):
		return LookWhole
	case eitherSign.MatchString(s):
		return LookEither
	case isNumber(s):
		return LookNumber
	case digits >= 6 && dialled:
		return LookDialled
	case decimalOf(s) == ",":
		return LookComma
	case decimalOf(s) == ".":
		return LookThousands
	case strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) < 0:
		return LookWord
	}
	return LookText
}

// Profile counts what the cells of a column look like.
type Profile struct {
	Cells int64 // that are not empty
	Empty int64
	Looks map[Look]int64
	words map[string]int64 // short cells, while there are few different ones
	many  bool             // there are too many different cells to be a list of words
	texts map[string]int64 // null words as they stand in the cells
}

// Bounds of what a Profile keeps.
const (
	maxWords  = 32
	wordBytes = 24
)

// Add counts one cell.
func (p *Profile) Add(v batch.Value) {
	look := LookOf(v)
	if look == LookEmpty {
		p.Empty++
		return
	}
	if p.Looks == nil {
		p.Looks, p.words, p.texts = make(map[Look]int64), make(map[string]int64), make(map[string]int64)
	}
	p.Cells++
	p.Looks[look]++
	if look == LookNullWord {
		if len(p.texts) < maxWords && len(v.Text) <= wordBytes {
			p.texts[strings.Clone(v.Text)]++
		}
		return
	}
	if !p.many && len(v.Text) <= wordBytes {
		if p.words[strings.Clone(v.Text)]++; len(p.words) <= maxWords {
			return
		}
	}
	p.many, p.words = true, nil
}

// NullWords are the words that stand for no value, as the cells have them.
func (p *Profile) NullWords() []string { return sortedByCount(p.texts) }

// share is the part of the cells that look like one of some looks; words that
// stand for no value do not count.
func (p *Profile) share(looks ...Look) float64 {
	var n int64
	for _, look := range looks {
		n += p.Looks[look]
	}
	if all := p.Cells - p.Looks[LookNullWord]; all > 0 {
		return float64(n) / float64(all)
	}
	return 0
}

// days are the forms of days in the cells and which part of the cells has one.
// ambiguous says that nothing tells whether day or month comes first.
func (p *Profile) days() (layouts []string, share float64, ambiguous bool) {
	counts, all := make(map[string]int64), int64(0)
	for look, n := range p.Looks {
		if names, found := strings.CutPrefix(string(look), string(LookDay)); found {
			counts[names] += n
			all += n
		}
	}
	for _, sign := range []string{"/", "-"} {
		dayFirst, monthFirst := "D"+sign+"M"+sign+"YYYY", "M"+sign+"D"+sign+"YYYY"
		either := dayFirst + " or " + monthFirst
		day, month := counts[dayFirst] > 0, counts[monthFirst] > 0
		ambiguous = ambiguous || counts[either] > 0 && day == month || day && month
		delete(counts, either)
	}
	for _, end := range []string{"", "."} { // D and M read two digits too
		if counts["D.M.YYYY"+end] > 0 {
			delete(counts, "DD.MM.YYYY"+end)
		}
	}
	if cells := p.Cells - p.Looks[LookNullWord]; cells > 0 {
		share = float64(all) / float64(cells)
	}
	return sortedByCount(counts), share, ambiguous
}

// Text says what the cells look like, the most frequent first.
func (p *Profile) Text() string {
	const shown = 3
	if p.Cells == 0 {
		return "empty"
	}
	counts := make(map[string]int64, len(p.Looks))
	for look, n := range p.Looks {
		counts[string(look)] = n
	}
	looks := sortedByCount(counts)
	text := strings.Join(looks[:min(len(looks), shown)], ", ")
	if len(looks) > shown {
		text += ", …"
	}
	if p.Empty > 0 {
		text += ", " + percent(p.Empty, p.Empty+p.Cells) + " empty"
	}
	return text
}

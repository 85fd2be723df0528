package ops

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"pushbatch/batch"
)

// AppendMapping writes proposals as a mapping file that loads as it is: columns
// with their targets, what is not understood under ignore:, each with what its
// cells look like.
func AppendMapping(dst []byte, operation, source string, proposals []Proposal) []byte {
	dst = fmt.Appendf(dst, "# A mapping to start from, for %s, made of %s.\n# What stands under ignore: is not sent; move a line up to send its column.\n", operation, comment(source))
	var columns, ignored []byte
	for _, p := range proposals {
		if p.Option != "" {
			columns = fmt.Appendf(columns, "  %s: %s%s\n", YAMLText(p.Column), p.Option, p.comment())
		} else {
			ignored = fmt.Appendf(ignored, "  - %s%s\n", YAMLText(p.Column), p.comment())
		}
	}
	if len(columns) > 0 {
		dst = append(append(dst, "columns:\n"...), columns...)
	}
	if len(ignored) > 0 {
		dst = append(append(dst, "ignore:\n"...), ignored...)
	}
	return dst
}

func (p *Proposal) comment() string {
	text := p.Looks
	if p.Note != "" {
		text += "; " + p.Note
	}
	return "  # " + comment(text)
}

// comment keeps a text in its line.
func comment(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, text)
}

var plainYAML = sync.OnceValue(func() *regexp.Regexp { // at first use: it is large
	return regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_.]*( [\p{L}\p{N}_.]+)*$`)
})

// yamlWords mean something else than themselves in some YAML.
var yamlWords = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}

// YAMLText is a text as it can stand in a mapping, in quotes where it must.
func YAMLText(text string) string {
	if plainYAML().MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}

func yamlTexts(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = YAMLText(text)
	}
	return strings.Join(quoted, ", ")
}

// ChangeFor is what a mapping could say of a column so that cells such as this
// one are taken, or left out: an option as it is written, empty when there is
// none. code is the problem that the cell has today, country the column with each
// row's country, if there is one.
func ChangeFor(use ColumnUse, code string, cell batch.Value, country ColumnUse) string {
	look := LookOf(cell)
	days, isDay := strings.CutPrefix(string(look), string(LookDay))
	switch {
	case use.Use != Sent || use.Index < 0:
		return ""
	case look == LookNullWord && use.Target == "registrationId":
		return ""
	case look == LookNullWord:
		return "empty_values: [" + YAMLText(cell.Text) + "]"
	case look == LookSpaces && (code == codeSpaceAround || code == codeInvisibleCharacter):
		return "trim: true"
	case code == codeNumberInvalid && look == LookEither:
		return `decimal: "," where 1,234 is a little more than 1, decimal: "." where it is more than 1000`
	case code == codeNumberInvalid && !isNumber(cell.Text) && decimalOf(cell.Text) != "":
		return `decimal: "` + decimalOf(cell.Text) + `"`
	case code == codeDateInvalid && isDay:
		return use.layoutChange(days)
	case code == codePhoneInvalid && (country.Use == Region || slices.Contains([]Look{LookDialled, LookWhole, LookZeros}, look)):
		return changeOfRegion(country)
	}
	return changeAtWorst(use, code)
}

// layoutChange adds a layout to those that a column has. Of two that a cell fits, a
// person knows which one is meant.
func (u *ColumnUse) layoutChange(days string) string {
	day, month, either := strings.Cut(days, " or ")
	change := "layout: [" + cmp.Or(u.Layouts, "YYYY-MM-DD") + ", " + day + "]"
	if either {
		change += " (or " + month + " where the month comes first)"
	}
	return change
}

// changeOfRegion names the country of national numbers.
func changeOfRegion(country ColumnUse) string {
	switch {
	case country.Use == Region: // it is named: the number does not exist there
		return ""
	case country.Column != "":
		return "region_from: " + YAMLText(country.Column)
	}
	return "region: XX (the country's code, such as HR)"
}

// changeAtWorst leaves out cells that nothing fixes, where a row can do without.
func changeAtWorst(use ColumnUse, code string) string {
	target, err := newSchema().find(use.Target)
	if err != nil || target.def == nil || target.def.identity || target.def.name == "identity" || target.def.name == "registrationId" || target.def.name == "appCode" {
		return ""
	}
	if code == codeGenderInvalid || code == codeBooleanInvalid {
		return "values: {…}"
	}
	return "invalid: omit"
}

package ops

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// maxNumber is the largest magnitude the platform keeps.
const maxNumber = "9223372036854775807"

// boolean reads the words that can only mean one thing, in any letter case; a
// mapping's values: translate others.
func (a *requestBuilder) boolean(f *field, v batch.Value) apiclient.Value {
	if v.Kind == batch.Text || v.Kind == batch.Bool || v.Kind == batch.Number {
		switch strings.ToLower(v.Text) {
		case "true", "1", "yes", "y", "t":
			return apiclient.Bool(true)
		case "false", "0", "no", "n", "f":
			return apiclient.Bool(false)
		}
	}
	if v.Kind != batch.Text || a.checkTyped(f, v.Text) {
		a.reject(f, codeBooleanInvalid, "expected true or false (1/0, yes/no, y/n, t/f), found "+describe(v)+"; a mapping can translate with values:")
	}
	return apiclient.Value{}
}

func (a *requestBuilder) putIsPrimary(f *field, v batch.Value) { a.update.IsPrimary = a.boolean(f, v) }

func (a *requestBuilder) putEnabled(f *field, v batch.Value) {
	a.update.RegistrationEnabled = a.boolean(f, v)
}

// number reads JSON's number syntax, or that of the mapping's decimal sign, and
// keeps every digit.
func (a *requestBuilder) number(f *field, v batch.Value) apiclient.Value {
	text, ok := v.Text, v.Kind == batch.Text || v.Kind == batch.Number
	if v.Kind == batch.Text && f.decimal != "" {
		text, ok = plainNumber(text, f.decimal)
	}
	if !ok || !isNumber(text) {
		if v.Kind != batch.Text || a.checkTyped(f, v.Text) {
			a.reject(f, codeNumberInvalid, f.numberFault(v))
		}
		return apiclient.Value{}
	}
	if tooLarge(text) {
		a.reject(f, codeNumberTooLarge, "the number is beyond the platform's limit of "+maxNumber)
		return apiclient.Value{}
	}
	return apiclient.Number(text)
}

// numberFault says what is wrong with a value that is no number.
func (f *field) numberFault(v batch.Value) string {
	found := ", found " + describe(v)
	switch digits := strings.TrimPrefix(v.Text, "-"); {
	case v.Kind != batch.Text:
	case strings.HasPrefix(v.Text, "+"):
		return "a number has no + in front" + found
	case allDigits(digits) && len(digits) > 1 && digits[0] == '0':
		return "a number does not begin with 0" + found + ": declare the column as string to keep the digits as they are"
	case f.decimal != "":
		return "expected a number with decimal: \"" + f.decimal + "\"" + found
	case eitherSign.MatchString(v.Text):
		return "expected a number such as 12 or -0.5" + found + `: a decimal comma (decimal: ",") or separators of thousands (decimal: ".")? Say so in the mapping`
	case decimalOf(v.Text) == ",":
		return "expected a number such as 12 or -0.5" + found + `: a decimal comma? say decimal: "," in the mapping`
	case decimalOf(v.Text) == ".":
		return "expected a number such as 12 or -0.5" + found + `: separators of thousands? say decimal: "." in the mapping`
	}
	return "expected a number such as 12 or -0.5" + found
}

// jsonNumber is a number of RFC 8259.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// isNumber tells whole numbers, which most are, at a glance: 0.2 of 2.6 s of a
// million rows.
func isNumber(s string) bool {
	return allDigits(s) && s[0] != '0' || jsonNumber.MatchString(s)
}

// tooLarge compares the magnitude of a number with maxNumber. Only where a float cannot
// tell them apart all digits are read, which takes time that grows with their square: a
// number that is that close and has a thousand is refused.
func tooLarge(number string) bool {
	if len(number) < len(maxNumber) && allDigits(number) {
		return false
	}
	rounded, _ := strconv.ParseFloat(number, 64) // infinite beyond what a float holds
	if rounded = math.Abs(rounded); rounded != 1<<63 {
		return rounded > 1<<63
	}
	f, _, err := big.ParseFloat(number[:min(len(number), 1000)], 10, 256, big.AwayFromZero)
	return err != nil || len(number) > 1000 || new(big.Float).Abs(f).Cmp(new(big.Float).SetInt64(math.MaxInt64)) > 0
}

// decimalOf is the decimal sign with which a text that JSON does not take is a
// number, empty where it is none. Of 1,234 see eitherSign.
func decimalOf(s string) string {
	for _, sign := range []string{",", "."} {
		if plain, ok := plainNumber(s, sign); ok && isNumber(plain) {
			return sign
		}
	}
	return ""
}

// plainNumber reads a number as people write it, with a decimal sign of their
// own and thousands in groups of three, and returns it in JSON's syntax. What
// separates groups is one and the same sign: the other of . and , or a space or
// an apostrophe.
func plainNumber(s, decimal string) (string, bool) {
	number, negative := strings.CutPrefix(s, "-")
	whole, decimals, found := strings.Cut(number, decimal)
	if found && !allDigits(decimals) {
		return "", false
	}
	groups := "."
	if decimal == "." {
		groups = ","
	}
	for _, separator := range []string{groups, " ", "\u00A0", "\u202F", "'", "’"} {
		if strings.Contains(whole, separator) {
			groups = separator
			break
		}
	}
	for i, group := range strings.Split(whole, groups) {
		if !allDigits(group) || i > 0 && len(group) != 3 || i == 0 && len(group) > 3 && len(group) < len(whole) {
			return "", false
		}
	}
	plain := strings.ReplaceAll(whole, groups, "")
	if found {
		plain += "." + decimals
	}
	if negative {
		plain = "-" + plain
	}
	return plain, true
}

package ops

import "strings"

// decimalOf is the decimal sign with which a text that JSON does not take is a
// number, empty where it is none. 1,234 is taken for a decimal comma.
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

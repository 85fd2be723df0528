package ops

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"pushbatch/batch"
)

// noRegion tells the library that national numbers are not accepted.
const noRegion = "ZZ"

// putPhone takes E.164 digits with or without +, a formatted international
// number, and with a region a national one. It sends E.164 digits.
func (a *assembly) putPhone(f *field, v batch.Value) {
	a.known = true
	s, ok := a.asText(f, v)
	if !ok {
		return
	}
	if digits, ok := a.phones.plain(s, f.region); ok {
		a.identity.PhoneNumber = digits
		return
	}
	if !a.checkSpreadsheet(f, s) || !isPlain(s) && !a.checkPhoneText(f, s) {
		return
	}
	digits, why := parsePhone(s, f.region)
	if why != "" {
		a.reject(f, codePhoneInvalid, why)
	}
	a.identity.PhoneNumber = digits
}

// checkPhoneText looks for damage in a number that is not plain ASCII. Spaces
// are formatting here, also around.
func (a *assembly) checkPhoneText(f *field, s string) bool {
	return a.checkEncoding(f, s) && a.checkControls(f, s, false) && (strings.IndexFunc(s, invisible) < 0 || a.checkSpaces(f, s))
}

// parsePhone returns the E.164 digits of a number, or says what is wrong with
// it. The library decides; only what it would drop or turn into digits without
// a word is refused before: letters and extensions.
func parsePhone(s, region string) (e164, why string) {
	if at := strings.IndexFunc(s, func(r rune) bool { return !isPhoneRune(r) }); at >= 0 {
		return "", "expected a phone number, found " + describeText(s) + "; letters and extensions are not accepted"
	}
	number, why := readPhone(strings.TrimSpace(s), region)
	if why != "" {
		return "", why
	}
	if number.GetExtension() != "" || !phonenumbers.IsValidNumber(number) {
		return "", "the number is not one of its country's numbering plan: found " + describeText(s)
	}
	return phonenumbers.Format(number, phonenumbers.E164)[1:], ""
}

func isPhoneRune(r rune) bool {
	return r >= '0' && r <= '9' || strings.ContainsRune("+-./() ", r)
}

func readPhone(s, region string) (number *phonenumbers.PhoneNumber, why string) {
	var err error
	switch international := strings.HasPrefix(s, "+"); {
	case international:
		number, err = phonenumbers.Parse(s, noRegion)
	case region != "":
		number, err = nationalPhone(s, region)
	default:
		number, err = phonenumbers.Parse("+"+s, noRegion)
	}
	if err != nil {
		why = "expected an international number such as 385912345678, found " + describeText(s)
		if region == "" {
			why += "; national numbers need a region (--phone-region, or region: in the mapping)"
		}
	}
	return number, why
}

// nationalPhone reads a number as someone in the region would dial it; one that
// is not valid there may be an international one without its plus.
func nationalPhone(s, region string) (*phonenumbers.PhoneNumber, error) {
	number, err := phonenumbers.Parse(s, region)
	if err == nil && phonenumbers.IsValidNumber(number) {
		return number, nil
	}
	if other, otherErr := phonenumbers.Parse("+"+s, noRegion); otherErr == nil && phonenumbers.IsValidNumber(other) {
		return other, nil
	}
	return number, err
}

// isRegion reports whether the library knows a region code such as HR.
func isRegion(region string) bool { return phonenumbers.GetCountryCodeForRegion(region) != 0 }

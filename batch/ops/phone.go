package ops

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"pushbatch/batch"
)

// noRegion tells the library that national numbers are not accepted.
const noRegion = "ZZ"

// putPhone takes E.164 digits with or without +, a formatted international
// number, and with a region a national one. It sends E.164 digits.
func (a *requestBuilder) putPhone(f *field, v batch.Value) {
	a.known = true
	s, ok := a.asText(f, v)
	if !ok {
		return
	}
	region := f.phoneRegion()
	if digits, ok := a.phones.plain(s, region); ok {
		a.identity.PhoneNumber = digits
		return
	}
	if !a.checkNullWord(f, s) || !a.checkSpreadsheet(f, s) || !isGraphic(s) && !a.checkPhoneText(f, s) {
		return
	}
	digits, why := parsePhone(s, region)
	if why != "" && f.country != nil && f.country.failed {
		why += "; the column " + f.country.name + " holds no ISO 3166 code such as HR"
	}
	if why != "" {
		a.reject(f, codePhoneInvalid, why)
	}
	a.identity.PhoneNumber = digits
}

// checkPhoneText looks for damage in a number that is not plain ASCII. Spaces
// are formatting here, also around.
func (a *requestBuilder) checkPhoneText(f *field, s string) bool {
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
	if number.GetExtension() != "" || !possible(number) {
		return "", "no number of its country has this length: found " + describeText(s) + regionHint(s, region)
	}
	e164 = phonenumbers.Format(number, phonenumbers.E164)[1:]
	if region == "" && e164 != digitsOf(s) && !phonenumbers.IsValidNumber(number) {
		return "", "the digits are not those of an international number: found " + describeText(s) + regionHint(s, region)
	}
	return e164, ""
}

// digitsOf is s without its formatting. What the library leaves out of them,
// such as the 0 of +385 (0)91, must give a number of the numbering plan.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// possible reports whether a number's country has numbers of this length. That
// the library knows no range for its first digits is no reason to refuse it:
// ranges are given out all the time, and what the library knows is as old as
// the program.
func possible(number *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE
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
		why = "expected an international number such as 385912345678, found " + describeText(s) + regionHint(s, region)
	}
	return number, why
}

// regionHint says what may be meant by a number that is none.
func regionHint(s, region string) string {
	switch s = strings.TrimSpace(s); {
	case strings.HasPrefix(s, "+"):
		return ""
	case strings.HasPrefix(s, "00"):
		return "; write + or nothing in place of the 00 in front"
	case region == "":
		return "; national numbers need a region (--phone-region, or region: in the mapping)"
	}
	return ""
}

// nationalPhone reads a number as someone in the region would dial it, or as an
// international one without its plus. When it could be either, the one that is
// in its country's numbering plan is meant; when that does not tell, nobody
// knows.
func nationalPhone(s, region string) (*phonenumbers.PhoneNumber, error) {
	national, err := phonenumbers.Parse(s, region)
	international, otherErr := phonenumbers.Parse("+"+s, noRegion)
	switch {
	case err != nil || otherErr != nil:
		return orElse(national, err, international, otherErr)
	case phonenumbers.IsValidNumber(national) || !possible(international):
		return national, nil
	case phonenumbers.IsValidNumber(international) || !possible(national):
		return international, nil
	case phonenumbers.Format(national, phonenumbers.E164) == phonenumbers.Format(international, phonenumbers.E164):
		return national, nil
	}
	return nil, errAmbiguousPhone
}

var errAmbiguousPhone = errors.New("the number could be national or international")

// orElse returns the reading that is none of the failed ones.
func orElse(a *phonenumbers.PhoneNumber, aErr error, b *phonenumbers.PhoneNumber, bErr error) (*phonenumbers.PhoneNumber, error) {
	if aErr == nil {
		return a, nil
	}
	return b, bErr
}

// isRegion reports whether the library knows a region code such as HR.
func isRegion(region string) bool { return phonenumbers.GetCountryCodeForRegion(region) != 0 }

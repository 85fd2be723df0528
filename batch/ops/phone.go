package ops

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/language"

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
	return a.checkCharacters(f, s, false) && (strings.IndexFunc(s, invisible) < 0 || a.checkSpaces(f, s))
}

// parsePhone returns the E.164 digits of a number, or says what is wrong with
// it. The library decides; only what it would drop or turn into digits without
// a word is refused before: letters and extensions.
func parsePhone(s, region string) (e164, why string) {
	if at := strings.IndexFunc(s, func(r rune) bool { return !isPhoneRune(r) }); at >= 0 {
		return "", "expected one phone number, found " + describeText(s) + "; letters, extensions and a second number are not accepted"
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

// IsPhone reports whether a number, in digits with its country, can be one of its
// country: personalize takes it.
func IsPhone(number string) bool {
	_, why := parsePhone(number, "")
	return why == ""
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
	switch {
	case errors.Is(err, errAmbiguousPhone):
		why = err.Error() + ": write + in front of one with its country code, or the digit that is dialled before a national one"
	case err != nil:
		why = "expected an international number such as " + ExamplePhone + ", found " + describeText(s) + regionHint(s, region)
	}
	return number, why
}

// regionHint says what may be meant by a number that is none.
func regionHint(s, region string) string {
	switch s = strings.TrimSpace(s); {
	case len(digitsOf(s)) > 15: // of E.164
		return "; a number has at most 15 digits: are there two in the cell?"
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
	case err != nil:
		return international, otherErr
	case otherErr != nil || phonenumbers.IsValidNumber(national) || !possible(international):
		return national, nil //nolint:nilerr // then it can only be national
	case phonenumbers.IsValidNumber(international) || !possible(national):
		return international, nil
	case phonenumbers.Format(national, phonenumbers.E164) == phonenumbers.Format(international, phonenumbers.E164):
		return national, nil
	}
	return nil, errAmbiguousPhone
}

var errAmbiguousPhone = errors.New("the number could be national or international")

// isRegion reports whether the library knows a region code such as HR.
func isRegion(region string) bool { return phonenumbers.GetCountryCodeForRegion(region) != 0 }

// regionColumn is the column that says the region of each row's phone number.
type regionColumn struct {
	name   string
	index  int
	region string // of the row that was read last; empty: none
	failed bool   // its cell names no region
}

// read takes the region of a row: an ISO 3166 code of two or three letters.
func (c *regionColumn) read(row *batch.Row) {
	if c == nil {
		return
	}
	code := strings.ToUpper(trimSpace(cellOf(row, c.index).Text))
	c.region, c.failed = "", code != ""
	if region, err := language.ParseRegion(code); err == nil && isRegion(region.Canonicalize().String()) { // UK is GB
		c.region, c.failed = region.Canonicalize().String(), false
	}
}

// phoneRegion is the region of the row's phone number. A country that cannot be read
// is not taken for the column's region.
func (f *field) phoneRegion() string {
	if f.country != nil && (f.country.region != "" || f.country.failed) {
		return f.country.region
	}
	return f.region
}

// phoneBook recognises phone numbers in E.164 digits much faster than the
// library does (0.5 µs where that takes 13, which are 13 s of a million rows). It answers yes only where parsePhone would accept the digits
// and leave them as they are; everything else is left to the library. It is
// built from the library's own numbering plans, calling code by calling code as
// they are met, and tests hold it to the library's verdicts.
type phoneBook struct {
	plans [1000]*numberingPlan // by calling code
}

func newPhoneBook() *phoneBook { return new(phoneBook) }

// plain returns the digits of a number that is E.164 with or without +, when
// its numbering plan has it. With a region, digits without + could also be a
// national number: the library decides.
func (p *phoneBook) plain(s, region string) (string, bool) {
	digits, international := strings.CutPrefix(s, "+")
	if len(digits) < 4 || len(digits) > maxDigits || region != "" && !international {
		return "", false
	}
	code, width := p.callingCode(digits)
	return digits, code != nil && code.has(digits[width:])
}

// maxDigits keeps national numbers below the library's limit of 17.
const maxDigits = 18

// callingCode finds the plan of the calling code that digits begin with. No
// calling code is the beginning of another.
func (p *phoneBook) callingCode(digits string) (plan *numberingPlan, width int) {
	code := 0
	for width = 1; width <= 3; width++ {
		d := digits[width-1] - '0'
		if d > 9 || code == 0 && d == 0 {
			return nil, 0
		}
		code = code*10 + int(d)
		if p.plans[code] == nil {
			p.plans[code] = newNumberingPlan(code)
		}
		if p.plans[code].exists {
			return p.plans[code], width
		}
	}
	return nil, 0
}

// numberingPlan is what the library knows of one calling code.
type numberingPlan struct {
	exists  bool
	lengths []int32        // that numbers without the calling code may have
	prefix  *regexp.Regexp // recognises what could be taken off the front; nil: nothing could
	unknown bool           // leave everything to the library
}

func newNumberingPlan(code int) *numberingPlan {
	names := phonenumbers.GetRegionCodesForCountryCode(code)
	if len(names) == 0 {
		return &numberingPlan{}
	}
	plan := &numberingPlan{exists: true, unknown: true}
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		return plan
	}
	of := slices.IndexFunc(all.GetMetadata(), func(m *phonenumbers.PhoneMetadata) bool {
		return m.GetId() == names[0] && int(m.GetCountryCode()) == code // the region 001 stands for the calling codes of no country
	})
	if of < 0 {
		return plan
	}
	m := all.GetMetadata()[of]
	plan.lengths = m.GetGeneralDesc().GetPossibleLength()
	// Without its end anchor a prefix matches more numbers, which are then left to
	// the library: that costs time, not truth.
	if pattern := strings.ReplaceAll(m.GetNationalPrefixForParsing(), "$", ""); pattern != "" {
		if plan.prefix, err = regexp.Compile("^(?:" + pattern + ")"); err != nil {
			return plan
		}
		plan.prefix.Longest()
	}
	plan.unknown = false
	return plan
}

// has reports whether a national number, as it stands, has a length that the
// plan gives out. A number that a national prefix could be taken off is left to
// the library.
func (p *numberingPlan) has(national string) bool {
	if p.unknown || !slices.Contains(p.lengths, int32(len(national))) || !allDigits(national) {
		return false
	}
	if p.prefix == nil {
		return true
	}
	found := p.prefix.FindStringIndex(national)
	return len(found) < 2 || found[1] == 0
}

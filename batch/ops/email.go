package ops

import (
	"net/mail"
	"strings"

	"golang.org/x/net/idna"

	"pushbatch/batch"
)

// Limits of RFC 5321, section 4.5.3.1, in octets.
const (
	maxLocalPart = 64
	maxAddress   = 254
)

func (a *assembly) putEmail(f *field, v batch.Value) {
	a.known = true
	s, ok := a.asText(f, v)
	if !ok || !a.checkNullWord(f, s) {
		return
	}
	a.identity.Email = s
	if isPlainAddress(s) {
		a.mailbox = s
		return
	}
	if s[0] == '#' && !a.checkErrorCell(f, s) || !isGraphic(s) && !a.checkAddressText(f, s) {
		return
	}
	why := ""
	if a.mailbox, why = checkAddress(s); why != "" {
		a.reject(f, codeEmailInvalid, "expected an e-mail address such as name@example.com: "+why)
	}
}

// checkAddressText looks for damage in an address that is not plain ASCII.
func (a *assembly) checkAddressText(f *field, s string) bool {
	return a.checkEncoding(f, s) && a.checkControls(f, s, false) && a.checkSpaces(f, s)
}

// checkAddress says what is wrong with an address, or returns it in the
// spelling that identifies the mailbox, its domain in ASCII.
func checkAddress(s string) (mailbox, why string) {
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s {
		return "", addressFault(s)
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], s[at+1:]
	switch {
	case len(local) > maxLocalPart:
		return "", "the part before @ is longer than 64 bytes"
	case len(s) > maxAddress:
		return "", "it is longer than 254 bytes"
	case !strings.Contains(domain, "."):
		return "", "the domain has no dot"
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || len(ascii) > maxDomain || hasLongLabel(ascii) {
		return "", "the domain is not one that can be looked up"
	}
	return local + "@" + ascii, ""
}

// addressFault names the likeliest reason why a text is not an address.
func addressFault(s string) string {
	switch {
	case strings.Count(s, "@") == 0:
		return "it has no @"
	case strings.ContainsAny(s, "<>"):
		return "give the address alone, without a name or angle brackets"
	case strings.Count(s, "@") > 1:
		return "it has more than one @"
	case strings.ContainsAny(s, " \t"):
		return "it has a space inside"
	case strings.HasPrefix(s, "@") || strings.HasSuffix(s, "@"):
		return "nothing stands on one side of the @"
	}
	return "found " + describeText(s)
}

// The longest domain and label (RFC 1035), which idna's Lookup profile does
// not check.
const (
	maxDomain = 253
	maxLabel  = 63
)

func hasLongLabel(domain string) bool {
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > maxLabel {
			return true
		}
	}
	return false
}

// isPlainAddress recognises the usual form of an address without the cost of a
// parser: ASCII letters, digits and atom characters, labels of letters, digits
// and single inner hyphens. What it accepts, checkAddress accepts too (a fuzz
// test holds it to that); what it does not recognise is left to checkAddress.
func isPlainAddress(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && at <= maxLocalPart && len(s) <= maxAddress && isDotAtom(s[:at]) && isPlainDomain(s[at+1:])
}

// What a character may be in a plain address.
const (
	inAtom    = 1 << iota // of the local part
	inLabel               // of the domain
	separates             // a dot, and in the domain a hyphen: not first, last or behind another
	isDot
)

var addressClass = addressClasses()

func addressClasses() (class [256]byte) {
	for c := range class {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
			class[c] = inAtom | inLabel
		case c == '_', c == '+':
			class[c] = inAtom
		}
	}
	class['-'] = inAtom | inLabel | separates
	class['.'] = inAtom | inLabel | separates | isDot
	return class
}

func isDotAtom(s string) bool {
	all, before, twice := byte(inAtom), byte(isDot), byte(0)
	for i := range len(s) {
		class := addressClass[s[i]]
		all &= class
		twice |= class & before
		before = class & isDot
	}
	return all&inAtom != 0 && (twice|before)&isDot == 0
}

func isPlainDomain(s string) bool {
	all, before, twice, dots, start := byte(inLabel), byte(separates), byte(0), 0, 0
	for i := range len(s) {
		class := addressClass[s[i]]
		all &= class
		twice |= class & before
		before = class & separates
		if class&isDot != 0 {
			if i-start > maxLabel {
				return false
			}
			dots, start = dots+1, i+1
		}
	}
	return all&inLabel != 0 && (twice|before)&separates == 0 && dots > 0 && len(s)-start <= maxLabel
}

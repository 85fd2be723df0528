package ops

import (
	"net/mail"
	"strings"

	"golang.org/x/net/idna"

	"pushbatch/batch"
)

// Limits of RFC 5321, section 4.5.3.1, in bytes.
const (
	maxLocalPart = 64
	maxAddress   = 254
)

func (a *requestBuilder) putEmail(f *field, v batch.Value) {
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
	if s[0] == '#' && !a.checkErrorCell(f, s) || !isGraphic(s) && !(a.checkCharacters(f, s, false) && a.checkSpaces(f, s)) {
		return
	}
	why := ""
	if a.mailbox, why = checkAddress(s); why != "" {
		a.reject(f, codeEmailInvalid, "expected an e-mail address such as "+ExampleEmail+": "+why)
	}
}

// What messages name as examples: nobody's.
const (
	ExampleEmail = "name@example.com"
	ExamplePhone = "385912345678"
)

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
// parser (0.9 s of a million rows): ASCII letters, digits and a few signs, in
// parts between single dots. What it accepts, checkAddress accepts too (a fuzz
// test holds it to that); what it does not recognise is left to checkAddress.
func isPlainAddress(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return found && len(local) <= maxLocalPart && len(s) <= maxAddress && isDotted(local, true) &&
		strings.IndexByte(domain, '.') > 0 && isDotted(domain, false)
}

// isDotted reports whether s is labels with single dots between: letters, digits
// and hyphens, in a local part _ and + too, in a domain no hyphen at an end.
func isDotted(s string, local bool) bool {
	before := byte('.')
	for i := range len(s) {
		switch c := s[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', local && (c == '_' || c == '+' || c == '-'):
		case (c == '.' || c == '-') && before != '.' && (local || before != '-'):
		default:
			return false
		}
		before = s[i]
	}
	return before != '.' && (local || before != '-' && !hasLongLabel(s))
}

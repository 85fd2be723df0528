package ops

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// The platform's limits, in characters.
const (
	maxExternalID    = 256
	maxName          = 255 // firstName, lastName
	maxMiddleName    = 50
	maxAttributeName = 256
	maxDataText      = 4096 // strings of additionalData
	// maxRegistrationID and maxAppCode are ours: longer ones make a request line
	// or header that servers and proxies refuse.
	maxRegistrationID = 1024
	maxAppCode        = 256
)

// asText returns a scalar as text: a text as it was read, a whole number as
// its digits. Everything else is refused.
func (a *requestBuilder) asText(f *field, v batch.Value) (string, bool) {
	switch {
	case v.Kind == batch.Text:
		return v.Text, true
	case v.Kind == batch.Number && allDigits(strings.TrimPrefix(v.Text, "-")):
		return v.Text, true
	case f.typ == typeString && v.Kind != batch.List && v.Kind != batch.Object:
		return v.Text, true
	case (f.def.identity || f.def.name == "registrationId") && v.Kind == batch.Number && !a.checkNullWord(f, v.Text): // NaN
		return "", false
	}
	a.reject(f, codeTypeMismatch, "expected text or a whole number, found "+describe(v))
	return "", false
}

// checkLength refuses more than limit characters.
func (a *requestBuilder) checkLength(f *field, s string, limit int, code string) bool {
	n := len(s)
	if n > limit {
		n = utf8.RuneCountInString(s)
	}
	if n <= limit {
		return true
	}
	a.reject(f, code, "there are "+strconv.Itoa(n)+" characters, the limit is "+strconv.Itoa(limit))
	return false
}

// checkID applies what all ids share. It reports every rule that is broken.
func (a *requestBuilder) checkID(f *field, s string) bool {
	ok := a.checkSpreadsheet(f, s)
	if isGraphic(s) {
		return ok
	}
	if !a.checkEncoding(f, s) {
		return false
	}
	controls := a.checkControls(f, s, false)
	return a.checkSpaces(f, s) && controls && ok
}

func (a *requestBuilder) putRegistrationID(f *field, v batch.Value) {
	a.hasID = true
	s, ok := a.asText(f, v)
	if !ok {
		return
	}
	a.id = s
	if !a.checkNullWord(f, s) || !a.checkNotName(f, s) {
		return
	}
	if isPathPlain(s) {
		a.checkSpreadsheet(f, s)
		return
	}
	sound := a.checkID(f, s)
	if at := strings.IndexFunc(s, unicode.IsSpace); at >= 0 && sound {
		a.reject(f, codeRegistrationIDInvalid, "a registration id has no spaces, found one at position "+position(s, at))
	}
	a.checkLength(f, s, maxRegistrationID, codeRegistrationIDInvalid)
	if s == "." || s == ".." { // everything else can be escaped in a path
		a.reject(f, codeRegistrationIDInvalid, "a registration id is not only dots: it stands in the request's path")
	}
}

// checkNotName refuses an id that is what a column of ids is called: it comes of a
// header between the rows, whatever their format is by now.
func (a *requestBuilder) checkNotName(f *field, s string) bool {
	if len(s) > max(len(f.column), len("push_registration_id")) {
		return true
	}
	if name := fold(s); name != fold(f.column) && name != fold(f.def.name) && !slices.Contains(f.def.aliases, name) {
		return true
	}
	a.reject(f, codeHeaderRepeated, "the cell holds a name of its column, as a header between the rows does: remove the row")
	return false
}

// isPathPlain reports whether a registration id is of usual length and
// characters: ASCII without spaces.
func isPathPlain(s string) bool {
	return len(s) >= 3 && len(s) <= maxRegistrationID && isGraphic(s)
}

// putAppCode takes a code that can stand in a header.
func (a *requestBuilder) putAppCode(f *field, v batch.Value) {
	s, ok := a.asText(f, v)
	if !ok || !a.checkID(f, s) {
		return
	}
	if !isGraphic(s) {
		a.reject(f, codeAppCodeInvalid, "an application code has plain ASCII characters without spaces, found "+describeText(s))
		return
	}
	if a.checkLength(f, s, maxAppCode, codeAppCodeInvalid) {
		a.appCode = s
	}
}

func (a *requestBuilder) putExternalID(f *field, v batch.Value) {
	a.known = true
	s, ok := a.asText(f, v)
	if !ok {
		return
	}
	if !a.checkNullWord(f, s) {
		return
	}
	a.checkID(f, s)
	a.checkLength(f, s, maxExternalID, codeExternalIDTooLong)
	a.identity.ExternalID = s
}

// putName fills a name of at most limit characters.
func putName(place func(*requestBuilder) *apiclient.Value, limit int) func(*requestBuilder, *field, batch.Value) {
	return func(a *requestBuilder, f *field, v batch.Value) {
		if s, ok := a.asText(f, v); ok {
			a.checkText(f, s, false)
			a.checkLength(f, s, limit, codeTextTooLong)
			*place(a) = apiclient.String(s)
		}
	}
}

func clearing(place func(*requestBuilder) *apiclient.Value) func(*requestBuilder, *field) {
	return func(a *requestBuilder, _ *field) { *place(a) = apiclient.Null }
}

// checkText applies what all texts share.
func (a *requestBuilder) checkText(f *field, s string, lines bool) {
	a.checkErrorCell(f, s)
	if !isWithin(s, ' ') {
		a.checkCharacters(f, s, lines)
	}
}

// checkCharacters refuses what is no UTF-8, and control characters.
func (a *requestBuilder) checkCharacters(f *field, s string, lines bool) bool {
	return a.checkEncoding(f, s) && a.checkControls(f, s, lines)
}

// putGender takes the platform's two values in any letter case: the same word.
func (a *requestBuilder) putGender(f *field, v batch.Value) {
	s, ok := a.asText(f, v)
	if !ok {
		return
	}
	switch {
	case strings.EqualFold(s, "MALE"):
		a.attributes.Gender = apiclient.String("MALE")
	case strings.EqualFold(s, "FEMALE"):
		a.attributes.Gender = apiclient.String("FEMALE")
	case a.checkTyped(f, s):
		a.reject(f, codeGenderInvalid, "expected MALE or FEMALE, found "+describeText(s)+"; a mapping can translate with values:")
	}
}

// checkTyped looks for the damage that explains why a text is not what its
// type wants; when it finds some, that is the row's problem.
func (a *requestBuilder) checkTyped(f *field, s string) bool {
	before := len(a.problems)
	a.checkText(f, s, false)
	if len(a.problems) == before {
		a.checkSpaces(f, s)
	}
	return len(a.problems) == before
}

// isGraphic reports whether s is ASCII without controls and spaces.
func isGraphic(s string) bool { return isWithin(s, '!') }

// isWithin reports whether s is ASCII from a character on, without controls.
func isWithin(s string, least byte) bool {
	for i := range len(s) {
		if s[i] < least || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

// putTags takes a list, a JSON array of strings, or a text with separators.
// Spaces around a tag do not belong to it. Tags are a set: repeats are sent once.
func (a *requestBuilder) putTags(f *field, v batch.Value) {
	switch {
	case v.Kind == batch.List:
		a.putTagList(f, v.Nested.Values)
	case v.Kind == batch.Text && v.Text[0] == '[':
		a.putTagArray(f, v.Text)
	default:
		if s, ok := a.asText(f, v); ok {
			a.splitTags(f, s)
		}
	}
}

func (a *requestBuilder) clearTags(*field) { a.attributes.ClearTags = true }

// splitTags cuts at the mapping's separator, or at each of , ; | where it names
// none, and passes over what a separator too many makes. A list as databases write
// it, {a,b}, is the list; quotes around a tag do not belong to it.
func (a *requestBuilder) splitTags(f *field, s string) {
	if list, found := strings.CutPrefix(s, "{"); found && strings.HasSuffix(list, "}") {
		s = strings.TrimSuffix(list, "}")
	}
	for s != "" {
		at, width := strings.IndexFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '|' }), 1
		if f.splits != "" {
			at, width = strings.Index(s, f.splits), len(f.splits)
		}
		if at < 0 {
			at, width = len(s), 0
		}
		tag := strings.TrimSpace(s[:at])
		if inner := strings.Trim(tag, `"`); strings.HasPrefix(tag, `"`) {
			if tag != `"`+inner+`"` || strings.Contains(inner, `"`) {
				a.reject(f, codeTagsInvalid, `a quote begins a tag and does not end it: export the tags as ["one","two"]`)
				return
			}
			tag = inner
		}
		if tag != "" {
			a.addTag(f, tag)
		}
		s = s[at+width:]
	}
}

func (a *requestBuilder) addTag(f *field, tag string) {
	tag = strings.TrimSpace(tag)
	if tag == "" {
		a.reject(f, codeTagEmpty, "one of the tags in the list has no name")
		return
	}
	a.checkText(f, tag, false)
	if !slices.Contains(a.tags, tag) {
		a.tags = append(a.tags, tag)
	}
}

func (a *requestBuilder) putTagList(f *field, list []batch.Value) {
	for _, v := range list {
		if v.Kind == batch.Null || v.Kind == batch.Text && v.Text == "" {
			a.addTag(f, "")
		} else if s, ok := a.asText(f, v); ok {
			a.addTag(f, s)
		}
	}
}

func (a *requestBuilder) putTagArray(f *field, text string) {
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		a.reject(f, codeTagsInvalid, `the cell begins as a JSON array but is not one of strings: ["one","two"]`)
		return
	}
	for _, tag := range list {
		a.addTag(f, tag)
	}
}

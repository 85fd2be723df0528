package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// Cell is the shape of a value: enough to see what a column holds, too
// little to know a value.
func Cell(v batch.Value) string {
	switch v.Kind {
	case batch.Bool:
		return "true or false"
	case batch.List:
		return fmt.Sprintf("a list of %d", len(v.Nested.Values))
	case batch.Object:
		return fmt.Sprintf("an object of %d", len(v.Nested.Values))
	}
	return shape(v.Text)
}

// longestShape is the number of parts after which a shape is cut.
const longestShape = 6

// shape counts the letters and digits that follow each other: an address is
// 5×letter @ 7×letter . 3×letter.
func shape(text string) string {
	var parts []string
	kind, n := "", 0
	end := func() {
		if n > 0 && (kind == "letter" || kind == "digit" || kind == "space" || n > 1) {
			parts = append(parts, fmt.Sprintf("%d×%s", n, kind))
		} else if n > 0 {
			parts = append(parts, kind)
		}
	}
	for _, r := range text {
		if next := characterKind(r); next != kind {
			end()
			kind, n = next, 0
		}
		n++
	}
	end()
	if len(parts) > longestShape {
		return strings.Join(parts[:longestShape], " ") + fmt.Sprintf(" … %d characters", utf8.RuneCountInString(text))
	}
	return strings.Join(parts, " ")
}

func characterKind(r rune) string {
	switch {
	case r == utf8.RuneError: // a byte that is no text
		return "other"
	case unicode.IsLetter(r), unicode.IsMark(r):
		return "letter"
	case unicode.IsDigit(r):
		return "digit"
	case unicode.IsSpace(r):
		return "space"
	case unicode.IsPunct(r), unicode.IsSymbol(r):
		return string(r)
	}
	return "other"
}

// Request replaces the texts and numbers of a call's body and the device
// in its path by their shapes. Names, their order, true, false and null stay.
func Request(call []byte) json.RawMessage {
	return maskedCall(call, func(text string) string { return "<" + shape(text) + ">" })
}

// maskedCall replaces the texts and numbers of a call's body and the device in its
// path by what mask makes of them. The call is as Call.AppendJSON writes it.
func maskedCall(call []byte, mask func(string) string) json.RawMessage {
	head, body, _ := bytes.Cut(call, []byte(bodyMember))
	out := deviceStep.ReplaceAllFunc(head, func(step []byte) []byte {
		name, device, _ := bytes.Cut(step[1:], []byte("/"))
		quoted := jsonappend.String(nil, mask(string(device)))
		return slices.Concat([]byte("/"), name, []byte("/"), quoted[1:len(quoted)-1])
	})
	return append(append(out, bodyMember...), valueToken.ReplaceAllFunc(body, func(token []byte) []byte {
		text := string(token)
		if strings.HasSuffix(text, ":") { // a name
			return token
		}
		if token[0] == '"' {
			_ = json.Unmarshal(token, &text) // what it matches is a text
		}
		return jsonappend.String(nil, mask(text))
	})...)
}

// bodyMember stands before the body of a call: within a text its quotes would be escaped.
const bodyMember = `,"body":`

var (
	deviceStep = regexp.MustCompile(`/(push|registrations)/[^/"]+`)
	valueToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\s*:)?|-?[0-9][0-9.eE+-]*`)
)

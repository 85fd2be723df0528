package apiclient

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// complete reports whether the body of a 2xx is the JSON it should be.
// What is kept is parsed by somebody, so it is looked at closely. For the rest
// its ends tell: the body came in full length, and a proxy's page does not
// begin with a brace.
func (m *message) complete(status int, body []byte) bool {
	if m.empty || status == http.StatusNoContent && m.method != http.MethodGet {
		return true
	}
	body = bytes.TrimSpace(body)
	if len(body) < 2 {
		return false
	}
	if m.keep {
		return json.Valid(body)
	}
	first, last := body[0], body[len(body)-1]
	return first == '{' && last == '}' || first == '[' && last == ']'
}

package simulator

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// answer is a response before it is written, and how it reaches the client.
type answer struct {
	status      int
	body        []byte
	contentType string // empty: application/json
	retryAfter  string
	effect      bool   // the request changed something
	code        string // the error's code, for the call log
	ending      ending
}

type ending uint8

const (
	whole ending = iota
	cutConnection
	cutBody
	clientGone
)

func ok(body any) answer { return answer{status: 200, body: toJSON(body)} }

// pushError is the envelope of the push operations. All of its codes come
// with HTTP 400.
func pushError(code int, text string) answer {
	return answer{status: 400, body: toJSON(object{"errorCode": code, "errorMessage": text}), code: strconv.Itoa(code)}
}

func appCodeMissing() answer       { return pushError(48001, "Application code missing") }
func applicationNotFound() answer  { return pushError(48012, "Push application not found") }
func registrationNotFound() answer { return pushError(48013, "Push registration not found") }

// olderError is the older platform's envelope.
func olderError(status int, messageID, text string, fields ...violation) answer {
	e := object{"messageId": messageID, "text": text}
	if len(fields) > 0 {
		wrong := map[string][]string{}
		for _, f := range fields {
			wrong[f.field] = append(wrong[f.field], f.what)
		}
		e["validationErrors"] = wrong
	}
	return answer{status: status, body: toJSON(object{"requestError": object{"serviceException": e}}), code: messageID}
}

func htmlError(status int) answer {
	title := strconv.Itoa(status) + " " + statusWords(status)
	page := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
	return answer{status: status, body: []byte(page), contentType: "text/html", code: "html"}
}

func invalid(v violations) answer {
	return olderError(400, cmp.Or(v.messageID, "BAD_REQUEST"), "Bad request", v.fields...)
}

func badRequest(field, what string) answer {
	return invalid(violations{fields: []violation{{field, what}}})
}

func badFormat(text string) answer { return olderError(400, "REQUEST_FORMAT_INVALID", text) }
func unauthorized() answer         { return olderError(401, "UNAUTHORIZED", "Invalid login details") }
func notFound() answer             { return olderError(404, "NOT_FOUND", "Not found") }

func statusWords(status int) string {
	if text := http.StatusText(status); text != "" && status != http.StatusInternalServerError {
		return text
	}
	return "General Error"
}

// statusID makes BAD_GATEWAY of "Bad Gateway".
func statusID(status int) string {
	return strings.ToUpper(strings.ReplaceAll(statusWords(status), " ", "_"))
}

// envelopes are the forms of an error without a cause in the request: a fault's or a 429.
var envelopes = map[string]func(status int) answer{
	"older": func(status int) answer { return olderError(status, statusID(status), statusWords(status)) },
	"newer": func(status int) answer {
		code, none := "E"+strconv.Itoa(status), []string{}
		body := object{"errorCode": code, "description": statusWords(status), "action": "Try again later.", "violations": none, "resources": none}
		return answer{status: status, body: toJSON(body), code: code}
	},
	"push": func(status int) answer {
		a := pushError(40000+status, statusWords(status))
		a.status = status
		return a
	},
	"html":  htmlError, // a proxy's page
	"empty": func(status int) answer { return answer{status: status, code: "empty"} },
}

package simulator

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxBody = 1 << 20

// receive finds the operation and reads the body; what is wrong already is
// answered only after authorization and limit.
func (x *handling) receive() {
	x.call = &Call{Arrived: time.Now().UTC(), Method: x.r.Method, Path: x.r.URL.EscapedPath()}
	x.route()
	if !x.readBody() {
		x.refuse(badFormat("The body is cut short or longer than 1 MiB"))
	}
	if x.wrong == nil {
		x.readJSON()
	}
}

func (x *handling) readBody() bool {
	if x.r.Body == nil {
		return true
	}
	raw, err := io.ReadAll(io.LimitReader(x.r.Body, maxBody+1))
	x.body = string(raw)
	return err == nil && len(raw) <= maxBody
}

// refuse keeps the first thing that is wrong.
func (x *handling) refuse(a answer) {
	if x.wrong == nil {
		x.wrong = &a
	}
}

const (
	tokenPath   = "/auth/1/oauth2/token"
	personsPath = "/people/2/persons"
	appsPath    = "/push/1/applications"
	pushPath    = "/people/2/contactInformation/push/"
)

func (x *handling) route() {
	path := x.call.Path
	rest, isPush := strings.CutPrefix(path, pushPath)
	switch {
	case path == tokenPath:
		x.routed(OpToken, http.MethodPost)
	case path == personsPath:
		x.routed(OpListPersons, http.MethodGet)
	case path == appsPath:
		x.routed(OpApplications, http.MethodGet)
	case isPush:
		x.routePush(rest)
	default:
		x.routed(OpOther, x.r.Method)
		x.refuse(notFound())
	}
}

func (x *handling) routePush(rest string) {
	segment, action, deeper := strings.Cut(rest, "/")
	id, err := url.PathUnescape(segment)
	switch {
	case err != nil || id == "" || deeper && action != "personalize" && action != "depersonalize":
		x.routed(OpOther, x.r.Method)
		x.refuse(notFound())
		return
	case action == "personalize":
		x.routed(OpPersonalize, http.MethodPost)
	case action == "depersonalize":
		x.routed(OpDepersonalize, http.MethodPost)
	case x.r.Method == http.MethodPatch:
		x.routed(OpUpdate, http.MethodPatch)
	default:
		x.routed(OpGet, http.MethodGet)
	}
	x.call.RegistrationID = id
}

func (x *handling) routed(op Op, method string) {
	x.call.Op = op
	if x.r.Method != method {
		x.refuse(olderError(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method not allowed"))
	}
}

func (x *handling) readJSON() {
	switch x.call.Op {
	case OpUpdate, OpPersonalize:
	case OpToken:
		return
	default:
		if x.body != "" {
			x.refuse(badFormat("No body is expected"))
		}
		return
	}
	if !isContentType(x.r.Header, "application/json") {
		x.refuse(olderError(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "application/json is expected"))
	}
	root, err := parseJSON(x.body)
	if err != nil {
		x.refuse(badFormat(err.Error()))
		return
	}
	x.root = root
	if x.call.Op == OpPersonalize {
		x.call.Identity = identityKeys(root)
	}
}

func isContentType(h http.Header, want string) bool {
	got := h.Get("Content-Type")
	if got == want {
		return true
	}
	media, _, err := mime.ParseMediaType(got)
	return err == nil && media == want
}

// identityKeys are the values that the request touches, valid or not.
func identityKeys(root any) []string {
	body, _ := root.(object)
	identity, _ := body["identity"].(object)
	var keys []string
	for _, name := range [...]string{"externalId", "phoneNumber", "email"} {
		text, ok := identity[name].(string)
		if name == "email" {
			text = strings.ToLower(text)
		}
		if ok {
			keys = append(keys, name+":"+text)
		}
	}
	return keys
}

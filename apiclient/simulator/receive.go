package simulator

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
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

const pushPath = "/people/2/contactInformation/push/"

// routes are the platform's paths; a star is a registration id.
var routes = [...]struct {
	method, path string
	op           Op
}{
	{http.MethodPost, "/auth/1/oauth2/token", OpToken},
	{http.MethodGet, "/people/2/persons", OpListPersons},
	{http.MethodGet, "/push/1/applications", OpApplications},
	{http.MethodGet, pushPath + "*", OpGet},
	{http.MethodPatch, pushPath + "*", OpUpdate},
	{http.MethodPost, pushPath + "*/personalize", OpPersonalize},
	{http.MethodPost, pushPath + "*/depersonalize", OpDepersonalize},
}

func (x *handling) route() {
	segment, _, _ := strings.Cut(strings.TrimPrefix(x.call.Path, pushPath), "/")
	id, err := url.PathUnescape(segment)
	x.call.Op = OpOther
	method := ""
	for _, r := range routes {
		fits, _ := path.Match(r.path, x.call.Path)
		if named := err == nil && id != ""; !fits || strings.HasPrefix(r.path, pushPath) && !named {
			continue
		}
		if method == "" || r.method == x.r.Method {
			x.call.Op, method = r.op, r.method
		}
	}
	switch {
	case method == "":
		x.refuse(notFound())
		return
	case method != x.r.Method:
		x.refuse(olderError(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method not allowed"))
	}
	if strings.HasPrefix(x.call.Path, pushPath) {
		x.call.RegistrationID = id
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

// identityKeys are the identity values of a request, valid or not.
func identityKeys(root any) (keys []string) {
	body, _ := root.(object)
	identity, _ := body["identity"].(object)
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

package apiclient

import (
	"net/http"
	"net/url"
	"strconv"

	"pushbatch/batch/jsonappend"
)

// Call is one request to the platform, complete but for authorization. It can
// be shown without being sent, and sent any number of times.
type Call struct {
	Op      Op
	Method  string
	Path    string // escaped, begins with a slash
	Query   string // encoded, without the question mark
	AppCode string // application code of this call; empty: the client's own
	Body    []byte // JSON; nil: none
	Discard bool   // the answer's body is not wanted: Response.Body stays nil
	Row     int64  // names the call in log lines; 0: nothing does
}

// Op names an operation of the platform; each has a rate limit of its own.
type Op uint8

// The operations.
const (
	OpGet Op = iota
	OpUpdate
	OpPersonalize
	OpDepersonalize
	OpListPersons
	OpApplications
	opCount
)

var opNames = [opCount]string{"get", "update", "personalize", "depersonalize", "list-persons", "applications"}

// String returns the operation's name.
func (o Op) String() string { return opNames[o] }

const registrationPath = "/people/2/contactInformation/push/"

func registrationCall(op Op, method, registrationID, suffix string) Call {
	return Call{Op: op, Method: method, Path: registrationPath + url.PathEscape(registrationID) + suffix}
}

// GetCall asks for a push registration.
func GetCall(registrationID string) Call {
	return registrationCall(OpGet, http.MethodGet, registrationID, "")
}

// UpdateCall changes a push registration. body is what Update.AppendJSON makes;
// the call keeps it.
func UpdateCall(registrationID string, body []byte) Call {
	c := registrationCall(OpUpdate, http.MethodPatch, registrationID, "")
	c.Body = body
	return c
}

// PersonalizeCall ties a device to a person. body is what Personalize.AppendJSON
// makes; the call keeps it.
func PersonalizeCall(registrationID string, body []byte, o PersonalizeOptions) Call {
	c := registrationCall(OpPersonalize, http.MethodPost, registrationID, "/personalize")
	c.Query = o.query()
	c.Body = body
	return c
}

// DepersonalizeCall unties a device from its person.
func DepersonalizeCall(registrationID string) Call {
	return registrationCall(OpDepersonalize, http.MethodPost, registrationID, "/depersonalize")
}

func (o PersonalizeOptions) query() string {
	if o == (PersonalizeOptions{}) { // of each of a million rows: 0.2 s
		return ""
	}
	q := make(url.Values)
	for name, on := range map[string]bool{
		"forceDepersonalize": o.ForceDepersonalize, "keepAsLead": o.KeepAsLead, "returnPush": o.ReturnPush, "setDeviceAsPrimary": o.SetDeviceAsPrimary,
	} {
		if on {
			q.Set(name, "true")
		}
	}
	return q.Encode()
}

// AppendJSON appends the call as one JSON object: method, path, query and
// body, as requests.ndjson shows it.
func (c *Call) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"method":"`...)
	dst = append(dst, c.Method...)
	dst = append(dst, `","path":`...)
	dst = jsonappend.String(dst, c.Path)
	dst = append(dst, `,"query":`...)
	dst = jsonappend.String(dst, c.Query)
	dst = append(dst, `,"body":`...)
	if c.Body == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, c.Body...)
	}
	return append(dst, '}')
}

// ListPersonsOptions are the query parameters of the people listing. Zero
// values are not sent.
type ListPersonsOptions struct {
	Limit        int    // people a page, at most 1,000; the platform's default is 20
	Page         int    // from 1
	OrderBy      string // for example createdAt:asc
	Filter       string // the platform's JSON query
	IncludeTotal bool   // fill PersonPage.TotalCount

	// Identifier asks for one person instead, of the given type (ID,
	// EXTERNAL_ID, PHONE, EMAIL, PUSH; the last with the application as Sender).
	Identifier string
	Type       string
	Sender     string
}

// ListPersonsCall asks for one page of people.
func ListPersonsCall(o ListPersonsOptions) Call {
	q := make(url.Values)
	set := func(name, value string, given bool) {
		if given {
			q.Set(name, value)
		}
	}
	set("limit", strconv.Itoa(o.Limit), o.Limit > 0)
	set("page", strconv.Itoa(o.Page), o.Page > 0)
	set("includeTotalCount", "true", o.IncludeTotal)
	set("orderBy", o.OrderBy, o.OrderBy != "")
	set("filter", o.Filter, o.Filter != "")
	set("identifier", o.Identifier, o.Identifier != "")
	set("type", o.Type, o.Type != "")
	set("sender", o.Sender, o.Sender != "")
	return Call{Op: OpListPersons, Method: http.MethodGet, Path: "/people/2/persons", Query: q.Encode()}
}

// ApplicationsCall asks for the account's applications: code, id, name and
// number of registrations of each. Without the scope
// mobile-app-messaging:manage the answer is a 403.
func ApplicationsCall() Call {
	return Call{Op: OpApplications, Method: http.MethodGet, Path: "/push/1/applications"}
}

package simulator

import (
	"net/url"
	"slices"
)

// operations are the operations on a registration: what their requests may hold, and
// their rule.
var operations = [opCount]struct {
	body  check    // nil: there is none
	flags []string // query parameters
	rule  func(*store, *device, object, url.Values) answer
}{
	OpGet:    {rule: (*store).get},
	OpUpdate: {body: updateMembers, rule: (*store).update},
	OpPersonalize: {
		body: checkPersonalize, flags: []string{"forceDepersonalize", "keepAsLead", "returnPush", "setDeviceAsPrimary"},
		rule: (*store).personalize,
	},
	OpDepersonalize: {rule: (*store).depersonalize},
}

// apply checks the request against the rules and does what it asks for.
func (x *handling) apply() answer {
	app, known := x.r.Header.Get("AppCode"), x.sim.cfg.AppCodes
	switch {
	case x.call.RegistrationID == "": // no application is asked for
	case app == "":
		return appCodeMissing()
	case len(known) > 0 && !slices.Contains(known, app):
		return applicationNotFound()
	}
	if x.wrong != nil {
		return *x.wrong
	}
	if x.call.Op == OpToken {
		return x.token()
	}
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return badRequest("query", "cannot be read")
	}
	bad, list, op := violations{cfg: &x.sim.cfg}, listing{}, operations[x.call.Op]
	if op.body != nil {
		op.body(&bad, "", x.root)
	}
	if x.call.Op == OpListPersons {
		list = readListing(query, &bad)
	} else {
		readFlags(query, op.flags, &bad)
	}
	if !bad.isEmpty() {
		return invalid(bad)
	}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	st := x.sim.store
	switch x.call.Op {
	case OpListPersons:
		return st.list(&list)
	case OpApplications:
		if len(known) > 0 {
			app = "" // where any code is accepted, the one that is asked with exists
		}
		return st.applications(app)
	}
	d := st.device(x.call.RegistrationID, app)
	if d == nil || len(known) > 0 && d.app != app {
		return registrationNotFound()
	}
	body, _ := x.root.(object)
	return op.rule(st, d, body, query)
}

func readFlags(query url.Values, flags []string, bad *violations) {
	for name, values := range query {
		switch {
		case !slices.Contains(flags, name):
			bad.add(name, "unknown parameter")
		case len(values) > 1:
			bad.add(name, "is repeated")
		default:
			readFlag(name, values[0], bad)
		}
	}
}

package simulator

import (
	"net/url"
	"slices"
	"time"
)

// apply checks the request against the rules and does what it asks for.
func (x *handling) apply() answer {
	if x.call.Op == OpToken {
		if x.wrong != nil {
			return *x.wrong
		}
		return x.token()
	}
	if a := x.application(); a != nil {
		return *a
	}
	if x.wrong != nil {
		return *x.wrong
	}
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return badRequest("query", "cannot be read")
	}
	switch x.call.Op {
	case OpListPersons:
		return x.list(query)
	case OpApplications:
		return x.applications(query)
	case OpPersonalize:
		return x.personalize(query)
	case OpUpdate:
		return x.update(query)
	default:
		return x.plain(query)
	}
}

// application checks the application code of a push operation.
func (x *handling) application() *answer {
	if x.call.RegistrationID == "" {
		return nil
	}
	code := x.r.Header.Get("AppCode")
	var a answer
	switch known := x.sim.cfg.AppCodes; {
	case code == "":
		a = appCodeMissing()
	case len(known) > 0 && !slices.Contains(known, code):
		a = applicationNotFound()
	default:
		return nil
	}
	return &a
}

func (x *handling) list(query url.Values) answer {
	l, bad := readListing(query)
	if !bad.isEmpty() {
		return invalid(bad)
	}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	return x.sim.store.list(&l)
}

func (x *handling) applications(query url.Values) answer {
	var bad violations
	readFlags(query, nil, &bad)
	if !bad.isEmpty() {
		return invalid(bad)
	}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	accepted := x.r.Header.Get("AppCode") // where any code is accepted, the one that is asked with exists
	if len(x.sim.cfg.AppCodes) > 0 {
		accepted = ""
	}
	return x.sim.store.applications(accepted)
}

func (x *handling) personalize(query url.Values) answer {
	b, bad := readPersonalize(x.root, &x.sim.cfg)
	flags := map[string]*bool{
		"forceDepersonalize": &b.force, "keepAsLead": &b.keepLead, "returnPush": &b.push, "setDeviceAsPrimary": &b.asPrimary,
	}
	readFlags(query, flags, &bad)
	return x.onDevice(bad, func(st *store, d *device) answer { return st.personalize(d, b, time.Now()) })
}

func (x *handling) update(query url.Values) answer {
	b, bad := readUpdate(x.root)
	readFlags(query, nil, &bad)
	return x.onDevice(bad, func(st *store, d *device) answer { return st.update(d, b, time.Now()) })
}

// plain is get and depersonalize: no body, no parameters.
func (x *handling) plain(query url.Values) answer {
	var bad violations
	readFlags(query, nil, &bad)
	return x.onDevice(bad, func(st *store, d *device) answer {
		if x.call.Op == OpGet {
			return st.get(d)
		}
		return st.depersonalize(d, time.Now())
	})
}

func readFlags(query url.Values, flags map[string]*bool, bad *violations) {
	for name, values := range query {
		switch flag := flags[name]; {
		case flag == nil:
			bad.add(name, "unknown parameter")
		case len(values) > 1:
			bad.add(name, "is repeated")
		default:
			*flag = readFlag(name, values[0], bad)
		}
	}
}

// onDevice runs a rule on the registration, unless the request is invalid or
// the registration is unknown or another application's.
func (x *handling) onDevice(bad violations, rule func(*store, *device) answer) answer {
	if !bad.isEmpty() {
		return invalid(bad)
	}
	app := x.r.Header.Get("AppCode")
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	d := x.sim.store.device(x.call.RegistrationID, app)
	if d == nil || len(x.sim.cfg.AppCodes) > 0 && d.app != app {
		return registrationNotFound()
	}
	return rule(x.sim.store, d)
}

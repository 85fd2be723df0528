package simulator

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// exchange is one request on its way to an answer.
type exchange struct {
	sim   *Simulator
	r     *http.Request
	log   *ledger
	call  *Call
	body  string
	root  value // of a JSON body
	wrong *answer
}

// ending is how an answer reaches the client.
type ending uint8

const (
	whole ending = iota
	cutConnection
	cutBody
	clientGone
)

type outcome struct {
	answer
	ending ending
}

const maxBody = 1 << 20

// receive finds the operation and reads the body; what is wrong already is
// answered only behind authorization and limit.
func (x *exchange) receive() {
	x.call = &Call{Arrived: time.Now(), Method: x.r.Method, Path: x.r.URL.EscapedPath()}
	x.route()
	if !x.readBody() {
		x.refuse(badFormat("The body is cut short or longer than 1 MiB"))
	}
	if x.wrong == nil {
		x.readJSON()
	}
}

func (x *exchange) readBody() bool {
	if x.r.Body == nil || x.r.ContentLength == 0 {
		return true
	}
	if n := x.r.ContentLength; n > 0 && n <= maxBody {
		raw := make([]byte, n)
		_, err := io.ReadFull(x.r.Body, raw)
		x.body = string(raw)
		return err == nil
	}
	raw, err := io.ReadAll(io.LimitReader(x.r.Body, maxBody+1))
	x.body = string(raw)
	return err == nil && len(raw) <= maxBody
}

// refuse keeps the first thing that is wrong.
func (x *exchange) refuse(a answer) {
	if x.wrong == nil {
		x.wrong = &a
	}
}

const (
	tokenPath   = "/auth/1/oauth2/token"
	personsPath = "/people/2/persons"
	pushPath    = "/people/2/contactInformation/push/"
)

func (x *exchange) route() {
	path := x.call.Path
	rest, isPush := strings.CutPrefix(path, pushPath)
	switch {
	case path == tokenPath:
		x.routed(OpToken, http.MethodPost)
	case path == personsPath:
		x.routed(OpListPersons, http.MethodGet)
	case isPush:
		x.routePush(rest)
	default:
		x.routed(OpOther, x.r.Method)
		x.refuse(notFound())
	}
}

func (x *exchange) routePush(rest string) {
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

func (x *exchange) routed(op Op, method string) {
	x.call.Op = op
	if x.r.Method != method {
		x.refuse(olderError(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method not allowed"))
	}
}

func (x *exchange) readJSON() {
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
		x.call.Identity = identityKeys(&root)
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
func identityKeys(root *value) []string {
	of := root.member("identity")
	if of == nil {
		return nil
	}
	var keys []string
	for _, name := range [...]string{"externalId", "phoneNumber", "email"} {
		v := of.member(name)
		if v == nil || v.kind != kindString {
			continue
		}
		text := v.text
		if name == "email" {
			text = strings.ToLower(text)
		}
		keys = append(keys, name+":"+text)
	}
	return keys
}

// run takes the request through jitter, authorization, limit, faults and rules.
func (x *exchange) run() outcome {
	v := x.sim.throw(x.call)
	if !x.pause(v.jitter) {
		return x.gone(answer{})
	}
	now := time.Now()
	x.log.counted(x.call, now)
	if a := x.sim.admit(x.call.Op, x.r.Header.Get("Authorization"), now); a != nil {
		return outcome{answer: *a}
	}
	if v.fault != nil {
		x.call.Fault = v.fault.Name
		if o, done := x.faultBefore(v.fault); done {
			return o
		}
	}
	if !x.pause(v.latency / 2) {
		return x.gone(answer{})
	}
	a := x.apply()
	if !x.pause(v.latency - v.latency/2) {
		return x.gone(a)
	}
	return x.faultAfter(v.fault, a)
}

// faultBefore does what a fault does without an effect.
func (x *exchange) faultBefore(f *Fault) (outcome, bool) {
	switch f.Action {
	case ActStatus:
		return outcome{answer: errorAnswer(f.Status, f.Envelope)}, true
	case ActCutBefore:
		return outcome{ending: cutConnection}, true
	case ActHang:
		<-x.r.Context().Done()
		return outcome{ending: clientGone}, true
	default:
		return outcome{}, false
	}
}

func (x *exchange) faultAfter(f *Fault, a answer) outcome {
	o := outcome{answer: a}
	switch {
	case f == nil:
	case f.Action == ActCutAfter:
		o.ending = cutConnection
	case f.Action == ActCutBody && len(a.body) > 0:
		o.ending = cutBody
	case f.Action == ActCutBody: // nothing to cut: the answer itself is lost
		o.ending = cutConnection
	}
	return o
}

func (x *exchange) gone(a answer) outcome {
	if x.call.Fault == "" {
		x.call.Fault = "client-gone"
	}
	return outcome{answer: a, ending: clientGone}
}

// pause reports false when the client left meanwhile.
func (x *exchange) pause(d time.Duration) bool { return pause(x.r.Context(), d) }

func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Simulator) throw(c *Call) verdict {
	if len(s.cfg.Faults) == 0 {
		return verdict{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dice.throw(c.Op, c.Path, c.Arrived.Sub(s.started))
}

// admit checks authorization, then the limit.
func (s *Simulator) admit(op Op, authorization string, now time.Time) *answer {
	if op != OpToken && !s.authorized(authorization, now) {
		a := unauthorized()
		return &a
	}
	limit := s.limits.of(op)
	if limit == 0 {
		return nil
	}
	s.mu.Lock()
	wait, admitted := s.counts[op].admit(now, limit, s.cfg.Window)
	s.mu.Unlock()
	if admitted {
		return nil
	}
	a := s.tooMany(now, wait)
	return &a
}

// apply checks the request against the rules and does what it asks for.
func (x *exchange) apply() answer {
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
	case OpPersonalize:
		return x.personalize(query)
	case OpUpdate:
		return x.update(query)
	default:
		return x.plain(query)
	}
}

// application checks the application code of a push operation.
func (x *exchange) application() *answer {
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

func (x *exchange) list(query url.Values) answer {
	l, bad := readListing(query)
	if !bad.isEmpty() {
		return invalid(bad)
	}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	return x.sim.store.list(&l)
}

func (x *exchange) personalize(query url.Values) answer {
	b, bad := readPersonalize(&x.root, x.sim.cfg.CustomAttributes)
	flags := map[string]*bool{
		"forceDepersonalize": &b.force, "keepAsLead": &b.keepLead, "returnPush": &b.push, "setDeviceAsPrimary": &b.asPrimary,
	}
	readFlags(query, flags, &bad)
	return x.onDevice(bad, func(st *store, d *device) answer { return st.personalize(d, b, time.Now()) })
}

func (x *exchange) update(query url.Values) answer {
	b, bad := readUpdate(&x.root)
	readFlags(query, nil, &bad)
	return x.onDevice(bad, func(st *store, d *device) answer { return st.update(d, b, time.Now()) })
}

// plain is get and depersonalize: no body, no parameters.
func (x *exchange) plain(query url.Values) answer {
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
func (x *exchange) onDevice(bad violations, rule func(*store, *device) answer) answer {
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

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

var (
	undoRounds = flag.Int("undo-rounds", 1, "rounds of TestUndoRestores; at least 12 with FULL_TESTS=1")
	undoSeed   = flag.Uint64("undo-seed", 0, "seed of the first round of TestUndoRestores; 0: a new one")
)

// Random runs are killed at random requests and resumed, others change devices
// after them, and undo, killed too, puts back what it may: every device is as before
// the run where nobody else touched it, and as others left it where they did.
func TestUndoRestores(t *testing.T) {
	t.Parallel()
	rounds, seed := *undoRounds, *undoSeed
	rounds = max(rounds, thorough.Of(0, 12))
	if seed == 0 {
		seed = rand.Uint64N(1_000_000_000)
	}
	for n := range rounds {
		t.Run(strconv.FormatUint(seed+uint64(n), 10), func(t *testing.T) {
			t.Parallel()
			newUndoRound(t, seed+uint64(n)).play()
		})
	}
}

// A run without a snapshot is killed and not resumed: undo takes back what it did and
// what was under way, by an inventory, whether its results can be read yet or not. A
// changed input is refused.
func TestUndoOfAKilledRun(t *testing.T) {
	t.Parallel()
	for _, format := range thorough.Of([]string{"parquet"}, []string{"csv", "ndjson", "parquet"}) {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			r := newUndoRound(t, 3)
			rows := "registrationId,externalId\n"
			for n, id := range r.devices {
				rows += fmt.Sprintf("%s,moved-%d\n", id, n/3)
			}
			input := filepath.Join(r.dir, "rows.csv")
			if err := os.WriteFile(input, []byte(rows), 0o600); err != nil {
				t.Fatal(err)
			}
			before := r.state()
			r.killer.demand(t, 0, r.child("export", "--people", "--to", "inventory.csv", "--out", "inventory", "-q", "--list-rate", "1000"))
			if !r.killer.kill(t, r.child("personalize", "rows.csv", "--force-depersonalize", "--results", format, "--out", "run", "-q", "--rate", "100", "--max-in-flight", "4"), 20) {
				t.Fatal("the run ended before it was killed")
			}
			eventually(t, "the last request to end", func() bool { return r.sim.Stats().InFlight == 0 })
			undo := []string{"undo", "run", "--from", "inventory.csv", "--list-rate", "1000", "--rate", "5000", "-q", "--out", "back"}
			if err := os.WriteFile(input, []byte(rows+"another,moved-1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := r.child(undo...)
			c.begin(t)
			if code := c.code(t); code != exitStopped || !strings.Contains(c.stderr.String(), "rows.csv has changed") {
				t.Errorf("a changed input: exit code %d\n%s", code, &c.stderr)
			}
			if err := os.WriteFile(input, []byte(rows), 0o600); err != nil {
				t.Fatal(err)
			}
			r.killer.demand(t, 0, r.child(undo...))
			after := r.state()
			for _, id := range r.devices {
				if !before.owners[id].same(after.owners[id]) {
					t.Errorf("%s belonged to %s, now to %s", id, before.owners[id], after.owners[id])
				}
			}
		})
	}
}

// undoRound is one account, one run over it, and its undo.
type undoRound struct {
	*testing.T
	dice    *rand.Rand
	dir     string
	sim     *simulator.Simulator
	url     string
	killer  *killer
	devices []string
	log     []string // what was done, for a round that failed
	kills   int
	cutOff  bool // a run that was killed is not resumed
}

func newUndoRound(t *testing.T, seed uint64) *undoRound {
	r := &undoRound{T: t, dice: rand.New(rand.NewPCG(seed, 5)), dir: t.TempDir(), killer: &killer{}}
	cfg := simulator.Config{Limits: simulator.PushLimits(0, 0), Seed: seed, WebPush: 15}
	if r.dice.IntN(2) == 0 {
		cfg.Faults = faults(t, "500=3%,cut-before=1%,cut-after=2%,latency=0-3ms")
	}
	cfg.Choices.OwnApplicationIDs = r.dice.IntN(2) == 0
	cfg.Choices.ApplicationsRefused = !cfg.Choices.OwnApplicationIDs && r.dice.IntN(2) == 0
	for n := range 12 {
		r.devices = append(r.devices, fmt.Sprintf("nobody-%d", n))
	}
	cfg.Registrations = map[string][]string{"test-app": r.devices}
	r.sim = simulator.New(cfg)
	r.sim.SeedPeople(8 + r.dice.IntN(25))
	r.killer.next = r.sim
	r.url = serveHandler(t, r.killer)
	for id := range r.state().devices {
		if !slices.Contains(r.devices, id) {
			r.devices = append(r.devices, id)
		}
	}
	slices.Sort(r.devices)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(r.log, "\n"))
		}
	})
	return r
}

// play plays the round through.
func (r *undoRound) play() {
	operation := []string{"update", "personalize", "personalize", "depersonalize"}[r.dice.IntN(4)]
	mirror := operation == "personalize" && r.dice.IntN(3) == 0
	if operation != "update" {
		r.forgetIdentities()
	}
	args := []string{operation, "rows.csv", "--rate", "50000", "--max-in-flight", "6", "--max-attempts", "4", "-q"}
	if operation == "personalize" && (mirror || r.dice.IntN(3) > 0) {
		args = append(args, "--force-depersonalize")
	}
	if mirror {
		r.rows(operation, 1)
		r.run(append(args, "--delta", "state", "--out", "night0"), "night0")
		args = append(args, "--delta", "state", "--mirror", "--max-vanished", "100%")
	}
	r.rows(operation, 2)
	before := r.state()
	how := "--snapshot"
	if r.dice.IntN(3) == 0 {
		how = "--snapshot-from"
		r.killer.demand(r.T, 0, r.child("export", "--people", "--to", "inventory.csv", "--out", "inventory", "-q", "--list-rate", "1000"))
	}
	undoArgs := []string{"undo", "run", "--out", "back", "--rate", "50000", "--list-rate", "1000", "-q"}
	switch {
	case how == "--snapshot":
		args = append(args, how)
	case r.dice.IntN(2) == 0:
		args = append(args, how, "inventory.csv")
	default:
		undoArgs = append(undoArgs, "--from", "inventory.csv")
	}
	r.cutOff = r.dice.IntN(2) == 0
	r.run(append(args, "--out", "run"), "run")
	left, sent := r.state(), map[string][]sentRow{}
	if _, err := os.Stat(filepath.Join(r.dir, "run", "results.csv")); err == nil {
		sent, r.cutOff = r.sentRows(), false
	}
	var touched map[string]bool
	if !r.cutOff {
		touched = r.others(operation, sent)
	}
	cutOff := r.cutOff
	r.cutOff = false
	other := r.state()
	if !r.run(undoArgs, "back") {
		for id, rows := range sent {
			if slices.ContainsFunc(rows, func(row sentRow) bool { return row.status == "succeeded" }) {
				r.Errorf("undo finds nothing to undo, but %s was changed", id)
			}
		}
		return
	}
	r.Logf("cut off: %t", cutOff)
	r.check(&undoStates{before, left, other, r.state()}, operation, sent, touched, how == "--snapshot")
}

// child prepares a command of the round.
func (r *undoRound) child(args ...string) *child {
	r.log = append(r.log, strings.Join(args, " "))
	return prepare(r.T, r.url, r.dir, args...)
}

// run runs a command and kills it up to three times; a run that has begun is resumed.
// false: there was nothing to undo.
func (r *undoRound) run(args []string, run string) bool {
	r.Helper()
	kills := r.dice.IntN(4)
	if r.cutOff {
		kills = max(kills, 1)
	}
	for range kills {
		c := r.child(args...)
		if r.killer.kill(r.T, c, 1+r.dice.IntN(60)) {
			r.kills++
			r.log = append(r.log, "  killed")
			if _, err := os.Stat(filepath.Join(r.dir, run, "journal-0")); err == nil && r.cutOff {
				eventually(r.T, "the last request to end", func() bool { return r.sim.Stats().InFlight == 0 })
				return true
			}
		} else if code := c.ProcessState.ExitCode(); code > 1 {
			return r.nothing(c, code)
		}
		if _, err := os.Stat(filepath.Join(r.dir, run, "job.json")); err == nil {
			args = []string{"resume", run, "-q"}
		} else if args[0] == "undo" {
			_ = os.RemoveAll(filepath.Join(r.dir, run)) // it died before it was a run
		}
	}
	c := r.child(args...)
	c.begin(r.T)
	code := c.code(r.T)
	return code == 0 || code == 1 || r.nothing(c, code)
}

// nothing is false for an undo that found nothing to undo; all else is a failure.
func (r *undoRound) nothing(c *child, code int) bool {
	r.Helper()
	if code != exitUsage || !strings.Contains(c.stderr.String(), "nothing to undo") {
		r.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	return false
}

// forgetIdentities takes the names of some people away: their devices belong to
// somebody whom no request can name.
func (r *undoRound) forgetIdentities() {
	for n := range r.dice.IntN(3) {
		r.request("POST", "nobody-"+strconv.Itoa(n), "/personalize", fmt.Sprintf(`{"identity":{"externalId":"early-%d"}}`, n))
	}
}

// rows writes a random table of an operation and returns it.
func (r *undoRound) rows(operation string, version int) {
	fields := map[string][]string{
		"update":        {"registrationId", "additionalData.plan", "additionalData.score:number", "registrationEnabled", "isPrimary"},
		"personalize":   {"registrationId", "externalId", "phoneNumber", "email", "firstName"},
		"depersonalize": {"registrationId"},
	}[operation]
	if operation == "update" {
		fields = fields[:2+r.dice.IntN(4)]
	}
	var b strings.Builder
	b.WriteString(strings.Join(fields, ",") + "\n")
	for n := range 5 + r.dice.IntN(60) {
		row := []string{r.devices[r.dice.IntN(len(r.devices))]}
		for _, field := range fields[1:] {
			row = append(row, r.cell(field, fmt.Sprintf("v%d-%d", version, n)))
		}
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	if err := os.WriteFile(filepath.Join(r.dir, "rows.csv"), []byte(b.String()), 0o600); err != nil {
		r.Fatal(err)
	}
	r.log = append(r.log, b.String())
}

func (r *undoRound) cell(field, unique string) string {
	if r.dice.IntN(4) == 0 {
		return ""
	}
	switch field {
	case "additionalData.plan", "firstName":
		return unique
	case "additionalData.score:number":
		return strconv.Itoa(r.dice.IntN(3))
	case "registrationEnabled", "isPrimary":
		return strconv.FormatBool(r.dice.IntN(2) == 0)
	case "externalId":
		return fmt.Sprintf("ext-%d", r.dice.IntN(10))
	case "phoneNumber":
		return fmt.Sprintf("38591000%04d", r.dice.IntN(10))
	}
	return fmt.Sprintf("mail%d@example.com", r.dice.IntN(10))
}

// sentRow is a row of the run and how it ended.
type sentRow struct{ device, status string }

// sentRows are the rows of the run in order, those of vanished devices too, by device.
func (r *undoRound) sentRows() map[string][]sentRow {
	sent := make(map[string][]sentRow)
	for _, record := range resultRecords(r.T, filepath.Join(r.dir, "run", "results.csv")) {
		sent[record[3]] = append(sent[record[3]], sentRow{record[3], record[5]})
	}
	delete(sent, "")
	return sent
}

// others change devices as other users of the account do; not those of which it is
// uncertain what the run left.
func (r *undoRound) others(operation string, sent map[string][]sentRow) map[string]bool {
	touched := make(map[string]bool)
	for _, id := range r.devices {
		rows := sent[id]
		if r.dice.IntN(5) > 0 || len(rows) > 0 && rows[len(rows)-1].status != "succeeded" {
			continue
		}
		touched[id] = true
		switch {
		case operation == "update" && r.dice.IntN(2) == 0:
			r.request("PATCH", id, "", fmt.Sprintf(`{"additionalData":{"plan":"other-%s"}}`, id))
		case operation == "update":
			r.request("PATCH", id, "", fmt.Sprintf(`{"additionalData":{"unrelated":"other-%s"}}`, id))
		case operation != "depersonalize" && r.dice.IntN(2) == 0:
			r.request("POST", id, "/depersonalize", "")
		default:
			r.request("POST", id, "/personalize?forceDepersonalize=true", fmt.Sprintf(`{"identity":{"externalId":"other-%s"}}`, id))
		}
	}
	return touched
}

// request sends a request of somebody else until it is answered 2xx.
func (r *undoRound) request(method, device, path, body string) {
	r.Helper()
	r.log = append(r.log, "others: "+method+" "+device+path+" "+body)
	for range 50 {
		req, err := http.NewRequestWithContext(r.Context(), method, r.url+"/people/2/contactInformation/push/"+device+path, strings.NewReader(body))
		if err != nil {
			r.Fatal(err)
		}
		req.Header.Set("Authorization", "App other")
		req.Header.Set("AppCode", "test-app")
		req.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode/100 == 2 {
			return
		}
	}
	r.Fatalf("%s %s%s was never answered", method, device, path)
}

// accountState is what an account holds.
type accountState struct {
	devices map[string]map[string]string // fields by device
	owners  map[string]*statePerson      // by device
}

type statePerson struct {
	ExternalID     string
	Phones, Emails []string
	Devices        []string
}

// same reports whether two states tell of the same person: people keep every value
// that names them.
func (p *statePerson) same(q *statePerson) bool {
	if p == nil || q == nil {
		return p == q
	}
	shares := func(a, b []string) bool {
		return slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
	}
	return p.ExternalID != "" && p.ExternalID == q.ExternalID || shares(p.Phones, q.Phones) || shares(p.Emails, q.Emails)
}

func (p *statePerson) String() string {
	if p == nil {
		return "nobody"
	}
	return fmt.Sprintf("%q %q %q", p.ExternalID, p.Phones, p.Emails)
}

func (r *undoRound) state() *accountState {
	r.Helper()
	var text bytes.Buffer
	if err := r.sim.WriteState(&text); err != nil {
		r.Fatal(err)
	}
	s := &accountState{make(map[string]map[string]string), make(map[string]*statePerson)}
	for line := range bytes.Lines(text.Bytes()) {
		var entry struct {
			Registration *struct {
				RegistrationID string
				IsPrimary      json.RawMessage
				SystemData     struct{ RegistrationEnabled json.RawMessage }
				AdditionalData map[string]json.RawMessage
			}
			Person *statePerson
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			r.Fatal(err)
		}
		if d := entry.Registration; d != nil {
			fields := map[string]string{"isPrimary": string(d.IsPrimary), "registrationEnabled": string(d.SystemData.RegistrationEnabled)}
			for name, value := range d.AdditionalData {
				fields["additionalData."+name] = string(value)
			}
			s.devices[d.RegistrationID] = fields
			continue
		}
		for _, id := range entry.Person.Devices {
			s.owners[id] = entry.Person
		}
	}
	return s
}

// killer is a server in front of the simulator that kills a child at a request.
type killer struct {
	next  http.Handler
	mu    sync.Mutex
	left  int
	child *child
}

// ServeHTTP implements http.Handler.
func (k *killer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	k.mu.Lock()
	k.left--
	if k.left == 0 && k.child != nil {
		_ = k.child.Process.Kill() // it may have ended by itself
	}
	k.mu.Unlock()
	k.next.ServeHTTP(w, req)
}

// kill lets a child run and kills it at its nth request; false: it ended before.
func (k *killer) kill(t *testing.T, c *child, n int) bool {
	t.Helper()
	k.mu.Lock()
	k.left, k.child = n, c
	c.begin(t)
	k.mu.Unlock()
	code := c.code(t)
	k.mu.Lock()
	k.child = nil
	k.mu.Unlock()
	return code == -1
}

// demand lets a child run to its end, with an exit code up to most.
func (k *killer) demand(t *testing.T, most int, c *child) {
	t.Helper()
	c.begin(t)
	if code := c.code(t); code < 0 || code > most {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
}

// undoStates are the states before the run, as it left them, as others left them,
// and after the undo.
type undoStates struct{ before, left, other, after *accountState }

func (r *undoRound) check(s *undoStates, operation string, sent map[string][]sentRow, touched map[string]bool, snapshot bool) {
	r.Helper()
	undone := make(map[string][]string) // results by device
	for _, record := range resultRecords(r.T, filepath.Join(r.dir, "back", "results.csv")) {
		if undone[record[3]] != nil {
			r.Errorf("%s stands twice in the undo's results", record[3])
		}
		undone[record[3]] = record
	}
	counts := make(map[string]int)
	for _, id := range slices.Sorted(maps.Keys(s.after.devices)) {
		result := undone[id]
		if result == nil {
			result = make([]string, 13)
		}
		counts[result[5]+" "+result[7]]++
		if result[5] == "failed" || result[7] == "before_unknown" && !snapshot && s.before.owners[id] == nil {
			continue
		}
		if operation == "update" {
			r.checkFields(s, id, result)
		} else {
			r.checkOwner(s, id, result)
		}
		if r.Failed() {
			r.Fatalf("%s: rows %v, others %t, undo %q", id, sent[id], touched[id], result)
		}
	}
	r.Logf("%s, %d kills, %d devices, touched by others %d: %v", operation, r.kills, len(r.devices), len(touched), counts)
}

// checkFields checks a device that an update may have changed. isPrimary also moves
// with a person's other devices, which does not come back.
func (r *undoRound) checkFields(s *undoStates, id string, result []string) {
	r.Helper()
	before, left, other, after := s.before.devices[id], s.left.devices[id], s.other.devices[id], s.after.devices[id]
	alone := s.before.owners[id] == nil || len(s.before.owners[id].Devices) == 1
	conflict := false
	for _, name := range fieldNames(before, left, other, after) {
		if name != "isPrimary" && before[name] != left[name] && other[name] != left[name] && other[name] != before[name] {
			conflict = true
		}
	}
	if conflict != (result[7] == "changed_since") && (alone || result[7] != "changed_since") {
		r.Errorf("%s: others changed what the run wrote: %t; undo says %s %s", id, conflict, result[5], result[7])
	}
	for _, name := range fieldNames(before, left, other, after) {
		want := before[name]
		if conflict || before[name] == left[name] || result[7] == "changed_since" {
			want = other[name]
		}
		if after[name] != want && (alone || name != "isPrimary") {
			r.Errorf("%s: %s was %s, %s after the run, then %s, now %s", id, name, before[name], left[name], other[name], after[name])
		}
	}
}

func fieldNames(states ...map[string]string) []string {
	all := make(map[string]bool)
	for _, s := range states {
		for name := range s {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// checkOwner checks a device whose person may have changed.
func (r *undoRound) checkOwner(s *undoStates, id string, result []string) {
	r.Helper()
	before, left, other, after := s.before.owners[id], s.left.owners[id], s.other.owners[id], s.after.owners[id]
	want := before
	if !other.same(left) || result[7] == "cannot_restore" {
		want = other
	}
	if !after.same(want) {
		r.Errorf("%s: belonged to %s, after the run to %s, then to %s, now to %s", id, before, left, other, after)
	}
	for _, name := range fieldNames(s.other.devices[id], s.after.devices[id]) {
		if name != "isPrimary" && s.other.devices[id][name] != s.after.devices[id][name] {
			r.Errorf("%s: %s was %s and is %s", id, name, s.other.devices[id][name], s.after.devices[id][name])
		}
	}
	for _, name := range fieldNames(s.before.devices[id], s.left.devices[id]) {
		if name != "isPrimary" && s.before.devices[id][name] != s.left.devices[id][name] {
			r.Errorf("%s: the run changed %s", id, name)
		}
	}
}

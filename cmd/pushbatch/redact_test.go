package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch/ops"
	"pushbatch/batch/redact"
	"pushbatch/testdata/thorough"
)

// personalRows has every kind of value; row 3 is rejected here, row 4 has a cell
// too many.
const personalRows = `registrationId,externalId,phoneNumber,email,firstName,lastName,birthday,gender,tags,customAttributes.card,customAttributes.points:number,comment
device-one-a1,ext-ivan,385911111111,ivan@example.com,Ivan,Horvat,1990-12-31,MALE,"gold,hiking",HR-1234-XY,71234,"called on Monday"
device-two-b2,marko,+385 91 222 2222,Marko.K@Example.com,Marko,Kovač,1985-05-05,MALE,silver,HR-9999,82345,plain words
device-three-c3,ext-ana,12,ana@@broken,Ana,Babić,2030-99-99,WOMAN,bronze,card77,notanumber,
device-four-d4,ext-four,385914444444,four@example.com,Četiri,Prezime,1970-01-01,FEMALE,t4,c4-secret,9,x,surplus-cell
device-five-e5,12,385915555555,five@example.com,O'Neil,"de la ""Cruz""",1971-02-02,FEMALE,t5,c5/secret,10,
`

// secretsOf are the values in a file of rows that no report may have: those that
// are no word of our own.
func secretsOf(t *testing.T, rows string) (secrets []string) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(rows))
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records[1:] {
		for _, cell := range record {
			if len(cell) > 3 && cell != "MALE" && cell != "FEMALE" { // our own messages name those two
				secrets = append(secrets, cell, url.PathEscape(cell), strings.ToLower(cell), strings.NewReplacer("+", "", " ", "").Replace(cell))
			}
		}
	}
	return append(secrets, "gold", "hiking", "911111111", "922222", "Cruz")
}

// quoting is a platform that quotes everything it is sent: in refusals, and once
// in an outage. Device one succeeds.
func quoting(t *testing.T) string {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var sent any
		_ = json.Unmarshal(body, &sent)
		said := fmt.Sprintf("no: %s of %v, not +385 91 222 2222, also other.person@elsewhere.org, 385919876543 and owner-0123456789abcdef", r.URL.Path, sent)
		answer, _ := json.Marshal(map[string]any{"requestError": map[string]any{"serviceException": map[string]any{"messageId": "48013", "text": said}}})
		w.Header().Set("Content-Type", "application/json")
		switch {
		case calls.Add(1) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.Contains(r.URL.Path, "device-one"):
			answer = []byte("{}")
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// demandNone demands that none of the texts is in a file of the folder or in what
// was said.
func demandNone(t *testing.T, dir, said string, texts []string) {
	t.Helper()
	files := map[string][]byte{"standard error": []byte(said)}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	for name, data := range files {
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				at := bytes.Index(data, []byte(text))
				t.Errorf("%s has %q: …%s…", name, text, data[max(0, at-100):min(len(data), at+100)])
			}
		}
	}
}

// redactingChild runs the binary with a key for --redact.
func redactingChild(t *testing.T, url, dir, key string, args ...string) (said string, code int) {
	t.Helper()
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, url, dir, append(args, "--redact-key-file", keyFile)...)
	code = c.code(t)
	return c.stderr.String(), code
}

const redactKey = "0123456789abcdef-test-key"

// Whatever becomes of a row, no file of the run and no word on the terminal has a
// value of it, although the platform quotes them all.
func TestRedact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := quoting(t)
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte(personalRows), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := append(secretsOf(t, personalRows), redactKey, "other.person", "385919876543", "owner-0123")
	sources := []string{"personalize", "rows.csv", "--ignore-unmapped", "--redact", "-v"}
	for _, results := range thorough.Of([]string{"csv"}, []string{"csv", "ndjson", "parquet"}) {
		said, code := redactingChild(t, url, dir, redactKey, append(sources, "--out", results, "--results", results)...)
		if code != 1 || strings.Contains(said, "give it back") {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		demandNone(t, filepath.Join(dir, results), said, secrets)
	}
	demandSameHashes(t, filepath.Join(dir, "csv"))
	for _, format := range thorough.Sample([]string{"true", "validate"}, 2) {
		said, code := redactingChild(t, url, dir, redactKey, append(sources, "--out", "dry-"+format, "--dry-run="+format)...)
		if code != 1 {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		demandNone(t, filepath.Join(dir, "dry-"+format), said, secrets)
	}
	// What is expected is told as it is.
	if err := os.WriteFile(filepath.Join(dir, "wrong.csv"), []byte("registrationId,email,phoneNumber\nd-1,eva@kos,\nd-2,,12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said, _ := redactingChild(t, url, dir, redactKey, "personalize", "wrong.csv", "--redact", "--out", "wrong")
	if !strings.Contains(said, "such as "+ops.ExampleEmail) || !strings.Contains(said, "such as "+ops.ExamplePhone) {
		t.Errorf("the examples are missing:\n%s", said)
	}
	// The name of a member may be a value, too.
	if err := os.WriteFile(filepath.Join(dir, "member.ndjson"), []byte(`{"registrationId":"d-1","externalId":"","one.member@example.com":"1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	said, code := redactingChild(t, url, dir, redactKey, "personalize", "member.ndjson", "--redact", "--ignore-unmapped", "--out", "member")
	if code != 1 {
		t.Errorf("exit code %d\n%s", code, said)
	}
	demandNone(t, filepath.Join(dir, "member"), said, []string{"one.member"})
	said, code = redactingChild(t, url, dir, redactKey, "personalize", "csv/failed.csv", "--redact", "--ignore-unmapped")
	if code != 2 || !strings.Contains(said, "pushbatch retry") {
		t.Errorf("its hashes were taken for values: exit code %d\n%s", code, said)
	}
	said, code = redactingChild(t, url, dir, redactKey, "retry", "csv", "--status", "failed,rejected", "--out", "again", "-v")
	if code != 1 || !strings.Contains(said, "personalize: 4 rows") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	demandNone(t, filepath.Join(dir, "again"), said, secrets)
}

// demandSameHashes demands that a device has one hash in all reports, that what
// says nothing of a person stays, and that a message is our own words.
func demandSameHashes(t *testing.T, run string) {
	t.Helper()
	failed, done := results(t, filepath.Join(run, "failed.csv")), results(t, filepath.Join(run, "results.csv"))
	if failed[0][0] != done[1][3] || !strings.HasPrefix(failed[0][0], redact.Prefix) || len(failed[0][0]) != len(redact.Prefix)+redact.Digits {
		t.Errorf("device two is %q in failed.csv and %q in results.csv", failed[0][0], done[1][3])
	}
	if got := done[1][8]; got != "The platform does not know the registration id." {
		t.Errorf("the message is %q", got)
	}
	if failed[0][len(failed[0])-1] != "true" {
		t.Errorf("failed.csv does not say that it is redacted: %q", failed[0])
	}
}

// killDevices are the beginnings of what writeKillRows names its devices.
var killDevices = []string{"device-1", "device-2", "device-3", "device-4", "device-5", "device-6", "device-7", "device-8", "device-9"}

// An outage ends a redacted run as any other, and is told without the platform's
// words.
func TestRedactOutage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "down: "+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	writeKillRows(t, filepath.Join(dir, "rows.csv"), 20)
	said, code := redactingChild(t, server.URL, dir, redactKey, "update", "rows.csv", "--out", "run", "--redact", "-v", "--max-outage", "1s")
	if code != 4 || !strings.Contains(said, "the platform is out of reach") || !strings.Contains(said, "what to do") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	demandNone(t, filepath.Join(dir, "run"), said, killDevices)
}

// A run goes on with the key that it was started with, or not at all.
func TestRedactResumed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	writeKillRows(t, rows, 300)
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=0-20ms,500=5%")})
	said, code := redactingChild(t, url, dir, redactKey, "update", rows, "--out", "run", "--redact", "--rate", "50", "--max-duration", "500ms", "--max-attempts", "1")
	if code != 6 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	demandNone(t, filepath.Join(dir, "run"), said, killDevices)
	if said, code = redactingChild(t, url, dir, "another-key-0123456789", "resume", "run"); code != 2 || !strings.Contains(said, "not the one this run was started with") {
		t.Errorf("another key: exit code %d\n%s", code, said)
	}
	if said, code = redactingChild(t, url, dir, redactKey, "resume", "run", "--redact=false"); code != 2 {
		t.Errorf("without --redact: exit code %d\n%s", code, said)
	}
	if said, code = redactingChild(t, url, dir, redactKey, "resume", "run", "--rate", "1000", "--max-duration", "0"); code > 1 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	demandNone(t, filepath.Join(dir, "run"), said, killDevices)
	if n := len(results(t, filepath.Join(dir, "run", "results.csv"))); n != 300 {
		t.Errorf("%d lines", n)
	}
}

// The table of an export has the devices, its reports have not.
func TestRedactExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), RefuseUnknown: true})
	sim.SeedPeople(20)
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte("registrationId\nnobody-has-this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"rows.csv"}, {"--people"}} {
		name := "run-" + strings.TrimLeft(args[0], "-")
		said, code := redactingChild(t, url, dir, redactKey, append([]string{"export", "--redact", "--to", name + ".table.csv", "--out", name, "-v"}, args...)...)
		if code > 1 {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		var ids []string
		for _, line := range results(t, filepath.Join(dir, name+".table.csv")) {
			ids = append(ids, line[0])
		}
		if len(ids) == 0 || strings.HasPrefix(ids[0], redact.Prefix) {
			t.Errorf("the table has the devices %q", ids)
		}
		demandNone(t, filepath.Join(dir, name), said, ids)
	}
}

func TestRedactNeedsAKey(t *testing.T) {
	t.Parallel()
	for _, c := range thorough.Sample([]struct {
		args []string
		says string
	}{
		{[]string{"--redact"}, "PUSHBATCH_REDACT_KEY"},
		{[]string{"--redact", "--redact-key-file", "short"}, "at least 16"},
		{[]string{"--redact", "--redact-key-file", "nowhere"}, "nowhere"},
		{[]string{"--redact-key-file", "short"}, "--redact, which is not given"},
	}, 2) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "short"), []byte("short"), 0o600); err != nil {
			t.Fatal(err)
		}
		child := start(t, "http://127.0.0.1:1", dir, append([]string{"update", "rows.csv"}, c.args...)...)
		if code := child.code(t); code != 2 || !strings.Contains(child.stderr.String(), c.says) {
			t.Errorf("%q: exit code %d\n%s", c.args, code, &child.stderr)
		}
	}
}

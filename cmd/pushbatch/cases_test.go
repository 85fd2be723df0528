package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// Files that went wrong once: what is sent of them, what is refused, what is told.
func TestFilesThatWentWrong(t *testing.T) {
	t.Parallel()
	packed := func(text string) string {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(w.EncodeAll([]byte(text), nil))
	}
	skippable := "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" // parallel compressors begin with one
	one := "registrationId,externalId,email\nr1,e1,a@b.com\n"
	for _, c := range thorough.Sample([]struct {
		name, data string
		args       []string
		code       int
		sent       int64
		says       []string
		results    []string // of results.csv
		failed     []string
	}{
		{name: "rows.csv.zst", data: skippable + packed(one), args: []string{"personalize"}, sent: 1},
		{name: "frames.csv.zst", data: packed(one) + skippable + packed("r2,e2,\n"), args: []string{"personalize", "--compression", "zstd"}, sent: 2},
		{
			name: "half.ndjson", args: []string{"personalize"}, code: exitBadRows, sent: 1,
			data:    `{"registrationId":"r1","externalId":"e1"}` + "\n" + `{"registrationId":"r2","externalId":"e2","firstName":"Ana \ud83d"}` + "\n",
			results: []string{",rejected,,encoding_invalid,"}, failed: []string{"Ana", "r2,e2"},
		},
		{
			name: "half-low.ndjson", args: []string{"update"}, code: exitBadRows, sent: 1,
			data:    `{"registrationId":"r1","additionalData":{"x":1}}` + "\n" + `{"registrationId":"r2","additionalData":{"note":"\udc00 Iva"}}` + "\n",
			results: []string{",rejected,,encoding_invalid,"}, failed: []string{"Iva", "r2"},
		},
		{name: "unused.csv", data: "registrationId,externalId,comment\nr1,e1,caf\xe9\nr2,e2,ok\n", args: []string{"personalize", "--ignore-unmapped", "--encoding", "utf-8"}, sent: 2},
		{name: "unused-null.csv", data: "registrationId,externalId,note\nr1,e1,\"a\nb\"\nr2,e2,\x01\n", args: []string{"personalize", "--ignore-unmapped"}, sent: 2},
		{
			name: "joined.csv", data: "registrationId,email\nr1,a@b.com\n\nREGISTRATION_ID,Email\nr2,b@b.com\nregistrationId,email\n", args: []string{"personalize"},
			code: exitBadRows, sent: 2, results: []string{"rejected,,header_repeated"},
		},
		{
			name: "tags.csv", data: "registrationId,externalId,email,tags\nr1,u1,bad mail,\"[\"\"\"\",\"\"a\"\",\"\"\"\"]\"\nr2,u2,,|a||b\n", args: []string{"personalize"},
			code: exitBadRows, sent: 1, results: []string{"email_invalid;tag_empty"},
		},
		{name: "table.feather", data: "ARROW1\x00\x00" + strings.Repeat("\x10\x00", 300), args: []string{"depersonalize"}, code: exitUsage, says: []string{"Arrow file", "write it as Parquet"}},
		{name: "picture.csv", data: "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\x01", 300), args: []string{"depersonalize"}, code: exitUsage, says: []string{"PNG"}},
		{name: "book.csv", data: "PK\x03\x04" + strings.Repeat("\x00\x01", 300), args: []string{"depersonalize"}, code: exitUsage, says: []string{"book.csv"}},
	}, 3) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.name), []byte(c.data), 0o600); err != nil {
				t.Fatal(err)
			}
			prepare(t, url, dir, append(c.args, c.name, "--out", "run", "--rate", "1000")...).demandEnd(t, c.code, c.says...)
			if n := sim.Stats().Effects; n != c.sent {
				t.Errorf("%d rows were sent, want %d", n, c.sent)
			}
			for file, wants := range map[string][]string{"results.csv": c.results, "failed.csv": c.failed} {
				for _, want := range wants {
					if data, err := os.ReadFile(filepath.Join(dir, "run", file)); !strings.Contains(string(data), want) {
						t.Errorf("%s lacks %q: %v\n%s", file, want, err, data)
					}
				}
			}
		})
	}
}

// Control characters of a header, a cell or a file's name reach neither the terminal
// nor the log.
func TestControlCharactersAreNotPrinted(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	name := "in\x1b]0;x\x07.csv"
	data := "registrationId,email,\x1b[31mred\u009b\u202e\x7f\nr1,a@b.com,\x1b[2J\nr2,\x1b]8;;http://x\x07bad\u0085,x\n"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range append([][]string{{"personalize", name, "--ignore-unmapped", "--out", "run"}}, thorough.Sample([][]string{
		{"inspect", name},
		{"inspect", name, "--show-values", "--ignore-unmapped", "--operation", "personalize"},
		{"personalize", name, "--out", "refused"},
		{"personalize", name, "--ignore-unmapped", "--out", "json", "--log-format", "json", "-v"},
		{"report", "run"},
		{"status", "run"},
		{"status", "run", "--json"},
		{"personalize", name + "\x1b[5m-none"},
	}, 3)...) {
		c := prepare(t, url, dir, args...)
		var stdout strings.Builder
		c.Stdout = &stdout
		c.begin(t)
		_ = c.code(t)
		for _, r := range stdout.String() + c.stderr.String() {
			if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f || r == '\u202e' {
				t.Errorf("%q printed %q:\n%q\n%q", args, r, stdout.String(), c.stderr.String())
				break
			}
		}
	}
}

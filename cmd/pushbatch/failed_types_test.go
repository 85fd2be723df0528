package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// A row of a typed file that was rejected, fixed in failed.csv and given back
// is sent with the types it had.
func TestFailedKeepsTypes(t *testing.T) {
	t.Parallel()
	type device struct {
		ID    string `parquet:"registrationId"`
		Score int64  `parquet:"additionalData.score"`
		VIP   bool   `parquet:"additionalData.vip"`
		Note  string `parquet:"additionalData.note"`
	}
	dir := t.TempDir()
	if err := parquet.WriteFile(filepath.Join(dir, "d.parquet"), []device{{"", 9007199254740993, true, "007"}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "d.ndjson"), `{"registrationId":"","additionalData.score":9007199254740993,"additionalData.vip":true,"additionalData.note":"007"}`+"\n")
	_, url := serve(t, simulator.Config{})
	for _, input := range thorough.Sample([]string{"d.parquet", "d.ndjson"}, 2) {
		c := start(t, url, dir, "update", input, "--dry-run", "--out", "first-"+input)
		if code := c.code(t); code != exitBadRows {
			t.Fatalf("exit code %d\n%s", code, &c.stderr)
		}
		failed := filepath.Join(dir, "first-"+input, "failed.csv")
		data, err := os.ReadFile(failed)
		if err != nil {
			t.Fatal(err)
		}
		header, row, _ := strings.Cut(string(data), "\n")
		if want := "registrationId,additionalData.score:number,additionalData.vip:boolean,additionalData.note,_row"; !strings.HasPrefix(header, want) {
			t.Fatalf("the header is %s", header)
		}
		if err := os.WriteFile(failed, []byte(header+"\ndevice-1"+row), 0o600); err != nil {
			t.Fatal(err)
		}
		c = start(t, url, dir, "update", failed, "--dry-run", "--out", "second-"+input)
		if code := c.code(t); code != exitDone {
			t.Fatalf("mended: exit code %d\n%s", code, &c.stderr)
		}
		requests, err := os.ReadFile(filepath.Join(dir, "second-"+input, "requests.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		if want := `"body":{"additionalData":{"score":9007199254740993,"vip":true,"note":"007"}}`; !strings.Contains(string(requests), want) {
			t.Errorf("sent again as %s", requests)
		}
	}
}

// Parts whose types differ, fixed in failed.csv and given back, are sent with the
// types of each; a row that gives both is rejected.
func TestFailedKeepsTypesOfParts(t *testing.T) {
	t.Parallel()
	type number struct {
		ID    string `parquet:"registrationId"`
		Email string `parquet:"email"`
		X     int64  `parquet:"customAttributes.x"`
	}
	type text struct {
		ID    string `parquet:"registrationId"`
		Email string `parquet:"email"`
		X     string `parquet:"customAttributes.x"`
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "parts"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(filepath.Join(dir, "parts", "a.parquet"), []number{{"r1", "bad", 5}, {"r3", "bad", 6}}); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(filepath.Join(dir, "parts", "b.parquet"), []text{{"r2", "bad", "gold"}}); err != nil {
		t.Fatal(err)
	}
	_, url := serve(t, simulator.Config{})
	c := start(t, url, dir, "personalize", "parts", "--dry-run", "--out", "first")
	if code := c.code(t); code != exitBadRows {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	failed := filepath.Join(dir, "first", "failed.csv")
	data, err := os.ReadFile(failed)
	if err != nil {
		t.Fatal(err)
	}
	mended := strings.Replace(strings.ReplaceAll(string(data), ",bad,", ",a@example.com,"), "r3,a@example.com,6,", "r3,a@example.com,6,both", 1)
	if err := os.WriteFile(failed, []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	c = start(t, url, dir, "personalize", failed, "--dry-run", "--out", "second")
	if code := c.code(t); code != exitBadRows {
		t.Fatalf("mended: exit code %d\n%s", code, &c.stderr)
	}
	requests, err := os.ReadFile(filepath.Join(dir, "second", "requests.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"customAttributes":{"x":5}`, `"customAttributes":{"x":"gold"}`} {
		if !strings.Contains(string(requests), want) {
			t.Errorf("no %s in %s", want, requests)
		}
	}
	results, err := os.ReadFile(filepath.Join(dir, "second", "results.csv"))
	if err != nil || strings.Count(string(results), ",rejected,") != 1 || !strings.Contains(string(results), "attribute_repeated") {
		t.Errorf("%v\n%s", err, results)
	}
}

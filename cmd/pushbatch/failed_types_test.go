package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"pushbatch/apiclient/simulator"
)

// A row of a typed file that was rejected, mended in failed.csv and given back
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
	for _, input := range []string{"d.parquet", "d.ndjson"} {
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

package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// nestedDevice has what warehouses nest: structs, lists and maps, each of them
// null in some row.
type nestedDevice struct {
	ID       string `parquet:"registrationId"`
	Identity *struct {
		ExternalID *string `parquet:"externalId,optional"`
		Email      *string `parquet:"email,optional"`
	} `parquet:"identity,optional"`
	Attributes struct {
		FirstName string            `parquet:"firstName,dict"`
		Tags      []string          `parquet:"tags,list"`
		Custom    map[string]string `parquet:"customAttributes,optional"`
	} `parquet:"attributes"`
}

// nestedUpdate has additionalData as a struct, whose fields keep their types.
type nestedUpdate struct {
	ID   string `parquet:"registrationId"`
	Data *struct {
		Score *int64   `parquet:"score,optional"`
		Ratio *float64 `parquet:"ratio,optional"`
		VIP   *bool    `parquet:"vip,optional"`
		Born  *int32   `parquet:"born,optional,date"`
		Note  *string  `parquet:"note,optional"`
	} `parquet:"additionalData,optional"`
	System *struct {
		Enabled bool `parquet:"registrationEnabled"`
	} `parquet:"systemData,optional"`
}

// Nested columns of Parquet become what the platform nests, through the binary.
func TestNestedParquet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, url := serve(t, simulator.Config{})
	full := nestedDevice{ID: "device-1"}
	full.Identity = &struct {
		ExternalID *string `parquet:"externalId,optional"`
		Email      *string `parquet:"email,optional"`
	}{new("ann"), nil}
	full.Attributes.FirstName, full.Attributes.Tags = "Ana", []string{"vip", "news"}
	full.Attributes.Custom = map[string]string{"city": "Split"}
	bare := nestedDevice{ID: "device-2"}
	update := nestedUpdate{ID: "device-3"}
	update.Data = &struct {
		Score *int64   `parquet:"score,optional"`
		Ratio *float64 `parquet:"ratio,optional"`
		VIP   *bool    `parquet:"vip,optional"`
		Born  *int32   `parquet:"born,optional,date"`
		Note  *string  `parquet:"note,optional"`
	}{new(int64(9007199254740993)), new(0.5), new(true), new(int32(11016)), nil}
	plain := nestedUpdate{ID: "device-4"}
	plain.System = &struct {
		Enabled bool `parquet:"registrationEnabled"`
	}{}
	writeParquetFile(t, filepath.Join(dir, "personalize.parquet"), full, bare)
	writeParquetFile(t, filepath.Join(dir, "update.parquet"), update, plain)
	for operation, want := range map[string]struct {
		code     int
		requests []string
	}{
		"personalize": {exitBadRows, []string{ // the second row names nobody
			`"body":{"identity":{"externalId":"ann"},"attributes":{"firstName":"Ana","tags":["vip","news"],"customAttributes":{"city":"Split"}}}`,
		}},
		"update": {exitDone, []string{
			`"body":{"additionalData":{"score":9007199254740993,"ratio":0.5,"vip":true,"born":"2000-02-29"}}`,
			`"body":{"systemData":{"registrationEnabled":false}}`,
		}},
	} {
		c := start(t, url, dir, operation, operation+".parquet", "--dry-run", "--out", operation)
		if code := c.code(t); code != want.code {
			t.Fatalf("%s: exit code %d, want %d\n%s", operation, code, want.code, &c.stderr)
		}
		requests, err := os.ReadFile(filepath.Join(dir, operation, "requests.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(requests)), "\n")
		if len(lines) != len(want.requests) {
			t.Fatalf("%s: %d requests, want %d:\n%s", operation, len(lines), len(want.requests), requests)
		}
		for i, line := range lines {
			if !strings.Contains(line, want.requests[i]) {
				t.Errorf("%s: %s is not in %s", operation, want.requests[i], line)
			}
		}
	}
}

func writeParquetFile[T any](t *testing.T, path string, rows ...T) {
	t.Helper()
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
}

// What only goes by the name of a table is called by its own: by a job, which
// does not begin, and by inspect.
func TestForeignFilesAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, url := serve(t, simulator.Config{})
	files := []struct{ name, data, says string }{
		{"workbook.csv", archive(t, "[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (.xlsx)"},
		{"archive.csv", archive(t, "devices.csv"), "a zip archive"},
		{"page.csv", "\r\n<!DOCTYPE HTML><html><body>sign in</body></html>", "a web page (HTML)"},
		{"table.csv", "<table><tr><td>registrationId</td></tr></table>", "an HTML table"},
		{"array.csv", "[\n  {\"registrationId\": \"device-1\"}\n]\n", "a JSON array"},
		{"pretty.csv", "{\n  \"registrationId\": \"device-1\"\n}\n", "JSON, but not one object a line"},
		{"feed.csv", "<?xml version=\"1.0\"?><rows/>", "an XML document"},
		{"named.parquet", "registrationId,externalId\ndevice-1,ann\n", "not Parquet"},
	}
	for i, tt := range thorough.Sample(files, 4) {
		write(t, filepath.Join(dir, tt.name), tt.data)
		for _, args := range [][]string{{"personalize", tt.name, "--dry-run", "--out", "none"}, {"inspect", tt.name}} {
			c := start(t, url, dir, args...)
			if code := c.code(t); code != exitUsage {
				t.Errorf("%d: %v: exit code %d\n%s", i, args, code, &c.stderr)
			}
			if args[0] == "personalize" && !strings.Contains(c.stderr.String(), tt.says) {
				t.Errorf("%v does not say %q: %s", args, tt.says, &c.stderr)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("a run has begun: %v", err)
	}
}

// archive is a zip file with empty files of these names.
func archive(t *testing.T, names ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
)

var pageNumber = regexp.MustCompile(`data-key="([^"]+)" data-value="([^"]*)">([^<]*)<`)

// The page of an export draws what summary.json counts, with the same numbers.
func TestExportPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	sim.SeedPeople(1500)
	c := start(t, url, dir, "export", "--people", "--to", "d.ndjson", "--out", "run", "--list-rate", "1000")
	demandCode(t, c, c.code(t))
	page, err := os.ReadFile(filepath.Join(dir, "run", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "run", "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	sums := make(map[string]int64)
	for _, m := range pageNumber.FindAllStringSubmatch(string(page), -1) {
		key, raw, shown := m[1], m[2], html.UnescapeString(m[3])
		if have := fmt.Sprint(member(t, all, key)); have != raw {
			t.Errorf("%s is %s on the page and %s in summary.json", key, raw, have)
		}
		if digits := strings.ReplaceAll(shown, ",", ""); strings.HasPrefix(key, "inventory.") {
			n, err := strconv.ParseInt(digits, 10, 64)
			if err != nil || digits != raw {
				t.Errorf("%s is shown as %s", key, shown)
			}
			sums[strings.Split(key, ".")[1]] += n
		}
	}
	devices := int64(member(t, all, "devices").(float64))
	for _, view := range []string{"os", "os_version", "app_version", "notifications", "device_model", "sdk_version", "cloud_type", "personalized", "primary"} {
		if sums[view] != devices {
			t.Errorf("the chart of %s has %d of %d devices", view, sums[view], devices)
		}
	}
}

// member finds a value by its path in decoded JSON.
func member(t *testing.T, v any, path string) any {
	t.Helper()
	for name := range strings.SplitSeq(path, ".") {
		switch have := v.(type) {
		case map[string]any:
			v = have[name]
		case []any:
			at, err := strconv.Atoi(name)
			if err != nil || at >= len(have) {
				t.Fatalf("no %s in %s", name, path)
			}
			v = have[at]
		default:
			t.Fatalf("no %s in %s", name, path)
		}
	}
	return v
}

package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// An inventory with attributes, personalized into an empty platform, gives the same
// inventory but for what cannot be set.
func TestInventoryRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	columns := "registration_id,external_id,phone,email,first_name,last_name,middle_name,birthday,gender,tags,custom_attributes"
	first, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), WebPush: 20, Contacts: 2})
	people := thorough.Of(50, 120)
	first.SeedPeople(people)
	c := start(t, url, dir, "export", "--people", "--person-attributes", "--to", "all.parquet", "--list-rate", "1000", "--out", "out")
	demandCode(t, c, c.code(t))
	_, empty := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	c = start(t, empty, dir, "personalize", "all.parquet", "--rate", "5000", "--out", "in")
	demandCode(t, c, c.code(t))
	for name, from := range map[string]string{"before": url, "after": empty} {
		c = start(t, from, dir, "export", "--people", "--person-attributes", "--columns", columns, "--to", name+".csv", "--list-rate", "1000", "--out", "out-"+name)
		demandCode(t, c, c.code(t))
	}
	before, after := byDevice(t, filepath.Join(dir, "before.csv")), byDevice(t, filepath.Join(dir, "after.csv"))
	if len(before) < people || len(after) != len(before) {
		t.Fatalf("%d and %d devices", len(before), len(after))
	}
	different := 0
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if before[id] != after[id] {
			if different++; different < 4 {
				t.Errorf("%s was\n%s, is\n%s", id, before[id], after[id])
			}
		}
	}
}

func byDevice(t *testing.T, path string) map[string]string {
	t.Helper()
	devices := make(map[string]string)
	for _, r := range results(t, path) {
		devices[r[0]] = fmt.Sprint(strings.Join(r[1:], "|"))
	}
	return devices
}

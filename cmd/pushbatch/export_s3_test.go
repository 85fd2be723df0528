package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/readers"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/inventory"
)

// A walk over people whose run folder and table are in S3 (versitygw) is killed
// and resumed by a process with an empty disk.
func TestExportToS3(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=100ms")})
	sim.SeedPeople(12_000)
	before := devicesOf(t, sim)
	reach := []string{"--s3-endpoint-url", server.Endpoint, "--s3-path-style", "--s3-lease", "4s", "--s3-checkpoint-every", "200ms"}
	args := append([]string{
		"export", "--people", "--out", server.Location("runs/1"), "--to", server.Location("tables/devices.csv"),
		"--columns", "registration_id,person_id", "--list-rate", "100",
	}, reach...)
	for range 2 {
		c := start(t, url, t.TempDir(), args...)
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(&c.stderr)
			}
		})
		asked := sim.Stats().Requests
		eventually(t, "pages to be read", func() bool { return sim.Stats().Requests >= asked+4 })
		_ = c.Process.Kill()
		if code := c.code(t); code != -1 {
			t.Fatalf("exit code %d before it was killed\n%s", code, &c.stderr)
		}
		if _, there := server.Get(t, "tables/devices.csv"); there {
			t.Error("a table is to be seen before the run has ended")
		}
		args = append([]string{"resume", server.Location("runs/1")}, reach...)
	}
	c := start(t, url, t.TempDir(), args...)
	demandCode(t, c, c.code(t))
	data, there := server.Get(t, "tables/devices.csv")
	if _, manifest := server.Get(t, "tables/_manifest.json"); !there || !manifest {
		t.Fatal("the table or its manifest is not there")
	}
	path := filepath.Join(t.TempDir(), "devices.csv")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	demandDevices(t, path, before, before)
	if _, left := server.Get(t, "runs/1/inventory.spool"); left {
		t.Error("what the table was made of is left")
	}
}

// Days in S3: the next day asks only for people who changed, is what a whole export
// finds, and its change feed leads there from the day before.
func TestDaysInS3(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), WebPush: 20})
	sim.SeedPeople(400)
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		c := start(t, url, dir, append(args, "--s3-endpoint-url", server.Endpoint, "--s3-path-style")...)
		demandCode(t, c, c.code(t))
	}
	export := func(out string, args ...string) {
		t.Helper()
		run(append([]string{"export", "--people", "--person-attributes", "--list-rate", "1000", "--out", out}, args...)...)
	}
	days := server.Location("days/")
	export("first", "--daily", "--to", days)
	latest := moveToYesterday(t, server)
	first := rowsByDevice(t, server, latest.Devices)

	time.Sleep(1100 * time.Millisecond) // the platform's times are whole seconds
	ids := slices.Sorted(maps.Keys(first))
	writeRows(t, filepath.Join(dir, "update.csv"), "registrationId,registrationEnabled", ids[:40], ",false")
	run("update", "update.csv", "--rate", "5000", "--out", "update")
	writeRows(t, filepath.Join(dir, "give.csv"), "registrationId,externalId", ids[40:60], ",new-owner")
	run("personalize", "give.csv", "--force-depersonalize", "--rate", "5000", "--out", "give")
	writeRows(t, filepath.Join(dir, "drop.csv"), "registrationId", ids[60:80], "")
	run("depersonalize", "drop.csv", "--rate", "5000", "--out", "drop")
	sim.AddPeople(30)

	export("second", "--daily", "--since-last", "--to", days)
	data, _ := server.Get(t, "days/latest.json")
	if err := json.Unmarshal(data, &latest); err != nil || latest.Changes == "" {
		t.Fatalf("%s: %v", data, err)
	}
	export("whole", "--to", server.Location("days/whole.parquet"))
	second, whole := rowsByDevice(t, server, latest.Devices), rowsByDevice(t, server, "whole.parquet")
	if diff := cmp.Diff(whole, second); diff != "" {
		t.Errorf("the day of what changed is not what a whole export finds (-whole +day):\n%s", diff)
	}
	told := make(map[string]int)
	for _, c := range openRows(t, server, latest.Changes) {
		told[c["change"]]++
		if first[c["registration_id"]] == nil {
			first[c["registration_id"]] = make(map[string]string)
		}
		if first[c["registration_id"]][c["column"]] = c["after"]; c["change"] == inventory.Vanished {
			delete(first, c["registration_id"])
		}
	}
	for _, row := range first { // empty: not there
		maps.DeleteFunc(row, func(_, text string) bool { return text == "" })
	}
	if diff := cmp.Diff(second, first); diff != "" || len(told) != 3 {
		t.Errorf("the feed does not lead from the first day to the second (-day +applied): %v\n%s", told, diff)
	}
}

// An input in S3 is split into parts in S3, each part is run into S3 by a limit that is
// shared there, and the runs add up.
func TestSplitInS3(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	var rows strings.Builder
	rows.WriteString("registrationId,externalId\n")
	for i := range 500 {
		fmt.Fprintf(&rows, "device-%d,person-%d\n", i%400, i%50)
	}
	input, dir := server.Put(t, "in.csv", []byte(rows.String())), t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		c := prepare(t, "", dir, append(args, "--s3-endpoint-url", server.Endpoint, "--s3-path-style")...)
		var out strings.Builder
		c.Stdout = &out
		c.begin(t)
		demandCode(t, c, c.code(t))
		return out.String()
	}
	run("split", input, "--parts", "3", "--to", server.Location("parts"))
	var runs []string
	for i := range 3 {
		to := server.Location(fmt.Sprint("runs/", i))
		run("personalize", server.Location(fmt.Sprintf("parts/part-%05d.parquet", i)), "--simulate", "--rate", "5000", "--allow-empty",
			"--share-limit", server.Location("limit.json"), "--out", to)
		runs = append(runs, to)
	}
	if text := run(append([]string{"report"}, runs...)...); !strings.Contains(text, "personalize: 500 rows") || !strings.Contains(text, "succeeded  500") {
		t.Errorf("the parts do not add up:\n%s", text)
	}
	if record, _ := server.Get(t, "limit.json"); !strings.Contains(string(record), `"rate":5000`) {
		t.Errorf("the limit was not shared: %s", record)
	}
}

// moveToYesterday makes the day of a folder of days one that is long ago.
func moveToYesterday(t *testing.T, server *s3test.Server) (latest inventory.Latest) {
	t.Helper()
	data, _ := server.Get(t, "days/latest.json")
	if err := json.Unmarshal(data, &latest); err != nil || latest.Changes != "" {
		t.Fatalf("%s: %v", data, err)
	}
	table, there := server.Get(t, "days/"+latest.Devices)
	if !there {
		t.Fatal("no table of the first day")
	}
	server.Delete(t, "days/"+latest.Devices)
	latest.Day, latest.Devices = "2026-01-01", "day=2026-01-01/devices.parquet"
	server.Put(t, "days/"+latest.Devices, table)
	data, err := json.Marshal(latest)
	if err != nil {
		t.Fatal(err)
	}
	server.Put(t, "days/latest.json", data)
	return latest
}

func writeRows(t *testing.T, path, header string, ids []string, rest string) {
	t.Helper()
	text := header + "\n" + strings.Join(ids, rest+"\n") + rest + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// openRows reads a table below days/: column -> text; what is empty is not there.
func openRows(t *testing.T, server *s3test.Server, name string) (rows []map[string]string) {
	t.Helper()
	data, there := server.Get(t, "days/"+name)
	path := filepath.Join(t.TempDir(), "table.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil || !there {
		t.Fatalf("%s: %v", name, err)
	}
	_, source, err := readers.OpenFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for row, err := range source.Rows(t.Context(), batch.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		texts := make(map[string]string)
		for i, c := range source.Header() {
			if text := row.Values[i].String(); text != "" {
				texts[c.Name] = strings.Replace(text, ".000Z", "Z", 1) // as times are read
			}
		}
		rows = append(rows, texts)
	}
	return rows
}

// rowsByDevice are the rows of a table, but when they were exported.
func rowsByDevice(t *testing.T, server *s3test.Server, name string) map[string]map[string]string {
	t.Helper()
	devices := make(map[string]map[string]string)
	for _, row := range openRows(t, server, name) {
		delete(row, "exported_at")
		devices[row["registration_id"]] = row
	}
	if len(devices) < 300 {
		t.Fatalf("%d devices in %s", len(devices), name)
	}
	return devices
}

package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/writers/inventory"
)

// An export is killed while it renders its table, which is to take the place of
// another one. Until the end the old table is whole; then the new one is, and
// nothing else is in the folder.
func TestExportKilledWhileRendering(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), CountersOnly: true})
	sim.SeedPeople(3_000)
	before := devicesOf(t, sim)
	table := filepath.Join(dir, "devices")
	export := func(split, run string) []string {
		return []string{
			"export", "--people", "--to", "devices.csv.zst", "--columns", "registration_id,person_id", "--split", split, "--out", run, "--list-rate", "5000",
		}
	}
	c := start(t, url, dir, export("100", "old")...)
	demandCode(t, c, c.code(t))
	old := wholeTable(t, table)
	args := export("200", "new")
	for _, written := range []int{1, 5, 12} {
		c := start(t, url, dir, args...)
		eventually(t, "files to be rendered", func() bool {
			found, err := filepath.Glob(filepath.Join(table, ".part-*"))
			return err == nil && len(found) >= written
		})
		_ = c.Process.Kill()
		if code := c.code(t); code != -1 {
			t.Fatalf("exit code %d before it was killed\n%s", code, &c.stderr)
		}
		if now := wholeTable(t, table); !slices.Equal(now, old) {
			t.Fatal("the old table is not as it was")
		}
		args = []string{"resume", "new"}
	}
	c = start(t, url, dir, args...)
	demandCode(t, c, c.code(t))
	files := wholeTable(t, table)
	entries, err := os.ReadDir(table)
	if err != nil || len(entries) != len(files)+1 || len(files) >= len(old) {
		t.Fatalf("%d files in the folder, %d of the table, %d of the old one: %v", len(entries), len(files), len(old), err)
	}
	c = start(t, url, dir, "export", filepath.Join("devices", "part-*"), "--ignore-unmapped", "--to", "again.csv", "--columns", "registration_id,status", "--rate", "50000", "--out", "again")
	demandCode(t, c, c.code(t))
	demandDevices(t, filepath.Join(dir, "again.csv"), before, before)
}

// wholeTable returns the files of a table after it has made sure that all are
// what the manifest says.
func wholeTable(t *testing.T, folder string) (names []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, inventory.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	var m inventory.Manifest
	if err := json.Unmarshal(data, &m); err != nil || len(m.Files) == 0 {
		t.Fatalf("%d files: %v", len(m.Files), err)
	}
	for _, f := range m.Files {
		data, err := os.ReadFile(filepath.Join(folder, f.Path))
		if err != nil || int64(len(data)) != f.Bytes || fmt.Sprintf("%x", sha256.Sum256(data)) != f.SHA256 {
			t.Fatalf("%s is not what the manifest says: %d bytes, %v", f.Path, len(data), err)
		}
		names = append(names, f.Path)
	}
	return names
}

// A walk that gets each device it finds is killed and resumed: no device is
// missing, none is there twice, each has what only a get tells.
func TestExportDetailKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim, url := serve(t, simulator.Config{
		Limits: simulator.PushLimits(0, 0), CountersOnly: true, Faults: faults(t, "latency=0-20ms,cut-after=1%,500=1%"),
	})
	sim.SeedPeople(300)
	before := devicesOf(t, sim)
	args := []string{
		"export", "--people", "--detail", "--to", "d.csv", "--columns", "registration_id,device_manufacturer,person_id,status",
		"--out", "run", "--rate", "5000", "--list-rate", "5000",
	}
	const kills = 5
	for range kills {
		c := start(t, url, dir, args...)
		asked := sim.Stats().Requests
		eventually(t, "devices to be asked for", func() bool { return sim.Stats().Requests >= asked+int64(len(before)/(2*kills)) })
		_ = c.Process.Kill()
		if code := c.code(t); code != -1 {
			t.Fatalf("exit code %d before it was killed\n%s", code, &c.stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "run", "job.json")); err == nil {
			args = []string{"resume", "run"}
		}
	}
	c := start(t, url, dir, args...)
	demandCode(t, c, c.code(t))
	demandDevices(t, filepath.Join(dir, "d.csv"), before, before)
	file, err := os.Open(filepath.Join(dir, "d.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil || len(records) != len(before)+1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records[1:] {
		if r[1] == "" || r[2] == "" || r[3] != "succeeded" {
			t.Fatalf("%q", r)
		}
	}
	t.Logf("%d requests for %d devices", sim.Stats().Requests, len(before))
}

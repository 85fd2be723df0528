package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// A walk that gets each device it finds is killed and resumed: no device is
// missing, none is there twice, each has what only a get tells.
func TestExportDetailKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim, url := serve(t, simulator.Config{
		Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=0-20ms,cut-after=1%,500=1%"),
	})
	sim.SeedPeople(thorough.Of(120, 300))
	before := devicesOf(t, sim)
	args := []string{
		"export", "--people", "--detail", "--to", "d.csv", "--columns", "registration_id,device_manufacturer,person_id,status",
		"--out", "run", "--rate", "5000", "--list-rate", "5000",
	}
	kills := thorough.Of(2, 5)
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

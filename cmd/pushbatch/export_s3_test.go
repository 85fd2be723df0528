package main

import (
	"os"
	"path/filepath"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch/blob/s3test"
)

// A walk over people whose run folder and table are in S3 (versitygw) is killed
// and resumed by a process with an empty disk.
func TestExportToS3(t *testing.T) {
	full(t)
	t.Parallel()
	server := s3test.Start(t)
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), CountersOnly: true, Faults: faults(t, "latency=100ms")})
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

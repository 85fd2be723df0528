package main

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/report"
)

// exportPeople is how many people TestExportKills walks over: a short form by
// default; the long one is 200000.
var exportPeople = flag.Int("export-people", 20_000, "people that TestExportKills walks over")

// The listing is walked while people come and go, and the walk is killed and
// resumed: every device that was there all the time is in the table, none is
// there twice.
func TestExportKills(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	dir := t.TempDir()
	sim, url := serve(t, simulator.Config{
		Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=0-40ms,cut-after=2%"), WebPush: 30,
	})
	sim.SeedPeople(*exportPeople)
	before := devicesOf(t, sim)
	dice := rand.New(rand.NewPCG(5, 6))
	args := []string{"export", "--people", "--to", "devices.csv", "--out", "run", "--columns", "registration_id,person_id,channel"}
	const kills = 8
	for dealt := 0; ; dealt++ {
		c := start(t, url, dir, append(args, "--list-rate", "5000")...)
		ended := make(chan struct{})
		go func() { // ends with the child
			for moment := 60 + dice.IntN(300); ; moment -= 20 {
				select {
				case <-time.After(20 * time.Millisecond):
					sim.AddPeople(1 + *exportPeople/20_000)
					sim.RemovePeople(2 + *exportPeople/10_000)
				case <-ended:
					return
				}
				if moment <= 0 && dealt < kills {
					_ = c.Process.Kill() // it may have ended by itself
				}
			}
		}()
		code := c.code(t)
		close(ended)
		if code != -1 {
			demandCode(t, c, code)
			t.Logf("%d kills", dealt)
			if dealt == 0 {
				t.Error("no kill met the export")
			}
			break
		}
		if _, err := os.Stat(filepath.Join(dir, "run", "job.json")); err == nil {
			args = []string{"resume", "run"}
		}
	}
	demandDevices(t, filepath.Join(dir, "devices.csv"), before, devicesOf(t, sim))
	demandPeopleSummary(t, filepath.Join(dir, "run", "summary.json"))
}

// devicesOf lists the registration ids of all people.
func devicesOf(t *testing.T, sim *simulator.Simulator) map[string]bool {
	t.Helper()
	var state strings.Builder
	if err := sim.WriteState(&state); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for line := range strings.Lines(state.String()) {
		var entry struct {
			Person *struct {
				Devices []string `json:"devices"`
			} `json:"person"`
		}
		if !strings.HasPrefix(line, `{"person"`) {
			continue
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		for _, id := range entry.Person.Devices {
			ids[id] = true
		}
	}
	return ids
}

func demandDevices(t *testing.T, path string, before, after map[string]bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen, channels := make(map[string]bool, len(records)), make(map[string]int)
	for i, r := range records[1:] {
		channels[r[len(r)-1]]++
		if seen[r[0]] {
			t.Fatalf("line %d: device %s is there twice", i+2, r[0])
		}
		seen[r[0]] = true
	}
	always := 0
	for id := range before {
		if !after[id] {
			continue
		}
		always++
		if !seen[id] {
			t.Fatalf("device %s was there all the time and is not in the table", id)
		}
	}
	t.Logf("%d devices, %d of them there all the time", len(seen), always)
	if records[0][len(records[0])-1] == "channel" && (channels["push"] == 0 || channels["webpush"] == 0) {
		t.Fatalf("not both lists: %v", channels)
	}
	if always < len(before)/2 {
		t.Fatalf("only %d of %d devices were there all the time", always, len(before))
	}
}

func demandPeopleSummary(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s report.Summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if s.People == nil || s.People.Total == nil || s.People.Listed == 0 {
		t.Fatalf("people: %+v", s.People)
	}
	t.Logf("listed %d, total %s, %d pages again", s.People.Listed, strconv.FormatInt(*s.People.Total, 10), s.People.Repeated)
}

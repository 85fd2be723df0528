package inventory_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
	"pushbatch/writers/inventory"
	"pushbatch/writers/table"
)

// account is a platform that lives: devices come and go, change their owner, their
// versions rise.
type account struct {
	dice    *rand.Rand
	layout  *inventory.Layout
	owners  map[string]string            // device -> person
	devices map[string]map[string]string // device -> column -> value
	changed map[string]bool              // people since the last day
	next    int
}

func newAccount(seed uint64, n int) *account {
	a := &account{
		dice: rand.New(rand.NewPCG(seed, 1)), layout: inventory.NewLayout(true, true),
		owners: make(map[string]string), devices: make(map[string]map[string]string),
	}
	for range n {
		a.add()
	}
	return a
}

func (a *account) add() {
	id := fmt.Sprintf("device-%06d", a.next)
	a.next++
	a.give(id, strconv.Itoa(a.dice.IntN(max(1, a.next/2))))
	a.devices[id] = map[string]string{
		"application_id": "app", "channel": []string{"push", "webpush"}[a.dice.IntN(2)], "os": "iOS", "os_version": "17", "notifications_enabled": "true",
		"device_name": fmt.Sprintf("it's \"%d\", Ž", a.next), "status": "succeeded", "modified_at": "2026-01-01T00:00:00.000Z",
	}
}

func (a *account) give(device, person string) {
	if a.changed == nil {
		a.changed = make(map[string]bool)
	}
	a.changed[a.owners[device]], a.changed[person] = true, true
	a.owners[device] = person
}

// live is a day.
func (a *account) live() {
	for _, id := range slices.Sorted(maps.Keys(a.devices)) {
		d := a.devices[id]
		switch a.dice.IntN(20) {
		case 0:
			a.changed[a.owners[id]] = true
			delete(a.devices, id)
			delete(a.owners, id)
		case 1:
			a.give(id, strconv.Itoa(a.dice.IntN(a.next)))
		case 2:
			a.changed[a.owners[id]] = true
			d["os_version"], d["notifications_enabled"] = strconv.Itoa(18+a.dice.IntN(3)), strconv.FormatBool(a.dice.IntN(2) == 0)
		case 3:
			a.changed[a.owners[id]] = true
			delete(d, "device_name")
		}
	}
	for range len(a.devices) / 10 {
		a.add()
	}
}

// gather is what an export gathers of the devices of some people; nil: of all.
func (a *account) gather(t *testing.T, at time.Time, people map[string]bool) string {
	var rows [][]batch.Value
	for _, id := range slices.Sorted(maps.Keys(a.devices)) {
		if people != nil && !people[a.owners[id]] {
			continue
		}
		var row []batch.Value
		for _, c := range a.layout.Columns() {
			text := a.devices[id][c.Name]
			switch c.Name {
			case "registration_id":
				text = id
			case "person_id":
				text = a.owners[id]
			case "exported_at":
				text = at.Format("2006-01-02T15:04:05.000Z")
			}
			v := batch.Value{Kind: c.Kind, Text: text}
			if text == "" {
				v = batch.Value{}
			}
			row = append(row, v)
		}
		rows = append(rows, row)
	}
	return gather(t, len(rows), func(i int) []batch.Value { return rows[i] })
}

// without are those of some people who have no device.
func (a *account) without(people map[string]bool) (ids []string) {
	has := make(map[string]bool)
	for _, owner := range a.owners {
		has[owner] = true
	}
	for id := range people {
		if !has[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

func publishDay(t *testing.T, a *account, folder string, at time.Time, applied bool) (*inventory.Manifest, *inventory.Latest) {
	t.Helper()
	all := a.layout.Columns()
	o := &inventory.Options{All: all, Columns: all, Additional: inventory.AdditionalJSON, Open: openTable}
	d := &inventory.Daily{Folder: folder, StartedAt: at, Applied: applied}
	rows := ""
	if applied {
		rows, d.Without = a.gather(t, at, a.changed), a.without(a.changed)
	} else {
		rows = a.gather(t, at, nil)
	}
	m, l, err := inventory.PublishDay(t.Context(), rows, filepath.Join(t.TempDir(), "stage"), o, d)
	if err != nil {
		t.Fatal(err)
	}
	return m, l
}

func openTable(ctx context.Context, location string) (batch.Source, error) {
	info, err := blob.Stat(ctx, location)
	if err != nil {
		return nil, err
	}
	return readers.Open(ctx, info, readers.Options{})
}

// devicesIn reads a day: device -> column -> value, but the moment of the export.
func devicesIn(t *testing.T, path string) map[string]map[string]string {
	t.Helper()
	devices := make(map[string]map[string]string)
	for _, row := range rowsIn(t, path) {
		id := row["registration_id"]
		if devices[id] != nil {
			t.Fatalf("%s is in %s twice", id, path)
		}
		delete(row, "exported_at")
		devices[id] = row
	}
	return devices
}

func rowsIn(t *testing.T, path string) (rows []map[string]string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := parquet.NewReader(file)
	defer reader.Close()
	fields := reader.Schema().Fields()
	for range reader.NumRows() {
		values := make(map[string]any)
		if err := reader.Read(&values); err != nil {
			t.Fatal(err)
		}
		row := make(map[string]string)
		for _, f := range fields {
			switch v := values[f.Name()].(type) {
			case nil:
			case []byte:
				row[f.Name()] = string(v)
			case int64:
				row[f.Name()] = time.UnixMilli(v).UTC().Format("2006-01-02T15:04:05.000Z")
			default:
				row[f.Name()] = fmt.Sprint(v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// applyFeed brings devices to the next day.
func applyFeed(t *testing.T, devices map[string]map[string]string, path string) (sums map[string]int) {
	t.Helper()
	touched := map[string]map[string]bool{}
	for _, c := range rowsIn(t, path) {
		id := c["registration_id"]
		if touched[c["change"]] == nil {
			touched[c["change"]] = make(map[string]bool)
		}
		touched[c["change"]][id] = true
		switch c["change"] {
		case inventory.Appeared:
			if devices[id] == nil {
				devices[id] = make(map[string]string)
			}
		case inventory.Vanished:
			if devices[id][c["column"]] != c["before"] {
				t.Fatalf("before %v: %v", c, devices[id])
			}
			if delete(devices[id], c["column"]); len(devices[id]) == 0 {
				delete(devices, id)
			}
			continue
		}
		if devices[id][c["column"]] != c["before"] {
			t.Fatalf("before %v: %v", c, devices[id])
		}
		if after, has := c["after"]; has {
			devices[id][c["column"]] = after
		} else {
			delete(devices[id], c["column"])
		}
	}
	sums = make(map[string]int)
	for change, ids := range touched {
		sums[change] = len(ids)
	}
	return sums
}

// Five days of an account that lives: the feeds applied to the first day give the
// last, row by row; days of what changed since equal whole ones.
func TestDays(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%t", applied), func(t *testing.T) {
			t.Parallel()
			a := newAccount(7, 300)
			folder := t.TempDir() + "/"
			at := time.Date(2026, 1, 31, 23, 30, 0, 0, time.UTC)
			publishDay(t, a, folder, at, false)
			if _, err := os.Stat(filepath.Join(folder, "changes")); err == nil {
				t.Fatal("the first day has a change feed")
			}
			now := devicesIn(t, folder+"day=2026-01-31/devices.parquet")
			for range 4 {
				a.changed = make(map[string]bool)
				a.live()
				at = at.Add(24 * time.Hour)
				m, l := publishDay(t, a, folder, at, applied)
				day := at.Format(time.DateOnly)
				sums := applyFeed(t, now, folder+"changes/day="+day+"/changes.parquet")
				want := devicesIn(t, folder+"day="+day+"/devices.parquet")
				if diff := cmp.Diff(want, now); diff != "" {
					t.Fatalf("%s (-day +feed):\n%s", day, diff)
				}
				if len(want) != len(a.devices) || m.Rows != int64(len(want)) || l.Rows != m.Rows || l.Day != day {
					t.Fatalf("%d devices, %d in the account, %+v", len(want), len(a.devices), l)
				}
				for id, d := range a.devices {
					if want[id]["person_id"] != a.owners[id] || want[id]["os_version"] != d["os_version"] || want[id]["device_name"] != d["device_name"] {
						t.Fatalf("%s: %v, want %v of %s", id, want[id], d, a.owners[id])
					}
				}
				told := map[string]int{}
				for change, n := range map[string]int64{inventory.Appeared: l.Feed.Appeared, inventory.Vanished: l.Feed.Vanished, inventory.Changed: l.Feed.Changed} {
					if n > 0 {
						told[change] = int(n)
					}
				}
				if diff := cmp.Diff(sums, told); diff != "" {
					t.Errorf("%s (-feed +summary):\n%s", day, diff)
				}
			}
			full := time.Date(2026, 1, 31, 23, 30, 0, 0, time.UTC)
			if !applied {
				full = at
			}
			latest, err := inventory.ReadLatest(t.Context(), folder)
			if err != nil || !latest.StartedAt.Equal(at) || !latest.FullAt.Equal(full) {
				t.Errorf("%+v, %v", latest, err)
			}
		})
	}
}

// A day that is exported twice replaces that day, and the feed of the day after it
// begins at what is there now.
func TestDayTwice(t *testing.T) {
	t.Parallel()
	a := newAccount(3, 100)
	folder := t.TempDir() + "/"
	first := time.Date(2026, 2, 1, 1, 0, 0, 0, time.UTC)
	publishDay(t, a, folder, first, false)
	early := a.gather(t, first, nil)
	a.live()
	publishDay(t, a, folder, first.Add(24*time.Hour), false)
	a.live()
	publishDay(t, a, folder, first.Add(26*time.Hour), false) // the second day again
	now := devicesIn(t, folder+"day=2026-02-01/devices.parquet")
	applyFeed(t, now, folder+"changes/day=2026-02-02/changes.parquet")
	if diff := cmp.Diff(devicesIn(t, folder+"day=2026-02-02/devices.parquet"), now); diff != "" {
		t.Fatal(diff)
	}
	// The first day again, with half of its devices: a run that was resumed late.
	all := a.layout.Columns()
	half := 0
	rows, err := spooled(t, early)
	if err != nil {
		t.Fatal(err)
	}
	some := gather(t, len(rows)/2, func(i int) []batch.Value { half++; return rows[2*i] })
	o := &inventory.Options{All: all, Columns: all, Additional: inventory.AdditionalJSON, Open: openTable}
	if _, _, err := inventory.PublishDay(t.Context(), some, filepath.Join(t.TempDir(), "stage"), o, &inventory.Daily{Folder: folder, StartedAt: first}); err != nil {
		t.Fatal(err)
	}
	now = devicesIn(t, folder+"day=2026-02-01/devices.parquet")
	if len(now) != half {
		t.Fatalf("%d devices, want %d", len(now), half)
	}
	applyFeed(t, now, folder+"changes/day=2026-02-02/changes.parquet")
	if diff := cmp.Diff(devicesIn(t, folder+"day=2026-02-02/devices.parquet"), now); diff != "" {
		t.Fatal(diff)
	}
	if latest, err := inventory.ReadLatest(t.Context(), folder); err != nil || latest.Day != "2026-02-02" {
		t.Errorf("%+v, %v", latest, err)
	}
}

func spooled(t *testing.T, path string) (rows [][]batch.Value, err error) {
	t.Helper()
	return rows, table.EachRow(path, func(cells []batch.Value) error {
		rows = append(rows, slices.Clone(cells))
		return nil
	})
}

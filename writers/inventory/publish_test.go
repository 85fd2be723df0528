package inventory_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
	"pushbatch/testdata/writertest"
	"pushbatch/writers/inventory"
	"pushbatch/writers/table"
)

// inventoryLine is a device that looks like those of the platform.
func inventoryLine(n int) []batch.Value {
	cells := make([]batch.Value, len(inventory.NewLayout(true, false).Columns()))
	for i, c := range inventory.NewLayout(true, false).Columns() {
		if (n+i)%5 == 4 && i > 0 {
			continue
		}
		switch c.Type {
		case table.Boolean:
			cells[i] = batch.BoolValue((n+i)%2 == 0)
		case table.Timestamp:
			t := time.Date(2020, 1, 1, 0, 0, n, n%1000*1e6, time.UTC)
			cells[i] = batch.Value{Kind: batch.Timestamp, Text: t.Format("2006-01-02T15:04:05.000Z")}
		case table.JSON:
			cells[i] = batch.TextValue(fmt.Sprintf(`{"score":%d,"source":"im, \"port\" %d","ok":true}`, n*7, n%3))
		default:
			cells[i] = batch.TextValue([]string{"Android", "iOS", "Ana Čuić", `a "b", c`, " x"}[(n+i)%5])
		}
	}
	cells[0] = batch.TextValue("device-" + strconv.Itoa(n))
	return cells
}

// gather fills a file with n rows, as an export does.
func gather(t testing.TB, n int, row func(int) []batch.Value) (path string) {
	t.Helper()
	var frames bytes.Buffer
	spool, err := table.NewSpool(&frames)
	for i := 0; i < n && err == nil; i++ {
		err = spool.Add(row(i))
	}
	path = filepath.Join(t.TempDir(), "rows")
	if err == nil {
		err = spool.Flush()
	}
	if err == nil {
		err = os.WriteFile(path, frames.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func inventoryOptions(t testing.TB, to string) *inventory.Options {
	t.Helper()
	target, err := inventory.ParseTarget(to)
	if err != nil {
		t.Fatal(err)
	}
	all := inventory.NewLayout(true, false).Columns()
	return &inventory.Options{Target: target, All: all, Columns: all, Additional: inventory.AdditionalJSON}
}

func publish(t testing.TB, rows string, o *inventory.Options) *inventory.Manifest {
	t.Helper()
	m, err := inventory.Publish(t.Context(), rows, rows+".stage", o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Who waits for a large table is told how far it has come from its first rows on, not
// from the first that is written.
func TestInventoryProgress(t *testing.T) {
	t.Parallel()
	o := inventoryOptions(t, filepath.Join(t.TempDir(), "d.csv"))
	var told []string
	o.Progress = func(read, rendered, all int64) { told = append(told, fmt.Sprint(read, rendered, all)) }
	publish(t, gather(t, 2100, inventoryLine), o)
	want := []string{"1024 0 0", "2048 0 0", "1024 1023 2100", "2048 2047 2100"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// What our own readers make of the three forms is the same, row by row.
func TestInventoryFormsAgree(t *testing.T) {
	t.Parallel()
	const lines = 500
	folder := gather(t, lines, inventoryLine)
	dir := t.TempDir()
	for _, additional := range []string{inventory.AdditionalJSON, inventory.AdditionalColumns} {
		var tables [][]string
		for _, ending := range []string{".csv", ".ndjson.gz", ".parquet", ".csv.zst"} {
			o := inventoryOptions(t, filepath.Join(dir, additional+ending))
			o.Additional = additional
			publish(t, folder, o)
			tables = append(tables, texts(t, o.Target.Location))
		}
		for i, have := range tables {
			if len(have) != lines {
				t.Fatalf("%s, form %d: %d lines", additional, i, len(have))
			}
			if diff := cmp.Diff(tables[0], have); diff != "" {
				t.Errorf("%s, form %d:\n%s", additional, i, diff)
			}
		}
	}
}

// table reads a file as texts.
func texts(t *testing.T, path string) (lines []string) {
	t.Helper()
	info, err := blob.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	source, err := readers.Open(t.Context(), info, readers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for row, err := range source.Rows(t.Context(), batch.Position{}) {
		if err != nil || row.Err != nil {
			t.Fatal(err, row.Err)
		}
		texts := make([]string, len(row.Values))
		for i, v := range row.Values {
			name, _, _ := strings.Cut(source.Header()[i].Name, ":")
			texts[i] = name + "=" + strings.Replace(v.String(), ".000Z", "Z", 1)
			if v.Kind == batch.Timestamp || strings.HasSuffix(name, "_at") && v.String() != "" {
				at, err := time.Parse(time.RFC3339, v.String())
				if err != nil {
					t.Fatal(err)
				}
				texts[i] = name + "=" + at.UTC().Format(time.RFC3339Nano)
			}
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	return lines
}

// parquet-go's own reader finds the values of the CSV, statistics and types.
func TestInventoryParquet(t *testing.T) {
	t.Parallel()
	const lines = 700
	folder := gather(t, lines, inventoryLine)
	dir := t.TempDir()
	publish(t, folder, inventoryOptions(t, filepath.Join(dir, "d.parquet")))
	publish(t, folder, inventoryOptions(t, filepath.Join(dir, "d.csv")))
	type device struct {
		ID         string     `parquet:"registration_id,optional"`
		Primary    *bool      `parquet:"is_primary,optional"`
		OS         *string    `parquet:"os,optional"`
		Exported   *time.Time `parquet:"exported_at,optional,timestamp(millisecond)"`
		Additional *string    `parquet:"additional_data,optional"`
	}
	got, err := parquet.ReadFile[device](filepath.Join(dir, "d.parquet"))
	if err != nil || len(got) != lines {
		t.Fatal(len(got), err)
	}
	file, err := os.Open(filepath.Join(dir, "d.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := make(map[string]int)
	for i, name := range records[0] {
		at[name] = i
	}
	for i, d := range got {
		r := records[i+1]
		want := []string{r[at["registration_id"]], r[at["is_primary"]], r[at["os"]], r[at["exported_at"]], r[at["additional_data"]]}
		have := []string{d.ID, "", "", "", ""}
		if d.Primary != nil {
			have[1] = strconv.FormatBool(*d.Primary)
		}
		if d.OS != nil {
			have[2] = *d.OS
		}
		if d.Exported != nil {
			have[3] = d.Exported.UTC().Format("2006-01-02T15:04:05.000Z")
		}
		if d.Additional != nil {
			have[4] = *d.Additional
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("row %d:\n%s", i, diff)
		}
	}
	demandStatistics(t, filepath.Join(dir, "d.parquet"))
}

func demandStatistics(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	columns := f.Metadata().RowGroups[0].Columns
	for i := range columns {
		c := &columns[i]
		if len(c.MetaData.Statistics.MaxValue) == 0 {
			t.Errorf("column %v has no statistics", c.MetaData.PathInSchema)
		}
	}
}

// A device that went from one person to another during the walk is listed once,
// where it is now.
func TestInventoryMovedDevice(t *testing.T) {
	t.Parallel()
	inv := inventory.NewLayout(true, false).Columns()
	place := func(name string) int {
		for i, c := range inv {
			if c.Name == name {
				return i
			}
		}
		t.Fatalf("no column %s", name)
		return -1
	}
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	folder := gather(t, 10, func(n int) []batch.Value {
		cells := make([]batch.Value, len(inv))
		cells[0] = batch.TextValue("device-" + strconv.Itoa(n%9)) // the last is the first again
		cells[place("person_id")] = batch.TextValue(strconv.Itoa(n))
		cells[place("modified_at")] = batch.Value{Kind: batch.Timestamp, Text: "2025-01-01T00:00:00.000Z"}
		if n == 9 {
			cells[place("modified_at")].Text = began.Add(time.Minute).Format("2006-01-02T15:04:05.000Z")
		}
		return cells
	})
	o := inventoryOptions(t, filepath.Join(t.TempDir(), "d.csv"))
	o.Since = began
	o.Columns, _ = inventory.PickColumns(o.All, []string{"registration_id", "person_id"})
	m := publish(t, folder, o)
	data, err := os.ReadFile(o.Target.Location)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); m.Rows != 9 || m.Moved != 1 || strings.Contains(text, "device-0,0\n") || !strings.Contains(text, "device-0,9\n") {
		t.Fatalf("%d rows, %d moved:\n%s", m.Rows, m.Moved, text)
	}
}

// DuckDB reads the Parquet files and finds the values of CSV and NDJSON, row by
// row.
func TestInventoryInDuckDB(t *testing.T) {
	t.Parallel()
	writertest.DuckDB(t)
	const lines = 3000
	folder := gather(t, lines, inventoryLine)
	dir := t.TempDir()
	for _, name := range []string{"devices.csv", "devices.ndjson", "devices.parquet"} {
		publish(t, folder, inventoryOptions(t, filepath.Join(dir, name)))
	}
	for name, form := range map[string]string{"map": inventory.AdditionalMap, "columns": inventory.AdditionalColumns} {
		o := inventoryOptions(t, filepath.Join(dir, name+".parquet"))
		o.Additional = form
		publish(t, folder, o)
	}
	hive := inventoryOptions(t, filepath.Join(dir, "hive.parquet"))
	hive.PartitionBy, hive.SplitRows = "os", 100
	publish(t, folder, hive)
	told := writertest.AskDuckDB(t, "compare.mjs", dir, lines)
	for name, want := range map[string]string{
		"registration_id": "VARCHAR", "is_primary": "BOOLEAN", "exported_at": "TIMESTAMP WITH TIME ZONE",
		"modified_at": "TIMESTAMP WITH TIME ZONE", "additional_data": "JSON", "extra": "JSON", "os": "VARCHAR",
	} {
		if told.Types[name] != want {
			t.Errorf("column %s is %s, want %s", name, told.Types[name], want)
		}
	}
}

func TestInventorySplitAndPartition(t *testing.T) {
	t.Parallel()
	folder := gather(t, 100, inventoryLine)
	o := inventoryOptions(t, filepath.Join(t.TempDir(), "d.ndjson"))
	o.SplitRows, o.PartitionBy = 10, "os"
	m := publish(t, folder, o)
	seen := make(map[string]bool)
	for _, f := range m.Files {
		if f.Rows > 10 {
			t.Errorf("%s has %d rows", f.Path, f.Rows)
		}
		file, err := os.Open(filepath.Join(strings.TrimSuffix(o.Target.Location, ".ndjson"), f.Path))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		for scan := bufio.NewScanner(file); scan.Scan(); {
			var line struct {
				ID string `json:"registration_id"`
			}
			if err := json.Unmarshal(scan.Bytes(), &line); err != nil || seen[line.ID] {
				t.Fatalf("%s: %v, twice %t", f.Path, err, seen[line.ID])
			}
			seen[line.ID] = true
		}
	}
	if len(seen) != 100 || m.Rows != 100 {
		t.Fatalf("%d devices, %d rows", len(seen), m.Rows)
	}
}

// An inventory that cannot be published leaves nothing behind.
func TestInventoryUnpublished(t *testing.T) {
	t.Parallel()
	folder := gather(t, 100, inventoryLine)
	if err := os.Truncate(folder, 500); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := inventoryOptions(t, filepath.Join(dir, "d.parquet"))
	if _, err := inventory.Publish(t.Context(), folder, folder+".stage", o); err == nil {
		t.Fatal("a damaged spool was published")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("%v is left, %v", left, err)
	}
}

package readers

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/testdata/thorough"
)

// TestManyInputs opens hundreds of inputs at once, as a run does before its first
// request: none holds a file or what was read of it. It does not run beside other
// tests, whose files and memory would count.
func TestManyInputs(t *testing.T) { //nolint:paralleltest // see above
	const most = 6 << 10
	inputs := thorough.Of(80, 200)
	parquet, err := os.ReadFile(filepath.Join("parquetfile", "testdata", "duckdb", "people-zstd-v2.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"rows.csv":     "registrationId,externalId,email\n" + strings.Repeat("device,person,a@example.com\n", 20_000),
		"rows.csv.gz":  gzipped(t, "registrationId,externalId\n"+strings.Repeat("device,person\n", 20_000)),
		"rows.ndjson":  strings.Repeat(`{"registrationId":"device","externalId":"person"}`+"\n", 20_000),
		"rows.parquet": string(parquet),
	} {
		path := write(t, name, data)
		var heap, after runtime.MemStats
		sources := make([]batch.Source, inputs)
		sources[0] = openFile(t, path, Options{}) // what is made once does not count
		runtime.GC()
		runtime.ReadMemStats(&heap)
		files := openFiles(t)
		for i := range sources {
			sources[i] = openFile(t, path, Options{})
		}
		if now := openFiles(t); now > files {
			t.Errorf("%s: %d inputs hold %d files", name, inputs, now-files)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if each := (int64(after.HeapAlloc) - int64(heap.HeapAlloc)) / int64(inputs); each > most {
			t.Errorf("%s: an input that is open takes %d bytes, want at most %d", name, each, most)
		}
		for range sources[inputs-1].Rows(t.Context(), batch.Position{}) {
			if now := openFiles(t); now != files+1 {
				t.Errorf("%s: the one that is read holds %d files", name, now-files)
			}
			break
		}
		if now := openFiles(t); now > files {
			t.Errorf("%s: %d files are open after the reading", name, now-files)
		}
		runtime.KeepAlive(sources)
	}
}

// openFiles counts the regular files that this process has open.
func openFiles(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system has no list of open files")
	}
	for _, e := range entries {
		if info, err := os.Stat(fmt.Sprint("/proc/self/fd/", e.Name())); err == nil && info.Mode().IsRegular() {
			n++
		}
	}
	return n
}

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// s3Megabytes is the size of the object that TestS3SlowConsumer reads: a short
// form by default.
var s3Megabytes = flag.Int64("s3-megabytes", 24, "size of the object that TestS3SlowConsumer reads; 1024 takes minutes and 4 GB of disk")

const (
	// rowsAMinute are what a run at 50 rows/s takes of its input.
	rowsAMinute = 50 * 60
	// cutEvery is how many minutes a server lets a connection live.
	cutEvery = 1
	// s3Slack is what two chunks of an object take, and a little more.
	s3Slack = 16 << 20
)

// line is every connection to a server; all of them are cut at once.
type line struct {
	mu   sync.Mutex
	open []net.Conn
	cuts int
}

func (l *line) opened(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, c)
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts += len(l.open)
	for _, c := range l.open {
		_ = c.Close() // it may be closed already
	}
	l.open = nil
}

// writeSlowRows writes about so many bytes of rows that are numbered from 1.
func writeSlowRows(t *testing.T, w io.Writer, size int64) (rows int64) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("registrationId,additionalData.number:number,additionalData.note\n")
	for written := int64(0); written+int64(b.Len()) < size; {
		rows++
		fmt.Fprintf(&b, "device-%012d,%d,%s\n", rows, rows, "a note of some length as people write them")
		if b.Len() >= 1<<20 {
			n, err := b.WriteTo(w)
			if err != nil {
				t.Fatal(err)
			}
			written += n
		}
	}
	if _, err := b.WriteTo(w); err != nil {
		t.Fatal(err)
	}
	return rows
}

// An object is consumed as slowly as the platform takes its rows, by a
// simulated clock: 20 ms a row. Every minute of it the server cuts all
// connections, and others break in the middle of a body. No row is lost or
// comes twice, and it takes no more memory than the same file on disk.
func TestS3SlowConsumer(t *testing.T) { //nolint:paralleltest // it measures memory
	thorough.Only(t)
	server := s3test.Start(t)
	local := filepath.Join(t.TempDir(), "rows.csv")
	file, err := os.Create(local)
	if err != nil {
		t.Fatal(err)
	}
	upload, err := blob.Create(server.Context(t.Context(), blob.S3Options{}), server.Location("rows.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := writeSlowRows(t, io.MultiWriter(file, upload), *s3Megabytes<<20)
	if err := upload.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	wire := &line{}
	var begun atomic.Int64
	broken := server.Through(t, s3test.Wire{Opened: wire.opened, CutAfter: func() int64 { return 3_000_000 + begun.Add(1)*7919%3_000_000 }})

	disk := consume(t.Context(), t, local, rows, func() {})
	far := consume(broken.Context(t.Context(), blob.S3Options{}), t, server.Location("rows.csv"), rows, wire.cut)
	t.Logf("%d MB, %d rows (%.1f h at 50 rows/s): %d connections, heap %.1f MB from S3, %.1f MB from disk",
		*s3Megabytes, rows, float64(rows)/rowsAMinute/60, begun.Load(), megabytes(far), megabytes(disk))
	if far > disk+s3Slack {
		t.Errorf("the heap grew to %d bytes, that of the file to %d", far, disk)
	}
	if minutes := rows / rowsAMinute; begun.Load() < *s3Megabytes/8 || wire.cuts == 0 {
		t.Errorf("%d connections in %d minutes, %d cut: the cuts did not happen", begun.Load(), minutes, wire.cuts)
	}
	t.Run("run", func(t *testing.T) { demandSameMemory(t, broken, local, rows) })
}

func megabytes(n uint64) float64 { return float64(n) / (1 << 20) }

// consume reads all rows of a location and returns the largest heap on the way.
func consume(ctx context.Context, t *testing.T, location string, rows int64, minute func()) (most uint64) {
	t.Helper()
	in, err := blob.Stat(ctx, location)
	if err != nil {
		t.Fatal(err)
	}
	source, err := readers.Open(ctx, in, readers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	num := int64(0)
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			t.Fatalf("behind row %d: %v", num, err)
		}
		num++
		if row.Err != nil || row.Values[1].Text != strconv.FormatInt(num, 10) {
			t.Fatalf("row %d is %v (%v)", num, row.Values, row.Err)
		}
		if num%(cutEvery*rowsAMinute) == 0 {
			minute()
		}
		if num%(rows/50) == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	if num != rows {
		t.Fatalf("%d rows of %d", num, rows)
	}
	return most
}

// demandSameMemory runs the binary over an object and over the same file.
func demandSameMemory(t *testing.T, server *s3test.Server, local string, rows int64) {
	t.Helper()
	_, url := serve(t, simulator.Config{})
	peak := func(input, run string) int64 {
		dir := t.TempDir()
		c := start(t, url, dir, "update", input, "--dry-run=validate", "--out", run, "--s3-endpoint-url", server.Endpoint, "--s3-path-style")
		most := c.peak(t)
		demandCode(t, c, c.code(t))
		results, err := os.ReadFile(filepath.Join(dir, run, "summary.json"))
		if err != nil || !strings.Contains(string(results), fmt.Sprintf(`"rows": %d,`, rows)) {
			t.Errorf("%s: not all of %d rows are in the summary (%v)", input, rows, err)
		}
		return most
	}
	disk, far := peak(local, "disk"), peak(server.Location("rows.csv"), "far")
	t.Logf("peak of the process: %d KiB from S3, %d KiB from disk", far, disk)
	if far > mostMemory || far > disk+(3*s3Slack)>>10 {
		t.Errorf("%d KiB from S3, %d KiB from disk", far, disk)
	}
}

// peak follows a child until it ends and returns the most memory it had, in KiB.
// What the system tells after its end counts what its parent had, too.
func (c *child) peak(t *testing.T) (most int64) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		_, line, found := strings.Cut(string(status), "VmHWM:")
		if !found { // it has ended
			return most
		}
		if _, err := fmt.Sscan(line, &most); err != nil {
			t.Fatal(err)
		}
	}
}

// What a Parquet file costs to read, all columns of it: told in the help.
func TestS3ParquetRequests(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	path := filepath.Join(t.TempDir(), "rows.parquet")
	generate(t, path, strconv.FormatInt(*s3Megabytes*4000, 10), "parquet") // 39 bytes a row
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	server.Put(t, "rows.parquet", data)
	traffic := &s3test.Faults{}
	_, url := serve(t, simulator.Config{})
	c := start(
		t, url, t.TempDir(), "personalize", server.Location("rows.parquet"), "--dry-run=validate", "--allow-empty",
		"--s3-endpoint-url", server.Behind(t, traffic).Endpoint, "--s3-path-style",
	)
	if code := c.code(t); code != exitDone && code != exitBadRows {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	gets, size := traffic.Count(http.MethodGet), len(data)>>20
	t.Logf("%d GETs for %d MB of Parquet", gets, size)
	if gets > 2*size+10 {
		t.Errorf("%d GETs for %d MB", gets, size)
	}
}

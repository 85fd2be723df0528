package runstore

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// smallSegments make small reports behave as large ones do.
var smallSegments = segmentSizes{tail: 2 << 10, whole: 16 << 10, merge: 4}

// s3Run is a run in S3 whose process can die: its lease is then taken away, so
// that no test waits for its end.
type s3Run struct {
	t      *testing.T
	server *s3test.Server
	folder *Folder
}

func startS3(t *testing.T, server *s3test.Server) (*s3Run, error) {
	t.Helper()
	f, err := Create(server.Context(t.Context(), blob.S3Options{}), server.Location("runs/1"), Options{Lease: time.Hour})
	return &s3Run{t, server, f}, err
}

func reopenS3(t *testing.T, server *s3test.Server) (*s3Run, error) {
	t.Helper()
	server.Delete(t, "runs/1/"+leaseFile)
	f, err := Open(server.Context(t.Context(), blob.S3Options{}), server.Location("runs/1"), Options{Lease: time.Hour})
	return &s3Run{t, server, f}, err
}

// die ends what would end with the process.
func (r *s3Run) die() {
	if r.folder == nil {
		return
	}
	r.folder.remote.lease.end()
	<-r.folder.remote.lease.ended
	if err := os.RemoveAll(r.folder.path); err != nil {
		r.t.Error(err)
	}
}

// reports are two files that grow by a line a row.
type testReports struct{ results, failed *AppendFile }

func openReports(f *Folder, mark batch.Mark) (r testReports, err error) {
	if r.results, err = OpenAppend(f, "results.csv", mark["results.csv"]); err != nil {
		return r, err
	}
	r.failed, err = OpenAppend(f, FailedFile, mark[FailedFile])
	return r, err
}

func (r testReports) Write(num int64) error {
	line := func(dst []byte) []byte {
		return fmt.Appendf(dst, "%d,in.csv,device-%d,failed,48013,%s,2026-11-23T09:20:30.123Z\n", num, num, strings.Repeat("m", int(num%90)))
	}
	return errors.Join(r.results.Grow(line), r.failed.Grow(line))
}

func (r testReports) Flush() (batch.Mark, error) {
	results, err1 := r.results.Flush()
	failed, err2 := r.failed.Flush()
	return batch.Mark{"results.csv": results, FailedFile: failed}, errors.Join(err1, err2)
}

func (r testReports) Close() error { return errors.Join(r.results.Close(), r.failed.Close()) }

func content(t *testing.T, f *Folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(f.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// work writes rows up to a number, with a checkpoint every few of them, and
// ends the run after the last one. It returns the last row that a checkpoint
// which was confirmed vouches for.
func (r *s3Run) work(from, to, every int64) (confirmed int64, err error) {
	confirmed = from
	if from == 0 {
		if err := r.folder.WriteJSON(JobFile, map[string]string{"operation": "personalize"}); err != nil {
			return 0, err
		}
	}
	point, err := r.folder.LoadCheckpoint()
	if err != nil {
		return 0, err
	}
	var mark batch.Mark
	if point != nil {
		mark = point.Mark
	}
	reports, err := openReports(r.folder, mark)
	if err != nil {
		return confirmed, err
	}
	for num := from + 1; num <= to; num++ {
		if err := reports.Write(num); err != nil {
			return confirmed, err
		}
		if num%every != 0 {
			continue
		}
		if mark, err = reports.Flush(); err == nil {
			err = r.folder.SaveCheckpoint(&batch.Checkpoint{Rows: num, Mark: mark})
		}
		if err != nil {
			return confirmed, err
		}
		confirmed = num
	}
	if mark, err = reports.Flush(); err == nil {
		err = reports.Close()
	}
	if err == nil {
		err = r.folder.SaveCheckpoint(&batch.Checkpoint{Rows: to, Mark: mark, Ended: true})
	}
	return confirmed, err
}

// expected are the reports that rows 1 to n make on a disk.
func expected(t *testing.T, n int64) map[string]string {
	t.Helper()
	f := newFolder(t)
	reports, err := openReports(f, nil)
	for num := int64(1); num <= n && err == nil; num++ {
		err = reports.Write(num)
	}
	if err == nil {
		err = reports.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"results.csv": content(t, f, "results.csv"), FailedFile: content(t, f, FailedFile)}
}

func (r *s3Run) demand(want map[string]string) {
	r.t.Helper()
	for name, text := range want {
		if got, _ := r.server.Get(r.t, "runs/1/"+name); string(got) != text {
			r.t.Fatalf("%s has %d bytes, want %d", name, len(got), len(text))
		}
	}
	if left := r.server.Keys(r.t, "runs/1/"+segmentFolder+"/"); len(left) != 0 {
		r.t.Fatalf("segments were left: %q", left)
	}
}

// Large reports go to S3 in segments, short ones are made one, what they were
// made of goes, and another process makes the same files of them.
func TestS3Segments(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	run, err := startS3(t, server)
	if err != nil {
		t.Fatal(err)
	}
	run.folder.remote.sizes = smallSegments
	const rows, every = 3000, 25 // a checkpoint every 3 KiB, 400 KiB in all
	merged := 0
	reports, err := openReports(run.folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.folder.WriteJSON(JobFile, "job"); err != nil {
		t.Fatal(err)
	}
	var mark batch.Mark
	for num := int64(1); num <= rows; num++ {
		if err := reports.Write(num); err != nil {
			t.Fatal(err)
		}
		if num%every != 0 {
			continue
		}
		before := len(run.folder.remote.reports["results.csv"].orNone().Segments)
		if mark, err = reports.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := run.folder.SaveCheckpoint(&batch.Checkpoint{Rows: num, Mark: mark}); err != nil {
			t.Fatal(err)
		}
		r := run.folder.remote.reports["results.csv"]
		if len(r.Segments) < before {
			merged++
		}
		demandWhole(t, r, mark["results.csv"])
	}
	if merged < 10 {
		t.Errorf("segments were made one %d times only", merged)
	}
	named := 0
	for _, r := range run.folder.remote.reports {
		named += len(r.Segments)
	}
	if there := len(server.Keys(t, "runs/1/"+segmentFolder+"/")); there != named {
		t.Errorf("%d segments are there, the checkpoint names %d", there, named)
	}
	run.die()
	again, err := reopenS3(t, server)
	if err != nil {
		t.Fatal(err)
	}
	want := expected(t, rows)
	for name, text := range want {
		got, err := os.ReadFile(again.folder.LocalPath(name))
		if err != nil || string(got) != text {
			t.Errorf("%s: %d bytes of %d were rebuilt (%v)", name, len(got), len(text), err)
		}
	}
	if _, err := again.work(rows, rows+100, 10); err != nil {
		t.Fatal(err)
	}
	again.demand(expected(t, rows+100))
	if err := again.folder.Close(); err != nil {
		t.Error(err)
	}
}

func (r *mirroredReport) orNone() *mirroredReport {
	if r == nil {
		return &mirroredReport{}
	}
	return r
}

// demandWhole demands that segments and tail follow one another without a gap
// up to a length, and that few of the segments are short.
func demandWhole(t *testing.T, r *mirroredReport, length int64) {
	t.Helper()
	at, short := int64(0), 0
	for _, s := range r.Segments {
		if s.From != at || s.To <= s.From {
			t.Fatalf("segment %+v begins at %d", s, at)
		}
		if at = s.To; s.To-s.From < smallSegments.whole {
			short++
		}
	}
	if at+int64(len(r.Tail)) != length {
		t.Fatalf("segments end at %d with a tail of %d, the report has %d", at, len(r.Tail), length)
	}
	if short > smallSegments.merge {
		t.Fatalf("%d short segments", short)
	}
}

// Every single request of a run to S3 is refused in turn, and in turn done with
// its answer lost; the process dies of it. Whatever was confirmed is there when
// another process goes on, and in the end every row stands in the reports once.
func TestS3DiesAtEveryRequest(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	const rows, every = 120, 10
	want := expected(t, rows)
	for _, late := range []bool{false, true} {
		for before := range thorough.Some(math.MaxInt, 9) {
			n := int64(before) + 1
			for _, key := range server.Keys(t, "runs/") {
				server.Delete(t, key)
			}
			died, err := dieAt(t, server, n, late, rows, every)
			if err != nil {
				t.Fatalf("request %d (late: %v): %v", n, late, err)
			}
			if !died {
				t.Logf("late %v: died at some of %d requests, or each with FULL_TESTS=1", late, n-1)
				if n < 25 {
					t.Errorf("only %d requests", n)
				}
				break
			}
			(&s3Run{t: t, server: server}).demand(want)
		}
	}
}

// dieAt runs a run whose n-th request is refused, and so are all after it, then
// lets another process end it. died is false when there were fewer requests.
func dieAt(t *testing.T, server *s3test.Server, n int64, late bool, rows, every int64) (died bool, err error) {
	t.Helper()
	var asked atomic.Int64
	broken := server.Behind(t, &s3test.Faults{Refuse: func(*http.Request) *s3test.Refusal {
		switch k := asked.Add(1); {
		case k < n:
			return nil
		case k == n && late:
			return &s3test.Refusal{Status: http.StatusForbidden, Code: "AccessDenied", Late: true}
		}
		return &s3test.Refusal{Status: http.StatusForbidden, Code: "AccessDenied"}
	}})
	confirmed := int64(0)
	run, err := startS3(t, broken)
	if err == nil {
		run.folder.remote.sizes = smallSegments
		if confirmed, err = run.work(0, rows, every); err == nil {
			run.die()
			return false, nil
		}
		if !strings.Contains(err.Error(), "access denied") {
			return true, fmt.Errorf("the error does not say why: %w", err)
		}
		run.die()
	}
	again, err := reopenS3(t, server)
	if errors.Is(err, ErrNoRun) {
		again, err = startS3(t, server)
	}
	if err != nil {
		return true, err
	}
	defer again.die()
	again.folder.remote.sizes = smallSegments
	point, err := again.folder.LoadCheckpoint()
	if err != nil {
		return true, err
	}
	from := int64(0)
	if point != nil {
		from = point.Rows
	}
	if from < confirmed {
		return true, fmt.Errorf("row %d was confirmed, the run goes on at %d", confirmed, from)
	}
	if point != nil && point.Ended {
		return true, nil
	}
	_, err = again.work(from, rows, every)
	return true, err
}

// What a process that lost the run has on its way does not overwrite what its
// successor has published.
func TestS3LateUpload(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	var hold atomic.Bool
	arrived, goOn := make(chan struct{}), make(chan struct{})
	slow := server.Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/results.csv") && hold.Swap(false) {
			arrived <- struct{}{}
			<-goOn
		}
		return nil
	}})
	first, err := startS3(t, slow)
	if err != nil {
		t.Fatal(err)
	}
	hold.Store(true)
	ended := make(chan error)
	go func() { // ends when it is let go on
		_, err := first.work(0, 50, 10)
		ended <- err
	}()
	<-arrived
	second, err := reopenS3(t, server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.work(50, 100, 10); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	var locked *LockedError
	if err := <-ended; !errors.As(err, &locked) {
		t.Errorf("the first process ended with %v", err)
	}
	first.die()
	second.demand(expected(t, 100))
	if err := second.folder.Close(); err != nil {
		t.Error(err)
	}
}

// An upload that a process left open when it died is given up by the next, and
// so is a segment that no checkpoint names.
func TestS3Remains(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	run, err := startS3(t, server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.work(0, 20, 10); err != nil {
		t.Fatal(err)
	}
	run.die()
	server.Put(t, "runs/1/"+segmentName("results.csv", 5, 9, "ABCDEFGHIJKL"), []byte("x"))
	server.Put(t, "runs/10/segments/results.csv/other", []byte("x"))
	server.Put(t, "runs/1/segments/other/program", []byte("x"))
	own := server.BeginUpload(t, "runs/1/results.csv")
	server.Put(t, "runs/1/"+uploadsFile, fmt.Appendf(nil, `{"name":"results.csv","upload_id":%q}`, own))
	server.BeginUpload(t, "runs/1/results.csv")
	server.BeginUpload(t, "runs/10/results.csv")
	again, err := reopenS3(t, server)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.folder.Close(); err != nil {
		t.Error(err)
	}
	if n := server.OpenUploads(t); n != 2 {
		t.Errorf("%d uploads are open, want those of others", n)
	}
	if keys := server.Keys(t, "runs/1/segments/"); len(keys) != 1 {
		t.Errorf("%q is left", keys)
	}
	if keys := server.Keys(t, "runs/10/"); len(keys) != 1 {
		t.Errorf("%q is left of another run", keys)
	}
	if data, _ := server.Get(t, "runs/1/results.csv"); !bytes.Contains(data, []byte("device-20")) {
		t.Error("the results are gone")
	}
}

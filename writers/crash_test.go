package writers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/testdata/thorough"
)

// errCrash is what every call gets from the moment a memoryFS has crashed.
var errCrash = errors.New("the machine is down")

// inode is a file's content: as the process sees it, and as it would be after
// a power loss.
type inode struct{ data, synced []byte }

// memoryFS is a file layer that crashes at a chosen call. After a power loss
// only what was synced is there: bytes by Sync, names by SyncDir.
type memoryFS struct {
	mu               sync.Mutex // the journal and the reports are written by goroutines of their own
	entries, durable map[string]*inode
	calls, crashAt   int  // crashAt 0: never
	fail             bool // the call fails but the machine goes on
	failedAt         time.Time
	down             bool
}

func newMemoryFS() *memoryFS {
	return &memoryFS{entries: map[string]*inode{}, durable: map[string]*inode{}}
}

// step counts a call that changes something; it fails the chosen one. The lock is held.
func (m *memoryFS) step() error {
	if m.down {
		return errCrash
	}
	m.calls++
	if m.calls != m.crashAt {
		return nil
	}
	m.failedAt = time.Now()
	m.down = !m.fail
	return errCrash
}

// restart is the machine after a crash: with power lost, or only the process
// killed.
func (m *memoryFS) restart(powerLoss bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down, m.crashAt = false, 0
	if !powerLoss {
		return
	}
	m.entries = maps.Clone(m.durable)
	for _, n := range m.entries {
		n.data = slices.Clone(n.synced)
	}
}

func (m *memoryFS) OpenFile(name string, flag int, _ fs.FileMode) (runstore.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errCrash
	}
	n, ok := m.entries[name]
	if !ok && flag&os.O_CREATE == 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if !ok {
		if err := m.step(); err != nil {
			return nil, err
		}
		n = &inode{}
		m.entries[name] = n
	}
	if flag&os.O_TRUNC != 0 {
		n = &inode{synced: n.synced}
		m.entries[name] = n
	}
	return &memoryFile{fs: m, node: n}, nil
}

func (m *memoryFS) Rename(oldName, newName string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step(); err != nil {
		return err
	}
	n, ok := m.entries[oldName]
	if !ok {
		return fs.ErrNotExist
	}
	delete(m.entries, oldName)
	m.entries[newName] = n
	return nil
}

func (m *memoryFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, name)
	return m.step()
}

func (m *memoryFS) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[name]; !ok || m.down {
		return nil, fs.ErrNotExist
	}
	return nil, nil //nolint:nilnil // only whether it is there is asked
}

func (m *memoryFS) Names() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.entries)), nil
}

func (m *memoryFS) Close() error { return nil }

func (m *memoryFS) SyncDir() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step(); err != nil {
		return err
	}
	m.durable = maps.Clone(m.entries)
	return nil
}

type memoryFile struct {
	fs   *memoryFS
	node *inode
	at   int
}

func (f *memoryFile) Read(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.at >= len(f.node.data) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[f.at:])
	f.at += n
	return n, nil
}

// Write that crashes leaves half of its bytes.
func (f *memoryFile) Write(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.down {
		return 0, errCrash
	}
	err := f.fs.step()
	if err != nil {
		p = p[:len(p)/2]
	}
	f.node.data = append(f.node.data[:f.at], p...)
	f.at += len(p)
	return len(p), err
}

func (f *memoryFile) Seek(offset int64, whence int) (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.at = int(offset)
	if whence == io.SeekEnd {
		f.at += len(f.node.data)
	}
	return int64(f.at), nil
}

func (f *memoryFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step(); err != nil {
		return err
	}
	f.node.synced = slices.Clone(f.node.data)
	return nil
}

func (f *memoryFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step(); err != nil {
		return err
	}
	f.node.data = f.node.data[:size]
	return nil
}

func (f *memoryFile) Close() error { return nil }

// numbers is a source of n rows.
type numbers int64

func (numbers) Name() string             { return "in.csv" }
func (numbers) Header() batch.Header     { return batch.Header{{Name: "id"}} }
func (numbers) Identity() batch.Identity { return batch.Identity{} }
func (numbers) Close() error             { return nil }
func (n numbers) Rows(_ context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		for i := from.Row; i < int64(n); i++ {
			row := batch.Row{
				Pos: batch.Position{Row: i}, Next: batch.Position{Row: i + 1},
				Values: []batch.Value{batch.IntValue(i + 1)},
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// errand is a request that takes as many milliseconds as its row says; every
// seventh row fails.
type errand struct {
	num  int64
	sent *sendLog
}

// sendLog holds when each row was answered, every time it was sent.
type sendLog struct {
	mu       sync.Mutex
	answered map[int64][]time.Time
}

func newSendLog() *sendLog { return &sendLog{answered: make(map[int64][]time.Time)} }

func (l *sendLog) add(num int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered[num] = append(l.answered[num], time.Now())
}

func (e errand) Keys() []string { return []string{fmt.Sprint(e.num % 5)} }
func (e errand) Send(ctx context.Context) (batch.Outcome, error) {
	select {
	case <-time.After(time.Duration(e.num*37%400) * time.Millisecond):
	case <-ctx.Done():
		return batch.Outcome{}, batch.ErrUnsent
	}
	e.sent.add(e.num)
	o := batch.Outcome{Status: batch.Succeeded, HTTPStatus: 200, Attempts: 1, RegistrationID: fmt.Sprint(e.num)}
	if e.num%7 == 0 {
		o.Status, o.Code, o.HTTPStatus = batch.Failed, "48013", 400
	}
	return o, nil
}

const (
	crashRows = 40
	saveEvery = 500 * time.Millisecond
)

// execution opens the run in path, new or old, and works on it.
func execution(fsys runstore.FS, path, format string, sent *sendLog) error {
	f, err := runstore.OpenIn(context.Background(), fsys, path, runstore.Options{})
	if errors.Is(err, runstore.ErrNoRun) {
		f, err = runstore.CreateIn(context.Background(), fsys, path, runstore.Options{})
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if !f.Exists(runstore.JobFile) {
		if err := f.WriteJSON(runstore.JobFile, "job"); err != nil {
			return err
		}
	}
	point, err := f.LoadCheckpoint()
	if err != nil {
		return err
	}
	var mark batch.Mark
	if point != nil {
		mark = point.Mark
	}
	sink, err := OpenReports(f, options(format, "id"), mark)
	if err != nil {
		return err
	}
	journal, err := f.OpenJournal(point)
	if err != nil {
		return err
	}
	err = batch.New(batch.Config{
		Inputs: []batch.Input{{Source: numbers(crashRows), Map: func(r *batch.Row) (batch.Request, *batch.Outcome) {
			return errand{r.Num, sent}, nil
		}}},
		Sink: sink, MaxInFlight: 4, Resume: point, Save: f.SaveCheckpoint, SaveEvery: saveEvery, Journal: journal,
	}).Run(context.Background())
	err = errors.Join(err, journal.Close())
	if err == nil {
		err = sink.CleanUp()
	}
	return err
}

// reports are the lines of a run's reports without the times.
func reports(m *memoryFS, format string, read readFunc) (results, failed []string) {
	lines := func(name string) []string {
		n := m.entries[name]
		if n == nil {
			return []string{"missing " + name}
		}
		return strings.Split(string(bytes.TrimSpace(n.data)), "\n")
	}
	if format == "parquet" {
		return parquetLines(m.entries["results.parquet"], read), lines(runstore.FailedFile)
	}
	for _, line := range lines("results.csv") {
		results = append(results, strings.Join(strings.Split(line, ",")[:8], ","))
	}
	return results, lines(runstore.FailedFile)
}

// parquetLines are the rows of a results.parquet in the form of the CSV.
func parquetLines(n *inode, read readFunc) []string {
	if n == nil {
		return []string{"missing results.parquet"}
	}
	lines := []string{strings.Join(resultNames()[:8], ",")}
	rows, err := read(n.data)
	if err != nil {
		return []string{err.Error()}
	}
	for _, r := range rows {
		lines = append(lines, fmt.Sprint(r.Row, r.Source, r.SourceRow, r.ID, r.Operation, r.Status, r.HTTP, r.Code))
	}
	return lines
}

// Every single write, sync, truncation, rename and folder sync of a run fails
// in turn: once so that the call fails and the run stops by itself, once so
// that the process is gone, once so that the power is. After each, the run is
// resumed, ends with the reports of an undisturbed one, and sends no row again
// that was answered before the last checkpoint was due.
func TestEveryCallFailsOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"csv", "parquet"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			read := outsideReader(t)
			synctest.Test(t, func(t *testing.T) { breakEveryCall(t, format, read) })
		})
	}
}

// readFunc is readResults.
type readFunc func(data []byte) ([]parquetResult, error)

// outsideReader reads results outside of the bubble of a test: the library keeps its
// decoders for whoever reads next, and they have channels of the bubble that made them.
func outsideReader(t *testing.T) readFunc {
	t.Helper()
	type answer struct {
		rows []parquetResult
		err  error
	}
	files, answers := make(chan []byte), make(chan answer)
	t.Cleanup(func() { close(files) })
	go func() {
		for data := range files {
			rows, err := readResults(data)
			answers <- answer{rows, err}
		}
	}()
	return func(data []byte) ([]parquetResult, error) {
		files <- data
		a := <-answers
		return a.rows, a.err
	}
}

func breakEveryCall(t *testing.T, format string, read readFunc) {
	whole := newMemoryFS()
	path := t.TempDir()
	if err := execution(whole, path, format, newSendLog()); err != nil {
		t.Fatal(err)
	}
	wantResults, wantFailed := reports(whole, format, read)
	if len(wantResults) != crashRows+1 {
		t.Fatalf("an undisturbed run lists %d lines", len(wantResults))
	}
	for name := range whole.entries {
		if strings.HasSuffix(name, runstore.PartSuffix) || strings.Contains(name, "journal") {
			t.Errorf("%s is left", name)
		}
	}
	if whole.calls < 30 {
		t.Fatalf("only %d calls: nothing to break", whole.calls)
	}
	for _, kind := range []string{"call fails", "process killed", "power lost"} {
		for before := range thorough.Some(whole.calls, 4) {
			at := before + 1
			m, path, sent := newMemoryFS(), t.TempDir(), newSendLog()
			m.crashAt, m.fail = at, kind == "call fails"
			if err := execution(m, path, format, sent); err == nil && !m.failedAt.IsZero() && kind == "call fails" {
				t.Errorf("%s at call %d: the run ended as if nothing had happened", kind, at)
			}
			m.restart(kind == "power lost")
			if err := execution(m, path, format, sent); err != nil {
				t.Errorf("%s at call %d: resume: %v", kind, at, err)
				continue
			}
			results, failed := reports(m, format, read)
			if !slices.Equal(results, wantResults) || !slices.Equal(failed, wantFailed) {
				t.Errorf("%s at call %d: reports differ:\n%v\n%v", kind, at, results, failed)
			}
			for num, times := range sent.answered {
				since := m.failedAt // what the process wrote is still there
				if kind == "power lost" {
					since = since.Add(-saveEvery)
				}
				if len(times) > 2 || len(times) == 2 && times[0].Before(since) {
					t.Errorf("%s at call %d: row %d was answered at %v and sent again; the crash was at %v", kind, at, num, times, m.failedAt)
				}
			}
		}
	}
	t.Logf("%d calls broken in 3 ways: some, or each with FULL_TESTS=1", whole.calls)
}

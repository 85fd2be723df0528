package delta

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/testdata/thorough"
)

// Few draws by themselves: flags of rapid are there before this.
var _ = flag.Set("rapid.checks", thorough.Of("40", "100"))

// nights is a job that runs night after night, beside what the contract says that
// its State must know.
type nights struct {
	*rapid.T
	folder   string
	platform map[string]string // content that each device has
	sure     map[string]string // sequences of contents that count as acknowledged
	known    map[string]bool   // devices of the State
	dead     func(*State)      // settles the run before, which has died; nil: none has
}

// After any nights, whatever ends them, a row is skipped when and only when its
// device's requests are those acknowledged last.
func TestRandomNights(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp(root, "") //nolint:usetesting // one for each draw
		if err != nil {
			t.Fatal(err)
		}
		n := &nights{t, folder, map[string]string{}, map[string]string{}, map[string]bool{}, nil}
		for range rapid.IntRange(1, 3).Draw(t, "nights") {
			n.night(rapid.SampledFrom([]string{"ends", "stops", "resumes", "dies", "dies unreadable", "dies before"}).Draw(t, "end"))
		}
		last := n.night("succeeds")
		for device, rows := range byDevice(last) {
			if want := contentsOf(rows); len(want) > 0 && n.platform[device] != want[len(want)-1] {
				t.Fatalf("%s is %q at the platform, the newest input says %q", device, n.platform[device], want)
			}
		}
	})
	_ = os.RemoveAll(root)
}

func byDevice(rows []row) map[string][]row {
	all := make(map[string][]row)
	for _, r := range rows {
		all[r.device] = append(all[r.device], r)
	}
	return all
}

func contentsOf(rows []row) (list []string) {
	for _, r := range rows {
		if r.content != "" {
			list = append(list, r.content)
		}
	}
	return list
}

func (n *nights) input() []row {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
		return row{
			fmt.Sprint("d", rapid.IntRange(0, 4).Draw(t, "device")),
			rapid.SampledFrom([]string{"1", "1", "2", "3", ""}).Draw(t, "content"),
		}
	}), 0, 9).Draw(n.T, "input")
}

func (n *nights) night(end string) []row {
	store := LocalStore(unsynced{}, n.folder)
	s := openState(n, store, n.folder)
	if (s.Dead() != nil) != (n.dead != nil) {
		n.Fatalf("a dead run is noted: %t", s.Dead() != nil)
	}
	if n.dead != nil {
		n.dead(s)
		n.dead = nil
	}
	rows := n.input()
	mirror := rapid.Bool().Draw(n.T, "mirror")
	var vanished io.Writer
	if mirror {
		vanished = io.Discard
	}
	p := mirrorPlan(n, s, n.folder, PlanOptions{}, vanished, rows...)
	n.check(p, rows)
	n.checkKnown(s)
	if end == "dies before" {
		return rows
	}
	begin(n, s, p, n.folder)
	work := n.work(p, rows, mirror)
	outcomes := NewOutcomes(p.Rows + p.Counts.Vanished)
	for i := range work {
		if stop := end != "ends" && end != "succeeds" && rapid.IntRange(0, 3).Draw(n.T, "stop") == 0; stop {
			break
		}
		work[i].send(n, outcomes, end == "succeeds", true)
	}
	n.end(end, s, p, work, outcomes)
	return rows
}

// end is how a night ends after its last request.
func (n *nights) end(end string, s *State, p *Plan, work []*request, outcomes *Outcomes) {
	switch end {
	case "ends", "succeeds", "stops":
		settle(n, s, outcomes, end != "stops")
	case "resumes":
		settle(n, s, outcomes, false)
		s = openState(n, LocalStore(unsynced{}, n.folder), n.folder)
		if died := begin(n, s, p, n.folder); died {
			n.Fatal("a run that was settled counts as dead")
		}
		for _, w := range work {
			if !w.sent {
				w.send(n, outcomes, false, false)
			}
		}
		settle(n, s, outcomes, true)
	default:
		if end == "dies unreadable" {
			outcomes = nil
		}
		n.dead = func(s *State) { settle(n, s, outcomes, true) }
	}
	n.learn(work, outcomes)
}

// request is a row to be sent, or a vanished device.
type request struct {
	row
	num      int64
	vanished bool
	inert    bool // device has a rejected row
	sent     bool
}

func (n *nights) work(p *Plan, rows []row, mirror bool) (work []*request) {
	devices := byDevice(rows)
	for i, r := range rows {
		if r.content != "" && p.Action(int64(i)+1) == Send {
			inert := slices.ContainsFunc(devices[r.device], func(r row) bool { return r.content == "" })
			work = append(work, &request{row: r, num: int64(i) + 1, inert: inert})
		}
	}
	if !mirror {
		return work
	}
	var gone []string
	for device := range n.known {
		if devices[device] == nil {
			gone = append(gone, device)
		}
	}
	slices.SortFunc(gone, func(a, b string) int {
		x, y := DeviceHash(a), DeviceHash(b)
		return slices.Compare(x[:], y[:])
	})
	for i, device := range gone {
		work = append(work, &request{row: row{device: device}, num: p.Rows + 1 + int64(i), vanished: true})
	}
	return work
}

// send sends a request; each end has its effect at the platform.
func (r *request) send(n *nights, o *Outcomes, good, sure bool) {
	r.sent = true
	out := succeeded
	applied := true
	if !good {
		switch rapid.IntRange(0, 4).Draw(n.T, "answer") {
		case 0:
			out, applied = no, false
		case 1:
			out = timeout
		case 2:
			out, applied = timeout, false
		}
	}
	if applied {
		n.platform[r.device] = r.content
	}
	o.Add(r.num, out, sure)
}

// learn does what the contract says of each device that was touched.
func (n *nights) learn(work []*request, o *Outcomes) {
	devices := make(map[string][]*request)
	for _, w := range work {
		devices[w.device] = append(devices[w.device], w)
	}
	for device, list := range devices {
		var sequence []row
		all, some := true, false
		for _, w := range list {
			is := o.of(w.num)
			sequence = append(sequence, w.row)
			all = all && is == done && !w.inert
			some = some || is != refused
		}
		switch {
		case list[0].vanished && all:
			delete(n.known, device)
			delete(n.sure, device)
		case all:
			n.sure[device], n.known[device] = fmt.Sprint(contentsOf(sequence)), true
		case some:
			delete(n.sure, device)
			n.known[device] = true
		}
	}
}

// check holds a plan against what must be known.
func (n *nights) check(p *Plan, rows []row) {
	devices := byDevice(rows)
	for i, r := range rows {
		if r.content == "" {
			continue
		}
		contents := contentsOf(devices[r.device])
		want := Send
		if n.sure[r.device] == fmt.Sprint(contents) {
			want = Unchanged
		}
		if got := p.Action(int64(i) + 1); got != want {
			n.Fatalf("row %d of %v: action %d, want %d; sure is %v", i+1, rows, got, want, n.sure)
		}
		if want == Unchanged && n.platform[r.device] != contents[len(contents)-1] {
			n.Fatalf("%s is skipped with %v, and is %q at the platform", r.device, contents, n.platform[r.device])
		}
	}
}

func (n *nights) checkKnown(s *State) {
	have := contents(n, s)
	if len(have) != len(n.known) {
		n.Fatalf("the State has %v, known are %v", have, n.known)
	}
	for device, is := range have {
		if !n.known[device] || (is == "ack") != (n.sure[device] != "") {
			n.Fatalf("%s is %q, sure are %v", device, is, n.sure)
		}
	}
}

// unsynced is a disk whose syncs cost nothing: no power is lost here.
type unsynced struct{ Disk }

type unsyncedFile struct{ runstore.File }

func (unsyncedFile) Sync() error      { return nil }
func (unsynced) SyncDir(string) error { return nil }
func (d unsynced) OpenFile(name string, flag int, perm os.FileMode) (runstore.File, error) {
	file, err := d.Disk.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return unsyncedFile{file}, nil
}

// faultyFS fails from its nth change on: once, or for good as a dead process does.
type faultyFS struct {
	unsynced
	left  *int
	dead  bool
	torn  bool // the write that fails has written half
	fault *error
}

var errFault = fmt.Errorf("the disk is broken")

func (f faultyFS) step() error {
	*f.left--
	if *f.left == -1 || f.dead && *f.left < 0 {
		*f.fault = errFault
		return errFault
	}
	return nil
}

func (f faultyFS) OpenFile(name string, flag int, perm os.FileMode) (runstore.File, error) {
	if flag&os.O_CREATE == 0 {
		return f.unsynced.OpenFile(name, flag, perm)
	}
	if err := f.step(); err != nil {
		return nil, err
	}
	file, err := f.unsynced.OpenFile(name, flag, perm)
	return faultyFile{file, f}, err
}

func (f faultyFS) Rename(from, to string) error { return cmp.Or(f.step(), f.unsynced.Rename(from, to)) }

func (f faultyFS) SyncDir(name string) error { return cmp.Or(f.step(), f.unsynced.SyncDir(name)) }

func (f faultyFS) Remove(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.unsynced.Remove(name)
}

type faultyFile struct {
	runstore.File
	fs faultyFS
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.fs.step(); err != nil {
		if f.fs.torn {
			_, _ = f.File.Write(p[:len(p)/2])
		}
		return 0, err
	}
	return f.File.Write(p)
}

func (f faultyFile) Sync() error {
	if err := f.fs.step(); err != nil {
		return err
	}
	return f.File.Sync()
}

// Whichever write, sync or rename fails or is the last one before the process
// dies: the State is the old or the new one, and the next night is right.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct{ dead, torn bool }{{false, false}, {true, false}, {true, true}} {
		for n := range thorough.Some(math.MaxInt, 5) {
			if !crash(t, n, kind.dead, kind.torn) {
				if n < 15 {
					t.Fatalf("a night has %d steps only: this test looks at nothing", n)
				}
				break
			}
		}
	}
}

// crash runs a night whose nth step fails, and the one after it; false: it has no
// such step.
func crash(t *testing.T, n int, dead, torn bool) bool {
	folder := t.TempDir()
	night(t, folder, PlanOptions{}, map[int64]*batch.Outcome{1: succeeded, 2: succeeded}, row{"a", "1"}, row{"b", "1"})
	left := n
	var fault error
	fsys := faultyFS{left: &left, dead: dead, torn: torn, fault: &fault}
	store := LocalStore(fsys, folder)
	s := openState(t, store, folder, func(o *Options) { o.Files = fsys })
	begun := brokenNight(t, s, folder)

	s = openState(t, LocalStore(unsynced{}, folder), folder)
	if s.Dead() != nil {
		settle(t, s, nil, true)
	}
	p := planOf(t, s, folder, PlanOptions{}, row{"a", "2"}, row{"b", "1"}, row{"c", "1"})
	if got := p.Action(1); got == Unchanged && !begun {
		t.Fatalf("step %d: what was never sent counts as acknowledged", n)
	}
	if p.Action(2) != Unchanged || p.Action(1) != p.Action(3) {
		t.Fatalf("step %d: actions %d, %d, %d: neither the old State nor the new", n, p.Action(1), p.Action(2), p.Action(3))
	}
	begin(t, s, p, folder)
	settle(t, s, outcomesOf(3, map[int64]*batch.Outcome{1: succeeded, 3: succeeded}), true)
	s = openState(t, LocalStore(unsynced{}, folder), folder)
	if got := contents(t, s); len(got) != 3 || got["a"] != "ack" || got["b"] != "ack" || got["c"] != "ack" {
		if p.Action(1) == Send {
			t.Fatalf("step %d: after the next night %v", n, got)
		}
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.parquet*"))
	if len(files) != 1 {
		t.Fatalf("step %d: files are left: %v", n, files)
	}
	return fault != nil
}

// brokenNight runs until something fails, and tells whether requests could be
// sent.
func brokenNight(t *testing.T, s *State, folder string) (begun bool) {
	t.Helper()
	planner, err := NewPlanner(PlanOptions{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer planner.Close()
	for _, r := range []row{{"a", "2"}, {"b", "1"}, {"c", "1"}} {
		if err := planner.Request("app", r.device, r.hash()); err != nil {
			t.Fatal(err)
		}
	}
	note := filepath.Join(folder, "note")
	p, err := planner.Finish(t.Context(), s, note, nil)
	if err == nil {
		_, err = s.Begin(t.Context(), p, "runs/x", note, s.pointer.WrittenAt)
	}
	if err != nil {
		return false
	}
	_ = s.Settle(t.Context(), outcomesOf(3, map[int64]*batch.Outcome{1: succeeded, 3: succeeded}), true)
	return true
}

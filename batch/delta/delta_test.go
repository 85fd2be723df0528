package delta

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
)

func openTable(ctx context.Context, path string) (batch.Source, error) {
	info, err := blob.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	return readers.Open(ctx, info, readers.Options{Format: "parquet"})
}

func openState(t fataler, store Store, folder string, change ...func(*Options)) *State {
	o := Options{Operation: "personalize", BaseURL: "https://a", Open: openTable, Files: unsynced{}, Folder: folder}
	for _, c := range change {
		c(&o)
	}
	s, err := Open(context.Background(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// row is an input row of a test: without content it is rejected.
type row struct{ device, content string }

func (r row) hash() Hash {
	return (&Request{Path: r.device, Body: []byte(`"` + r.content + `"`)}).Hash()
}

func planOf(t fataler, s *State, folder string, o PlanOptions, rows ...row) *Plan {
	return mirrorPlan(t, s, folder, o, nil, rows...)
}

func mirrorPlan(t fataler, s *State, folder string, o PlanOptions, vanished io.Writer, rows ...row) *Plan {
	o.Folder = folder
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	p, err := NewPlanner(o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, r := range rows {
		if r.content == "" {
			err = p.Inert(r.device, false)
		} else {
			err = p.Request("app", r.device, r.hash())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Finish(context.Background(), s, filepath.Join(folder, "note"), vanished)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func begin(t fataler, s *State, p *Plan, folder string) (died bool) {
	died, err := s.Begin(context.Background(), p, "runs/x", filepath.Join(folder, "note"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return died
}

func settle(t fataler, s *State, o *Outcomes, ended bool) {
	if err := s.Settle(context.Background(), o, ended); err != nil {
		t.Fatal(err)
	}
}

var (
	succeeded = &batch.Outcome{Status: batch.Succeeded, HTTPStatus: 200, Attempts: 1}
	no        = &batch.Outcome{Status: batch.Failed, HTTPStatus: 400, Attempts: 1}
	timeout   = &batch.Outcome{Status: batch.Failed, Code: "timeout", Attempts: 3}
	gone      = &batch.Outcome{Status: batch.Skipped, Code: CodeAlreadyGone, HTTPStatus: 400, Attempts: 1}
)

func outcomesOf(rows int64, list map[int64]*batch.Outcome) *Outcomes {
	o := NewOutcomes(rows)
	for n, out := range list {
		o.Add(n, out, true)
	}
	return o
}

// contents is what a State holds: "ack", or "known" where nothing is acknowledged.
func contents(t fataler, s *State) map[string]string {
	all := make(map[string]string)
	for d, err := range s.devices(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		all[d.RegistrationID] = "known"
		if d.RequestHash != "" {
			all[d.RegistrationID] = "ack"
		}
		if (d.RequestHash == "") != (d.AcknowledgedAt == 0) || (d.RequestHash == "") != (d.Run == "") {
			t.Fatalf("half a device: %+v", d)
		}
	}
	return all
}

// night runs rows with outcomes by row number, and returns the plan and the State
// after it, read anew.
func night(t *testing.T, folder string, o PlanOptions, outcomes map[int64]*batch.Outcome, rows ...row) (*Plan, *State) {
	t.Helper()
	store := LocalStore(unsynced{}, folder)
	s := openState(t, store, folder)
	p := planOf(t, s, folder, o, rows...)
	begin(t, s, p, folder)
	settle(t, s, outcomesOf(p.Rows+p.Counts.Vanished, outcomes), true)
	return p, openState(t, store, folder)
}

func TestWhatARunLeaves(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p, s := night(t, folder, PlanOptions{}, map[int64]*batch.Outcome{1: succeeded, 2: succeeded, 3: no, 4: timeout, 5: succeeded, 6: no, 8: succeeded},
		row{"ok", "1"}, row{"answered", "1"}, row{"refused", "1"}, row{"cut", "1"}, row{"twice", "1"}, row{"twice", "2"}, row{"invalid", ""},
		row{"half", "1"}, row{"half", ""}, row{"unsent", "1"})
	want := map[string]string{"ok": "ack", "answered": "ack", "cut": "known", "twice": "known", "half": "known", "unsent": "known"}
	if diff := cmp.Diff(want, contents(t, s)); diff != "" {
		t.Fatal(diff)
	}
	if p.Counts.New != 8 || p.Counts.Send != 8 || p.Counts.Rejected != 2 || !p.First {
		t.Fatalf("counts %+v", p.Counts)
	}

	p, s = night(t, folder, PlanOptions{}, map[int64]*batch.Outcome{2: no, 3: timeout},
		row{"ok", "1"}, row{"answered", "2"}, row{"cut", "1"}, row{"new", "1"})
	want["new"] = "known"
	if diff := cmp.Diff(want, contents(t, s)); diff != "" {
		t.Fatal(diff) // a clear no leaves what was acknowledged of "answered"
	}
	if p.Action(1) != Unchanged || p.Action(2) != Send || p.Action(3) != Send || p.Action(4) != Send {
		t.Fatalf("actions %d %d %d %d", p.Action(1), p.Action(2), p.Action(3), p.Action(4))
	}
	if diff := cmp.Diff(Counts{New: 1, Changed: 2, Unchanged: 1, Send: 3, Vanished: 3, Known: 6}, p.Counts); diff != "" {
		t.Fatal(diff)
	}
	if p, _ = night(t, folder, PlanOptions{}, nil, row{"answered", "1"}); p.Action(1) != Unchanged {
		t.Fatal("what was acknowledged before the refused request is still true")
	}
}

func TestSequencesAreComparedWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	both := map[int64]*batch.Outcome{1: succeeded, 2: succeeded}
	night(t, folder, PlanOptions{}, both, row{"d", "1"}, row{"d", "2"})
	for _, test := range []struct {
		rows []row
		want Action
	}{
		{[]row{{"d", "1"}, {"d", "2"}}, Unchanged},
		{[]row{{"d", "2"}, {"d", "1"}}, Send},
		{[]row{{"d", "2"}}, Send},
		{[]row{{"d", "1"}, {"d", "2"}, {"d", "2"}}, Send},
	} {
		s := openState(t, LocalStore(unsynced{}, folder), folder)
		p := planOf(t, s, folder, PlanOptions{}, test.rows...)
		for n := range test.rows {
			if got := p.Action(int64(n) + 1); got != test.want {
				t.Errorf("%v: row %d: action %d, want %d", test.rows, n+1, got, test.want)
			}
		}
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	rows := []row{{"a", "1"}, {"b", "1"}, {"a", "2"}, {"b", "1"}, {"a", ""}, {"c", "1"}}
	for _, test := range []struct {
		mode Duplicates
		want []Action
	}{
		{SendAll, []Action{Send, Send, Send, Send, Send, Send}},
		{SendLast, []Action{Superseded, Superseded, Send, Send, Send, Send}},
		{RejectDiffer, []Action{Duplicate, Send, Duplicate, Superseded, Send, Send}},
	} {
		p := planOf(t, nil, t.TempDir(), PlanOptions{OnDuplicate: test.mode}, rows...)
		var got []Action
		for n := range rows {
			got = append(got, p.Action(int64(n)+1))
			if p.IsRepeated(int64(n)+1) != (n == 2) {
				t.Errorf("%s: row %d counts as repeated: %t", test.mode, n+1, n != 2)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.mode, diff)
		}
	}
}

func TestFullAdoptAndAge(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	adopted := &batch.Outcome{Status: batch.Skipped, Code: CodeAdopted}
	p, _ := night(t, folder, PlanOptions{Adopt: true}, map[int64]*batch.Outcome{1: adopted, 2: adopted}, row{"a", "1"}, row{"b", "1"})
	if p.Action(1) != Adopted || p.Counts.Send != 0 || p.Counts.Adopted != 2 {
		t.Fatalf("action %d, counts %+v", p.Action(1), p.Counts)
	}
	p, s := night(t, folder, PlanOptions{Full: true}, map[int64]*batch.Outcome{1: succeeded}, row{"a", "1"})
	if p.Action(1) != Send || p.Counts.Send != 1 || p.Counts.Unchanged != 1 {
		t.Fatalf("action %d, counts %+v", p.Action(1), p.Counts)
	}
	if diff := cmp.Diff(map[string]string{"a": "ack", "b": "ack"}, contents(t, s)); diff != "" {
		t.Fatal(diff)
	}
	// Of a thousand devices about half are older than three quarters of the age.
	var rows []row
	all := make(map[int64]*batch.Outcome)
	for n := range 1000 {
		rows = append(rows, row{fmt.Sprint("d", n), "1"})
		all[int64(n)+1] = succeeded
	}
	folder = t.TempDir()
	_, s = night(t, folder, PlanOptions{}, all, rows...)
	const age = 30 * 24 * time.Hour
	last := int64(0)
	for _, at := range []struct {
		share    float64
		min, max int64
	}{{0.49, 0, 0}, {0.75, 400, 600}, {1.01, 1000, 1000}} {
		now := time.Now().Add(time.Duration(at.share * float64(age)))
		p := planOf(t, s, folder, PlanOptions{MaxAge: age, Now: now}, rows...)
		if n := p.Counts.TooOld; n < at.min || n > at.max || n != p.Counts.Send || n < last {
			t.Errorf("at %v of the age %d are too old", at.share, n)
		}
		last = p.Counts.TooOld
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	all := map[int64]*batch.Outcome{1: succeeded, 2: succeeded, 3: succeeded, 4: succeeded}
	night(t, folder, PlanOptions{}, all, row{"a", "1"}, row{"b", "1"}, row{"c", "1"}, row{"d", "1"})
	s := openState(t, LocalStore(unsynced{}, folder), folder)
	var list bytes.Buffer
	p := mirrorPlan(t, s, folder, PlanOptions{}, &list, row{"a", "1"})
	if p.Counts.Vanished != 3 || strings.Count(list.String(), ",app\n") != 3 {
		t.Fatalf("counts %+v, list\n%s", p.Counts, &list)
	}
	begin(t, s, p, folder)
	settle(t, s, outcomesOf(4, map[int64]*batch.Outcome{2: succeeded, 3: gone, 4: timeout}), true)
	got := contents(t, s)
	if len(got) != 2 || got["a"] != "ack" || !slices.Contains(slices.Collect(maps.Values(got)), "known") {
		t.Fatalf("after the mirror: %v; the list was\n%s", got, &list)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	all := map[int64]*batch.Outcome{1: succeeded, 2: succeeded, 3: succeeded}
	p, s := night(t, folder, PlanOptions{}, all, row{"a", "1"}, row{"b", "1"}, row{"c", "1"})
	forget := func(keep bool, ids ...string) int64 {
		n, err := s.Forget(context.Background(), func(yield func(string, error) bool) {
			for _, id := range ids {
				if !yield(id, nil) {
					return
				}
			}
		}, keep)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := forget(false, "a", "x", "a"); n != 1 {
		t.Errorf("%d devices were removed", n)
	}
	if n := forget(true, "b"); n != 1 {
		t.Errorf("%d devices were forgotten", n)
	}
	s = openState(t, LocalStore(unsynced{}, folder), folder)
	if diff := cmp.Diff(map[string]string{"b": "known", "c": "ack"}, contents(t, s)); diff != "" {
		t.Fatal(diff)
	}
	if s.Follows(p) == nil {
		t.Error("a run of before could be resumed")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "devices-*"))
	if len(files) != 1 {
		t.Errorf("files that hold forgotten ids are left: %v", files)
	}
}

func TestOutcomesOfAttempts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		out  batch.Outcome
		sure bool
		want outcome
	}{
		"succeeded":               {batch.Outcome{Status: batch.Succeeded, Attempts: 4}, false, done},
		"clear no":                {batch.Outcome{Status: batch.Failed, HTTPStatus: 400, Attempts: 1}, true, refused},
		"no behind a 503":         {batch.Outcome{Status: batch.Failed, HTTPStatus: 400, Attempts: 2}, true, unknown},
		"no after a reset":        {batch.Outcome{Status: batch.Failed, HTTPStatus: 400, Attempts: 1}, false, unknown},
		"timeout":                 {batch.Outcome{Status: batch.Failed, Attempts: 1}, true, unknown},
		"server error":            {batch.Outcome{Status: batch.Failed, HTTPStatus: 500, Attempts: 1}, true, unknown},
		"too many requests":       {batch.Outcome{Status: batch.Failed, HTTPStatus: 429, Attempts: 1}, true, unknown},
		"adopted":                 {batch.Outcome{Status: batch.Skipped, Code: CodeAdopted}, true, done},
		"skipped for its content": {batch.Outcome{Status: batch.Skipped, Code: "nothing_to_do"}, true, unknown},
	} {
		if got := outcomeOf(&test.out, test.sure); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestPlanComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, same := &Plan{}, &Plan{}
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			p.mark(p.next(), Action(rapid.IntRange(0, 15).Draw(t, "action")))
		}
		actions := slices.Clone(p.Actions())
		same.Rows = p.Rows
		if err := same.SetActions(actions); err != nil {
			t.Fatal(err)
		}
		for row := range p.Rows {
			if p.bits(row+1) != same.bits(row+1) {
				t.Fatalf("row %d: %d became %d", row+1, p.bits(row+1), same.bits(row+1))
			}
		}
		if same.Rows += 2; same.SetActions(actions) == nil {
			t.Fatal("a plan of another length was taken")
		}
	})
}

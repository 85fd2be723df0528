package writers

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
)

var finished = time.Date(2026, 11, 23, 10, 20, 30, 123456789, time.FixedZone("", 3600))

func result(num int64, o batch.Outcome, cells ...string) *batch.Result {
	r := &batch.Result{Row: batch.Row{Num: num, Source: "in.csv", Pos: batch.Position{Row: num - 1}}, Outcome: o}
	r.Finished = finished
	for _, c := range cells {
		r.Row.Values = append(r.Row.Values, batch.TextValue(c))
	}
	return r
}

func newFolder(t *testing.T) *runstore.Folder {
	t.Helper()
	f, err := runstore.Create(t.Context(), filepath.Join(t.TempDir(), "run"), runstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func options(format string, columns ...string) ReportOptions {
	f, err := ResultFormatNamed(format)
	if err != nil {
		panic(err)
	}
	return ReportOptions{Operation: "personalize", Format: f, Columns: [][]string{columns}}
}

func open(t *testing.T, f *runstore.Folder, o ReportOptions, mark batch.Mark) *Reports {
	t.Helper()
	s, err := OpenReports(f, o, mark)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s *Reports, results ...*batch.Result) {
	t.Helper()
	for _, r := range results {
		if err := s.Write(r); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t *testing.T, f *runstore.Folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(f.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestResultsCSV(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	s := open(t, f, options("csv", "registrationId"), nil)
	write(t, s,
		result(1, batch.Outcome{Status: batch.Succeeded, RegistrationID: "d,1", HTTPStatus: 200, Attempts: 2, Latency: 12345678}),
		result(2, batch.Outcome{Status: batch.Rejected, Code: "phone_invalid;email_invalid", Message: "=cmd|' /C calc'!A0"}, "x"),
	)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := strings.Join(resultNames(), ",") + "\n" +
		`1,in.csv,1,"d,1",personalize,succeeded,200,,,2,12.345,2026-11-23T09:20:30.123Z,,` + "\n" +
		`2,in.csv,2,,personalize,rejected,,"phone_invalid;email_invalid","'=cmd|' /C calc'!A0",0,,2026-11-23T09:20:30.123Z,,` + "\n"
	if diff := cmp.Diff(want, content(t, f, "results.csv")); diff != "" {
		t.Error(diff)
	}
}

func TestResultsNDJSON(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	s := open(t, f, options("ndjson", "registrationId"), nil)
	write(t, s,
		result(1, batch.Outcome{Status: batch.Succeeded, RegistrationID: `d"1`, HTTPStatus: 200, Attempts: 1, Latency: time.Second}),
		result(2, batch.Outcome{Status: batch.Skipped, Code: "nothing_to_update"}),
	)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	for line := range strings.Lines(content(t, f, "results.ndjson")) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	want := []map[string]any{
		{
			"row": 1.0, "source": "in.csv", "source_row": 1.0, "registration_id": `d"1`, "operation": "personalize", "status": "succeeded",
			"http_status": 200.0, "error_code": nil, "error_message": nil, "attempts": 1.0, "latency_ms": 1000.0, "finished_at": "2026-11-23T09:20:30.123Z", "error_columns": nil, "warnings": nil,
		},
		{
			"row": 2.0, "source": "in.csv", "source_row": 2.0, "registration_id": nil, "operation": "personalize", "status": "skipped",
			"http_status": nil, "error_code": "nothing_to_update", "error_message": nil, "attempts": 0.0, "latency_ms": nil, "finished_at": "2026-11-23T09:20:30.123Z", "error_columns": nil, "warnings": nil,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What was read comes back byte for byte, whatever it is.
func TestFailedGivesBackWhatWasRead(t *testing.T) {
	t.Parallel()
	cells := []string{"", " x ", "a,b", `say "hi"`, "two\nlines", "cr\r\nlf", "=1+1", "+385", "-5", "@x", "\u00a0nbsp", "日本", "a;b|c\td", "'", "\"", "\u200b"}
	for _, cell := range cells {
		t.Run(cell, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t)
			s := open(t, f, options("csv", "id", "name"), nil)
			write(t, s,
				result(1, batch.Outcome{Status: batch.Succeeded}, "good", "row"),
				result(2, batch.Outcome{Status: batch.Skipped}, "skipped", "row"),
				result(3, batch.Outcome{Status: batch.Failed, Code: "48013", Message: "Push registration not found"}, cell, cell))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := csv.NewReader(strings.NewReader(content(t, f, runstore.FailedFile))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			back := strings.ReplaceAll(cell, "\r\n", "\n") // encoding/csv does this to quoted line ends
			want := [][]string{
				{"id", "name", "_row", "_status", "_error_code", "_error_columns", "_error_message"},
				{back, back, "3", "failed", "48013", "", "Push registration not found"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(cell, "\r\n") && !strings.Contains(content(t, f, runstore.FailedFile), cell) {
				t.Error("the line end within the cell was changed")
			}
		})
	}
}

func TestFailedColumns(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	o := options("csv", "id", "email", "_row", "_error_message")
	o.Columns = append(o.Columns, []string{"name", "id"})
	s := open(t, f, o, nil)
	bad := batch.Outcome{Status: batch.Rejected, Code: "c", Message: "m"}
	first := result(1, bad, "1", "a@example.com", "77", "old message")
	first.Row.Excess = []batch.Value{batch.TextValue("x,y"), batch.TextValue("z")}
	second := result(2, bad, "Ann", "2")
	second.Row.Input = 1
	write(t, s, first, second)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := "id,email,name,_row,_status,_error_code,_error_columns,_error_message\n" +
		"1,a@example.com,,1,rejected,c,,\"m (surplus cells: \"\"x,y\"\",z)\"\n" +
		"2,,Ann,2,rejected,c,,m\n"
	if diff := cmp.Diff(want, content(t, f, runstore.FailedFile)); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(content(t, f, "results.csv"), "x,y") {
		t.Error("cells of the row stand in the results")
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	o := options("csv", "id")
	o.Requests = true
	s := open(t, f, o, nil)
	write(t, s,
		result(1, batch.Outcome{Status: batch.Rejected}),
		result(2, batch.Outcome{Status: batch.Skipped, Payload: []byte(`{"method":"GET"}`)}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := content(t, f, runstore.RequestsFile), `{"row":2,"method":"GET"}`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A sink that is opened at a mark goes on as if it had never been closed,
// whatever was written after the mark and whether it was published or not.
func TestResumeAtMark(t *testing.T) {
	t.Parallel()
	for _, published := range []bool{false, true} {
		f := newFolder(t)
		bad := batch.Outcome{Status: batch.Failed, Code: "x"}
		s := open(t, f, options("csv", "id"), nil)
		write(t, s, result(1, bad, "1"))
		mark, err := s.Flush()
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, result(2, bad, "lost"))
		if published {
			err = s.Close()
		} else {
			_, err = s.Flush()
			err = errors.Join(err, s.abandon())
		}
		if err != nil {
			t.Fatal(err)
		}
		s = open(t, f, options("csv", "id"), mark)
		if f.Exists("results.csv") {
			t.Error("a report of a run that goes on looks finished")
		}
		write(t, s, result(2, bad, "2"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		want := "id,_row,_status,_error_code,_error_columns,_error_message\n1,1,failed,x,,\n2,2,failed,x,,\n"
		if diff := cmp.Diff(want, content(t, f, runstore.FailedFile)); diff != "" {
			t.Errorf("published %v: %s", published, diff)
		}
		if n := strings.Count(content(t, f, "results.csv"), "\n"); n != 3 {
			t.Errorf("published %v: results have %d lines, want 3", published, n)
		}
	}
}

func TestResumeRefusesAShorterReport(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	s := open(t, f, options("csv", "id"), nil)
	mark, err := s.Flush()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.abandon(); err != nil {
		t.Fatal(err)
	}
	mark["results.csv"] += 10
	if _, err := OpenReports(f, options("csv", "id"), mark); err == nil || !strings.Contains(err.Error(), "was cut or replaced") {
		t.Errorf("got %v", err)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	o := options("csv", "id")
	o.Requests = true
	s := open(t, f, o, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.WriteJSON(runstore.JobFile, 1), f.WriteJSON(runstore.SummaryFile, 1), f.SaveCheckpoint(&batch.Checkpoint{})); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(f.Path(""))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
	for _, name := range []string{runstore.JobFile, runstore.SummaryFile, runstore.CheckpointFile, "results.csv", runstore.FailedFile, runstore.RequestsFile} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not there: %v", name, names)
		}
	}
}

// resultNames are the names of the columns of the results file.
func resultNames() []string {
	names := make([]string, len(resultColumns))
	for i, c := range resultColumns {
		names[i] = c.name
	}
	return names
}

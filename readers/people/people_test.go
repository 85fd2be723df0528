package people_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient"
	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/readers/people"
	"pushbatch/writers/inventory"
)

// listing opens the people of a simulator, kept in path.
func listing(t *testing.T, sender people.Doer, path string, o people.Options) *people.Source {
	t.Helper()
	o.Sender = sender
	source, err := people.New(o, inventory.NewLayout(true, false), func() string { return path })
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func rowsOf(t *testing.T, source *people.Source, from batch.Position) (rows []batch.Row, err error) {
	t.Helper()
	for row, err := range source.Rows(t.Context(), from) {
		if err != nil {
			return rows, err
		}
		if len(row.Values) != len(source.Header()) {
			t.Fatalf("row %d has %d values for %d columns", row.SourceNum(), len(row.Values), len(source.Header()))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Every device is listed once; what is kept is read again from any position
// without asking, and a page that a crash left incomplete is asked for anew.
func TestPeopleAreKept(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	sim.SeedPeople(57)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	client, err := apiclient.New(apiclient.Config{BaseURL: server.URL, AppCode: "app", Auth: apiclient.AppKey("key"), ListRate: apiclient.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "people")
	options := people.Options{PageSize: 20}
	first := listing(t, client, path, options)
	rows, err := rowsOf(t, first, batch.Position{})
	if err != nil {
		t.Fatal(err)
	}
	if got := first.Count(); got.People != 57 || got.Total != 57 || !got.AllRead {
		t.Errorf("the listing counts %+v", got)
	}
	ids := map[string]bool{}
	for _, row := range rows {
		ids[row.Values[0].Text] = true
	}
	if len(rows) < 57 || len(ids) != len(rows) {
		t.Fatalf("%d rows with %d devices of 57 people", len(rows), len(ids))
	}
	asked := sim.Stats().Requests

	again := listing(t, client, path, options)
	for i, row := range rows {
		rest, err := rowsOf(t, again, row.Pos)
		if err != nil || !cmp.Equal(rest, rows[i:]) {
			t.Fatalf("from row %d on: %v, %s", i+1, err, cmp.Diff(rows[i:], rest))
		}
	}
	if got := sim.Stats().Requests; got != asked {
		t.Errorf("the platform was asked %d times for what was kept", got-asked)
	}

	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage(t, path, data[:len(data)-3])
	sealed := listing(t, client, path, options)
	sealed.Seal()
	if kept, err := rowsOf(t, sealed, batch.Position{}); err == nil || len(kept) >= len(rows) {
		t.Errorf("a sealed listing without its end gave %d rows and %v", len(kept), err)
	}
	if mended, err := rowsOf(t, listing(t, client, path, options), batch.Position{}); err != nil || len(mended) != len(rows) {
		t.Errorf("with a cut last page: %d rows, want %d, and %v", len(mended), len(rows), err)
	}
	if _, err := rowsOf(t, listing(t, client, path, options), batch.Position{Row: 1, Offset: int64(len(data)) + 100}); err == nil {
		t.Error("a position behind the file was read")
	}
	middle := slices.Clone(data)
	middle[0] ^= 0xFF
	damage(t, path, middle)
	if _, err := rowsOf(t, listing(t, client, path, options), batch.Position{}); err == nil || !strings.Contains(err.Error(), "damaged at byte 0") {
		t.Errorf("damage in the middle: %v", err)
	}
	ended := listing(t, client, path, options)
	ended.End()
	if none, err := rowsOf(t, ended, batch.Position{}); err != nil || len(none) != 0 {
		t.Errorf("an ended listing gave %d rows and %v", len(none), err)
	}
}

func damage(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is asked for.
func TestPeopleQuery(t *testing.T) {
	t.Parallel()
	since := time.Date(2024, 2, 29, 12, 0, 0, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		filter, want, refused string
		since                 time.Time
	}{
		{},
		{filter: `{"#eq":{"gender":"MALE"}}`, want: `{"#eq":{"gender":"MALE"}}`},
		{since: since, want: `{"#gte":{"modifiedAt":"2024-02-29T11:00:00"}}`},
		{filter: `{"a":1}`, since: since, want: `{"#and":[{"#gte":{"modifiedAt":"2024-02-29T11:00:00"}},{"a":1}]}`},
		{filter: `["a"]`, refused: "not a JSON object"},
		{filter: `null`, refused: "not a JSON object"},
		{filter: `{"a"`, refused: "not JSON"},
	} {
		a := &answer{response: apiclient.Response{Status: 200, Body: []byte(`{"persons":[]}`)}}
		source, err := people.New(people.Options{Sender: a, Filter: tt.filter, ModifiedSince: tt.since}, inventory.NewLayout(true, false),
			func() string { return filepath.Join(t.TempDir(), "people") })
		if tt.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("filter %s: %v, want %s", tt.filter, err, tt.refused)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rowsOf(t, source, batch.Position{}); err != nil {
			t.Fatal(err)
		}
		query, err := url.ParseQuery(strings.TrimPrefix(a.call.Query, "?"))
		if got := query.Get("filter"); err != nil || got != tt.want {
			t.Errorf("asked for %s, want %s (%v)", got, tt.want, err)
		}
	}
}

// Answers that are no page of the listing, and refusals, end the run.
func TestPeopleAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body, code string
		err        error
	}{
		"not JSON":            {body: `{"persons":[`, code: "answer_invalid"},
		"no list":             {body: `{"people":[]}`, code: "answer_invalid"},
		"person without id":   {body: `{"persons":[{"createdAt":"2024-01-01T00:00:00"}]}`, code: "answer_invalid"},
		"person without time": {body: `{"persons":[{"id":7,"createdAt":"yesterday"}]}`, code: "answer_invalid"},
		"refused":             {err: &apiclient.Error{Status: 403, Code: "FORBIDDEN", Class: apiclient.Fatal}, code: "FORBIDDEN"},
		"outage":              {err: fmt.Errorf("%w", apiclient.ErrOutage), code: "outage"},
	} {
		a := &answer{response: apiclient.Response{Status: 200, Body: []byte(tt.body)}, err: tt.err}
		_, err := rowsOf(t, listing(t, a, filepath.Join(t.TempDir(), "people"), people.Options{}), batch.Position{})
		if abort, ok := errors.AsType[*batch.Abort](err); !ok || abort.Code != tt.code {
			t.Errorf("%s: %v, want an abort with %s", name, err, tt.code)
		}
	}
}

// answer answers every call with the same.
type answer struct {
	call     apiclient.Call
	response apiclient.Response
	err      error
}

func (a *answer) Do(_ context.Context, call apiclient.Call) (apiclient.Response, error) {
	a.call = call
	return a.response, a.err
}

// A person becomes a row for each device; what there is no column for stays in
// extra, and devices of other applications are left out where one was named.
func TestPeopleRows(t *testing.T) {
	t.Parallel()
	const body = `{"persons":[{"id":7,"createdAt":"2024-01-02T03:04:05+01:00","modifiedAt":"2024-02-01T00:00:00.5Z","externalId":"ann","contactInformation":{
		"phone":[{"number":"385911111111"},{"number":"385922222222"},{"number":""}],"email":[{"address":"ann@example.com"}],
		"push":[{"registrationId":"device-1","applicationId":"A","new":1},{"registrationId":"device-2","applicationId":"B"}]}},
		{"id":"8","createdAt":"2024-01-03T00:00:00"}],"totalCount":2}`
	person := map[string]string{
		"person_id": "7", "external_id": "ann", "phone": "385911111111", "email": "ann@example.com",
		"created_at": "2024-01-02T02:04:05.000Z", "modified_at": "2024-02-01T00:00:00.500Z",
	}
	device := func(id, application, extra string) map[string]string {
		row := map[string]string{"registration_id": id, "application_id": application, "channel": "push", "extra": extra}
		for k, v := range person {
			row[k] = v
		}
		return row
	}
	one := device("device-1", "A", `{"new":1,"phones":["385911111111","385922222222"]}`)
	two := device("device-2", "B", `{"phones":["385911111111","385922222222"]}`)
	for application, want := range map[string][]map[string]string{"": {one, two}, "B": {two}, "C": nil} {
		a := &answer{response: apiclient.Response{Status: 200, Body: []byte(body)}}
		source := listing(t, a, filepath.Join(t.TempDir(), "people"), people.Options{Application: application})
		rows, err := rowsOf(t, source, batch.Position{})
		if err != nil {
			t.Fatal(err)
		}
		var got []map[string]string
		for _, row := range rows {
			cells := map[string]string{}
			for i, v := range row.Values {
				if v.Kind != batch.Null {
					cells[source.Header()[i].Name] = v.Text
				}
			}
			delete(cells, "exported_at")
			got = append(got, cells)
			if _, out := ops.Listed(a, false)(&row); out == nil || out.Status != batch.Succeeded || out.RegistrationID != cells["registration_id"] {
				t.Errorf("the row became %+v", out)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("application %q (-want +got):\n%s", application, diff)
		}
	}
}

package batch_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/testdata/thorough"
)

// A row of the journal reads back as it was, whatever fields an outcome has: each
// is filled here, so that a new one that AppendJSON forgets is noticed.
func TestWaitingAppendJSON(t *testing.T) {
	t.Parallel()
	full := batch.Waiting{Row: 7, Outcome: batch.Outcome{
		Status: batch.Failed, RegistrationID: "d\"1", HTTPStatus: 400, Code: "48013", Message: "line\nč", ErrorColumns: "a;b",
		Warnings: "w", Attempts: 3, Latency: 5 * time.Millisecond, Finished: time.Unix(1, 23).UTC(), Payload: []byte{0, 255, 7},
	}}
	out := reflect.ValueOf(full.Outcome)
	for i := range out.NumField() {
		if f := out.Type().Field(i); f.Tag.Get("json") != "-" && out.Field(i).IsZero() {
			t.Errorf("%s is not filled", f.Name)
		}
	}
	for _, want := range []batch.Waiting{full, {Row: 1, Outcome: batch.Outcome{Status: batch.Succeeded}}} {
		var got batch.Waiting
		if err := json.Unmarshal(want.AppendJSON(nil), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// What no run saves is refused before anything counts on it.
func TestCheckpointOfOthers(t *testing.T) {
	t.Parallel()
	for _, data := range thorough.Sample([]string{
		`{"rows":-1}`, `{"rows":9223372036854775807}`, `{"input":-1}`, `{"position":{"row":-1}}`, `{"position":{"row":1,"offset":-5}}`,
		`{"tally":{"statuses":[0,1,-2]}}`, `{"tally":{"codes":{"x":null}}}`, `{"tally":{"warnings":{"x":null}}}`,
		`{"tally":{"codes":{` + manyCodes(300) + `}}}`,
		`{"waiting":[` + strings.Repeat(`{},`, batch.MaxWaiting) + `{}]}`,
		`{"caller_state":"` + strings.Repeat("x", 1<<20) + `"}`,
	}, 3) {
		var c batch.Checkpoint
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			t.Fatal(err)
		}
		if c.Check() == nil {
			t.Errorf("%.60s was taken", data)
		}
	}
	if err := new(batch.Checkpoint).Check(); err != nil {
		t.Error(err)
	}
}

func manyCodes(n int) string {
	var codes []string
	for i := range n {
		codes = append(codes, fmt.Sprintf(`"c%d":{"status":"failed"}`, i))
	}
	return strings.Join(codes, ",")
}

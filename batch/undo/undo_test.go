package undo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch/undo"
)

// plan writes records into a log, reads them again and plans.
func plan(t *testing.T, operation string, tail string, records ...undo.Record) map[string]undo.Restore {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	log, err := undo.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(records...); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(tail); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]undo.Restore)
	err = undo.Plan(operation, undo.Records(file), t.TempDir(), func(r *undo.Restore) error {
		got[r.Device] = *r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// The first state counts as before; what may be left is the last that certainly
// succeeded and what came after it; a refused request changes nothing; a line that
// was cut off is passed over.
func TestPlanOfUpdates(t *testing.T) {
	t.Parallel()
	sent := func(device, before, body string) undo.Record {
		return undo.Record{Kind: undo.KindSent, Device: device, Before: raw(before), Body: raw(body)}
	}
	end := func(device, ended string) undo.Record {
		return undo.Record{Kind: undo.KindEnd, Device: device, Ended: ended}
	}
	got := plan(t, "update", `{"kind":"sent","device":"c","bo`,
		sent("a", `{"additionalData":{"x":1}}`, `{"additionalData":{"x":2,"y":"new"}}`), end("a", undo.Succeeded),
		sent("b", `{}`, `{"isPrimary":true}`), end("b", undo.Refused),
		sent("a", `{"additionalData":{"x":2,"y":"new"}}`, `{"additionalData":{"x":3}}`),
	)
	want := map[string]undo.Restore{"a": {Device: "a", Known: true, Fields: []undo.Field{
		{Name: "additionalData.x", Before: raw("1"), Left: []json.RawMessage{raw("2"), raw("3")}},
		{Name: "additionalData.y", Left: []json.RawMessage{raw(`"new"`)}},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A device that a whole listing lacks belonged to nobody; one that a part lacks is not
// known. What --mirror took back was left nobody's.
func TestPlanOfPersons(t *testing.T) {
	t.Parallel()
	for _, partial := range []bool{false, true} {
		got := plan(t, "personalize", "",
			undo.Record{Kind: undo.KindPerson, Device: "a", Application: "app", Person: &undo.Person{ID: "1", ExternalID: "old"}},
			undo.Record{Kind: undo.KindListed, Partial: partial},
			undo.Record{Kind: undo.KindSent, Device: "a", Body: raw(`{"identity":{"externalId":"new"}}`)},
			undo.Record{Kind: undo.KindEnd, Device: "a", Ended: undo.Succeeded},
			undo.Record{Kind: undo.KindSent, Device: "b", Body: raw(`{"identity":{"email":"x@example.com"},"attributes":{"tags":["t"]}}`)},
			undo.Record{Kind: undo.KindSent, Device: "v"},
			undo.Record{Kind: undo.KindEnd, Device: "v", Ended: undo.Succeeded},
		)
		want := map[string]undo.Restore{
			"a": {Device: "a", Application: "app", Known: true, Before: &undo.Person{ID: "1", ExternalID: "old"}, Left: []undo.Person{{ExternalID: "new"}}},
			"b": {Device: "b", Known: !partial, Left: []undo.Person{{Email: "x@example.com"}}, Nobody: true, Attributes: true},
			"v": {Device: "v", Known: !partial, Nobody: true},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("partial %t: %s", partial, diff)
		}
	}
}

func TestSameValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"5", "5.0", true},
		{"9223372036854775807", "9223372036854775806", false},
		{`"5"`, "5", false},
		{"", "null", true},
		{"true", "true", true},
		{"true", "false", false},
		{"{}", "{ }", false},
		{"1e400", "1e400", true},
	} {
		if got := undo.SameValue(raw(c.a), raw(c.b)); got != c.same {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
}

package ops_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// A word that stands for no value ties devices of strangers to one person.
func TestNullWords(t *testing.T) {
	t.Parallel()
	for _, word := range []string{`\N`, "<NA>", "NaN", "nan", "None", "nil", "(null)", "undefined", "N/A", "#N/A", "null", "NULL", "nUlL", " NULL ", "<null>", "[NULL]", "<none>"} {
		for i, column := range []string{"registrationId", "externalId", "phoneNumber", "email"} {
			cells := []string{"device-1", "ann", "385911234567", "ann@example.com"}
			cells[i] = word
			b := dryBinding(t, "personalize", header("registrationId", "externalId", "phoneNumber", "email"), ops.Options{})
			_, out := b.Map(row(cells...))
			if out.Code != "null_word" || len(out.Problems) != 1 {
				t.Errorf("%s %q: got %s (%s)", column, word, out.Code, out.Message)
			}
		}
	}
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "firstName"), ops.Options{})
	for _, id := range []string{"Nancy", "nullable", "n-a", "0"} {
		_, out := b.Map(row("device-1", id, "None"))
		if got := body(t, out); !strings.Contains(got, id) || !strings.Contains(got, `"firstName":"None"`) {
			t.Errorf("%s: sent %s", id, got)
		}
	}
}

func TestBooleanWords(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "update", header("registrationId", "isPrimary", "additionalData.v:boolean"), ops.Options{})
	for want, words := range map[string]string{
		`{"isPrimary":true,"additionalData":{"v":true}}`:   "true TRUE 1 yes Y t",
		`{"isPrimary":false,"additionalData":{"v":false}}`: "false False 0 no N F",
	} {
		for word := range strings.FieldsSeq(words) {
			_, out := b.Map(row("device-1", word, word))
			if got := body(t, out); got != want {
				t.Errorf("%s: sent %s", word, got)
			}
		}
	}
	for _, word := range []string{"2", "maybe", "on", "10", "01", "ja"} {
		if _, out := b.Map(row("device-1", word, "")); out.Code != "boolean_invalid" {
			t.Errorf("%s: got %s", word, out.Code)
		}
	}
	one := row("device-1", "", "")
	one.Values[1] = batch.IntValue(1)
	if _, out := b.Map(one); body(t, out) != `{"isPrimary":true}` {
		t.Errorf("a stored 1: %+v", out)
	}
}

// Cells are judged only where they are used.
func TestUnusedFaults(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "comment"), ops.Options{IgnoreUnmapped: true})
	faulty := func(columns ...string) *batch.Row {
		r := row("device-1", "ann", "\xe9")
		for _, column := range columns {
			r.Faults = append(r.Faults, batch.Problem{Code: "encoding_invalid", Column: column, Message: "bad"})
		}
		r.Err = &r.Faults[0]
		return r
	}
	unused := faulty("comment")
	if _, out := b.Map(unused); body(t, out) != `{"identity":{"externalId":"ann"}}` || unused.Err != nil {
		t.Errorf("a fault in an unused column: %+v, %v", out, unused.Err)
	}
	if _, out := b.Map(faulty("comment", "externalId")); out.Code != "encoding_invalid" || !strings.Contains(out.Message, "externalId") {
		t.Errorf("a fault in a used column behind it: %+v", out)
	}
}

// Each thing is said once, and not without end.
func TestProblemsOnce(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "email", "tags", "customAttributes"), ops.Options{})
	_, out := b.Map(row("device-1", "u1", "bad mail", `["","a",""]`, ""))
	want := "column email: expected an e-mail address such as name@example.com: it has no @; column tags: one of the tags in the list has no name"
	if diff := cmp.Diff(want, out.Message); diff != "" {
		t.Error(diff)
	}
	if _, out = b.Map(row("device-1", "u1", "", "|a||b;", "")); !strings.Contains(body(t, out), `"tags":["a","b"]`) {
		t.Errorf("separators too many: %s", out.Payload)
	}
	if _, out = b.Map(row("device-1", "u1", "", "||", "")); strings.Contains(body(t, out), "tags") {
		t.Errorf("separators only: %s", out.Payload)
	}
	var object strings.Builder
	for i := range 80_000 {
		fmt.Fprintf(&object, `,"a%d":"#REF!"`, i)
	}
	_, out = b.Map(row("device-1", "u1", "", "", "{"+object.String()[1:]+"}"))
	if !strings.Contains(out.Code, "attributes_too_many") || len(out.Message) > 20_000 {
		t.Errorf("80,000 attributes: %s, a message of %d bytes", out.Code, len(out.Message))
	}
}

// A header or an object may hold what is a person's value: it is not told.
func TestValueLikeNamesAreNotTold(t *testing.T) {
	t.Parallel()
	const address = "ana@example.com"
	_, err := ops.Named("personalize").Bind(header("registrationId", "externalId", address), ops.Options{HasAppCode: true})
	if err == nil || strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "column 3") {
		t.Errorf("a header: %v", err)
	}
	b := dryBinding(t, "personalize", header("registrationId", "identity"), ops.Options{})
	_, out := b.Map(row("device-1", `{"externalId":"u1","`+address+`":"x"}`))
	if out.Code != "member_unknown" || strings.Contains(out.Message, address) {
		t.Errorf("a member: %s", out.Message)
	}
}

// Columns of an inventory are no slips of the platform's terms.
func TestNoWrongSuggestion(t *testing.T) {
	t.Parallel()
	for _, column := range []string{"application_id", "status"} {
		_, err := ops.Named("personalize").Bind(header("registrationId", "externalId", column), ops.Options{HasAppCode: true})
		if err == nil || strings.Contains(err.Error(), "did you mean") || !strings.Contains(err.Error(), "nobody can write it") {
			t.Errorf("%s: %v", column, err)
		}
	}
}

// A whole inventory is INPUT of personalize.
func TestInventoryAsInput(t *testing.T) {
	t.Parallel()
	names := []string{"registration_id", "application_id", "channel", "is_primary", "os", "additional_data", "exported_at", "status", "person_id", "external_id", "phone", "email", "first_name", "tags", "custom_attributes", "created_at", "modified_at", "extra"}
	b := dryBinding(t, "personalize", header(names...), ops.Options{})
	_, out := b.Map(row("device-1", "app", "push", "true", "iOS", "{}", "2026-01-01T00:00:00Z", "succeeded", "7", "crm-1", "385911234567", "ana@example.com", "Ana", `["a"]`, `{"tier":"gold"}`, "", "", "{}"))
	want := `{"identity":{"externalId":"crm-1","phoneNumber":"385911234567","email":"ana@example.com"},"attributes":{"firstName":"Ana","tags":["a"],"customAttributes":{"tier":"gold"}}}`
	if diff := cmp.Diff(want, body(t, out)); diff != "" {
		t.Error(diff)
	}
}

// A small file of brackets or of keys takes neither time nor memory.
func TestYAMLBounds(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("[", 200_000), strings.Repeat("- ", 100_000), "columns: " + strings.Repeat("{a: ", 1000), strings.Repeat("#", 2<<20), strings.Repeat("k:\n", 30_000), strings.Repeat("k:\r", 30_000)} {
		if _, err := ops.ParseMapping("map.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "nested deeper") && !strings.Contains(err.Error(), "at most") {
			t.Errorf("%.12s…: %v", text, err)
		}
	}
	if _, err := ops.ParseMapping("map.yaml", []byte(strings.Repeat("# see [1\n", 100)+"columns: {a: {to: email, values: {x: null}}}\n")); err != nil {
		t.Error(err)
	}
}

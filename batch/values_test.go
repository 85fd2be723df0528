package batch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
)

func TestParseThreshold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want string
		tolerates  [2]int64 // bad and done that are just tolerated
		exceeded   [2]int64 // and that are not; zero: none
	}{
		{"", "", [2]int64{1 << 40, 1 << 40}, [2]int64{}},
		{"0", "0", [2]int64{0, 5}, [2]int64{1, 5}},
		{"20", "20", [2]int64{20, 20}, [2]int64{21, 1 << 40}},
		{"0%", "0%", [2]int64{99, 99}, [2]int64{1, 100}},
		{"2.5%", "2.5%", [2]int64{5, 200}, [2]int64{6, 200}},
		{"29%", "29%", [2]int64{29, 100}, [2]int64{30, 100}},
		{"0.1%", "0.1%", [2]int64{1, 1000}, [2]int64{2, 1000}},
		{"0.0001%", "0.0001%", [2]int64{1, 1_000_000}, [2]int64{1, 999_999}},
		{"100%", "100%", [2]int64{1 << 36, 1 << 36}, [2]int64{}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			limit, err := batch.ParseThreshold(tt.text)
			if err != nil || limit.String() != tt.want {
				t.Fatalf("parsed as %q, %v", limit, err)
			}
			if limit.Exceeded(tt.tolerates[0], tt.tolerates[1]) {
				t.Errorf("%d of %d are too many", tt.tolerates[0], tt.tolerates[1])
			}
			if tt.exceeded[1] > 0 && !limit.Exceeded(tt.exceeded[0], tt.exceeded[1]) {
				t.Errorf("%d of %d are tolerated", tt.exceeded[0], tt.exceeded[1])
			}
		})
	}
}

func TestParseThresholdRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"-1", "1.5", "many", "%", "-1%", "100.1%", "NaN%", "Inf%", "5 %%", " 5", "99999999999999999999"} {
		if limit, err := batch.ParseThreshold(text); err == nil {
			t.Errorf("%q is read as %q", text, limit)
		} else if !strings.Contains(err.Error(), text) {
			t.Errorf("the error %q does not name %q", err, text)
		}
	}
}

// Quantiles are the exact ones (nearest rank), at most 1/32 higher and less than
// a microsecond lower, before and after a checkpoint.
func TestHistogramQuantiles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	draw := map[string]func() time.Duration{
		"equal":        func() time.Duration { return 83 * time.Millisecond },
		"microseconds": func() time.Duration { return time.Duration(rng.IntN(40_000)) },
		"uniform":      func() time.Duration { return time.Duration(rng.IntN(int(3 * time.Second))) },
		"long tail":    func() time.Duration { return time.Duration(rng.ExpFloat64() * rng.ExpFloat64() * float64(time.Second)) },
		"huge":         func() time.Duration { return time.Duration(rng.Int64N(1 << 62)) },
	}
	for name, next := range draw {
		for _, n := range []int{1, 2, 10, 100, 3000} {
			var h batch.Histogram
			exact := make([]time.Duration, n)
			for i := range exact {
				exact[i] = next()
				h.Add(exact[i])
			}
			slices.Sort(exact)
			saved, err := json.Marshal(h)
			if err != nil {
				t.Fatal(err)
			}
			var read batch.Histogram
			if err := json.Unmarshal(saved, &read); err != nil {
				t.Fatal(err)
			}
			checkQuantiles(t, fmt.Sprintf("%s, %d values", name, n), &h, exact)
			checkQuantiles(t, fmt.Sprintf("%s, %d values, read back", name, n), &read, exact)
		}
	}
}

func checkQuantiles(t *testing.T, name string, h *batch.Histogram, exact []time.Duration) {
	t.Helper()
	n := len(exact)
	for _, percent := range []int{0, 1, 7, 50, 90, 92, 99, 100} {
		rank := max(1, (percent*n+99)/100)
		want, got := exact[rank-1], h.Quantile(float64(percent)/100)
		if got <= want-time.Microsecond || got > want+want/32 {
			t.Errorf("%s: p%d is %s, exactly %s", name, percent, got, want)
		}
	}
	if h.Longest != exact[n-1] || h.Count() != int64(n) {
		t.Errorf("%s: max %s of %d, exactly %s of %d", name, h.Longest, h.Count(), exact[n-1], n)
	}
	var sum int64
	last := time.Duration(-1)
	for upTo, count := range h.Buckets {
		if upTo <= last {
			t.Errorf("%s: bucket %s comes after %s", name, upTo, last)
		}
		last, sum = upTo, sum+count
	}
	if sum != int64(n) {
		t.Errorf("%s: the buckets hold %d", name, sum)
	}
}

func TestHistogramEdges(t *testing.T) {
	t.Parallel()
	var h batch.Histogram
	if h.Quantile(0.5) != 0 || h.Longest != 0 || h.Count() != 0 {
		t.Error("an empty histogram is not empty")
	}
	h.Add(-time.Second)
	h.Add(time.Second)
	if h.Count() != 2 || h.Quantile(0) != 0 {
		t.Errorf("%d values, the least is %s; a negative one counts as zero", h.Count(), h.Quantile(0))
	}
	for range h.Buckets {
		break // may be left early
	}
	if err := json.Unmarshal([]byte(`{"counts":[]}`), &h); err == nil {
		t.Error("a list of counts is read")
	}
}

func outcome(s batch.Status, code string) *batch.Result {
	return &batch.Result{
		Row:     batch.Row{Num: 7, Source: "a.csv", Pos: batch.Position{Row: 6}},
		Outcome: batch.Outcome{Status: s, Code: code, Message: "m", Attempts: 2, Latency: time.Second},
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	var tally batch.Tally
	if tally.Statuses[batch.Failed]+tally.Statuses[batch.Rejected] != 0 || len(tally.TopCodes()) != 0 {
		t.Error("an empty tally counts")
	}
	tally.Add(outcome(batch.Succeeded, ""))
	tally.Add(outcome(batch.Failed, "48013"))
	tally.Add(outcome(batch.Rejected, "phone_invalid;email_invalid"))
	tally.Add(outcome(batch.Rejected, "phone_invalid"))
	tally.Add(outcome(batch.Skipped, ""))
	if diff := cmp.Diff([]string{"phone_invalid", "48013", "email_invalid"}, tally.TopCodes()); diff != "" {
		t.Error(diff)
	}
	want := batch.CodeCount{Status: batch.Failed, Count: 1, Example: batch.Example{Row: 7, Source: "a.csv", SourceRow: 7, Message: "m"}}
	if diff := cmp.Diff(want, *tally.Codes["48013"]); diff != "" {
		t.Error(diff)
	}
	if tally.Statuses[batch.Failed]+tally.Statuses[batch.Rejected] != 3 || tally.Attempts != 10 || tally.Rows != 5 || tally.Latency.Count() != 5 {
		t.Errorf("%+v", tally)
	}
}

// However many codes there are, a tally does not grow beyond 200 and the rest.
func TestTallyBoundsCodes(t *testing.T) {
	t.Parallel()
	var tally batch.Tally
	for i := range 1000 {
		tally.Add(outcome(batch.Failed, fmt.Sprint("E", i%500)))
	}
	if len(tally.Codes) != 201 || tally.Codes[batch.OtherCodes].Count != 600 || tally.Codes["E199"].Count != 2 {
		t.Errorf("%d codes, %d others", len(tally.Codes), tally.Codes[batch.OtherCodes].Count)
	}
}

// WithWaiting counts on in a copy: the tally itself stays as it was saved.
func TestTallyWithWaiting(t *testing.T) {
	t.Parallel()
	var tally batch.Tally
	tally.Add(outcome(batch.Failed, "48013"))
	before, err := json.Marshal(tally)
	if err != nil {
		t.Fatal(err)
	}
	sum := tally.WithWaiting([]batch.Waiting{
		{Row: 9, Outcome: outcome(batch.Failed, "48013").Outcome},
		{Row: 10, Outcome: outcome(batch.Failed, "new").Outcome},
	})
	if after, _ := json.Marshal(tally); !bytes.Equal(after, before) {
		t.Errorf("the tally became %s, was %s", after, before)
	}
	if sum.Rows != 3 || sum.Codes["48013"].Count != 2 || sum.Codes["new"].Count != 1 || sum.Latency.Count() != 3 {
		t.Errorf("%+v", sum)
	}
}

func TestStatusText(t *testing.T) {
	t.Parallel()
	want := map[batch.Status]string{
		batch.Succeeded: `"succeeded"`, batch.Failed: `"failed"`, batch.Rejected: `"rejected"`, batch.Skipped: `"skipped"`,
	}
	for _, s := range batch.Statuses {
		text, err := json.Marshal(s)
		if err != nil || string(text) != want[s] {
			t.Errorf("%d is written as %s, %v", s, text, err)
		}
		var read batch.Status
		if err := json.Unmarshal(text, &read); err != nil || read != s {
			t.Errorf("%s is read as %s, %v", text, read, err)
		}
		if bad := s == batch.Failed || s == batch.Rejected; s.Bad() != bad {
			t.Errorf("%s is bad: %t", s, s.Bad())
		}
	}
	var s batch.Status
	for _, text := range []string{"", "Succeeded", "done"} {
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %s", text, s)
		}
	}
}

func TestProblemAndAbort(t *testing.T) {
	t.Parallel()
	p := batch.Problem{Message: "has 3 cells, expected 4"}
	if p.Error() != "has 3 cells, expected 4" {
		t.Error(p.Error())
	}
	if p.Column = "msisdn"; p.Error() != "column msisdn: has 3 cells, expected 4" {
		t.Error(p.Error())
	}
	abort := &batch.Abort{Code: "UNAUTHORIZED", Err: errFull}
	if abort.Error() != errFull.Error() || !errors.Is(abort, errFull) {
		t.Error(abort)
	}
}

func TestValueText(t *testing.T) {
	t.Parallel()
	tags := batch.Value{Kind: batch.List, Nested: &batch.Nested{Values: []batch.Value{batch.TextValue("a\"b"), batch.IntValue(-5)}}}
	tests := []struct {
		value              batch.Value
		kind, text, asJSON string
	}{
		{batch.Value{}, "null", "", "null"},
		{batch.TextValue("naïve\n\x00\xff"), "text", "naïve\n\x00\xff", `"naïve\n\u0000` + "\uFFFD" + `"`},
		{batch.BoolValue(true), "boolean", "true", "true"},
		{batch.IntValue(9007199254740993), "number", "9007199254740993", "9007199254740993"},
		{batch.Value{Kind: batch.Number, Text: "1.50e-3"}, "number", "1.50e-3", "1.50e-3"},
		{batch.Value{Kind: batch.Number, Text: "NaN"}, "number", "NaN", `"NaN"`},
		{batch.Value{Kind: batch.Number, Text: "-Inf"}, "number", "-Inf", `"-Inf"`},
		{batch.Value{Kind: batch.Date, Text: "1984-02-29"}, "date", "1984-02-29", `"1984-02-29"`},
		{batch.Value{Kind: batch.Timestamp, Text: "2026-01-02T03:04:05Z"}, "timestamp", "2026-01-02T03:04:05Z", `"2026-01-02T03:04:05Z"`},
		{tags, "list", `["a\"b",-5]`, `["a\"b",-5]`},
		{
			batch.Value{Kind: batch.Object, Nested: &batch.Nested{Names: []string{"b", "a"}, Values: []batch.Value{tags, {}}}},
			"object", `{"b":["a\"b",-5],"a":null}`, `{"b":["a\"b",-5],"a":null}`,
		},
	}
	for _, tt := range tests {
		if got := tt.value.Kind.String(); got != tt.kind {
			t.Errorf("kind %s, want %s", got, tt.kind)
		}
		if got := tt.value.String(); got != tt.text {
			t.Errorf("%s: text %q, want %q", tt.kind, got, tt.text)
		}
		if got := string(tt.value.AppendJSON([]byte("x"))); got != "x"+tt.asJSON {
			t.Errorf("%s: JSON %s, want x%s", tt.kind, got, tt.asJSON)
		}
	}
}

// Whatever a reader puts into a value, its JSON is valid and says the same.
func FuzzValueJSON(f *testing.F) {
	f.Add("Ana", "-12.50", "customAttributes.vip", uint8(0))
	f.Add("\xff\x00\u2028\"\\", "1e400", "", uint8(1))
	f.Add("</script>", "00", "a\tb", uint8(2))
	f.Fuzz(func(t *testing.T, text, number, name string, shape uint8) {
		num := batch.Value{Kind: batch.Number, Text: number}
		if !json.Valid([]byte(number)) || !strings.ContainsAny(number[:1], "-0123456789") || strings.TrimSpace(number) != number {
			num.Text = "+Inf" // Number promises JSON's syntax, or one of the three words
		}
		values := []batch.Value{batch.TextValue(text), num, {}, batch.BoolValue(shape%2 == 0), {Kind: batch.Date, Text: text}}
		v := batch.Value{Kind: batch.List, Nested: &batch.Nested{Values: values}}
		if shape%3 > 0 {
			v = batch.Value{Kind: batch.Object, Nested: &batch.Nested{Names: []string{name, "n", "z", "b", "d"}, Values: values}}
		}
		data := v.AppendJSON(nil)
		if !json.Valid(data) {
			t.Fatalf("not JSON: %s", data)
		}
		if string(data) != v.String() {
			t.Errorf("text %s, JSON %s", v, data)
		}
		var read string
		if err := json.Unmarshal(batch.TextValue(text).AppendJSON(nil), &read); err != nil || read != strings.ToValidUTF8(text, "\uFFFD") && !strings.Contains(read, "\uFFFD") {
			t.Errorf("%q is read as %q, %v", text, read, err)
		}
	})
}

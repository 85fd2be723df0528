package jsonlines

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// FuzzJSON holds the decoder against encoding/json: what one takes for a
// value, so does the other, with the same content; apart from what only ours
// refuses (a name twice, half a surrogate pair, deep nesting).
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":1}`, `[1,-0.5e+3,true,false,null,"x"]`, `"\u00e9\ud83d\ude00\n"`, ` {"a" : [ { } , [ ] ] } `, `{"a":1,"a":2}`, `"\ud83d"`, "\"\xff\"", "\"\x01\"", `01`, `1.`, `tru`, `"\x"`, `{"a":1}}`, "\"ž\\\\\"", `-`, `"\`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") {
			return
		}
		j := jsonText{line: line, stored: utf8Text{}}
		j.space()
		got, fault := j.value()
		if j.space(); fault == nil && j.at < len(line) {
			fault = j.fault("expected the end")
		}
		if fault == nil {
			fault = j.flaw
		}
		valid := json.Valid([]byte(line)) && utf8.ValidString(line)
		if fault != nil {
			if fault.code == inputerror.CodeJSON && valid && !strings.Contains(fault.say, "nested deeper") {
				t.Fatalf("%q: %s at %d", line, fault.say, fault.at)
			}
			return
		}
		if !valid {
			t.Fatalf("%q was taken for JSON", line)
		}
		if diff := cmp.Diff(decodeNumbers(t, line), decodeNumbers(t, string(got.AppendJSON(nil)))); diff != "" {
			t.Fatalf("%q (-encoding/json +ours):\n%s", line, diff)
		}
		if got.Kind == batch.Text && !utf8.ValidString(got.Text) {
			t.Fatalf("%q became invalid text", line)
		}
	})
}

// utf8Text is text that is stored as UTF-8.
type utf8Text struct{ textfile.Text }

func (utf8Text) EncodingName() string { return "UTF-8" }

func (utf8Text) Hint(string) string { return "" }

func (utf8Text) InvalidAt(text string) int {
	for i, r := range text {
		if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 {
			return i
		}
	}
	return -1
}

func decodeNumbers(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

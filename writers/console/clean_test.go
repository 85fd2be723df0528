package console

import "testing"

// Marks that turn the direction of text and control characters of both kinds do not
// reach a terminal.
func TestCleanTurnsNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"a\u202eb\u2066c": `a\u202eb\u2066c`, "\x1b[2J\u009b": `\u001b[2J\u009b`, "a\tb\nč": "a\tb\nč"} {
		if got := string(clean([]byte(text))); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

package report

import (
	"os/exec"
	"runtime"
	"testing"
)

// A shell reads a word back as it was.
func TestShellWord(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	for word, want := range map[string]string{
		"runs/2026-11-24": "runs/2026-11-24", "s3://bucket/a=b": "s3://bucket/a=b", "Željka": "Željka",
		"my runs": "'my runs'", "it's": `'it'\''s'`, "$HOME;x": "'$HOME;x'", "": "''",
	} {
		got := ShellWord(word)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+got).Output()
		if err != nil || string(out) != word || got != want {
			t.Errorf("%q became %s, want %s; sh reads %q, %v", word, got, want, out, err)
		}
	}
}

func TestShellPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"-r4": "./-r4", "--x y": "'./--x y'", "r-4": "r-4", "/tmp/-r": "/tmp/-r", "s3://b/-r": "s3://b/-r"} {
		if got := ShellPath(path); got != want {
			t.Errorf("%q is written %s, want %s", path, got, want)
		}
	}
}

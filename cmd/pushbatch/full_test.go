package main

import (
	"os"
	"testing"
)

// full skips a test that takes minutes, or needs a browser, a terminal or a server,
// unless FULL_TESTS=1 asks for it, as .ci/run does.
func full(t *testing.T) {
	t.Helper()
	if os.Getenv("FULL_TESTS") != "1" {
		t.Skip("set FULL_TESTS=1")
	}
}

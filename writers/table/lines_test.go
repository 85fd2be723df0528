package table

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/batch"
)

// What is wrong with where rows go is not told of the file that they are read from; what
// is wrong with that file is.
func TestWhoseErrorItIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rows")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	spool, err := NewSpool(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(spool.Add([]batch.Value{{Kind: batch.Text, Text: "a"}}), spool.Flush(), file.Close()); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no room")
	if err := EachRow(path, func([]batch.Value) error { return full }); err != full {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("no frame"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := EachRow(path, func([]batch.Value) error { return nil }); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// generate writes a file of invented devices.
func generate(t *testing.T, path, rows, format string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "run", "./testdata/gen", "-rows", rows, "-format", format)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("generate %s: %v\n%s", format, err, &stderr)
	}
}

// pack writes the compressed form of a file.
func pack(t *testing.T, from, to string, open func(io.Writer) io.WriteCloser) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := open(out)
	if _, err := io.Copy(w, in); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func gzipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

// The same rows give the same requests, byte for byte, in whatever format they
// come.
func TestSameRequestsFromEveryFormat(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	dir := t.TempDir()
	const rows = "3000"
	for _, format := range []string{"csv", "ndjson", "parquet"} {
		generate(t, filepath.Join(dir, "d."+format), rows, format)
	}
	source := filepath.Join(dir, "d.csv")
	pack(t, source, filepath.Join(dir, "d.csv.gz"), gzipped)
	pack(t, source, filepath.Join(dir, "d.csv.zst"), func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	})
	_, url := serve(t, simulator.Config{})
	requests := func(input string) []byte {
		c := start(t, url, dir, "personalize", input, "--dry-run", "--out", "run-"+input)
		if code := c.code(t); code != exitDone {
			t.Fatalf("%s: exit code %d\n%s", input, code, &c.stderr)
		}
		data, err := os.ReadFile(filepath.Join(dir, "run-"+input, "requests.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := requests("d.csv")
	if n := bytes.Count(want, []byte("\n")); n != 3000 {
		t.Fatalf("%d requests, want %s", n, rows)
	}
	for _, input := range []string{"d.csv.gz", "d.csv.zst", "d.ndjson", "d.parquet"} {
		if !bytes.Equal(requests(input), want) {
			t.Errorf("%s gives other requests than d.csv", input)
		}
	}
}

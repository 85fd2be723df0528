package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// Line ends, byte order marks and encodings do not change what is sent.
func TestInputBytes(t *testing.T) {
	t.Parallel()
	const text = "registrationId,externalId,firstName\ndevice-1,ann,Željka\n"
	dir := t.TempDir()
	_, url := serve(t, simulator.Config{})
	for i, input := range thorough.Sample([]struct {
		name, bytes, detected string
		args                  []string
	}{
		{name: "LF", bytes: text, detected: "CSV, comma, UTF-8"},
		{name: "CRLF", bytes: strings.ReplaceAll(text, "\n", "\r\n"), detected: "CSV, comma, UTF-8"},
		{name: "CR", bytes: strings.ReplaceAll(text, "\n", "\r"), detected: "CR line ends"},
		{name: "no last line end", bytes: strings.TrimSuffix(text, "\n"), detected: "CSV, comma, UTF-8"},
		{name: "BOM", bytes: "\xef\xbb\xbf" + text, detected: "UTF-8 with BOM"},
		{name: "sep line", bytes: "sep=;\n" + strings.ReplaceAll(text, ",", ";"), detected: "semicolon (sep= line)"},
		{name: "quoted", bytes: strings.ReplaceAll(text, "ann", `"ann"`), detected: "CSV, comma, UTF-8"},
		{name: "UTF-16LE", bytes: encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), text), detected: "UTF-16LE"},
		{name: "UTF-16LE with BOM", bytes: encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text), detected: "UTF-16LE with BOM"},
		{name: "UTF-16BE with BOM", bytes: encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text), detected: "UTF-16BE with BOM"},
		{
			name: "windows-1250", bytes: encoded(t, charmap.Windows1250, text), detected: "windows-1250",
			args: []string{"--encoding", "windows-1250"},
		},
	}, 3) {
		t.Run(input.name, func(t *testing.T) {
			t.Parallel()
			file, run := fmt.Sprintf("%d.csv", i), fmt.Sprintf("run-%d", i)
			write(t, filepath.Join(dir, file), input.bytes)
			c := start(t, url, dir, append([]string{"personalize", file, "--dry-run", "--out", run}, input.args...)...)
			if code := c.code(t); code != exitDone || !strings.Contains(c.stderr.String(), input.detected) {
				t.Fatalf("exit code %d, want %q said\n%s", code, input.detected, &c.stderr)
			}
			requests, err := os.ReadFile(filepath.Join(dir, run, "requests.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			if want := `"body":{"identity":{"externalId":"ann"},"attributes":{"firstName":"Željka"}}`; !strings.Contains(string(requests), want) {
				t.Errorf("%s is not in %s", want, requests)
			}
		})
	}
}

// Text that is not valid in its encoding is refused, never replaced, and leaves the
// results a file that others can read.
func TestInvalidTextIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "d.csv"), "registrationId,externalId,firstName\ndevice-1,ann,\x8eeljka\ndevice-2,bob,Bob\ndevice-\x8e,eva,Eva\n")
	_, url := serve(t, simulator.Config{})
	c := start(t, url, dir, "personalize", "d.csv", "--dry-run", "--out", "run")
	if code := c.code(t); code != exitBadRows {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	rows := results(t, filepath.Join(dir, "run", "results.csv"))
	if all := strings.Join(flatten(rows), " "); !strings.Contains(all, "encoding_invalid") || !strings.Contains(all, " device-\ufffd ") || !utf8.ValidString(all) {
		t.Errorf("the results are %q", all)
	}
	failed, err := os.ReadFile(filepath.Join(dir, "run", "failed.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(failed), "device-\x8e,eva,Eva,") || !strings.Contains(string(failed), "device-1,ann,\x8eeljka,") {
		t.Errorf("the cells are not as they were read: %q", failed)
	}
}

// A gzip stream that is cut ends the run loudly; every row before the cut is
// accounted for. Many members are one file.
func TestCutGzip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, url := serve(t, simulator.Config{})
	var text, members bytes.Buffer
	text.WriteString("registrationId,externalId\n")
	const rows = 20_000
	for n := range rows {
		fmt.Fprintf(&text, "device-%d,person-%d\n", n, n*7919%rows)
	}
	z := gzip.NewWriter(nil)
	for part := range bytes.SplitAfterSeq(text.Bytes(), []byte("9\n")) {
		z.Reset(&members)
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "whole.gz"), members.String())
	write(t, filepath.Join(dir, "cut.gz"), members.String()[:members.Len()/2])
	for _, input := range []struct {
		file  string
		code  int
		count func(int) bool
	}{
		{"whole.gz", exitDone, func(n int) bool { return n == rows }},
		{"cut.gz", exitStopped, func(n int) bool { return n > rows/4 && n < rows*3/4 }},
	} {
		c := start(t, url, dir, "personalize", input.file, "--dry-run", "--out", "run-"+input.file)
		if code := c.code(t); code != input.code {
			t.Fatalf("%s: exit code %d\n%s", input.file, code, &c.stderr)
		}
		found := results(t, filepath.Join(dir, "run-"+input.file, "results.csv"))
		if !input.count(len(found)) {
			t.Errorf("%s: %d rows have a result", input.file, len(found))
		}
		for i, r := range found {
			if r[0] != strconv.Itoa(i+1) || r[5] != "skipped" {
				t.Fatalf("%s: result %d is of row %s: %s", input.file, i+1, r[0], r[5])
			}
		}
	}
}

func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	s, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

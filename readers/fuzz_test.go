package readers

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/peak"
	"pushbatch/testdata/readertest"
)

// fuzzOptions keep records and memory small, so that the limits are met.
var fuzzOptions = Options{MaxRecord: 100}

// FuzzOpen gives anything to Open. What it reads must come out the same byte
// by byte as at once, and end in rows or an error with a code.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "sep=;\na;b\n1;\"x\ny\"\n", "a\tb\r1\t\"2\r", "a|b\n\"" + strings.Repeat("x\n", 100) + "\"|1\n2|3\n", "a,b\n1,\"" + strings.Repeat("x,", 100),
		"\xff\xfea\x00\n\x001\x00\n\x00\x00\xd8", "\xfe\xff\x00a\x00\n", "\xef\xbb\xbfid\n1\n", "{\"a\":1}\n{\"a\":\"\\ud83d\"}\n{\"b\":[1,{}]}\n", "{\"a\":1}\n" + strings.Repeat(" ", 150) + "\n{}",
		"PAR1", "PK\x03\x04", "\x1f\x8b\x08", "\x28\xb5\x2f\xfd\x00", "<html>", "[1]", "a,b\n\"1\"x,2\n1,2,3\n\x00,\xff\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PAR1")) {
			return // has a target of its own
		}
		peak.AtMost(t, 384<<20) // the largest window of zstd, twice
		header, rows, err := readStream(t, bytes.NewReader(data))
		byteHeader, byteRows, byteErr := readStream(t, iotest.OneByteReader(bytes.NewReader(data)))
		if diff := cmp.Diff(header, byteHeader); diff != "" {
			t.Fatalf("header (-at once +by bytes):\n%s", diff)
		}
		if diff := cmp.Diff(rows, byteRows); diff != "" {
			t.Fatalf("rows (-at once +by bytes):\n%s", diff)
		}
		if (err == nil) != (byteErr == nil) || err != nil && (inputerror.CodeOf(err) != inputerror.CodeOf(byteErr) || err.Error() != byteErr.Error()) {
			t.Fatalf("error %v, by bytes %v", err, byteErr)
		}
	})
}

func readStream(t *testing.T, in io.Reader) (batch.Header, []batch.Row, error) {
	options := fuzzOptions
	options.Stdin = in
	source, err := Open(t.Context(), blob.Info{Location: blob.Stdin, Size: -1}, options)
	if err != nil {
		return nil, nil, err
	}
	defer source.Close()
	rows, err := readertest.ReadFrom(t.Context(), source, batch.Position{})
	return source.Header(), rows, err
}

// FuzzCompressed gives anything to Open as each compression: what unpacks to much
// more than it is takes little memory, and ends in rows or an error with a code.
func FuzzCompressed(f *testing.F) {
	rows := "registrationId,externalId\n" + strings.Repeat("device,person\n", 2000)
	zeros := strings.Repeat("\x00", 8<<20)
	for _, seed := range []string{
		gzipped(f, rows), gzipped(f, rows) + gzipped(f, "r,e\n"), gzipped(f, rows) + "\x00\x00\x00", gzipped(f, rows) + "junk", gzipped(f, zeros), gzipped(f, rows)[:40],
		zstandard(f, rows), "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + zstandard(f, rows), zstandard(f, rows) + "junk", zstandard(f, zeros), zstandard(f, rows)[:20],
		"\x28\xb5\x2f\xfd\x00\xff\x00\x00\x00", // a window of terabytes
		"\x50\x2a\x4d\x18\xff\xff\xff\xffabcd", // a frame of 4 GiB to skip
		gzipped(f, gzipped(f, rows)), zstandard(f, "PAR1"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		peak.AtMost(t, 384<<20)
		for _, compression := range []string{"auto", "gzip", "zstd"} {
			options := fuzzOptions
			options.Stdin, options.Compression = bytes.NewReader(data), compression
			source, err := Open(t.Context(), blob.Info{Location: blob.Stdin, Size: -1}, options)
			if err != nil {
				mustBeLocated(t, err)
				continue
			}
			n := 0
			for _, err := range source.Rows(t.Context(), batch.Position{}) {
				if err != nil {
					mustBeLocated(t, err)
					break
				}
				if n++; n == 100_000 {
					break
				}
			}
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func mustBeLocated(t *testing.T, err error) {
	t.Helper()
	if found := new(inputerror.Error); !errors.As(err, &found) || found.Code == "" || found.Source == "" {
		t.Fatalf("%v has no code or no source", err)
	}
}

// FuzzResume goes on at every position of what is read from a file.
func FuzzResume(f *testing.F) {
	for _, seed := range []string{"a;b\n1;\"x\r\ny\"\n\n2;3\n", "a\r\"1\r2\"\r3", "\xff\xfea\x00\n\x001\x00\n\x00=\xd8\x00\xde\n\x00", "{\"a\":1}\n\n{\"a\":2}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 || bytes.HasPrefix(data, []byte("PAR1")) {
			return
		}
		source, err := tryOpen(t, write(t, "rows", string(data)), fuzzOptions)
		if err != nil {
			return
		}
		rows, wantErr := readertest.ReadFrom(t.Context(), source, batch.Position{})
		for i := range rows {
			got, err := readertest.ReadFrom(t.Context(), source, rows[i].Next)
			if diff := cmp.Diff(rows[i+1:], got); diff != "" && len(got)+len(rows[i+1:]) > 0 {
				t.Fatalf("go on behind row %d (-from the start +from there):\n%s", i+1, diff)
			}
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("go on behind row %d: error %v, from the start %v", i+1, err, wantErr)
			}
		}
	})
}

package readers

import (
	"encoding/binary"
	"strings"
	"testing"

	"pushbatch/testdata/readertest"
)

// Text that is not valid in its encoding leads to the flag that names another
// one, unless there can be no doubt about the encoding.
func TestEncodingMessages(t *testing.T) {
	t.Parallel()
	const named = "these encodings fit, with the letters they read: windows-1252 or windows-1250 (Ž)"
	for _, tt := range []struct {
		name, file, data, encoding, says string
	}{
		{"CSV", "a.csv", "id,a\n1,\x8e\n", "", "line 2: the cell is not valid UTF-8 at byte 1: " + named},
		{"NDJSON", "a.ndjson", "{\"id\":\"1\"}\n{\"id\":\"\x8e\"}\n", "", "line 2, byte 8: the text is not valid UTF-8: " + named},
		{"CSV with a BOM", "a.csv", "\xef\xbb\xbfid,a\n1,\x8e\n", "", "the text is damaged there"},
		{"CSV in UTF-16", "a.csv", utf16Text("registrationId,externalId\ndevice-1,", binary.LittleEndian) + "\x00\xd8\n\x00", "", "the text is damaged there"},
		{"CSV in the wrong encoding", "a.csv", "id,a\n1,\x81\n", "windows-1252", "another encoding may be meant, which --encoding names"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := openFile(t, write(t, tt.file, tt.data), Options{Encoding: tt.encoding})
			rows := readertest.Read(t, source)
			problem := rows[len(rows)-1].Err
			if problem == nil || problem.Code != CodeEncoding || !strings.Contains(problem.Message, tt.says) {
				t.Errorf("got %v, want %s: %s", problem, CodeEncoding, tt.says)
			}
		})
	}
}

// What is wrong with a header names file and line once.
func TestHeaderMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ data, says string }{
		{"id,\x8e\n1,2\n", ", line 1: the header, column 2: the cell is not valid UTF-8 at byte 1: these encodings fit"},
		{"id,a\x00\n1,2\n", ", line 1: the header, column 2: the cell has a NUL character"},
		{"id,\"a\"b\n1,2\n", ", line 1: the header, column 2: text follows the closing quote"},
		{"id,a,id\n1,2\n", ", line 1: columns 1 and 3 have the same name"},
	} {
		_, err := tryOpen(t, write(t, "a.csv", tt.data), Options{})
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Count(err.Error(), "line 1") != 1 {
			t.Errorf("%q: %v, want %s", tt.data, err, tt.says)
		}
	}
}

package csvfile

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzScan holds the decoder against encoding/csv where both must agree: text
// that the strict mode of encoding/csv accepts, without lone carriage returns
// and NUL. Quoted CRLF is the one difference: encoding/csv makes it LF.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a,b\r\n1,\"x\r\ny\"\r\n", "a\n\"\"\"\"\n", "a,b\n\n\n1,\n,2", "a;b\n", "\"a\",\"b\"\n\"1\",\"\"\n", "a,b\n1\n1,2,3\n", "a\n\"x\n", "ž,đ\nć,😀\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if strings.Contains(strings.ReplaceAll(data, "\r\n", "\n"), "\r") || strings.Contains(data, "\x00") {
			return
		}
		floor := csv.NewReader(strings.NewReader(data))
		floor.FieldsPerRecord = -1
		want, err := floor.ReadAll()
		if err != nil {
			return
		}
		var got [][]string
		d := dialect{delimiter: ','}
		for len(data) > 0 {
			end := recordEnd{dialect: d}
			n, _ := end.feed(data)
			rec := d.split(data[:n], nil)
			if n == 0 || rec.stray != 0 || rec.open {
				t.Fatalf("record %q: %+v", data, rec)
			}
			if data = data[n:]; rec.text == "" {
				continue
			}
			var line []string
			for _, cell := range rec.cells {
				line = append(line, strings.ReplaceAll(cell.Text, "\r\n", "\n"))
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-encoding/csv +ours:\n%s", diff)
		}
	})
}

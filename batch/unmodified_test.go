package batch_test

import (
	"strings"
	"testing"

	"pushbatch/batch"
)

// A row of failed.csv is known again until a cell of it is changed.
func TestUnmodified(t *testing.T) {
	t.Parallel()
	var u batch.Unmodified
	u.Add("registrationId", "device-1")
	u.Add("externalId", "ann")
	u.Add("firstName", "")
	message := "line 2: expected 3 cells as in the header, found 2" + u.Sign()
	for _, tt := range []struct {
		name, header, cells, message string
		want                         bool
	}{
		{"as it was", "registrationId|externalId|firstName|_row|_error_message", "device-1|ann||7|", message, true},
		{"other order, another empty column", "externalId|note|registrationId|_status", "ann||device-1|rejected", message, true},
		{"missing cell filled", "registrationId|externalId|firstName", "device-1|ann|Ann", message, false},
		{"cell changed", "registrationId|externalId|firstName", "device-1|anne|", message, false},
		{"cell moved", "registrationId|externalId|firstName", "device-1||ann", message, false},
		{"cells swapped", "registrationId|externalId|firstName", "ann|device-1|", message, false},
		{"cell emptied", "registrationId|externalId|firstName", "device-1||", message, false},
		{"message emptied", "registrationId|externalId|firstName", "device-1|ann|", "", false},
		{"message without a sign", "registrationId|externalId|firstName", "device-1|ann|", strings.TrimSuffix(message, u.Sign()), false},
		{"message in brackets", "registrationId|externalId|firstName", "device-1|ann|", "[other]", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var header batch.Header
			for name := range strings.SplitSeq(tt.header, "|") {
				header = append(header, batch.Column{Name: name})
			}
			header = append(header, batch.Column{Name: "day", Partition: true})
			var values []batch.Value
			for cell := range strings.SplitSeq(tt.cells+"|2024-01-01", "|") {
				values = append(values, batch.TextValue(cell))
			}
			if got := batch.IsUnmodified(tt.message, header, values); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

package inputerror

import (
	"fmt"
	"testing"

	"pushbatch/batch/blob"
)

// The name of an input is said once, whoever found what is wrong with it.
func TestNameIsSaidOnce(t *testing.T) {
	t.Parallel()
	err := Locate(t.Context(), "s3://b/k.csv", 0, 2, fmt.Errorf("read s3://b/k.csv: %w: its ETag is another one", blob.ErrChanged))
	if want := "read s3://b/k.csv (row 2): the input changed since it was opened: its ETag is another one"; err.Error() != want || CodeOf(err) != CodeChanged {
		t.Errorf("%q, want %q", err, want)
	}
}

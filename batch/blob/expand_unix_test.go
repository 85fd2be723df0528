//go:build unix

package blob_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pushbatch/batch/blob"
)

// What is no file is passed over in a folder, and so is a link to nothing; each is
// told. Opening a pipe would wait for whoever writes to it.
func TestExpandPassesOverWhatIsNoFile(t *testing.T) {
	t.Parallel()
	root := tree(t, "in/a.csv", "in/out.csv -> /etc/hostname", "in/none.csv -> nowhere")
	if err := syscall.Mkfifo(filepath.Join(root, "in", "pipe.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{"in", "in/*.csv"} {
		var warned []string
		ctx := blob.WithLinks(t.Context(), false, func(message string) { warned = append(warned, message) })
		found, err := blob.Expand(ctx, []string{filepath.Join(root, arg)})
		if err != nil || len(found) != 1 || filepath.Base(found[0].Location) != "a.csv" {
			t.Errorf("%s: %v, %v", arg, found, err)
		}
		all := strings.Join(warned, "\n")
		for _, want := range []string{"pipe.csv is passed over: it is a pipe", "none.csv is passed over: it is a link to nothing", "out.csv is passed over: it is a link that leads out"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: %q is not told in %q", arg, want, all)
			}
		}
	}
}

package blob_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pushbatch/batch/blob"
)

func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "unload")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	for _, name := range []string{"part-1.csv", "part-0.csv", "_SUCCESS"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600); err != nil {
			panic(err)
		}
	}

	inputs, err := blob.Expand(ctx, []string{folder})
	if err != nil {
		panic(err)
	}
	for _, in := range inputs {
		r, err := blob.Open(ctx, in, 5) // from byte 5 on
		if err != nil {
			panic(err)
		}
		text, err := io.ReadAll(r)
		r.Close()
		fmt.Println(in.Size, string(text), err)
	}
	// Output:
	// 10 0.csv <nil>
	// 10 1.csv <nil>
}

package readers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
)

func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "devices.csv")
	if err := os.WriteFile(path, []byte("\xef\xbb\xbfregistrationId;tags\r\nr-1;\"a;b\"\r\nr-2\r\n"), 0o600); err != nil {
		panic(err)
	}

	input, err := blob.Stat(ctx, path)
	if err != nil {
		panic(err)
	}
	source, err := readers.Open(ctx, input, readers.Options{})
	if err != nil {
		panic(err)
	}
	defer source.Close()
	fmt.Println(readers.Detected(source))
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(row.SourceNum(), row.Values[0], row.Values[1], row.Err != nil)
	}
	// Output:
	// CSV, semicolon, UTF-8 with BOM
	// 1 r-1 a;b false
	// 2 r-2  true
}

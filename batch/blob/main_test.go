package blob_test

import (
	"os"
	"testing"

	"pushbatch/testdata/s3test"
)

func TestMain(m *testing.M) { os.Exit(s3test.Run(m)) }

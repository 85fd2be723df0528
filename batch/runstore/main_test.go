package runstore

import (
	"os"
	"testing"

	"pushbatch/batch/blob/s3test"
)

func TestMain(m *testing.M) { os.Exit(s3test.Run(m)) }

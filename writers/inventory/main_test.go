package inventory_test

import (
	"os"
	"testing"

	"pushbatch/batch/blob/s3test"
)

func TestMain(m *testing.M) {
	if err := s3test.Setenv(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

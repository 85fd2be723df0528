package batch_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"pushbatch/testdata/thorough"
)

// seeds is how many random runs each property test tries.
var seeds = flag.Int("seeds", thorough.Of(20, 60), "random runs for each property test")

// I7: no goroutine of the engine outlives Run.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

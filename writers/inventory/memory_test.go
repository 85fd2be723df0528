package inventory_test

import (
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"pushbatch/batch"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/inventory"
	"pushbatch/writers/table"
)

// Publishing holds a row group, not the table: twice the lines take no more
// memory. (The whole program, walking and publishing: 74 MB for half a million
// devices, 81 MB for five million.)
func TestInventoryMemory(t *testing.T) { //nolint:paralleltest // it looks at the heap of the whole process
	thorough.Only(t) // half a million lines
	columns := inventory.NewLayout(true, false).Columns()
	line := func(n int) []batch.Value {
		cells := make([]batch.Value, len(columns))
		cells[0] = batch.TextValue("0c2e7f1a-91b3-4d52-8e6f-" + strconv.Itoa(n))
		for i := 1; i < len(cells); i++ {
			if columns[i].Type == table.Text {
				cells[i] = batch.TextValue("value " + strconv.Itoa(n%(i*i)))
			}
		}
		return cells
	}
	var peaks []uint64
	for _, lines := range []int{150_000, 300_000} {
		folder := gather(t, lines, line)
		o := inventoryOptions(t, filepath.Join(t.TempDir(), "d.parquet"))
		peaks = append(peaks, peakOf(func() { publish(t, folder, o) }))
	}
	t.Logf("peaks: %d and %d MB", peaks[0]>>20, peaks[1]>>20)
	if peaks[1] > peaks[0]+peaks[0]/2+(8<<20) || peaks[1] > 80<<20 {
		t.Errorf("the heap grew from %d to %d bytes with twice the lines", peaks[0], peaks[1])
	}
}

// peakOf is the most heap in use while work goes on.
func peakOf(work func()) uint64 {
	peak := uint64(0)
	done, ended := make(chan struct{}), make(chan struct{})
	runtime.GC()
	go func() { // ends with work
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		var m runtime.MemStats
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			case <-done:
				return
			}
		}
	}()
	work()
	close(done)
	<-ended
	return peak
}

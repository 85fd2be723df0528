package runstore

import (
	"testing"
	"time"

	"pushbatch/batch"
)

// BenchmarkJournal is what keeping a finished row costs, with 64 in flight on two cores.
func BenchmarkJournal(b *testing.B) {
	folder, err := Create(b.Context(), b.TempDir()+"/run", Options{})
	if err != nil {
		b.Fatal(err)
	}
	j, err := folder.OpenJournal(nil)
	if err != nil {
		b.Fatal(err)
	}
	row := batch.Waiting{Row: 123456, Outcome: batch.Outcome{
		Status: batch.Succeeded, RegistrationID: "f2ff6773-9e66-42e2-8dc4-fd0d3760fa5e", HTTPStatus: 200, Attempts: 1,
		Latency: 3 * time.Millisecond, Finished: time.Now(),
	}}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := j.Append(row); err != nil {
				b.Error(err)
			}
		}
	})
}

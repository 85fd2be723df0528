// Package runstore is the storage of a run: its folder, on disk or in S3, with
// whole files that are replaced at once, reports that grow and can be cut back to
// a checkpoint, the checkpoint itself, and the lock or lease that keeps a second
// process out.
//
//	folder, err := runstore.Create(ctx, "runs/1", runstore.Options{})
//	defer folder.Close()
//	err = folder.WriteJSON(runstore.JobFile, job)
//	results, err := runstore.OpenAppend(folder, "results.csv", 0)
//	err = results.Grow(func(dst []byte) []byte { return append(dst, line...) })
//	length, err := results.Flush() // durable
//	err = folder.SaveCheckpoint(&batch.Checkpoint{Mark: batch.Mark{"results.csv": length}})
//	err = results.Close() // results.csv is there
package runstore

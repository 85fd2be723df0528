// Package batch is the vocabulary and the engine of a bulk run: rows come in
// from Sources, an operation maps each to a Request, requests are sent
// concurrently, and every row ends as exactly one Result, written in input
// order.
//
//	job := batch.New(batch.Config{
//		Inputs:      []batch.Input{{Source: src, Map: mapper}},
//		Sink:        sink,
//		MaxInFlight: 64,
//	})
//	err := job.Run(ctx) // nil: the end of the input was reached
//
// The package knows no HTTP, no CSV and no S3. What a row means is decided by
// package batch/ops, how bytes become rows by package readers, and where
// results go by package writers.
package batch

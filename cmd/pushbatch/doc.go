// Pushbatch imports and exports mobile push device registrations of the Infobip
// platform in bulk.
//
//	pushbatch personalize devices.csv --simulate
//
// This package turns a command line into a job and its outcome into an exit
// code. It holds one file a command; what a row means is decided in batch/ops.
package main

package main

import (
	"io"
	"math"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/readers"
	"pushbatch/writers"
)

// maxInFlightLimit keeps a typing error from opening connections without end.
const maxInFlightLimit = 10_000

// check refuses values that no run can have, before anything else happens.
func (j *jobFlags) check() error {
	if !(j.rate > 0) || math.IsInf(j.rate, 0) {
		return usageError("--rate %v: a number of requests a second above 0 was expected", j.rate)
	}
	if j.maxInFlight < 1 || j.maxInFlight > maxInFlightLimit {
		return usageError("--max-in-flight %d: a number from 1 to %d was expected", j.maxInFlight, maxInFlightLimit)
	}
	if j.maxAttempts < 1 {
		return usageError("--max-attempts %d: at least 1 was expected", j.maxAttempts)
	}
	if j.timeout <= 0 {
		return usageError("--timeout %s: a duration above 0 was expected, such as 30s", j.timeout)
	}
	if j.canary < 0 || j.limit < 0 || j.maxDuration < 0 {
		return usageError("--canary, --limit and --max-duration take no negative value")
	}
	if j.maxOutage <= 0 {
		return usageError("--max-outage %s: a duration above 0 was expected, such as 30m", j.maxOutage)
	}
	if _, err := batch.ParseThreshold(j.maxErrors); err != nil {
		return usageError("--max-errors: %v", err)
	}
	if _, err := writers.ResultFormatNamed(j.results); err != nil {
		return usageError("--results: %v", err)
	}
	if _, ok := dryRuns[j.dryRun]; !ok {
		return usageError("--dry-run %q: take no value, or validate", j.dryRun)
	}
	return nil
}

// dryRuns are the values of --dry-run.
var dryRuns = map[string]ops.DryRun{"false": ops.Send, "true": ops.ShowRequests, "validate": ops.Validate}

func (j *jobFlags) readerOptions(stdin io.Reader) readers.Options {
	return readers.Options{
		Format: j.format, Delimiter: j.delimiter, Encoding: j.encoding, Compression: j.compression, Stdin: stdin,
	}
}

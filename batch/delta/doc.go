// Package delta keeps what the platform has acknowledged of a job that runs
// again and again, and finds out which rows of the next run need to be sent.
//
// A State is a folder, local or in S3. It holds generations: immutable Parquet
// files with one row a device, sorted by the hash of its registration id; and
// state.json, which names the one that counts and is replaced atomically. A
// Planner takes the rows of the input in order, spills them by device, and joins
// them with the generation. The Plan says of each row what to do with it.
//
// Before the first request the State notes which devices a run is about to touch
// (State.Begin); after it State.Settle makes the next generation of what became
// of them. A run that dies between the two is settled by the next one. So a State
// never claims what the platform did not acknowledge.
package delta

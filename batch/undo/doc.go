// Package undo knows what a run changed, and what its devices were before.
//
// A run with a snapshot writes a log: what was found before anything was sent,
// each request before it is sent, and how it ended. Plan reads the log and says
// for every device what would put it back:
//
//	err := undo.Plan("update", records, folder, func(r *undo.Restore) error { … })
//
// Nothing is sent here; package batch/ops compares each device with what the run
// left before it is put back.
package undo

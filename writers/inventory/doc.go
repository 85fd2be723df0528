// Package inventory makes the tables of an export: what columns devices have, how a
// table is published whole or not at all, what takes the place of what, and the days
// and changes of an account.
//
//	manifest, err := inventory.Publish(ctx, rows, stage, &inventory.Options{Target: target, …})
package inventory

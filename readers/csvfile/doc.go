// Package csvfile reads CSV: the delimiter is found by the first records
// (dialect.go), records are cut from the text (scan.go), cells are checked
// against encoding and limits (check.go).
//
//	source, err := csvfile.Open(ctx, in, "auto", sample)
package csvfile

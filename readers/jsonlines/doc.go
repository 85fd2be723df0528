// Package jsonlines reads NDJSON, one JSON object a line: its columns are the
// names of the first records.
//
//	source, err := jsonlines.Open(ctx, in)
package jsonlines

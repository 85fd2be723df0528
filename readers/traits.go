package readers

import "pushbatch/batch"

// Detected says for people what a source was found to be: "CSV, semicolon, UTF-16LE
// with BOM, gzip". It is empty for a source that does not know.
func Detected(source batch.Source) string {
	if d, ok := unwrapped(source).(interface{ Detected() string }); ok {
		return d.Detected()
	}
	return ""
}

// unwrapped is the source below those that only choose or add to its rows.
func unwrapped(source batch.Source) batch.Source {
	for {
		w, ok := source.(interface{ unwrap() batch.Source })
		if !ok {
			return source
		}
		source = w.unwrap()
	}
}

// RowCount is the number of rows of a source that knows it without reading. Columns that
// folders add change nothing of it.
func RowCount(source batch.Source) (rows int64, known bool) {
	if p, partitioned := source.(*partitioned); partitioned {
		source = p.Source
	}
	if c, ok := source.(interface{ RowCount() int64 }); ok {
		return c.RowCount(), true
	}
	return 0, false
}

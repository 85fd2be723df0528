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

// columnar is a source that knows its length and need not read every column.
type columnar interface {
	Select(columns []int)
	RowCount() int64
}

// columnarOf looks below the columns that folders add, which stand after the file's own.
func columnarOf(source batch.Source) (c columnar, ok bool) {
	if p, partitioned := source.(*partitioned); partitioned {
		source = p.Source
	}
	c, ok = source.(columnar)
	return c, ok
}

// Select says which columns of a source's header are needed, so that a
// columnar file need not be read whole: the values of the others may be Null
// from the next call of Rows on. Whoever gives rows back as they were
// (failed.csv) needs them all.
func Select(source batch.Source, columns []int) {
	if c, ok := columnarOf(source); ok {
		c.Select(columns)
	}
}

// RowCount is the number of rows of a source that knows it without reading.
func RowCount(source batch.Source) (rows int64, known bool) {
	if c, ok := columnarOf(source); ok {
		return c.RowCount(), true
	}
	return 0, false
}

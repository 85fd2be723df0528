package batch

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

var failedColumns = [...]string{"_row", "_status", "_error_code", "_error_columns", MessageColumn}

// MessageColumn is the column of failed.csv that says why a row stands there.
const MessageColumn = "_error_message"

// FailedColumns are the columns that failed.csv adds after those of the
// input: a row's number in the run, its status, code and message.
func FailedColumns() []string { return slices.Clone(failedColumns[:]) }

// IsFailedColumn reports whether failed.csv adds a column of this name.
func IsFailedColumn(name string) bool { return slices.Contains(failedColumns[:], name) }

// CodeUnmodified is the code of a row of failed.csv that could not be read in
// the run before and is given back as it stands there.
const CodeUnmodified = "row_unmended"

// CodeTypeMismatch is the code of a value whose kind its target does not take.
const CodeTypeMismatch = "type_mismatch"

// Unmodified is a checksum over the cells of a row. Failed.csv gives back rows
// that could not be read as well as a table can: a record that was too short
// has empty cells at its end, one that was too long has its last cells in the
// message. Nobody meant such a row, but it reads well. The checksum after its
// message tells whether anybody has fixed it. So it is with a value whose kind was
// wrong, such as an object for an id: its text alone reads well.
//
// Columns without a value and the order of columns do not count: neither
// fixes a row.
type Unmodified struct{ sum uint64 }

// Add counts in one cell.
func (u *Unmodified) Add(column, cell string) {
	if cell == "" {
		return
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s%s", len(column), column, cell)
	u.sum += h.Sum64()
}

// Sign is what stands after the message of a row with these cells.
func (u *Unmodified) Sign() string {
	return fmt.Sprintf(" [as read: %08x]", uint32(u.sum^u.sum>>32))
}

// IsUnmodified reports whether the cells of a row are those that its message in
// failed.csv was signed for. header has a name for every value.
func IsUnmodified(message string, header Header, values []Value) bool {
	if !strings.HasSuffix(message, "]") { // most have no sign
		return false
	}
	var u Unmodified
	for i, v := range values {
		if !header[i].Partition && !IsFailedColumn(header[i].Name) {
			u.Add(header[i].Name, v.String())
		}
	}
	return strings.HasSuffix(message, u.Sign())
}

// Package inputerror is the one way in which the readers of all formats say
// why an input cannot be read.
//
//	if size < 12 {
//		return inputerror.New(inputerror.CodeFormat, "%d bytes are no Parquet file", size)
//	}
package inputerror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// The codes of an Error.
const (
	CodeUnreadable    = "input_unreadable"     // the system refused to open or read it
	CodeChanged       = "input_changed"        // its bytes are not those it was opened with
	CodeTruncated     = "input_truncated"      // a compressed stream or a two-byte encoding ends in the middle
	CodeCorrupt       = "input_corrupt"        // a compressed stream is damaged
	CodeBound         = "input_too_large"      // a page, a footer, a list or a window is beyond the bound that the message names
	CodeEmpty         = "input_empty"          // it has no header and no record
	CodeNotRereadable = "input_not_rereadable" // standard input or a pipe, asked for a second reading
	CodeFormat        = "format_unsupported"   // a workbook, a web page, an archive …: named in the message
	CodeOption        = "input_option_invalid" // a setting names no delimiter, encoding, … or contradicts the input
	CodeHeader        = "header_invalid"       // the header has an unnamed column, or is not text
	CodeHeaderRepeat  = "header_duplicate"     // two columns have the same name
	CodeRepeatedRow   = "header_repeated"      // a row is the header once more, as after joining files
	CodeQuote         = "csv_quote_unclosed"   // a quoted cell is still open at the end of the input
	CodeEncoding      = "encoding_invalid"     // the header is not text in its encoding (in a row: that row's problem)
	CodeTooLarge      = "record_too_large"     // the header is longer than MaxRecord (in a row: that row's problem)
	CodeFieldCount    = "csv_field_count"      // a row has more or fewer cells than the header
	CodeStrayQuote    = "csv_quote"            // text follows the closing quote of a cell
	CodeNUL           = "nul_character"        // a NUL byte in a row
	CodeJSON          = "json_invalid"         // a line that is not one JSON object
	CodeJSONRepeat    = "json_duplicate_key"   // an object names a key twice
	CodeUnknownField  = "ndjson_unknown_field" // a key that none of the first records has
	CodeRange         = "value_out_of_range"   // a stored number that its declared type has no meaning for
)

// Error says that an input cannot be read, or not further. From Open it means
// that nothing of the input was read as rows; from a Source's Rows it comes
// wrapped in a batch.Abort after every row before it was yielded.
type Error struct {
	Code   string // one of the Code constants
	Source string // the input as it was named
	Line   int64  // 1-based line; 0 where none can be named
	Row    int64  // 1-based row of the input, the header not counted; 0 where none can be named
	Err    error  // what was found and what to do
}

// Error names the file, the line and the row, then what was found.
func (e *Error) Error() string {
	var where strings.Builder
	where.WriteString("read " + e.Source)
	if e.Line > 0 {
		fmt.Fprintf(&where, ", line %d", e.Line)
	}
	if e.Row > 0 {
		fmt.Fprintf(&where, " (row %d)", e.Row)
	}
	return where.String() + ": " + strings.TrimPrefix(e.Err.Error(), "read "+e.Source+": ") // which stores say, too
}

// Unwrap returns what was found.
func (e *Error) Unwrap() error { return e.Err }

// New makes an Error of a code and a message; where it happened is added by
// Locate.
func New(code, format string, args ...any) *Error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Locate turns any error of a lower layer into an Error that names the source,
// and line and row where the error does not, or into the cause of ctx when that
// is what happened.
func Locate(ctx context.Context, source string, line, row int64, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	found, ok := errors.AsType[*Error](err)
	if !ok {
		found = &Error{Code: CodeOf(err), Err: err}
	}
	whole := *found
	whole.Source = source
	whole.Line, whole.Row = cmp.Or(whole.Line, line), cmp.Or(whole.Row, row)
	return &whole
}

// CodeOf is the code of an Error, or the one that Locate gives another error.
func CodeOf(err error) string {
	found, ok := errors.AsType[*Error](err)
	switch {
	case ok:
		return found.Code
	case errors.Is(err, blob.ErrChanged):
		return CodeChanged
	case errors.Is(err, io.ErrUnexpectedEOF):
		return CodeTruncated
	}
	return CodeUnreadable
}

// Abort wraps an error that ends Rows, so that the engine stops the run.
func Abort(err error) error {
	if found, ok := errors.AsType[*Error](err); ok {
		return &batch.Abort{Code: found.Code, Err: err}
	}
	return err
}

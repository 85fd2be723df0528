package readers

import "pushbatch/readers/inputerror"

// Error says that an input cannot be read, or not further. From Open it means
// that nothing of the input was read as rows; from a Source's Rows it comes
// wrapped in a batch.Abort after every row before it was yielded.
type Error = inputerror.Error

// The codes of an Error, and of the problems of rows; inputerror says what each
// means.
const (
	CodeUnreadable    = inputerror.CodeUnreadable
	CodeChanged       = inputerror.CodeChanged
	CodeTruncated     = inputerror.CodeTruncated
	CodeCorrupt       = inputerror.CodeCorrupt
	CodeBound         = inputerror.CodeBound
	CodeEmpty         = inputerror.CodeEmpty
	CodeNotRereadable = inputerror.CodeNotRereadable
	CodeFormat        = inputerror.CodeFormat
	CodeOption        = inputerror.CodeOption
	CodeHeader        = inputerror.CodeHeader
	CodeHeaderRepeat  = inputerror.CodeHeaderRepeat
	CodeQuote         = inputerror.CodeQuote
	CodeEncoding      = inputerror.CodeEncoding
	CodeTooLarge      = inputerror.CodeTooLarge
	CodeFieldCount    = inputerror.CodeFieldCount
	CodeStrayQuote    = inputerror.CodeStrayQuote
	CodeRepeatedRow   = inputerror.CodeRepeatedRow
	CodeNUL           = inputerror.CodeNUL
	CodeJSON          = inputerror.CodeJSON
	CodeJSONRepeat    = inputerror.CodeJSONRepeat
	CodeUnknownField  = inputerror.CodeUnknownField
	CodeRange         = inputerror.CodeRange
)

var (
	failure = inputerror.New
	located = inputerror.Locate
)

package readers

import "pushbatch/readers/inputerror"

// Error says that an input cannot be read, or not further. From Open it means
// that nothing of the input was read as rows; from a Source's Rows it comes
// wrapped in a batch.Abort after every row before it was yielded.
type Error = inputerror.Error

// The codes that others look for among those of an Error and of the problems of rows;
// inputerror has all, and says what each means.
const (
	CodeChanged       = inputerror.CodeChanged
	CodeTruncated     = inputerror.CodeTruncated
	CodeCorrupt       = inputerror.CodeCorrupt
	CodeBound         = inputerror.CodeBound
	CodeEmpty         = inputerror.CodeEmpty
	CodeNotRereadable = inputerror.CodeNotRereadable
	CodeFormat        = inputerror.CodeFormat
	CodeOption        = inputerror.CodeOption
	CodeQuote         = inputerror.CodeQuote
	CodeStrayQuote    = inputerror.CodeStrayQuote
	CodeRepeatedRow   = inputerror.CodeRepeatedRow
)

var (
	failure = inputerror.New
	located = inputerror.Locate
)

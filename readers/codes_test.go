package readers

import "pushbatch/readers/inputerror"

// The codes that only tests of this package look for.
const (
	CodeUnreadable   = inputerror.CodeUnreadable
	CodeHeader       = inputerror.CodeHeader
	CodeHeaderRepeat = inputerror.CodeHeaderRepeat
	CodeEncoding     = inputerror.CodeEncoding
	CodeTooLarge     = inputerror.CodeTooLarge
	CodeFieldCount   = inputerror.CodeFieldCount
	CodeNUL          = inputerror.CodeNUL
	CodeJSON         = inputerror.CodeJSON
	CodeJSONRepeat   = inputerror.CodeJSONRepeat
	CodeUnknownField = inputerror.CodeUnknownField
	CodeRange        = inputerror.CodeRange
)

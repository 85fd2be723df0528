package readers

import "pushbatch/readers/inputerror"

// Error says that an input cannot be read, or not further. From Open it means
// that nothing of the input was read as rows; from a Source's Rows it comes
// wrapped in a batch.Abort after every row before it was yielded. Its codes are
// those of package inputerror, and so are the codes of the problems of rows.
type Error = inputerror.Error

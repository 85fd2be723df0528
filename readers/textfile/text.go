package textfile

import (
	"context"
	"io"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

const (
	// BlockSize is how many bytes are read at a time, and what a row keeps alive
	// of its input.
	BlockSize = 64 << 10
	// MaxColumns is how many columns an input may have: as many as a spreadsheet.
	MaxColumns = 16_384
	// LeadingBytes is how much of a record that is too large is kept to tell
	// which one it is.
	LeadingBytes = 4 << 10
)

// Text is the decoded text of an input: UTF-8 in which what means nothing in
// the stored encoding stands as invalid UTF-8.
type Text interface {
	// OpenText reads from an offset on that Start and Length counted.
	OpenText(ctx context.Context, offset int64) (io.ReadCloser, error)
	// Start is the offset after the byte order mark.
	Start() int64
	// Length is how far text moves an offset.
	Length(text string) int64
	// InvalidAt is the index of the first character that was not valid before it
	// was decoded, or -1.
	InvalidAt(text string) int
	// Hint says what to try with text that is not valid.
	Hint(text string) string
	// EncodingName is the name of the stored encoding.
	EncodingName() string
	// Close releases what lies below; it is called once, by the source.
	Close() error
}

// Input is a text to be read as rows.
type Input struct {
	Name     string
	Identity batch.Identity
	Text     Text
	Limit    int    // the longest record that is read, in bytes of its text
	Once     bool   // it is a stream, which cannot be entered but at its start
	Stored   string // encoding and compression, as people are told
}

// TooManyColumns refuses a header.
func TooManyColumns(columns int) *inputerror.Error {
	return inputerror.New(inputerror.CodeHeader, "it has %d columns, at most %d can be read: remove those that are not needed, or look for a wrong delimiter", columns, MaxColumns)
}

// EmptyInput turns the end of an input that had nothing into an error.
func EmptyInput(err error) error {
	if err == io.EOF {
		return inputerror.New(inputerror.CodeEmpty, "it has no header and no record")
	}
	return err
}

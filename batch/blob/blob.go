package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Stdin is the location of standard input.
const Stdin = "-"

// stdin is what is known of standard input.
var stdin = Info{Location: Stdin, URI: Stdin, Size: -1}

// ErrChanged says that the bytes of an Info are not those it was made of:
// the input was replaced, cut, appended to or touched since.
var ErrChanged = errors.New("the input changed since it was opened")

// Partition is one key=value folder on the way to an input (Hive style), with
// percent escapes of the value decoded.
type Partition struct {
	Name  string
	Value string
	Null  bool // the value was __HIVE_DEFAULT_PARTITION__
}

// Info is one input and what is known of it without reading it.
type Info struct {
	Location   string    // as the user named it, or what the name expanded to
	URI        string    // the same, valid from any working folder
	Size       int64     // bytes as stored; -1 where only reading to the end tells (standard input, pipes)
	ModTime    time.Time // zero when not known
	ETag       string    // version as the store names it; empty when it does not
	Partitions []Partition

	store store // that it was found in; nil: decided by the location
}

// Rereadable reports whether the input can be opened more than once and at an
// offset. Standard input and pipes cannot.
func (in Info) Rereadable() bool { return in.Size >= 0 }

// ReaderAt reads ranges of an input until it is closed. It may be used by
// several goroutines at a time.
type ReaderAt interface {
	io.ReaderAt
	io.Closer
}

// store is where bytes lie. A method is called with locations of its own only; what
// the exported functions of this package promise, their methods here do.
type store interface {
	// stat fails with an error that is fs.ErrNotExist when there is nothing.
	stat(ctx context.Context, location string) (Info, error)
	// expand turns one argument into the inputs it stands for, in lexical
	// order; an argument that stands for none is an error.
	expand(ctx context.Context, arg string) ([]Info, error)
	// open reads from offset on and fails with ErrChanged, before io.EOF, when
	// the bytes are not those of in.
	open(ctx context.Context, in Info, offset int64) (io.ReadCloser, error)
	// openAt reads ranges, under the same condition.
	openAt(ctx context.Context, in Info) (ReaderAt, error)

	names(ctx context.Context, folder string) ([]string, error)
	get(ctx context.Context, location string) (Object, error)
	put(ctx context.Context, location string, data []byte, when Version) (Version, error)
	create(ctx context.Context, location string, o CreateOptions) (Upload, error)
	remove(ctx context.Context, folder string, names []string) error
}

// storeFor is the table of schemes: the only place that knows which store a
// location belongs to.
func storeFor(ctx context.Context, location string) (store, error) {
	scheme, _, found := strings.Cut(location, "://")
	switch {
	case !found:
		return local{}, nil
	case scheme+"://" == s3Scheme:
		return s3Of(ctx), nil
	}
	return nil, fmt.Errorf("open %s: this version knows no %s:// locations: give a path, s3://BUCKET/KEY or -", location, scheme)
}

// in asks the store of a location.
func in[T any](ctx context.Context, location string, ask func(store) (T, error)) (answer T, err error) {
	s, err := storeFor(ctx, location)
	if err != nil {
		return answer, err
	}
	return ask(s)
}

// storeOf is the store that an input was found in.
func storeOf(ctx context.Context, in Info) (store, error) {
	if in.store != nil {
		return in.store, nil
	}
	return storeFor(ctx, in.Location)
}

// Expand turns arguments into inputs: those of each argument in lexical order,
// the arguments in the order given. A path to a file stands for itself, a glob
// for what it matches, a folder for every file below it, "-" for standard
// input (once); s3://bucket/key, s3://bucket/prefix/ and s3://bucket/glob* mean
// the same in S3. Files and folders that begin with "_" or "." are passed over
// unless they are named themselves: markers such as _SUCCESS, hidden files. An
// argument that stands for no file is an error that names it.
func Expand(ctx context.Context, args []string) ([]Info, error) {
	var inputs []Info
	stdinSeen := false
	for _, arg := range args {
		if arg == Stdin && stdinSeen {
			return nil, errors.New("standard input (-) is named twice: it can be read only once")
		}
		if arg == Stdin {
			stdinSeen = true
			inputs = append(inputs, stdin)
			continue
		}
		found, err := in(ctx, arg, func(s store) ([]Info, error) { return s.expand(ctx, arg) })
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, found...)
	}
	return inputs, nil
}

// Stat says what is known of one location. The error is fs.ErrNotExist when
// there is nothing.
func Stat(ctx context.Context, location string) (Info, error) {
	if location == Stdin {
		return stdin, nil
	}
	return in(ctx, location, func(s store) (Info, error) { return s.stat(ctx, location) })
}

// Open reads an input from a byte offset on. Reading fails with ErrChanged
// when the bytes are not those of in; io.EOF comes only after in.Size bytes.
func Open(ctx context.Context, in Info, offset int64) (io.ReadCloser, error) {
	if in.Location == Stdin {
		if offset != 0 {
			return nil, errors.New("open standard input: it cannot be read from the middle")
		}
		return io.NopCloser(os.Stdin), nil
	}
	s, err := storeOf(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.open(ctx, in, offset)
}

// OpenAt reads ranges of an input. Inputs that are not Rereadable have none.
func OpenAt(ctx context.Context, in Info) (ReaderAt, error) {
	if !in.Rereadable() {
		return nil, fmt.Errorf("open %s: a stream has no ranges to read", in.Location)
	}
	s, err := storeOf(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.openAt(ctx, in)
}

package readers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// maxZstdWindow bounds the memory of a zstd stream: what zstd itself accepts
// without --long.
const maxZstdWindow = 128 << 20

const zstdMagic = "\x28\xb5\x2f\xfd"

// compression is one way the stored bytes may be packed.
type compression struct {
	name  string
	magic string // the first bytes of every packed stream
	open  func(io.Reader) (io.ReadCloser, error)
}

// compressions is the table of what can be unpacked.
func compressions() []compression {
	return []compression{
		{name: "gzip", magic: "\x1f\x8b", open: openGzip},
		{name: "zstd", magic: zstdMagic, open: openZstd},
	}
}

// findCompression looks at the first stored bytes. It returns nil for bytes
// that are not packed; whole says that head is all there is.
func findCompression(want string, head []byte, whole bool) (*compression, error) {
	if want == "none" {
		return nil, nil
	}
	known := want == "" || want == "auto"
	head = afterSkippable(head)
	for _, c := range compressions() {
		known = known || want == c.name
		if want != "" && want != "auto" && want != c.name {
			continue
		}
		if bytes.HasPrefix(head, []byte(c.magic)) {
			return &c, nil
		}
		if want == c.name {
			return nil, inputerror.New(inputerror.CodeOption, "it is not %s: leave out --compression to have it detected", c.name)
		}
		if whole && len(head) > 0 && bytes.HasPrefix([]byte(c.magic), head) {
			return nil, inputerror.New(inputerror.CodeTruncated, "it is the beginning of a %s stream, cut after %d bytes", c.name, len(head))
		}
	}
	if !known {
		return nil, inputerror.New(inputerror.CodeOption, "--compression %q is none of auto, none, gzip, zstd", want)
	}
	return nil, nil
}

// afterSkippable passes over the skippable frames that parallel compressors of
// zstd write in front of its own. What begins with one whose end is not in head
// counts as zstd.
func afterSkippable(head []byte) []byte {
	for len(head) >= 8 && head[0]&0xF0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" {
		size := 8 + int64(binary.LittleEndian.Uint32(head[4:]))
		if size >= int64(len(head)) {
			return []byte(zstdMagic)
		}
		head = head[size:]
	}
	return head
}

// unpacked is the decompressed bytes of an input.
type unpacked struct {
	*input
	compression *compression // nil: stored as they are
}

// open reads from a decompressed offset on. Reaching it costs reading what
// comes before when the input is packed.
func (u *unpacked) open(ctx context.Context, offset int64) (io.ReadCloser, error) {
	if u.compression == nil {
		return u.input.open(ctx, offset)
	}
	stored, err := u.input.open(ctx, 0)
	if err != nil {
		return nil, err
	}
	r := &unpackReader{stored: stored, below: keepError{Reader: stored}, name: u.compression.name}
	if r.plain, err = u.compression.open(&r.below); err != nil {
		stored.Close()
		return nil, r.damage(err)
	}
	if err := skip(ctx, r, offset); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// unpackReader tells damage of a packed stream from an error of the bytes
// below it, and closes both layers.
type unpackReader struct {
	stored io.ReadCloser
	below  keepError
	plain  io.ReadCloser
	name   string
}

func (r *unpackReader) Read(p []byte) (int, error) {
	n, err := r.plain.Read(p)
	return n, r.damage(err)
}

func (r *unpackReader) Close() error {
	return errors.Join(r.plain.Close(), r.stored.Close())
}

// damage names what an error of the decoder means. An error of the stored
// bytes goes first, even where the decoder took it for the end.
func (r *unpackReader) damage(err error) error {
	switch {
	case err == nil:
		return nil
	case r.below.err != nil:
		return r.below.err
	case err == io.EOF:
		return err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return inputerror.New(inputerror.CodeBound, "the zstd stream needs a window of more than %d MiB: compress it again without --long or --ultra", maxZstdWindow>>20)
	case errors.Is(err, zstd.ErrMagicMismatch): // the first bytes have been looked at
		return trailing("zstd", "zstd -dc FILE | zstd > NEW.zst")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return inputerror.New(inputerror.CodeTruncated, "the %s stream is cut: its end is missing", r.name)
	case errors.As(err, new(*inputerror.Error)):
		return err
	}
	return inputerror.New(inputerror.CodeCorrupt, "the %s stream is damaged: %w", r.name, err)
}

// keepError remembers why reading failed; the end is no failure.
type keepError struct {
	io.Reader
	err error
}

func (k *keepError) Read(p []byte) (int, error) {
	n, err := k.Reader.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}

// openZstd decodes in the calling goroutine: nothing is left behind when the
// reading stops in the middle.
func openZstd(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// gzipMembers reads the members of a gzip file one by one. The library's own
// multistream mode takes a file that is cut inside the name field of a later
// member's header for a complete one.
type gzipMembers struct {
	stored *bufio.Reader
	member *gzip.Reader
}

func openGzip(r io.Reader) (io.ReadCloser, error) {
	stored := bufio.NewReaderSize(r, textfile.BlockSize)
	member, err := gzip.NewReader(stored)
	if err != nil {
		return nil, noEOF(err)
	}
	member.Multistream(false)
	return &gzipMembers{stored: stored, member: member}, nil
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for {
		n, err := g.member.Read(p)
		if n > 0 && err == io.EOF {
			err = nil // the member says so again when asked again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := g.padding(); err != nil {
			return 0, err // io.EOF here is the proven end: a member is complete and nothing follows
		}
		if err := g.member.Reset(g.stored); err != nil {
			return 0, noEOF(err)
		}
		g.member.Multistream(false)
	}
}

// padding passes over the zeros and line ends that tapes, tools and editors put
// after a member; gzip itself takes no notice of them. What else is no member is
// an error: rows may be lost there.
func (g *gzipMembers) padding() error {
	for {
		next, err := g.stored.Peek(1)
		switch {
		case err != nil:
			return err
		case next[0] == 0x1f:
			return nil
		case next[0] != 0 && next[0] != '\n' && next[0] != '\r':
			return trailing("gzip", "gzip -dc FILE | gzip > NEW.gz")
		}
		if _, err := g.stored.Discard(1); err != nil {
			return err
		}
	}
}

// trailing is what else stands behind a stream.
func trailing(name, again string) error {
	return inputerror.New(inputerror.CodeCorrupt, "bytes that are no %[1]s follow the end of the %[1]s stream: if they are nothing that is needed, write the file again without them (%[2]s)", name, again)
}

func (g *gzipMembers) Close() error { return g.member.Close() }

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

package readers

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	xencoding "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"pushbatch/readers/inputerror"
)

// encoding is how the text of an input is stored. Decoded text is UTF-8 in
// which every stored byte that means nothing stands as a surrogate, so as
// invalid UTF-8: nothing is replaced, and a row that holds one is found by
// checking its text.
type encoding struct {
	name string
	bom  int // bytes of the byte order mark at the beginning
	// decode turns stored text into UTF-8; nil for UTF-8.
	decode func(io.Reader) io.Reader
	// stored is the number of stored bytes after decoded text; nil where that
	// cannot be told, so that positions count decoded bytes.
	stored func(text string) int64
	// replaces is set for decoders of a library, which put U+FFFD where a byte
	// means nothing.
	replaces bool
	// choices are the encodings that fit where UTF-8 does not; nil: not asked yet.
	choices []EncodingChoice
}

// InvalidAt is the index of the first character that was not valid before it
// was decoded, or -1.
func (e *encoding) InvalidAt(text string) int {
	if !e.replaces && utf8.ValidString(text) {
		return -1
	}
	for i, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 || e.replaces {
			return i
		}
	}
	return -1
}

// Hint says what to try with text that is not valid, which it is given. A byte
// order mark leaves no doubt about the encoding, nor do the zero bytes of UTF-16.
func (e *encoding) Hint(text string) string {
	switch {
	case e.bom > 0 || strings.HasPrefix(e.name, "UTF-16"):
		return ": the text is damaged there"
	case e.decode != nil:
		return ": another encoding may be meant, which --encoding names"
	case e.choices == nil:
		e.choices = fittingEncodings([]byte(text))
	}
	return ": " + encodingAdvice(e.choices)
}

// EncodingName implements textfile.Text.
func (e *encoding) EncodingName() string { return e.name }

// described is the encoding as people read it.
func (e *encoding) described() string {
	if e.bom > 0 {
		return e.name + " with BOM"
	}
	return e.name
}

var boms = [...]struct {
	mark []byte
	name string
}{
	{[]byte{0xFF, 0xFE, 0, 0}, "UTF-32LE"},
	{[]byte{0, 0, 0xFE, 0xFF}, "UTF-32BE"},
	{[]byte{0xEF, 0xBB, 0xBF}, "UTF-8"},
	{[]byte{0xFF, 0xFE}, "UTF-16LE"},
	{[]byte{0xFE, 0xFF}, "UTF-16BE"},
}

// findEncoding decides by the byte order mark, then by what was asked for,
// then by where zero bytes stand, and takes UTF-8 for the rest.
func findEncoding(want string, head []byte) (*encoding, error) {
	auto := want == "" || strings.EqualFold(want, "auto")
	for _, b := range boms {
		if !bytes.HasPrefix(head, b.mark) {
			continue
		}
		if !auto && !sameEncoding(want, b.name) {
			return nil, inputerror.New(inputerror.CodeOption, "it begins with the byte order mark of %s, but --encoding is %s: leave out --encoding", b.name, want)
		}
		return byName(b.name, len(b.mark))
	}
	if auto {
		return byName(guessEncoding(head), 0)
	}
	return byName(want, 0)
}

// sameEncoding also lets utf-16 stand for both of its byte orders.
func sameEncoding(want, name string) bool {
	want = strings.ToUpper(want)
	return want == name || want == "UTF-16" && strings.HasPrefix(name, want) || want == "UTF8" && name == "UTF-8"
}

// guessEncoding tells UTF-16 without a byte order mark by the zero bytes of
// the header's Latin letters: on the odd places little endian, on the even
// ones big endian.
func guessEncoding(head []byte) string {
	head = head[:min(len(head), 256)&^1]
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	few, many := len(head)/32, len(head)/4
	switch {
	case len(head) >= 4 && zeros[1] > many && zeros[0] <= few:
		return "UTF-16LE"
	case len(head) >= 4 && zeros[0] > many && zeros[1] <= few:
		return "UTF-16BE"
	}
	return "UTF-8"
}

func byName(name string, bom int) (*encoding, error) {
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8":
		return &encoding{name: "UTF-8", bom: bom}, nil
	case "UTF-16", "UTF-16LE":
		return utf16Encoding("UTF-16LE", binary.LittleEndian, bom), nil
	case "UTF-16BE":
		return utf16Encoding("UTF-16BE", binary.BigEndian, bom), nil
	case "UTF-32LE", "UTF-32BE":
		return nil, inputerror.New(inputerror.CodeFormat, "it is %s text: save it as UTF-8", name)
	}
	enc := encodingNamed(name)
	if enc == nil {
		return nil, inputerror.New(inputerror.CodeOption, "--encoding %q is no known encoding: give auto, utf-8, utf-16le, utf-16be or a name such as windows-1252, iso-8859-2 or cp850", name)
	}
	if table, ok := enc.(*charmap.Charmap); ok {
		return byteEncoding(strings.ToLower(name), table), nil
	}
	return &encoding{
		name: strings.ToLower(name), replaces: true,
		decode: func(r io.Reader) io.Reader { return enc.NewDecoder().Reader(r) },
	}, nil
}

// codePages are those of DOS, which the web's standard lacks but for 866.
var codePages = map[string]*charmap.Charmap{
	"437": charmap.CodePage437, "850": charmap.CodePage850, "852": charmap.CodePage852, "855": charmap.CodePage855,
	"858": charmap.CodePage858, "860": charmap.CodePage860, "862": charmap.CodePage862, "863": charmap.CodePage863,
	"865": charmap.CodePage865, "866": charmap.CodePage866,
}

// encodingNamed is an encoding that the web's standard knows, or a code page of DOS
// (cp850, ibm850, 850); nil: it is unknown.
func encodingNamed(name string) xencoding.Encoding {
	number := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
	for _, prefix := range [...]string{"cp", "ibm", "dos"} {
		number = strings.TrimPrefix(number, prefix)
	}
	if page, ok := codePages[number]; ok {
		return page
	}
	enc, err := htmlindex.Get(name)
	if err != nil || enc == xencoding.Replacement {
		return nil
	}
	return enc
}

// text is the decoded text of an input; it implements textfile.Text.
type text struct {
	*unpacked
	*encoding
}

// Close releases a stream.
func (t *text) Close() error { return t.close() }

// Start is the offset after the byte order mark.
func (t *text) Start() int64 { return int64(t.bom) }

// OpenText reads UTF-8 from an offset on that was counted by Length.
func (t *text) OpenText(ctx context.Context, offset int64) (io.ReadCloser, error) {
	if t.decode == nil {
		return t.unpacked.open(ctx, offset)
	}
	at := offset
	if t.stored == nil {
		at = 0
	}
	stored, err := t.unpacked.open(ctx, at)
	if err != nil {
		return nil, err
	}
	text := t.decode(stored)
	if err := skip(ctx, text, offset-at); err != nil {
		stored.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{text, stored}, nil
}

// Length is how far text moves an offset.
func (t *text) Length(text string) int64 {
	if t.encoding.stored == nil {
		return int64(len(text))
	}
	return t.encoding.stored(text)
}

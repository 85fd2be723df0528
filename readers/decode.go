package readers

import (
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// transcoder reads stored text and gives UTF-8. step decodes what it can of
// src onto dst and says how many bytes it took; at the end of the input it
// must take all.
type transcoder struct {
	r    io.Reader
	step func(dst, src []byte, end bool) ([]byte, int, error)
	src  []byte // read, not decoded; at most a few bytes between calls
	dst  []byte // decoded, after out
	out  []byte // decoded, not given yet
	err  error
}

func (t *transcoder) Read(p []byte) (int, error) {
	for len(t.out) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		t.fill()
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	return n, nil
}

func (t *transcoder) fill() {
	if t.src == nil {
		t.src = make([]byte, 0, textfile.BlockSize/2)
	}
	n, err := t.r.Read(t.src[len(t.src):cap(t.src)])
	t.src = t.src[:len(t.src)+n]
	t.err = err
	dst, taken, stepErr := t.step(t.dst[:0], t.src, err == io.EOF)
	if stepErr != nil {
		t.err = stepErr
	}
	t.dst, t.out = dst, dst
	t.src = t.src[:copy(t.src, t.src[taken:])]
}

// appendSurrogate writes a surrogate the way other characters of its size are
// written. No UTF-8 decoder takes it for valid.
func appendSurrogate(dst []byte, r rune) []byte {
	return append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
}

func utf16Encoding(name string, order binary.ByteOrder, bom int) *encoding {
	step := func(dst, src []byte, end bool) ([]byte, int, error) { return decodeUTF16(dst, src, order, end) }
	return &encoding{
		name: name, bom: bom, stored: utf16Length,
		decode: func(r io.Reader) io.Reader { return &transcoder{r: r, step: step} },
	}
}

// decodeUTF16 keeps a surrogate without its other half as it is.
func decodeUTF16(dst, src []byte, order binary.ByteOrder, end bool) ([]byte, int, error) {
	i := 0
	for ; i+2 <= len(src); i += 2 {
		r := rune(order.Uint16(src[i:]))
		switch {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
			continue
		case !utf16.IsSurrogate(r):
			dst = utf8.AppendRune(dst, r)
			continue
		case i+4 > len(src) && !end:
			return dst, i, nil
		}
		pair := utf8.RuneError
		if i+4 <= len(src) {
			pair = utf16.DecodeRune(r, rune(order.Uint16(src[i+2:])))
		}
		if pair == utf8.RuneError {
			dst = appendSurrogate(dst, r)
			continue
		}
		dst = utf8.AppendRune(dst, pair)
		i += 2
	}
	if end && i < len(src) {
		return dst, len(src), inputerror.New(inputerror.CodeTruncated, "it ends in the middle of a two-byte character")
	}
	return dst, i, nil
}

// utf16Length is 4 for what needs a surrogate pair and 2 for all else,
// surrogates without their other half included.
func utf16Length(text string) int64 {
	var n int64
	for i := range len(text) {
		switch b := text[i]; {
		case b >= 0xF0:
			n += 4
		case b < 0x80 || b >= 0xC0:
			n += 2
		}
	}
	return n
}

// byteEncoding is an encoding of one byte a character. A byte that means
// nothing becomes the low surrogate U+DC00 plus the byte.
func byteEncoding(name string, table *charmap.Charmap) *encoding {
	var decoded [256][]byte
	windows := strings.HasPrefix(table.String(), "Windows")
	for b := range decoded {
		r := table.DecodeByte(byte(b))
		// The web's tables fill the holes of the Windows code pages with
		// control characters, which no one ever wrote.
		hole := windows && r >= 0x80 && r < 0xA0
		if r == utf8.RuneError || hole {
			decoded[b] = appendSurrogate(nil, 0xDC00+rune(b))
		} else {
			decoded[b] = utf8.AppendRune(nil, r)
		}
	}
	step := func(dst, src []byte, _ bool) ([]byte, int, error) { //nolint:unparam // the form of every step
		for _, b := range src {
			dst = append(dst, decoded[b]...)
		}
		return dst, len(src), nil
	}
	return &encoding{
		name: name, stored: characters,
		decode: func(r io.Reader) io.Reader { return &transcoder{r: r, step: step} },
	}
}

// characters counts characters, surrogates included.
func characters(text string) int64 {
	var n int64
	for i := range len(text) {
		if text[i]&0xC0 != 0x80 {
			n++
		}
	}
	return n
}

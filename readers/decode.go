package readers

import (
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"

	"pushbatch/readers/inputerror"
)

// appendSurrogate writes a surrogate the way other characters of its size are
// written. No UTF-8 decoder takes it for valid.
func appendSurrogate(dst []byte, r rune) []byte {
	return append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
}

func utf16Encoding(name string, order binary.ByteOrder, bom int) *encoding {
	return &encoding{
		name: name, bom: bom, stored: utf16Length,
		decode: func(r io.Reader) io.Reader { return transform.NewReader(r, utf16Decoder{order: order}) },
	}
}

// utf16Decoder keeps a surrogate without its other half as it is.
type utf16Decoder struct {
	transform.NopResetter
	order binary.ByteOrder
}

// Transform implements transform.Transformer.
func (d utf16Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for ; nSrc+2 <= len(src); nSrc += 2 {
		if nDst+utf8.UTFMax > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		r, pair := rune(d.order.Uint16(src[nSrc:])), utf8.RuneError
		if utf16.IsSurrogate(r) && nSrc+4 <= len(src) {
			pair = utf16.DecodeRune(r, rune(d.order.Uint16(src[nSrc+2:])))
		}
		switch out := dst[:nDst]; {
		case !utf16.IsSurrogate(r):
			nDst = len(utf8.AppendRune(out, r))
		case nSrc+4 > len(src) && !atEOF:
			return nDst, nSrc, transform.ErrShortSrc
		case pair == utf8.RuneError:
			nDst = len(appendSurrogate(out, r))
		default:
			nDst = len(utf8.AppendRune(out, pair))
			nSrc += 2
		}
	}
	switch {
	case nSrc == len(src):
		return nDst, nSrc, nil
	case atEOF:
		return nDst, nSrc, inputerror.New(inputerror.CodeTruncated, "it ends in the middle of a two-byte character")
	}
	return nDst, nSrc, transform.ErrShortSrc
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
	return &encoding{
		name: name, stored: characters,
		decode: func(r io.Reader) io.Reader { return transform.NewReader(r, byteDecoder{decoded: &decoded}) },
	}
}

// byteDecoder has what each byte means.
type byteDecoder struct {
	transform.NopResetter
	decoded *[256][]byte
}

// Transform implements transform.Transformer.
func (d byteDecoder) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, b := range src {
		if nDst+utf8.UTFMax > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], d.decoded[b])
		nSrc++
	}
	return nDst, nSrc, nil
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

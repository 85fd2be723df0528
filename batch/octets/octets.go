// Package octets looks at eight bytes of a text at a time. Cells are short:
// a search of the standard library costs more to call than it saves.
//
//	for ; i+8 <= len(s); i += 8 {
//		if octets.Below(octets.Word(s, i), ' ') != 0 {
//			// one of the eight bytes is a control character
//		}
//	}
package octets

// What words of eight bytes are compared with.
const (
	Ones = 0x0101010101010101 // times a byte: that byte eight times
	High = 0x8080808080808080 // the highest bit of each byte
)

// Word is the eight bytes of text from i on, the first one lowest.
func Word(text string, i int) uint64 {
	b := text[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Zeros sets the highest bit of each byte of w that is zero, and no other.
func Zeros(w uint64) uint64 {
	return ^(((w &^ High) + ^uint64(High)) | w | ^uint64(High))
}

// Equal sets the highest bit of the first byte of w that is c; bits behind it
// say nothing. It is 0 when no byte is c.
func Equal(w uint64, c byte) uint64 {
	w ^= Ones * uint64(c)
	return (w - Ones) &^ w & High
}

// Below sets the highest bit of the first byte of w that is below c, which is
// at most 0x80; bits behind it say nothing. It is 0 when no byte is below c.
func Below(w uint64, c byte) uint64 {
	return (w - Ones*uint64(c)) &^ w & High
}

// Beyond is 0 only when every byte of w is below 0x7F: ASCII without DEL.
func Beyond(w uint64) uint64 {
	return ((w + Ones) | w) & High
}

// Graphic reports whether s is ASCII without controls and spaces.
func Graphic(s string) bool { return within(s, '!') }

// Printable reports whether s is ASCII without controls.
func Printable(s string) bool { return within(s, ' ') }

// within reports whether every byte of s is at least least and below 0x7F.
func within(s string, least byte) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if w := Word(s, i); Below(w, least)|Beyond(w) != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if s[i] < least || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

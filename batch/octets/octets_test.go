package octets_test

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"pushbatch/batch/octets"
)

// Every function says of eight bytes what a look at each of them says.
func TestWords(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []byte{0, 1, 0x1F, ' ', '!', '"', ',', '0', 'a', 0x7E, 0x7F, 0x80, 0x81, 0xC3, 0xFE, 0xFF}
	for range 200_000 {
		var b [8]byte
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		w := octets.Word(string(b[:]), 0)
		c := alphabet[random.IntN(len(alphabet))]
		var zeros uint64
		equal, below, beyond := 8, 8, false
		for i := 7; i >= 0; i-- {
			if b[i] == 0 {
				zeros |= 0x80 << (8 * i)
			}
			if b[i] == c {
				equal = i
			}
			if b[i] < min(c, 0x80) {
				below = i
			}
			beyond = beyond || b[i] >= 0x7F
		}
		if got := octets.Zeros(w); got != zeros {
			t.Fatalf("% x: zeros %x, want %x", b, got, zeros)
		}
		if got := bits.TrailingZeros64(octets.Equal(w, c)) / 8; got != equal {
			t.Fatalf("% x: the first %x at %d, want %d", b, c, got, equal)
		}
		if got := bits.TrailingZeros64(octets.Below(w, min(c, 0x80))) / 8; got != below {
			t.Fatalf("% x: the first below %x at %d, want %d", b, c, got, below)
		}
		if got := octets.Beyond(w) != 0; got != beyond {
			t.Fatalf("% x: beyond is %v, want %v", b, got, beyond)
		}
	}
}

func FuzzClasses(f *testing.F) {
	f.Add("")
	f.Add("plain-id_0123456789")
	f.Add("with space")
	f.Add("12345678\x7f")
	f.Add("1234567\x00")
	f.Add("Đuro Kovačević")
	f.Fuzz(func(t *testing.T, s string) {
		graphic, printable := true, true
		for i := range len(s) {
			printable = printable && s[i] >= ' ' && s[i] < 0x7F
			graphic = graphic && s[i] > ' ' && s[i] < 0x7F
		}
		if octets.Graphic(s) != graphic || octets.Printable(s) != printable {
			t.Errorf("%q: graphic %v, printable %v", s, octets.Graphic(s), octets.Printable(s))
		}
	})
}

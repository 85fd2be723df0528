package parquetfile

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

func appendText(dst, raw []byte) ([]byte, valueFault) {
	if !utf8.Valid(raw) {
		return hex.AppendEncode(dst, raw), faultEncoding
	}
	return append(dst, raw...), noFault
}

func appendHex(dst, raw []byte) ([]byte, valueFault) { return hex.AppendEncode(dst, raw), noFault }

func appendUUID(dst, raw []byte) ([]byte, valueFault) {
	for i, from := range [...]int{0, 4, 6, 8, 10} {
		if i > 0 {
			dst = append(dst, '-')
		}
		to := [...]int{4, 6, 8, 10, 16}[i]
		dst = hex.AppendEncode(dst, raw[from:to])
	}
	return dst, noFault
}

func appendBool(dst, raw []byte) ([]byte, valueFault) {
	return strconv.AppendBool(dst, raw[0] != 0), noFault
}

// unsigned reads a little-endian number of up to eight bytes.
func unsigned(raw []byte) uint64 {
	var word [8]byte
	copy(word[:], raw)
	return binary.LittleEndian.Uint64(word[:])
}

// signed is the same in two's complement.
func signed(raw []byte) int64 {
	unused := 64 - 8*len(raw)
	return int64(unsigned(raw)<<unused) >> unused
}

func appendSigned(dst, raw []byte) ([]byte, valueFault) {
	return strconv.AppendInt(dst, signed(raw), 10), noFault
}

func appendUnsigned(dst, raw []byte) ([]byte, valueFault) {
	return strconv.AppendUint(dst, unsigned(raw), 10), noFault
}

func appendFloat32(dst, raw []byte) ([]byte, valueFault) {
	return appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), 32), noFault
}

func appendFloat64(dst, raw []byte) ([]byte, valueFault) {
	return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(raw)), 64), noFault
}

// appendFloat16 reads IEEE 754 binary16, whose every value a float32 holds.
func appendFloat16(dst, raw []byte) ([]byte, valueFault) {
	b := binary.LittleEndian.Uint16(raw)
	exp, frac := int(b>>10&31), float64(b&1023)
	var v float64
	switch exp {
	case 0:
		v = math.Ldexp(frac, -24)
	case 31:
		v = math.Inf(1)
		if frac != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+frac, exp-25)
	}
	if b>>15 == 1 {
		v = -v
	}
	return appendFloat(dst, v, 32), noFault
}

// appendFloat appends the shortest digits that read back as v, in JSON's
// syntax; NaN, +Inf and -Inf, which JSON lacks, as these words.
func appendFloat(dst []byte, v float64, bits int) []byte {
	if abs := math.Abs(v); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	return strconv.AppendFloat(dst, v, 'e', -1, bits)
}

func appendDecimal(dst []byte, unscaled int64, scale int) []byte {
	magnitude := uint64(unscaled)
	if unscaled < 0 {
		dst = append(dst, '-')
		magnitude = -magnitude
	}
	var digits [20]byte
	return appendPoint(dst, strconv.AppendUint(digits[:0], magnitude, 10), scale)
}

// appendPoint appends digits with scale of them after the point.
func appendPoint(dst, digits []byte, scale int) []byte {
	if scale == 0 {
		return append(dst, digits...)
	}
	if len(digits) <= scale {
		dst = append(dst, '0', '.')
		for range scale - len(digits) {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-scale:]...)
}

// maxDecimalBytes is more than the 32 bytes of the widest decimals in use.
const maxDecimalBytes = 64

// appendBigDecimal reads a big-endian number in two's complement.
func appendBigDecimal(dst, raw []byte, scale int) ([]byte, valueFault) {
	switch {
	case len(raw) == 0 || len(raw) > maxDecimalBytes:
		return hex.AppendEncode(dst, raw[:min(len(raw), maxDecimalBytes)]), faultRange
	case len(raw) <= 8:
		v := int64(int8(raw[0]))
		for _, b := range raw[1:] {
			v = v<<8 | int64(b)
		}
		return appendDecimal(dst, v, scale), noFault
	}
	v := new(big.Int).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
		dst = append(dst, '-')
	}
	return appendPoint(dst, v.Abs(v).Append(nil, 10), scale), noFault
}

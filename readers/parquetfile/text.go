package parquetfile

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

func plainText(raw []byte) (string, valueFault) {
	if !utf8.Valid(raw) {
		return hex.EncodeToString(raw), faultEncoding
	}
	return string(raw), noFault
}

func hexText(raw []byte) (string, valueFault) { return hex.EncodeToString(raw), noFault }

func uuidText(raw []byte) (string, valueFault) {
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), noFault
}

func boolText(raw []byte) (string, valueFault) { return strconv.FormatBool(raw[0] != 0), noFault }

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

func signedText(raw []byte) (string, valueFault) {
	return strconv.FormatInt(signed(raw), 10), noFault
}

func unsignedText(raw []byte) (string, valueFault) {
	return strconv.FormatUint(unsigned(raw), 10), noFault
}

func float32Text(raw []byte) (string, valueFault) {
	return floatText(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), 32), noFault
}

func float64Text(raw []byte) (string, valueFault) {
	return floatText(math.Float64frombits(binary.LittleEndian.Uint64(raw)), 64), noFault
}

// float16Text reads IEEE 754 binary16, whose every value a float32 holds.
func float16Text(raw []byte) (string, valueFault) {
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
	return floatText(v, 32), noFault
}

// floatText is the shortest digits that read back as v, in JSON's syntax; NaN,
// +Inf and -Inf, which JSON lacks, are these words.
func floatText(v float64, bits int) string {
	form := byte('e')
	if abs := math.Abs(v); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		form = 'f'
	}
	return strconv.FormatFloat(v, form, -1, bits)
}

// decimalText writes a number with scale of its digits after the point.
func decimalText(unscaled *big.Int, scale int) string {
	digits, negative := strings.CutPrefix(unscaled.String(), "-")
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if negative {
		return "-" + digits
	}
	return digits
}

// maxDecimalBytes is more than the 32 bytes of the widest decimals in use.
const maxDecimalBytes = 64

// bigDecimalText reads a big-endian number in two's complement.
func bigDecimalText(raw []byte, scale int) (string, valueFault) {
	if len(raw) == 0 || len(raw) > maxDecimalBytes {
		return hex.EncodeToString(raw[:min(len(raw), maxDecimalBytes)]), faultRange
	}
	v := new(big.Int).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return decimalText(v, scale), noFault
}

package parquetfile

import (
	"encoding/binary"
	"runtime"
	"testing"
)

// TestVariantOfTooManyParts: what a VARIANT claims to have takes no room before it is
// known to be less than a row may have. It is not parallel: what is allocated counts.
func TestVariantOfTooManyParts(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	const many = 4 << 20 // parts, of one byte each
	claim := func(header byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{header}, many), make([]byte, 2*many+2)...)
	}
	for name, read := range map[string]func(v *variant) error{
		"array":  func(v *variant) error { _, err := v.decode(claim(4<<2|3), 0); return err },
		"object": func(v *variant) error { _, err := v.decode(claim(16<<2|2), 0); return err },
		"names":  func(v *variant) error { return v.readNames(string(claim(3<<6|1)) + string(make([]byte, 3*many))) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v := variant{column: &column{}, names: []string{"a"}}
		if err := read(&v); err == nil {
			t.Errorf("%s of %d parts was read", name, many)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 80<<20 {
			t.Errorf("%s: %d MiB were taken", name, took>>20)
		}
	}
}

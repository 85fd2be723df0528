package parquetfile

import "encoding/binary"

// deltaReader reads DELTA_BINARY_PACKED (Encodings.md, 5). Like a runReader it
// expands nothing before it is asked for.
type deltaReader struct {
	src     []byte
	minis   int // miniblocks a block
	perMini uint64
	left    uint64 // values that were not given yet
	begun   bool   // the first value was given: it stands in front
	last    int64
	least   int64  // of the current block
	widths  []byte // of the miniblocks of the block that were not begun
	packed  []byte // the current miniblock
	width   uint
	at, end uint64 // which of its values is next, and how many it has
}

func newDeltaReader(src []byte) (d deltaReader, err error) {
	var head [3]uint64 // values a block, miniblocks a block, values in all
	for i := range head {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return d, errEncoded
		}
		head[i], src = v, src[n:]
	}
	first, n := binary.Varint(src)
	perBlock, minis, total := head[0], head[1], head[2]
	if n <= 0 || perBlock == 0 || perBlock > 1<<24 || minis == 0 || minis > perBlock ||
		perBlock%minis != 0 || perBlock/minis%8 != 0 || total > maxPageValues {
		return d, errEncoded
	}
	return deltaReader{src: src[n:], minis: int(minis), perMini: perBlock / minis, left: total, last: first}, nil
}

// next returns the next value.
func (d *deltaReader) next() (int64, error) {
	switch {
	case d.left == 0:
		return 0, errEncoded
	case !d.begun:
		d.begun = true
		d.left--
		return d.last, nil
	case d.at == d.end:
		if err := d.nextMini(); err != nil {
			return 0, err
		}
	}
	d.last += d.least + int64(bitsAt(d.packed, uint(d.at)*d.width, d.width))
	d.at++
	d.left--
	return d.last, nil
}

// nextMini begins the next miniblock. Those that hold nothing are not there, and
// the last one may lack its unused end.
func (d *deltaReader) nextMini() error {
	if len(d.widths) == 0 {
		least, n := binary.Varint(d.src)
		if n <= 0 || len(d.src)-n < d.minis {
			return errEncoded
		}
		d.least, d.widths, d.src = least, d.src[n:n+d.minis], d.src[n+d.minis:]
	}
	d.width, d.widths = uint(d.widths[0]), d.widths[1:]
	d.at, d.end = 0, min(d.perMini, d.left)
	if d.width > 64 || (d.end*uint64(d.width)+7)/8 > uint64(len(d.src)) {
		return errEncoded
	}
	size := min(d.perMini/8*uint64(d.width), uint64(len(d.src)))
	d.packed, d.src = d.src[:size], d.src[size:]
	return nil
}

// rest returns what stands after the values. The reader itself does not move.
func (d *deltaReader) rest() ([]byte, error) {
	ahead := *d
	if !ahead.begun && ahead.left > 0 {
		ahead.left--
	}
	for ahead.left > 0 {
		if err := ahead.nextMini(); err != nil {
			return nil, err
		}
		ahead.left -= ahead.end
	}
	return ahead.src, nil
}

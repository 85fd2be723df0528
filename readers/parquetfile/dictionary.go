package parquetfile

import "github.com/parquet-go/parquet-go/format"

// dictionary is the values that the pages of a chunk name by their number. It may
// have more of them than the chunk uses: writers of enumerations store all words.
type dictionary struct {
	stored []byte
	ends   []uint32 // where each value ends; nil: they have one size
	width  int
	count  int64
}

// newDictionary finds the values of a dictionary's page.
func newDictionary(l *leaf, page []byte, count int64) (*dictionary, error) {
	d := &dictionary{stored: page, width: l.width, count: count}
	switch {
	case l.physical == format.Boolean || l.width == 0 && count > int64(len(page))/4:
		return nil, errEncoded
	case l.width > 0:
		if count > int64(len(page)/l.width) {
			return nil, errEncoded
		}
		return d, nil
	}
	d.ends = make([]uint32, 0, count)
	rest := page
	for range count {
		if _, err := cutArray(&rest); err != nil {
			return nil, err
		}
		d.ends = append(d.ends, uint32(len(page)-len(rest)))
	}
	return d, nil
}

// size is what the dictionary keeps, in bytes.
func (d *dictionary) size() int64 {
	if d == nil {
		return 0
	}
	return int64(cap(d.stored) + 4*cap(d.ends))
}

func (d *dictionary) value(i uint32) []byte {
	if d.ends == nil {
		return d.stored[int(i)*d.width:][:d.width]
	}
	from := uint32(4)
	if i > 0 {
		from += d.ends[i-1]
	}
	return d.stored[from:d.ends[i]]
}

// newDictionaryDecoder reads numbers of values of the dictionary.
func newDictionaryDecoder(src []byte, dictionary *dictionary) (decoder, error) {
	if len(src) == 0 || src[0] > 32 {
		return nil, errEncoded
	}
	runs := newRunReader(src[1:], uint(src[0]))
	return func() ([]byte, error) {
		i, err := runs.next()
		if err != nil {
			return nil, err
		}
		if dictionary == nil || int64(i) >= dictionary.count {
			return nil, errNotInDictionary
		}
		return dictionary.value(i), nil
	}, nil
}

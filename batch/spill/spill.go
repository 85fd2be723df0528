// Package spill sorts records into buckets on disk, so that what does not fit
// into memory can be joined bucket by bucket.
//
// Records of one key are always in one bucket, in the order in which they were
// added. All buckets lie in one file, which is as large as the records; memory
// is one buffer a bucket, whatever the number of records. What lies in the file
// is of no use after the process: nothing is synced, and Close removes it.
package spill

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// KeySize is the length of a key in bytes. Its first bytes choose the bucket, so
// that the records of bucket n sort before those of bucket n+1: a key must be a hash.
const KeySize = 16

// Key names what a record belongs to.
type Key [KeySize]byte

// KeyOf is the key of a name: 128 bits of its SHA-256.
func KeyOf(name string) Key {
	sum := sha256.Sum256([]byte(name))
	return Key(sum[:KeySize])
}

// DefaultBuckets holds a thousand million records of 80 bytes with 80 MB of
// memory a bucket.
const DefaultBuckets = 1024

// chunkSize is how much of a bucket is written at once: 8 MB of buffers for the
// default number of buckets.
const chunkSize = 8 << 10

// ErrTooLarge is returned by Add for a record of more than MaxRecord bytes.
var ErrTooLarge = errors.New("a record to be spilled is too large")

// MaxRecord is the most bytes that a record can have.
const MaxRecord = 1 << 20

// Record is one record of a bucket. Data is valid as long as its bucket.
type Record struct {
	Key  Key
	Data []byte
}

// Buckets takes records, then gives them back bucket by bucket. It is used by
// one goroutine at a time.
type Buckets struct {
	file    *os.File
	size    int64
	buffers [][]byte
	chunks  [][]chunk
}

// chunk is a part of a bucket in the file.
type chunk struct {
	offset int64
	length int
}

// New makes empty buckets in a file of their own below folder. count is the
// number of buckets, 1 to 65536; 0 is DefaultBuckets.
func New(folder string, count int) (*Buckets, error) {
	if count <= 0 {
		count = DefaultBuckets
	}
	file, err := os.CreateTemp(folder, ".spill-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("create a file to sort rows in: %w", err)
	}
	return &Buckets{file: file, buffers: make([][]byte, count), chunks: make([][]chunk, count)}, nil
}

// Bucket is the number of the bucket that a key belongs to.
func (b *Buckets) Bucket(key Key) int {
	return int(binary.BigEndian.Uint64(key[:]) >> 32 * uint64(len(b.buffers)) >> 32)
}

// Add puts a record into its bucket. data is not kept.
func (b *Buckets) Add(key Key, data []byte) error {
	if len(data) > MaxRecord {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxRecord)
	}
	n := b.Bucket(key)
	b.buffers[n] = append(b.buffers[n], key[:]...)
	b.buffers[n] = binary.AppendUvarint(b.buffers[n], uint64(len(data)))
	b.buffers[n] = append(b.buffers[n], data...)
	if len(b.buffers[n]) < chunkSize {
		return nil
	}
	return b.write(n)
}

func (b *Buckets) write(n int) error {
	buffer := b.buffers[n]
	if _, err := b.file.WriteAt(buffer, b.size); err != nil {
		return fmt.Errorf("sort rows on disk: %w", err)
	}
	b.chunks[n] = append(b.chunks[n], chunk{b.size, len(buffer)})
	b.size += int64(len(buffer))
	b.buffers[n] = buffer[:0]
	return nil
}

// Load reads a bucket into memory.
func (b *Buckets) Load(n int) ([]Record, error) {
	length := len(b.buffers[n])
	for _, c := range b.chunks[n] {
		length += c.length
	}
	data := make([]byte, 0, length)
	for _, c := range b.chunks[n] {
		at := len(data)
		data = data[:at+c.length]
		if _, err := b.file.ReadAt(data[at:], c.offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read sorted rows: %w", err)
		}
	}
	return split(append(data, b.buffers[n]...)), nil
}

func split(data []byte) (records []Record) {
	for len(data) > 0 {
		var r Record
		copy(r.Key[:], data)
		length, width := binary.Uvarint(data[KeySize:])
		begin := KeySize + width
		end := begin + int(length)
		r.Data = data[begin:end:end]
		records, data = append(records, r), data[end:]
	}
	return records
}

// All yields bucket after bucket; an error ends it.
func (b *Buckets) All() iter.Seq2[[]Record, error] {
	return func(yield func([]Record, error) bool) {
		for n := range b.buffers {
			records, err := b.Load(n)
			if !yield(records, err) || err != nil {
				return
			}
		}
	}
}

// Close removes the file. It may be called more than once.
func (b *Buckets) Close() error {
	if b.file == nil {
		return nil
	}
	file := b.file
	b.file, b.buffers, b.chunks = nil, nil, nil
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

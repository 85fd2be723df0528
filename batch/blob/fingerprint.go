package blob

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

const (
	// FingerprintWhole is the largest input that its fingerprint covers as a whole, in
	// bytes: some 15 ms.
	FingerprintWhole = 16 << 20
	// Of a larger one it covers so many blocks of so many bytes, from the first to the
	// last byte at equal distances.
	fingerprintBlocks = 64
	fingerprintBlock  = 16 << 10
)

// Fingerprint hashes the size of an input and its content up to 16 MiB, in
// hexadecimal; of a larger one 64 blocks of 16 KiB from its beginning to its end:
// enough to notice a file that was exported again or appended to, at a cost that
// does not grow with it. For an input whose store names its version (ETag) it is a
// hash of that and of the size: nothing is read. It is empty for inputs that are
// not Rereadable.
func Fingerprint(ctx context.Context, in Info) (string, error) {
	if !in.Rereadable() {
		return "", nil
	}
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint64(nil, uint64(in.Size)))
	if in.ETag != "" {
		hash.Write([]byte(in.ETag))
		return hex.EncodeToString(hash.Sum(nil)), nil
	}
	r, err := OpenAt(ctx, in)
	if err != nil {
		return "", err
	}
	defer r.Close()
	for _, part := range fingerprinted(in.Size) {
		if _, err := io.Copy(hash, io.NewSectionReader(r, part[0], part[1])); err != nil {
			return "", fmt.Errorf("fingerprint %s: %w", in.Location, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// fingerprinted lists offset and length of the parts that a fingerprint covers.
func fingerprinted(size int64) [][2]int64 {
	if size <= FingerprintWhole {
		return [][2]int64{{0, size}}
	}
	parts := make([][2]int64, fingerprintBlocks)
	for i := range parts {
		at := (size - fingerprintBlock) / (fingerprintBlocks - 1) * int64(i)
		parts[i] = [2]int64{at, fingerprintBlock}
	}
	parts[fingerprintBlocks-1][0] = size - fingerprintBlock
	return parts
}

package blob

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// fingerprintBlock is how much of the beginning, the middle and the end of an
// input its fingerprint covers, in bytes.
const fingerprintBlock = 16 << 10

// Fingerprint hashes the size of an input and its first, middle and last
// 16 KiB, in hexadecimal: enough to notice a file that was exported again or
// appended to, at a cost that does not grow with it. For an input whose store
// names its version (ETag) it is a hash of that and of the size: nothing is
// read. It is empty for inputs that are not Rereadable.
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
	block := make([]byte, fingerprintBlock)
	for _, at := range []int64{0, in.Size/2 - fingerprintBlock/2, in.Size - fingerprintBlock} {
		n, err := r.ReadAt(block, max(at, 0))
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("fingerprint %s: %w", in.Location, err)
		}
		hash.Write(block[:n])
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

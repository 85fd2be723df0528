package runstore

import (
	"errors"
	"os"
	"testing"
)

// unsyncable is a file that takes what is written and cannot make it durable.
type unsyncable struct {
	File
	err error
}

func (unsyncable) Write(p []byte) (int, error) { return len(p), nil }
func (u unsyncable) Sync() error               { return u.err }
func (unsyncable) Close() error                { return nil }

// A sync that is begun while more is written ends like any other: its error is that of
// the write or the Flush that follows, and no Flush says that such bytes are durable.
func TestSyncAhead(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, os.ErrDeadlineExceeded} {
		a := &AppendFile{file: unsyncable{err: want}}
		var err error
		for range 3 {
			if _, err = a.Write(make([]byte, syncAhead)); err != nil {
				break
			}
		}
		if a.under == nil == (want == nil) {
			t.Errorf("%v: a sync is under way: %t", want, a.under != nil)
		}
		n, flushed := a.Flush()
		if err = errors.Join(err, flushed); !errors.Is(err, want) || want == nil && n != 3*syncAhead {
			t.Errorf("%d bytes, %v, want %v", n, err, want)
		}
		if a.under != nil {
			t.Error("a sync is under way after Flush")
		}
	}
}

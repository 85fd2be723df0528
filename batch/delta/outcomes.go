package delta

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"pushbatch/batch"
)

// Outcomes says what became of each row of a run, two bits a row. A row that it
// does not know was perhaps sent.
type Outcomes struct{ bits []byte }

type outcome byte

const (
	unknown outcome = iota
	done            // acknowledged
	refused         // a clear no: the platform has changed nothing
)

// Codes of rows that were not sent as ever; they stand in results.
const (
	CodeUnchanged   = "unchanged"
	CodeAdopted     = "adopted"
	CodeSuperseded  = "superseded"
	CodeDuplicate   = "duplicate_device"
	CodeAlreadyGone = "already_gone"
)

// outcomeOf classifies a row. sure tells that a refusal proves that nothing was
// changed, which it does not where an earlier attempt may have been heard.
func outcomeOf(o *batch.Outcome, sure bool) outcome {
	switch {
	case o.Status == batch.Succeeded, o.Status == batch.Skipped && (o.Code == CodeAdopted || o.Code == CodeAlreadyGone):
		return done
	case o.Status == batch.Failed && sure && o.Attempts == 1 && isRefusal(o.HTTPStatus):
		return refused
	}
	return unknown
}

// isRefusal tells the answers that are final for a row.
func isRefusal(status int) bool {
	return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429
}

// recordSize is the length of AppendOutcome's records.
const recordSize = 8

// AppendOutcome appends the record of a row to dst: a file of the run that grows
// with its results. Rows of which nothing is known for sure need none.
func AppendOutcome(dst []byte, row int64, o *batch.Outcome, sure bool) []byte {
	is := outcomeOf(o, sure)
	if is == unknown {
		return dst
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(row)<<2|uint64(is))
}

// NewOutcomes knows of no row yet. rows is the number of rows of the run, those
// of vanished devices included, at most 2^32 (1 GB): a plan that says more was not
// made here.
func NewOutcomes(rows int64) *Outcomes {
	return &Outcomes{make([]byte, min(max(rows, 0), 1<<32)/4+1)}
}

// Add takes what is known of a row.
func (o *Outcomes) Add(row int64, out *batch.Outcome, sure bool) { o.set(row, outcomeOf(out, sure)) }

func (o *Outcomes) set(row int64, is outcome) {
	if row < 0 || row/4 >= int64(len(o.bits)) {
		return
	}
	shift := 2 * (row % 4)
	o.bits[row/4] = o.bits[row/4]&^(3<<shift) | byte(is)<<shift
}

func (o *Outcomes) of(row int64) outcome {
	if o == nil || row < 0 || row/4 >= int64(len(o.bits)) {
		return unknown
	}
	return outcome(o.bits[row/4]>>(2*(row%4))) & 3
}

// Read takes the records that AppendOutcome made, to their end.
func (o *Outcomes) Read(r io.Reader) error {
	records, record := bufio.NewReaderSize(r, 64<<10), make([]byte, recordSize)
	for {
		_, err := io.ReadFull(records, record)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what became of rows: %w", err)
		}
		v := binary.LittleEndian.Uint64(record)
		o.set(int64(v>>2), outcome(v&3))
	}
}

package writers

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
)

// InventoryFile is where an export gathers its lines until they are published.
// It is gone when they are.
const InventoryFile = "inventory.spool"

// Types of inventory columns: what batch.Column.Type says.
const (
	textColumn      = "text"
	booleanColumn   = "boolean"
	timestampColumn = "timestamp" // UTC, RFC 3339 with milliseconds
	jsonColumn      = "json"      // an object as JSON text
)

// InventoryCells returns the cells of a row's line in an inventory; false: the
// row has none.
type InventoryCells func(*batch.Result) ([]batch.Value, bool)

// openInventory opens the report that gathers an inventory. A Parquet file
// cannot be cut back to a mark, nor can a compressed one: the lines are kept
// in a form of their own and rendered when the run has ended.
func openInventory(folder *runstore.Folder, cells InventoryCells, mark batch.Mark) (report, error) {
	file, err := runstore.OpenAppend(folder, InventoryFile, mark[InventoryFile])
	var line []byte
	return report{file: file, whole: true, write: func(r *batch.Result) error {
		values, has := cells(r)
		if !has {
			return nil
		}
		line = batch.AppendCells(line[:0], values)
		return file.Grow(func(dst []byte) []byte {
			return append(binary.AppendUvarint(dst, uint64(len(line))), line...)
		})
	}}, err
}

// maxSpoolLine is more than any line can have: a person has few devices, an
// answer is at most 8 MiB.
const maxSpoolLine = 64 << 20

// eachLine reads the gathered lines of a file in order. The cells are used again.
func eachLine(path string, fn func(cells []batch.Value) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := eachLineOf(file, fn); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func eachLineOf(from io.Reader, fn func(cells []batch.Value) error) error {
	in := bufio.NewReaderSize(from, 256<<10)
	var line []byte
	var cells []batch.Value
	for {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || size > maxSpoolLine {
			return errors.Join(batch.ErrCells, err)
		}
		if uint64(cap(line)) < size {
			line = make([]byte, size*2)
		}
		line = line[:size]
		if _, err := io.ReadFull(in, line); err != nil {
			return err
		}
		if cells, _, err = batch.ReadCells(string(line), cells); err != nil {
			return err
		}
		if err := fn(cells); err != nil {
			return err
		}
	}
}

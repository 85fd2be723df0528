// Package parts writes the rows of inputs into several Parquet files, so that
// several machines can each take one:
//
//	p, err := parts.Create(ctx, "parts", headers, 8, false)
//	defer p.Abort()
//	err = p.Write(&row, 3) // part 3
//	files, err := p.Commit(ctx)
//
// Nothing is to be seen in the folder before Commit.
package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
	"pushbatch/writers/table"
)

// heldRows is how many rows all parts together hold in memory, 40 MB at ten columns;
// each row group has its share, but at least 1,000 rows.
const heldRows = 64_000

// File is one part that was written.
type File struct {
	Name   string `json:"name"` // within the folder
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Name is the name of a part's file.
func Name(part int) string { return fmt.Sprintf("part-%05d.parquet", part) }

// Parts are files that grow. They are used by one goroutine.
type Parts struct {
	folder  string
	local   string          // where they grow: the folder itself, or a temporary one when it lies in S3
	spool   *runstore.Spool // the temporary one; nil: none
	columns *columns
	files   []*file
	cells   []batch.Value
}

type file struct {
	File
	upload blob.Upload
	hash   hash.Hash
	rows   table.Writer
}

// Create begins n parts in a folder, made where it is missing, or below an s3://
// prefix, for rows with these headers; inputs[i] is that of rows whose Input is i.
// unreadable says that some rows could not be read.
func Create(ctx context.Context, folder string, inputs []batch.Header, n int, unreadable bool) (p *Parts, err error) {
	p = &Parts{folder: folder, local: folder, columns: columnsOf(inputs, unreadable)}
	p.cells = make([]batch.Value, len(p.columns.all))
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Abort())
		}
	}()
	if blob.IsS3(folder) { // an upload takes up to 32 MiB of memory: one at a time
		if p.spool, err = runstore.NewSpool(); err != nil {
			return p, err
		}
		p.local = p.spool.Path
	}
	create, err := table.ParquetFiles(p.columns.all, max(1000, heldRows/int64(n)))
	if err != nil {
		return p, err
	}
	for i := range n {
		f := &file{File: File{Name: Name(i)}, hash: sha256.New()}
		if f.upload, err = blob.Create(ctx, blob.Join(p.local, f.Name)); err != nil {
			return p, err
		}
		p.files = append(p.files, f)
		f.rows = create(io.MultiWriter(f.upload, f.hash))
	}
	return p, nil
}

// Write puts a row into a part, with the columns and values as they were read.
func (p *Parts) Write(row *batch.Row, part int) error {
	f := p.files[part]
	p.columns.fill(p.cells, row)
	f.Rows++
	if err := f.rows.Write(p.cells); err != nil {
		return fmt.Errorf("write %s: row %d of %s: %w", f.Name, row.SourceNum(), row.Source, err)
	}
	return nil
}

// Commit publishes the parts, one after the other.
func (p *Parts) Commit(ctx context.Context) (files []File, err error) {
	for _, f := range p.files {
		if err := errors.Join(f.rows.Close(), f.upload.Finish()); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Name, err)
		}
		f.SHA256 = hex.EncodeToString(f.hash.Sum(nil))
	}
	for _, f := range p.files {
		err := f.upload.Commit()
		if err == nil && p.local != p.folder {
			err = blob.CopyFile(ctx, blob.Join(p.local, f.Name), blob.Join(p.folder, f.Name))
		}
		if err != nil {
			return nil, fmt.Errorf("publish %s: %w", f.Name, err)
		}
		files = append(files, f.File)
	}
	return files, nil
}

// Abort gives up what was not committed and leaves nothing of it behind, nor of
// the temporary folder.
func (p *Parts) Abort() (err error) {
	for _, f := range p.files {
		err = errors.Join(err, f.upload.Abort())
	}
	if p.spool != nil {
		err = errors.Join(err, p.spool.Remove())
		p.spool = nil
	}
	return err
}

// Columns that parts have after those of the inputs. Their names begin with _:
// no operation sends them.
const (
	SourceColumn    = "_source"     // the input that the row was read from
	SourceRowColumn = "_source_row" // its number there, from 1
)

// columns are those of all inputs, in order of first appearance, and those of parts.
type columns struct {
	all     []table.Column
	place   [][]int // input -> its column -> index in all, -1: left out
	source  int     // index of SourceColumn; SourceRowColumn is the next
	message int     // index of batch.MessageColumn; -1: every row could be read
}

// columnsOf joins the columns of inputs by name. A name that inputs give to
// different types becomes text, with the type after the name where one is known:
// its cells then mean what they meant.
func columnsOf(inputs []batch.Header, unreadable bool) *columns {
	c := &columns{message: -1}
	index := make(map[table.Column]int)
	mixed := mixedNames(inputs)
	for _, header := range inputs {
		place := make([]int, len(header))
		for i, column := range header {
			place[i] = -1
			if column.Name == SourceColumn || column.Name == SourceRowColumn || batch.IsFailedColumn(column.Name) {
				continue
			}
			kept := partColumn(column, mixed[column.Name])
			at, known := index[kept]
			if !known {
				at = len(c.all)
				index[kept] = at
				c.all = append(c.all, kept)
			}
			place[i] = at
		}
		c.place = append(c.place, place)
	}
	if unreadable {
		c.message = len(c.all)
		c.all = append(c.all, table.Column{Name: batch.MessageColumn, Type: table.Text})
	}
	c.source = len(c.all)
	c.all = append(c.all, table.Column{Name: SourceColumn, Type: table.Text}, table.Column{Name: SourceRowColumn, Type: table.Integer})
	return c
}

func mixedNames(inputs []batch.Header) map[string]bool {
	types, mixed := make(map[string]string), make(map[string]bool)
	for _, header := range inputs {
		for _, column := range header {
			typ := partType(column)
			if was, known := types[column.Name]; known && was != typ {
				mixed[column.Name] = true
			}
			types[column.Name] = typ
		}
	}
	return mixed
}

// partColumn is the column that keeps the values of an input's column.
func partColumn(c batch.Column, mixed bool) table.Column {
	typ := partType(c)
	typed := c.Kind == batch.Number || c.Kind == batch.Bool || c.Kind == batch.Date
	name := c.Name
	if (mixed || typ == table.Text) && typed && !strings.Contains(name, ":") && strings.Contains(name, ".") {
		name += ":" + c.Kind.String()
	}
	if mixed {
		typ = table.Text
	}
	return table.Column{Name: name, Type: typ, Plain: true}
}

// partType is the type that keeps every value of a column; numbers that need more
// digits than 64 bits have are kept as text.
func partType(c batch.Column) string {
	switch {
	case c.Kind == batch.Bool:
		return table.Boolean
	case c.Kind == batch.Number && strings.HasPrefix(c.Type, "int"):
		return table.Integer
	case c.Kind == batch.Number && (c.Type == "double" || c.Type == "float"):
		return table.Double
	case c.Kind == batch.Object:
		return table.JSON
	}
	return table.Text
}

// fill puts the values of a row into the cells of a part. A row that could not be
// read is marked, as failed.csv marks it, so that it is refused again unless
// somebody fixes it.
func (c *columns) fill(cells []batch.Value, row *batch.Row) {
	clear(cells)
	for i, v := range row.Values {
		if at := c.place[row.Input][i]; at >= 0 && v.Kind != batch.Null {
			cells[at] = v
			if v.Kind == batch.List || v.Kind == batch.Object {
				cells[at] = batch.TextValue(v.String())
			}
		}
	}
	cells[c.source] = batch.TextValue(row.Source)
	cells[c.source+1] = batch.IntValue(row.SourceNum())
	if row.Err == nil || c.message < 0 {
		return
	}
	var sum batch.Unmodified
	for i, v := range cells {
		if i != c.message {
			sum.Add(c.all[i].Name, v.String())
		}
	}
	cells[c.message] = batch.TextValue(row.Err.Error() + sum.Sign())
}

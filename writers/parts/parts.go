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

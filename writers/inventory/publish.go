package inventory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/writers/table"
)

// ManifestFile stands beside a published inventory and is written last. A folder
// has one: it tells of the table that was published there last.
const ManifestFile = "_manifest.json"

const (
	maxPartitions    = 1000 // values of the column of --partition-by
	openPartitions   = 4    // written at the same time, which bounds memory
	maxPartitionName = 180  // bytes; a file system has names of at most 255
	nullPartition    = "__HIVE_DEFAULT_PARTITION__"
)

// Publish renders what a run gathered and publishes it: every file
// whole under its name or not at all, the manifest last. It may be called again
// when it was interrupted, and takes what is left of that away. The context
// carries the settings of blob.Create.
func Publish(ctx context.Context, rows, stage string, o *Options) (*Manifest, error) {
	p := &publication{ctx: ctx, options: o, spool: rows, stage: stage}
	if err := os.RemoveAll(p.stage); err != nil {
		return nil, err
	}
	m, err := p.publish()
	_ = os.RemoveAll(p.stage) // it holds copies
	if err != nil {
		return nil, errors.Join(fmt.Errorf("publish %s: %w", o.Target.Location, err), p.abort())
	}
	return m, nil
}

// publication is an inventory on its way out.
type publication struct {
	ctx       context.Context
	options   *Options
	spool     string
	stage     string // folder of files that wait for their upload
	firstPass *firstPass
	columns   []column
	finished  []*outFile
	rendered  int64 // rows
}

func (p *publication) publish() (*Manifest, error) {
	var err error
	if p.firstPass, err = p.options.look(p.eachRow); err != nil {
		return nil, err
	}
	old, err := p.options.existing(p.ctx)
	if err == nil {
		err = p.refuseSubset(old)
	}
	if err != nil {
		return nil, err
	}
	p.columns = p.options.shownColumns(p.firstPass.attributes)
	groups := [][]string{nil}
	if p.options.PartitionBy != "" {
		groups = slices.Collect(slices.Chunk(slices.Sorted(maps.Keys(p.firstPass.partitions)), openPartitions))
	}
	for _, values := range groups {
		if err := p.render(values); err != nil {
			return nil, err
		}
	}
	m := p.manifest()
	if old.manifest != nil {
		m.Before = &old.manifest.Rows
	}
	if p.options.many() {
		return m, p.replace(m)
	}
	if err := p.commit(); err != nil {
		return nil, err
	}
	return m, blob.PutJSON(p.ctx, old.place, m)
}

// abort takes back what was not published.
func (p *publication) abort() (all error) {
	for _, f := range p.finished {
		all = errors.Join(all, f.upload.Abort())
	}
	return all
}

// partitionOf is the folder of a line's partition, empty without one.
func (o *Options) partitionOf(cells []batch.Value, cell int) string {
	if o.PartitionBy == "" {
		return ""
	}
	if cells[cell].Kind == batch.Null {
		return o.PartitionBy + "=" + nullPartition
	}
	value := strings.ReplaceAll(url.PathEscape(cells[cell].Text), "=", "%3D")
	if len(value) > maxPartitionName {
		sum := sha256.Sum256([]byte(value))
		cut := value[:maxPartitionName]
		if i := strings.LastIndexByte(cut, '%'); i >= len(cut)-2 {
			cut = cut[:i] // no half of an escaped byte
		}
		value = cut + "~" + hex.EncodeToString(sum[:8])
	}
	return o.PartitionBy + "=" + value
}

// eachRow reads the gathered rows until the context ends, and tells how far it has come.
func (p *publication) eachRow(fn func(cells []batch.Value) error) error {
	line, all := int64(0), int64(0)
	if p.firstPass != nil {
		all = p.firstPass.rows
	}
	return table.EachRow(p.spool, func(cells []batch.Value) error {
		if line++; line%1024 == 0 && p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		if line%1024 == 0 && p.options.Progress != nil {
			p.options.Progress(line, p.rendered, all)
		}
		return fn(cells)
	})
}

// render writes the lines of some partitions (nil: all lines).
func (p *publication) render(partitions []string) error {
	open := make(map[string]*outFile)
	by := p.options.cell(p.options.PartitionBy)
	var shown []batch.Value
	line := int64(0)
	err := p.eachRow(func(cells []batch.Value) error {
		line++
		partition := p.options.partitionOf(cells, by)
		if partitions != nil && !slices.Contains(partitions, partition) || p.firstPass.isStale(cells, line) {
			return nil
		}
		f, err := p.fileFor(open, partition)
		if err != nil {
			return err
		}
		shown = show(shown, p.columns, cells)
		f.rows++
		p.rendered++
		return f.render.Write(shown)
	})
	if err == nil && partitions == nil && len(open) == 0 {
		_, err = p.fileFor(open, "") // no line: a file with the columns alone
	}
	for _, name := range slices.Sorted(maps.Keys(open)) {
		if err == nil {
			err = open[name].finish()
		}
	}
	return err
}

// fileFor is the file that takes the next line of a partition.
func (p *publication) fileFor(open map[string]*outFile, partition string) (*outFile, error) {
	f := open[partition]
	if f != nil && (p.options.SplitRows == 0 || f.rows < p.options.SplitRows) {
		return f, nil
	}
	number := 1
	if f != nil {
		delete(open, partition)
		if err := f.finish(); err != nil {
			return nil, err
		}
		number = f.number + 1
	}
	f, err := p.create(partition, number)
	if err == nil {
		open[partition] = f
	}
	return f, err
}

// outFile is one file that is being written.
type outFile struct {
	name   string // relative to the manifest
	staged string // path of the copy that is uploaded at the end; empty: none
	to     string // location
	number int    // within its partition
	upload blob.Upload
	sum    hash.Hash
	bytes  int64
	packed io.WriteCloser // nil: not compressed
	render table.Writer
	rows   int64
}

// Write counts and sums up what goes into the file.
func (f *outFile) Write(data []byte) (int, error) {
	n, err := f.upload.Write(data)
	f.sum.Write(data[:n])
	f.bytes += int64(n)
	return n, err
}

func (p *publication) create(partition string, number int) (*outFile, error) {
	t := &p.options.Target
	f := &outFile{name: path.Base(t.Location), number: number, sum: sha256.New()}
	f.to = t.Location
	if p.options.many() {
		f.name = path.Join(partition, fmt.Sprintf("part-%05d%s", number, t.ending()))
		f.to = t.folder() + "/" + f.name
	}
	location := f.to
	if p.options.many() && blob.IsS3(location) {
		// An upload holds memory until it is committed, and there may be thousands.
		f.staged = filepath.Join(p.stage, filepath.FromSlash(f.name))
		location = f.staged
	}
	err := blob.Leftovers(location, p.options.Tag)
	if err == nil {
		f.upload, err = blob.CreateWith(p.ctx, location, blob.CreateOptions{Tag: p.options.Tag})
	}
	if err != nil {
		return nil, err
	}
	p.finished = append(p.finished, f)
	var to io.Writer = f
	if t.packed.open != nil {
		if f.packed, err = t.packed.open(f); err != nil {
			return nil, err
		}
		to = f.packed
	}
	f.render, err = t.format.open(to, tableColumns(p.columns), p.options.Safe)
	return f, err
}

// finish writes the end of the file; it is not to be seen before it is committed.
func (f *outFile) finish() error {
	err := f.render.Close()
	if err == nil && f.packed != nil {
		err = f.packed.Close()
	}
	f.render, f.packed = nil, nil
	if err == nil {
		err = f.upload.Finish()
	}
	return err
}

// commit makes the file visible.
func (f *outFile) commit(ctx context.Context) error {
	err := f.upload.Commit()
	if err != nil || f.staged == "" {
		return err
	}
	return blob.CopyFile(ctx, f.staged, f.to)
}

func (o *Options) many() bool { return o.SplitRows > 0 || o.PartitionBy != "" }

// Place is where the table stands: the file, or the folder of its files with a
// slash after it.
func (o *Options) Place() string {
	if o.many() {
		return o.Target.folder() + "/"
	}
	return o.Target.Location
}

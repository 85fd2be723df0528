package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/split"
	"pushbatch/readers"
	"pushbatch/writers/parts"
	"pushbatch/writers/report"
)

// splitFile says what the parts beside it are.
const splitFile = "_split.json"

type splitDescription struct {
	ID        string       `json:"id"` // the same for the same inputs, operation, mapping and number of parts
	Version   string       `json:"version"`
	Operation string       `json:"operation"`
	CreatedAt time.Time    `json:"created_at"`
	Rows      int64        `json:"rows"`
	Inputs    []inputSpec  `json:"inputs"`
	Parts     []parts.File `json:"parts"`
}

// splitSpec says in job.json which part of which split a run works on.
type splitSpec struct {
	ID    string `json:"id"`
	Part  int    `json:"part"` // from 0
	Parts int    `json:"parts"`
}

func newSplitCommand(p *process) *cobra.Command {
	flags, operation, to, n := &jobFlags{}, "", "", 0
	cmd := &cobra.Command{
		Use:   "split INPUT… --parts N --to FOLDER",
		Short: "Divide inputs into parts for several machines",
		Long: "split writes N Parquet files into a folder or below an s3:// prefix, and _split.json beside them. Rows that\n" +
			"share a device or a person are in one part, in the order of the inputs, so that each part can be run on a\n" +
			"machine of its own. It takes about 10 MB of memory for a million rows, beside 90 MB for all, and in the\n" +
			"folder for temporary files up to 100 MB for a million rows.",
		Args: needInput,
		RunE: func(cmd *cobra.Command, inputs []string) error {
			s := &splitting{process: p, to: to, n: n, runConfig: runConfig{inputs: inputs, flags: flags, set: cmd.Flags()}}
			if s.operation = ops.Named(operation); s.operation == nil {
				return usageError(noOperation, operation)
			}
			return s.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.IntVar(&n, "parts", 0, "`N` parts to write, from 1 to 1000; some may be empty")
	fs.StringVar(&to, "to", "", "empty `FOLDER` or s3:// prefix that the parts go to")
	fs.StringVar(&operation, "operation", "personalize", "`NAME` of the operation that the rows are meant for: personalize, depersonalize, update or export")
	fs.BoolVar(&flags.allowEmpty, "allow-empty", false, "inputs without a row are no error")
	flags.inputFlags.add(fs)
	flags.s3Flags.add(fs)
	fs.StringVar(&flags.config, "config", "", "YAML `FILE` with any of these flags as keys")
	return cmd
}

// splitting is one call of split.
type splitting struct {
	runConfig
	process *process
	to      string
	n       int
	opened  []openedInput
	part    []uint16 // row -> its part
	damaged bool     // some row could not be read
}

func (s *splitting) run(ctx context.Context) (err error) {
	ctx, end := untilSignal(ctx)
	defer end()
	debug.SetGCPercent(50) // what grows is arrays of numbers: looking at them often costs nothing
	if _, err := resolve(s.set, s.process.getenv); err != nil {
		return err
	}
	if err := s.checkSplit(); err != nil {
		return err
	}
	ctx = s.flags.with(ctx, s.process)
	if err := s.refuseUsed(ctx); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeInputs(s.opened)) }()
	rows, err := s.divide(ctx)
	if err != nil {
		return err
	}
	files, err := s.write(ctx)
	if err != nil {
		return err
	}
	if err := s.describe(ctx, files); err != nil {
		return err
	}
	total, least, most := int64(len(s.part)), slices.Min(rows), slices.Max(rows)
	fmt.Fprintf(s.process.stdout, "%d %s in %d %s of %d to %d %s: %s\n", total, report.Plural(total, "row"), s.n, report.Plural(int64(s.n), "part"),
		least, most, report.Plural(most, "row"), s.to)
	return nil
}

func (s *splitting) checkSplit() error {
	return cmp.Or(
		refuse(s.n < 1 || s.n > split.MaxParts, "--parts %d: a number from 1 to %d was expected", s.n, split.MaxParts),
		refuse(s.to == "" || s.to == blob.Stdin, "--to: name the folder or s3:// prefix that the parts go to"),
		refuse(slices.Contains(s.inputs, blob.Stdin), "split reads its inputs twice, which standard input cannot be: put it into a file first"),
		s.flags.s3Flags.check(), s.readMapping(),
	)
}

// refuseUsed refuses a folder that has files: of another split, they would be run
// beside these parts. What a split that was killed has left there (its temporary files
// begin with a dot) does not count.
func (s *splitting) refuseUsed(ctx context.Context) error {
	names, err := blob.Names(ctx, s.to)
	if err != nil {
		return usageError("--to %s: %w", s.to, err)
	}
	for _, name := range names {
		if !strings.HasPrefix(path.Base(name), ".") {
			return usageError("--to %s: %s is there already: name an empty folder, in which nothing but parts of this split will be", s.to, name)
		}
	}
	return nil
}

func (s *splitting) open(ctx context.Context) error {
	found, err := blob.Expand(ctx, s.inputs)
	if err != nil {
		return usageError("%v", err)
	}
	options, err := s.bindOptions()
	if err != nil {
		return err
	}
	options.HasAppCode = true
	s.opened, _, err = s.openTables(ctx, found, s.process.stdin, options.Mapping, s.sharedBindings(options), nil)
	return err
}

// rows yields every row of the inputs, numbered over all of them.
func (s *splitting) rows(ctx context.Context, yield func(row *batch.Row, in *openedInput) error) error {
	num := int64(0)
	for i := range s.opened {
		in := &s.opened[i]
		for row, err := range in.source.Rows(ctx, batch.Position{}) {
			if err == nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", in.source.Name(), err)
			}
			num++
			row.Num, row.Source, row.Input = num, in.source.Name(), i
			if err := yield(&row, in); err != nil {
				return err
			}
		}
	}
	return nil
}

// divide maps every row and decides its part by what its request touches. A row
// that is rejected follows its device, where that can be read.
func (s *splitting) divide(ctx context.Context) (rows []int64, err error) {
	graph, err := split.New(os.TempDir())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, graph.Close()) }()
	err = s.rows(ctx, func(row *batch.Row, in *openedInput) error {
		s.damaged = s.damaged || row.Err != nil
		request, out := in.binding.Map(row)
		var keys []string
		switch {
		case request != nil:
			keys = request.Keys()
		case out.RegistrationID != "":
			keys = []string{"r:" + out.RegistrationID}
		}
		return graph.Add(keys)
	})
	if err != nil {
		return nil, err
	}
	if graph.Rows() == 0 && !s.flags.allowEmpty {
		return nil, usageError("the inputs have no row: with --allow-empty that is no error")
	}
	if s.part, rows, err = graph.Parts(s.n); err != nil {
		return nil, err
	}
	return rows, nil
}

// write reads the inputs again and writes each row into its part.
func (s *splitting) write(ctx context.Context) (files []parts.File, err error) {
	headers := make([]batch.Header, len(s.opened))
	for i, in := range s.opened {
		headers[i] = in.source.Header()
	}
	p, err := parts.Create(ctx, s.to, headers, s.n, s.damaged)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Abort()) }()
	last := int64(0)
	err = s.rows(ctx, func(row *batch.Row, _ *openedInput) error {
		if last = row.Num; last > int64(len(s.part)) {
			return blob.ErrChanged
		}
		return p.Write(row, int(s.part[last-1]))
	})
	if err == nil && last < int64(len(s.part)) {
		err = blob.ErrChanged
	}
	if err != nil {
		return nil, err
	}
	return p.Commit(ctx)
}

// describe writes _split.json, last of all: a folder without it is not whole.
func (s *splitting) describe(ctx context.Context, files []parts.File) error {
	d := splitDescription{Version: version(), Operation: s.operation.Name, CreatedAt: time.Now().UTC(), Rows: int64(len(s.part)), Parts: files}
	id := []string{s.operation.Name, s.mapping, strings.Join(s.flags.set, "\n"), fmt.Sprint(s.n)}
	for _, in := range s.opened {
		d.Inputs = append(d.Inputs, inputSpec{Name: in.source.Name(), Detected: readers.Detected(in.source), Identity: in.source.Identity()})
	}
	for _, f := range files {
		id = append(id, f.SHA256)
	}
	d.ID = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(id, "\x00"))))[:32]
	return blob.PutJSON(ctx, blob.Join(s.to, splitFile), d)
}

// partName is the name that split gives a part.
var partName = regexp.MustCompile(`^part-(\d{5})\.parquet$`)

// splitOf finds out whether the inputs of a run are one part of a split: a file
// named like a part beside a _split.json that knows it. Else it returns nil.
func splitOf(ctx context.Context, inputs []inputSpec) *splitSpec {
	if len(inputs) != 1 {
		return nil
	}
	uri := strings.ReplaceAll(inputs[0].URI, "\\", "/")
	folder, name := path.Split(uri)
	if !partName.MatchString(name) {
		return nil
	}
	var d splitDescription
	if blob.GetJSON(ctx, folder+splitFile, &d) != nil {
		return nil
	}
	at := slices.IndexFunc(d.Parts, func(f parts.File) bool { return f.Name == name })
	if at < 0 {
		return nil
	}
	return &splitSpec{ID: d.ID, Part: at, Parts: len(d.Parts)}
}

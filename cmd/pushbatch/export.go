package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/writers/console"
	"pushbatch/writers/inventory"
)

const exportOperation = "export"

// exportFlags say what an export lists and where its table goes.
type exportFlags struct {
	to            string
	columns       []string
	additional    string
	splitRows     int64
	partitionBy   string
	people        bool
	attributes    bool
	detail        bool
	modifiedSince string
	filter        string
	application   string
	replace       bool
	safe          bool
	dailyFlags
}

func (e *exportFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&e.to, "to", "", "`URL` or path of the table; its ending decides: .csv, .ndjson (each also .gz, .zst) or .parquet")
	fs.StringSliceVar(&e.columns, "columns", nil, "`NAMES` of the columns, in this order; default: all")
	fs.StringVar(&e.additional, "additional-data", inventory.AdditionalJSON, "form of additional_data: json (keeps types), map (of texts, in Parquet) or columns (one a name)")
	fs.Int64Var(&e.splitRows, "split", 0, "`N` rows a file; the files go into a folder named as --to without its ending")
	fs.StringVar(&e.partitionBy, "partition-by", "", "`COLUMN` whose values become folders (Hive style)")
	fs.BoolVar(&e.people, "people", false, "list the devices of all people; no INPUT is needed")
	fs.BoolVar(&e.attributes, "person-attributes", false, "with --people: columns for the person's names, birthday, gender, tags and custom attributes")
	fs.BoolVar(&e.detail, "detail", false, "with --people: get each device, for the fields that the listing does not have")
	fs.StringVar(&e.modifiedSince, "modified-since", "", "with --people: only people who changed since this `TIME` (2026-01-31 or 2026-01-31T12:00:00Z)")
	fs.StringVar(&e.filter, "filter", "", "with --people: the platform's filter, `JSON`")
	fs.BoolVar(&e.replace, "replace", false, "let a table of a part of the devices take the place of a whole one")
	fs.BoolVar(&e.safe, "spreadsheet-safe", false, "CSV: put an apostrophe before texts that a spreadsheet would take for a formula")
	e.dailyFlags.add(fs)
	fs.StringVar(&e.application, "application", "", "with --people: only devices of the application with this `ID`")
}

func newExportCommand(p *process) *cobra.Command {
	flags := &jobFlags{}
	op := ops.Named(exportOperation)
	cmd := &cobra.Command{
		Use:   "export [INPUT…] --to URL",
		Short: "Write the devices that the platform knows into a table",
		Long: "export writes a table of devices. With INPUT it gets the device of each row; with --people it\n" +
			"walks the listing of all people, 1,000 a request, and lists every push device.\n\n" +
			"The table is published when the run has ended: whole, with " + inventory.ManifestFile + " beside it.\n" +
			"A table is valid INPUT of update and depersonalize. See pushbatch help tables.\n\n" +
			"Columns: " + wrapColumns() + "\n\nINPUT has a column registrationId, and optionally appCode.",
		RunE: func(cmd *cobra.Command, inputs []string) error {
			return p.export(cmd.Context(), &runConfig{operation: op, inputs: inputs, flags: flags, set: cmd.Flags()})
		},
	}
	cmd.Flags().SortFlags = false
	flags.addExport(cmd.Flags())
	flags.add(cmd.Flags())
	return cmd
}

func wrapColumns() string {
	var names []string
	for _, c := range inventory.NewLayout(true, true).Columns() {
		names = append(names, c.Name)
	}
	return strings.TrimLeft(console.Wrapped(strings.Join(names, ", "), "  "), " ") + "(those from person_id to modified_at with --people)"
}

func (p *process) export(ctx context.Context, c *runConfig) error {
	if _, err := resolve(c.set, p.getenv); err != nil {
		return err
	}
	switch e := &c.flags.export; {
	case e.people && len(c.inputs) > 0:
		return usageError("--people lists everybody: give no INPUT, or leave out --people")
	case !e.people && len(c.inputs) == 0:
		return usageError("export needs an INPUT with registration ids, or --people\nRun pushbatch export --help to see the flags")
	}
	return p.start(ctx, c)
}

func (e *exportFlags) layout() *inventory.Layout {
	l := inventory.NewLayout(e.people, e.attributes)
	l.ValidPhone = ops.IsPhone
	return l
}

// exporting reports whether the run writes an inventory.
func (c *runConfig) exporting() bool { return c.operation.Name == exportOperation }

// makesTable reports whether the run gathers devices for a table.
func (c *runConfig) makesTable() bool { return c.exporting() && c.sends() }

func (c *runConfig) checkExport() error {
	if !c.exporting() {
		return nil
	}
	e := &c.flags.export
	switch {
	case e.to == "":
		return usageError("export needs --to, the file that gets the table, such as --to devices.parquet")
	case e.splitRows < 0:
		return usageError("--split %d: a number of rows was expected", e.splitRows)
	case !(c.flags.listRate > 0):
		return usageError("--list-rate %v: a number of requests a second above 0 was expected", c.flags.listRate)
	case !slices.Contains([]string{inventory.AdditionalJSON, inventory.AdditionalMap, inventory.AdditionalColumns}, e.additional):
		return usageError("--additional-data %q: take json, map or columns", e.additional)
	case e.people && !c.sends():
		return usageError("--dry-run shows the requests of an INPUT; with --people there is none before the first page")
	}
	if err := cmp.Or(e.onlyWithPeople(), e.checkDaily()); err != nil {
		return err
	}
	if e.daily && c.flags.limit > 0 {
		return usageError("--daily is of everybody: --limit would make it a part")
	}
	_, err := c.inventoryOptions()
	return err
}

func (e *exportFlags) onlyWithPeople() error {
	if e.people {
		_, err := e.peopleOptions(nil)
		return err
	}
	for name, given := range map[string]bool{
		"detail": e.detail, "person-attributes": e.attributes, "modified-since": e.modifiedSince != "", "filter": e.filter != "", "application": e.application != "",
	} {
		if given {
			return usageError("--%s is of the people listing: it needs --people", name)
		}
	}
	return nil
}

// inventoryOptions say how the inventory is published, as far as flags decide.
func (c *runConfig) inventoryOptions() (*inventory.Options, error) {
	e := &c.flags.export
	target, err := inventory.ParseTarget(e.to)
	if err != nil && !e.daily {
		return nil, usageError("--to %v", err)
	}
	o := &inventory.Options{
		Target: target, Partial: e.partial(), FromInput: !e.people, Replace: e.replace, Safe: e.safe, Open: openTable, All: e.layout().Columns(), Additional: e.additional,
		SplitRows: e.splitRows, PartitionBy: e.partitionBy,
	}
	if err := e.checkNames(o.All); err != nil {
		return nil, err
	}
	if c.flags.limit > 0 && e.people {
		o.Partial = strings.TrimPrefix(o.Partial+", --limit", ", ")
	}
	if o.Columns, err = inventory.PickColumns(o.All, e.columns); err != nil {
		return nil, usageError("--columns: %v", err)
	}
	if len(o.Columns) == 1 && o.Columns[0].Name == e.partitionBy {
		return nil, usageError("--columns %s: with --partition-by %s no column is left for the files", e.partitionBy, e.partitionBy)
	}
	return o, nil
}

// inventoryOptions say also which run the inventory is of.
func (x *execution) inventoryOptions() (*inventory.Options, error) {
	o, err := x.runConfig.inventoryOptions()
	if err != nil {
		return nil, err
	}
	o.Version, o.Tag = x.spec.Version, strconv.FormatInt(x.spec.StartedAt.UnixNano(), 36)
	if x.flags.export.people {
		o.Since = x.spec.StartedAt
	}
	for _, in := range x.opened {
		o.Source = append(o.Source, in.source.Name())
	}
	return o, nil
}

// checkNames refuses names that no column has, with the nearest one that is
// there.
func (e *exportFlags) checkNames(columns []batch.Column) error {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	check := func(flag, name string) error {
		if slices.Contains(names, name) {
			return nil
		}
		hint := cmp.Or(didYouMean(name, names), ": the columns are "+strings.Join(names, ", "))
		if !e.people && slices.ContainsFunc(inventory.NewLayout(true, true).Columns(), func(c batch.Column) bool { return c.Name == name }) {
			hint = ": it comes with --people only"
		}
		return usageError("--%s: there is no column %q%s", flag, name, hint)
	}
	for _, name := range e.columns {
		if err := check("columns", strings.TrimSpace(name)); err != nil {
			return err
		}
	}
	if e.partitionBy == "" {
		return nil
	}
	return check("partition-by", e.partitionBy)
}

package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers/people"
	"pushbatch/writers/console"
	"pushbatch/writers/inventory"
	"pushbatch/writers/report"
)

const exportOperation = "export"

// exportFlags say what an export lists and where its table goes.
type exportFlags struct {
	to            string
	table         inventory.Options
	listing       people.Options
	columns       []string
	people        bool
	attributes    bool
	modifiedSince string

	// A day is added to a folder of days.
	daily     bool
	sinceLast bool
	fullEvery string
}

func (e *exportFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&e.to, "to", "", "`URL` or path of the table; its ending decides: .csv, .ndjson (each also .gz, .zst) or .parquet")
	fs.StringSliceVar(&e.columns, "columns", nil, "`NAMES` of the columns, in this order; default: all")
	fs.StringVar(&e.table.Additional, "additional-data", inventory.AdditionalJSON, "form of additional_data: json (keeps types), map (of texts, in Parquet) or columns (one a name)")
	fs.Int64Var(&e.table.SplitRows, "split", 0, "`N` rows a file; the files go into a folder named as --to without its ending")
	fs.StringVar(&e.table.PartitionBy, "partition-by", "", "`COLUMN` whose values become folders (Hive style)")
	fs.BoolVar(&e.people, "people", false, "list the devices of all people; no INPUT is needed")
	fs.BoolVar(&e.attributes, "person-attributes", false, "with --people: columns for the person's names, birthday, gender, tags and custom attributes")
	fs.BoolVar(&e.listing.Detail, "detail", false, "with --people: get each device, for the fields that the listing does not have")
	fs.StringVar(&e.modifiedSince, "modified-since", "", "with --people: only people who changed since this `TIME` (2026-01-31 or 2026-01-31T12:00:00Z)")
	fs.StringVar(&e.listing.Filter, "filter", "", "with --people: the platform's filter, `JSON`")
	fs.BoolVar(&e.table.Replace, "replace", false, "let a table of a part of the devices take the place of a whole one")
	fs.BoolVar(&e.table.Safe, "spreadsheet-safe", false, "CSV: put an apostrophe before texts that a spreadsheet would take for a formula")
	fs.BoolVar(&e.daily, "daily", false, "with --people: keep a table for each day in the folder --to, and what changed since the day before")
	fs.BoolVar(&e.sinceLast, "since-last", false, "with --daily: ask only for people who changed since the last export began")
	fs.StringVar(&e.fullEvery, "full-every", "7d", "with --since-last: `SPAN` after which everybody is asked for again")
	fs.StringVar(&e.listing.Application, "application", "", "with --people: only devices of the application with this `ID`")
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
	flags.export.add(cmd.Flags())
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
	people := c.flags.export.people
	err := cmp.Or(
		refuse(people && len(c.inputs) > 0, "--people lists everybody: give no INPUT, or leave out --people"),
		refuse(!people && len(c.inputs) == 0, "export needs an INPUT with registration ids, or --people\nRun pushbatch export --help to see the flags"),
	)
	if err != nil {
		return err
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
	_, noTime := e.peopleOptions(nil)
	ofPeople := cmp.Or(c.given("detail", "person-attributes", "modified-since", "filter", "application")...)
	err := cmp.Or(
		refuse(e.to == "", "export needs --to, the file that gets the table, such as --to devices.parquet"),
		refuse(e.table.SplitRows < 0, "--split %d: a number of rows was expected", e.table.SplitRows),
		refuse(!slices.Contains([]string{inventory.AdditionalJSON, inventory.AdditionalMap, inventory.AdditionalColumns}, e.table.Additional),
			"--additional-data %q: take json, map or columns", e.table.Additional),
		refuse(e.people && !c.sends(), "--dry-run shows the requests of an INPUT; with --people there is none before the first page"),
		refuse(!e.people && ofPeople != "", "%s is of the people listing: it needs --people", ofPeople),
		noTime,
		c.checkDaily(),
	)
	if err != nil {
		return err
	}
	_, err = c.inventoryOptions()
	return err
}

// partial names the flags that make an export one of a part of the devices.
func (c *runConfig) partial() string {
	return strings.Join(c.given("modified-since", "filter", "application"), ", ")
}

// inventoryOptions say how the inventory is published, as far as flags decide.
func (c *runConfig) inventoryOptions() (*inventory.Options, error) {
	e := &c.flags.export
	target, err := inventory.ParseTarget(e.to)
	if err != nil && !e.daily {
		return nil, usageError("--to %v", err)
	}
	o := e.table
	o.Target, o.Partial, o.FromInput, o.Open, o.All = target, c.partial(), !e.people, openTable, e.layout().Columns()
	if err := e.checkNames(o.All); err != nil {
		return nil, err
	}
	if c.flags.engine.Limit > 0 && e.people {
		o.Partial = strings.TrimPrefix(o.Partial+", --limit", ", ")
	}
	if o.Columns, err = inventory.PickColumns(o.All, e.columns); err != nil {
		return nil, usageError("--columns: %v", err)
	}
	if len(o.Columns) == 1 && o.Columns[0].Name == e.table.PartitionBy {
		return nil, usageError("--columns %s: with --partition-by %s no column is left for the files", e.table.PartitionBy, e.table.PartitionBy)
	}
	return &o, nil
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
	if e.table.PartitionBy == "" {
		return nil
	}
	return check("partition-by", e.table.PartitionBy)
}

// peopleInput is the URI of the people listing as a run's input.
const peopleInput = "people"

// peopleFile is where a run keeps what it read of the people listing.
const peopleFile = runstore.PeopleFile

// peopleOptions say what is read of the people listing.
func (e *exportFlags) peopleOptions(sender people.Doer) (people.Options, error) {
	o := e.listing
	o.Sender = sender
	if e.modifiedSince == "" {
		return o, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, e.modifiedSince); err == nil {
			o.ModifiedSince = t
			return o, nil
		}
	}
	return o, usageError("--modified-since %q: a time such as 2026-01-31 or 2026-01-31T12:00:00Z was expected", e.modifiedSince)
}

// openPeople makes the people listing the one input of the run.
func (x *execution) openPeople(ctx context.Context) error {
	o, err := x.flags.export.peopleOptions(x.sender())
	if err = cmp.Or(err, x.chooseSince(ctx)); err != nil {
		return err
	}
	if !x.spec.Since.IsZero() {
		o.ModifiedSince = x.spec.Since
	}
	x.people, err = people.New(o, x.layout, func() string { return x.folder.LocalPath(peopleFile) })
	if err != nil {
		return usageError("--filter: %v", err)
	}
	if x.folder != nil && x.folder.Exists(publishedFile) {
		x.people.End()
	}
	binding := &ops.Binding{Map: ops.Listed(x.sender(), o.Detail)}
	for i, c := range x.people.Header() {
		binding.Columns = append(binding.Columns, ops.ColumnUse{Column: c.Name, Index: i, Use: ops.Sent})
	}
	x.opened = []openedInput{{source: x.people, binding: binding}}
	return nil
}

// countPeople compares what was listed with what the platform counts.
func (x *execution) countPeople() *report.People {
	if x.people == nil || x.listed != nil {
		return x.listed
	}
	c := x.people.Count()
	s := &report.People{Listed: c.People, Repeated: c.Gaps}
	if c.Total >= 0 {
		s.Total = &c.Total
	}
	return s
}

// tableSummary is what the summary says of an export; nil: the run is none.
func (x *execution) tableSummary() *report.Table {
	if !x.exporting() {
		return nil
	}
	t := &report.Table{People: x.countPeople()}
	m := x.inventory
	if m == nil {
		return t
	}
	t.To = x.flags.export.to
	if m.Day != "" {
		t.To += "day=" + m.Day + "/devices.parquet"
	} else if o, err := x.inventoryOptions(); err == nil {
		t.To = o.Place()
	}
	t.Devices, t.TableFiles, t.Inventory, t.Changes, t.RowsBefore = m.Rows, len(m.Files), m.Counts, m.Changes, m.Before
	t.Partial, t.Unnamed = m.Partial, m.Unnamed
	for _, a := range x.applications {
		a.Listed = m.Applications[a.ID]
		t.Applications = append(t.Applications, a)
	}
	return t
}

// listApplications asks for the account's applications: for their codes, and to
// check the devices listed against the number registered. A key that may not read
// them is no fault.
func (x *execution) listApplications(ctx context.Context) error {
	if x.client == nil || x.folder.Exists(publishedFile) {
		return nil
	}
	list, err := x.askApplications(ctx)
	if err != nil {
		x.log.Info("the applications cannot be listed: the column app_code stays empty, and nothing is checked against them", "error", err)
		return nil
	}
	x.layout.Codes = make(map[string]string)
	for _, a := range list {
		x.layout.Codes[a.ID] = a.Code
	}
	x.applications = list
	return nil
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/writers"
	"pushbatch/writers/inventory"
	"pushbatch/writers/report"
)

// publishedFile in the run folder says that the inventory is published, and
// what it holds: the same as the manifest.
const publishedFile = "inventory.json"

// published is what stays in the run folder of a table that was published.
type published struct {
	*inventory.Manifest
	People *report.People `json:"people,omitempty"`
}

// gathers reports whether lines of the inventory are still to be gathered: not
// in a dry run, and not when a run that has ended is looked at again.
func (x *execution) gathers() bool {
	return x.exporting() && x.client != nil && !x.folder.Exists(publishedFile)
}

// inventoryCells is what the reports gather, nil for other operations.
func (x *execution) inventoryCells() func(*batch.Result) ([]batch.Value, bool) {
	if !x.gathers() {
		return nil
	}
	return x.layout.Cells
}

// checkTarget refuses a new run whose table could not be published at its end.
func (x *execution) checkTarget(ctx context.Context) error {
	if !x.exporting() || x.client == nil {
		return nil
	}
	o, err := x.inventoryOptions()
	if err != nil {
		return err
	}
	if x.flags.export.daily {
		err = inventory.CheckDays(ctx, x.flags.export.to)
	} else {
		err = inventory.CheckTarget(ctx, o)
	}
	if err != nil {
		return usageError("--to %s: %w", x.flags.export.to, err)
	}
	return nil
}

// fixTarget keeps where the table goes, and where the delta state is, as paths that
// mean the same wherever the run is resumed from.
func (x *execution) fixTarget() {
	for _, name := range []string{"to", "delta"} {
		if to := x.spec.Settings[name]; len(to) == 1 && !blob.IsS3(to[0]) {
			if path, err := filepath.Abs(to[0]); err == nil {
				if name == "to" && x.flags.export.daily {
					path += "/"
				}
				x.spec.Settings[name] = []string{path}
			}
		}
	}
}

// publish makes the inventory of a run that has ended visible. It returns nil
// when there is nothing to publish.
func (x *execution) publish(ctx context.Context, runErr error) (*inventory.Manifest, error) {
	if !x.exporting() || x.client == nil || runErr != nil {
		return nil, nil //nolint:nilerr // a run that did not end publishes nothing; its error is told elsewhere
	}
	if x.folder.Exists(publishedFile) {
		old := new(published)
		err := x.folder.ReadJSON(publishedFile, old)
		x.listed = old.People
		return old.Manifest, err
	}
	o, err := x.inventoryOptions()
	if err != nil {
		return nil, err
	}
	o.Progress = x.publishing()
	var m *inventory.Manifest
	if x.flags.export.daily {
		m, err = x.publishDay(ctx, o)
	} else {
		m, err = inventory.Publish(ctx, x.folder.LocalFile(writers.GatheredFile), x.folder.LocalPath("table.stage"), o)
	}
	if err == nil {
		err = x.folder.WriteJSON(publishedFile, published{m, x.countPeople()})
	}
	if err != nil {
		return nil, &batch.Abort{Code: "results_unwritable", Err: err}
	}
	// What the table was made of is not needed any more.
	_ = x.folder.Remove(writers.GatheredFile)
	_ = os.Remove(x.folder.LocalPath(peopleFile))
	return m, nil
}

// publishing says now and then how far the making of a table has come.
func (x *execution) publishing() func(done, all int64) {
	x.log.Info("the table is being made", "to", x.flags.export.to)
	last := time.Now()
	return func(done, all int64) {
		if time.Since(last) >= 5*time.Second {
			last = time.Now()
			x.log.Info("the table is being made", "rows", done, "of", all)
		}
	}
}

// newTable publishes the table of an export when its run has ended. A run
// without a row, which is an error, does not replace a table that is there.
func newTable(x *execution) *feature {
	if !x.exporting() {
		return nil
	}
	return &feature{firstPass: x.listApplications, ended: func(ctx context.Context, engine *batch.Job, runErr error) (err error) {
		if x.people != nil {
			x.people.Seal()
		}
		if engine.Tally().Rows == 0 && !x.flags.allowEmpty && x.spec.Since.IsZero() {
			return nil
		}
		x.inventory, err = x.publish(ctx, runErr)
		return err
	}}
}

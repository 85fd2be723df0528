package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/writers"
)

// publishedFile in the run folder says that the inventory is published, and
// what it holds: the same as the manifest.
const publishedFile = "inventory.json"

// published is what stays in the run folder of a table that was published.
type published struct {
	*writers.Manifest
	People *peopleSummary `json:"people,omitempty"`
}

// gathers reports whether lines of the inventory are still to be gathered: not
// in a dry run, and not when a run that has ended is looked at again.
func (j *job) gathers() bool {
	return j.exporting() && j.client != nil && !j.folder.Exists(publishedFile)
}

// inventoryCells is what the reports gather, nil for other operations.
func (j *job) inventoryCells() writers.InventoryCells {
	if !j.gathers() {
		return nil
	}
	return ops.NewInventory(j.flags.export.people).Cells
}

// checkTarget refuses a new run whose table could not be published at its end.
func (j *job) checkTarget(ctx context.Context) error {
	if !j.exporting() || j.client == nil {
		return nil
	}
	o, err := j.inventoryOptions()
	if err != nil {
		return err
	}
	if err := writers.CheckInventoryTarget(ctx, o); err != nil {
		return usageError("--to %s: %w", j.flags.export.to, err)
	}
	return nil
}

// fixTarget keeps where the table goes as a path that means the same wherever
// the run is resumed from.
func (j *job) fixTarget() {
	if to := j.spec.Settings["to"]; len(to) == 1 && !blob.IsS3(to[0]) {
		if path, err := filepath.Abs(to[0]); err == nil {
			j.spec.Settings["to"] = []string{path}
		}
	}
}

// publish makes the inventory of a run that has ended visible. It returns nil
// when there is nothing to publish.
func (j *job) publish(ctx context.Context, runErr error) (*writers.Manifest, error) {
	if !j.exporting() || j.client == nil || runErr != nil {
		return nil, nil //nolint:nilerr // a run that did not end publishes nothing; its error is told elsewhere
	}
	if j.folder.Exists(publishedFile) {
		old := new(published)
		err := j.folder.ReadJSON(publishedFile, old)
		j.listed = old.People
		return old.Manifest, err
	}
	o, err := j.inventoryOptions()
	if err != nil {
		return nil, err
	}
	m, err := writers.PublishInventory(ctx, j.folder, o)
	if err == nil {
		err = j.folder.WriteJSON(publishedFile, published{m, j.countPeople()})
	}
	if err != nil {
		return nil, &batch.Abort{Code: "results_unwritable", Err: err}
	}
	// What the table was made of is not needed any more.
	_ = j.folder.Remove(writers.InventoryFile)
	_ = os.Remove(j.folder.LocalPath(peopleFile))
	return m, nil
}

// publishAfter publishes behind a run; a failure to do so is the run's.
// A run without a row, which is an error, does not replace a table that is there.
func (j *job) publishAfter(ctx context.Context, rows int64, runErr error) (*writers.Manifest, error) {
	if j.people != nil {
		j.people.Seal()
	}
	if rows == 0 && !j.flags.allowEmpty {
		return nil, runErr
	}
	m, err := j.publish(ctx, runErr)
	return m, errors.Join(runErr, err)
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/people"
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
	return refuse(err != nil, "--to %s: %w", x.flags.export.to, err)
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
		return nil, cmp.Or(context.Cause(ctx), error(&batch.Abort{Code: codeUnwritable, Err: err}))
	}
	// What the table was made of is not needed any more.
	_ = x.folder.Remove(writers.GatheredFile)
	_ = os.Remove(x.folder.LocalPath(peopleFile))
	return m, nil
}

// publishing says now and then how far the making of a table has come.
func (x *execution) publishing() func(read, rendered, all int64) {
	x.log.Info("the table is being made", "to", x.flags.export.to)
	last := time.Now()
	return func(read, rendered, all int64) {
		if time.Since(last) < 5*time.Second {
			return
		}
		if last = time.Now(); all == 0 {
			x.log.Info("the table is being made: the rows are counted first", "rows", read)
		} else {
			x.log.Info("the table is being made", "rows", rendered, "of", all)
		}
	}
}

// addTable publishes the table of an export when its run has ended. A run
// without a row, which is an error, does not replace a table that is there.
func addTable(x *execution) {
	if !x.exporting() {
		return
	}
	x.firstPasses = append(x.firstPasses, x.listApplications)
	x.ends = append(x.ends, func(ctx context.Context, engine *batch.Job, runErr error) (err error) {
		if x.people != nil {
			x.people.Seal()
		}
		if engine.Tally().Rows == 0 && !x.flags.allowEmpty && x.spec.Since.IsZero() {
			return nil
		}
		x.inventory, err = x.publish(ctx, runErr)
		return err
	})
}

// parseSpan reads a duration, which may be in days: 7d, 36h.
func parseSpan(text string) (time.Duration, error) {
	if days, found := strings.CutSuffix(text, "d"); found {
		n, err := strconv.ParseFloat(days, 64)
		return time.Duration(n * 24 * float64(time.Hour)), err
	}
	return time.ParseDuration(text)
}

// checkDaily refuses what a folder of days cannot be made with: its columns are the
// same on every day, and every day is whole.
func (c *runConfig) checkDaily() error {
	e := &c.flags.export
	span, err := parseSpan(e.fullEvery)
	part := cmp.Or(c.partial(), cmp.Or(c.given("limit")...))
	return cmp.Or(
		refuse(err != nil || span <= 0, "--full-every %q: a span such as 7d or 36h was expected", e.fullEvery),
		refuse(!e.daily && e.sinceLast, "--since-last is of --daily, which is not given"),
		refuse(e.daily && !e.people, "--daily needs --people: a day is everybody's"),
		refuse(e.daily && !strings.HasSuffix(e.to, "/"), "--to %s: with --daily a folder was expected, with a / at its end", e.to),
		refuse(e.daily && len(c.given("columns", "split", "partition-by", "additional-data")) > 0,
			"--columns, --split, --partition-by and --additional-data are not for --daily: a day has all columns, in one file"),
		refuse(e.daily && part != "", "--daily is of everybody: %s would make it a part", part),
	)
}

// chooseSince decides in the first execution of a run who is asked for: with
// --since-last people who changed since the last export began, at its second;
// everybody where there is none, or the last export of everybody is too old.
func (x *execution) chooseSince(ctx context.Context) error {
	e := &x.flags.export
	if !e.sinceLast || x.spec.Executions > 0 {
		return nil
	}
	last, err := inventory.ReadLatest(ctx, e.to)
	if err != nil {
		return usageError("--to %s: %w", e.to, err)
	}
	span, _ := parseSpan(e.fullEvery) // checked before
	switch {
	case last.Day == "":
		x.log.Info("this is the first day: everybody is asked for", "to", e.to)
	case time.Since(last.FullAt) >= span:
		x.log.Info("everybody is asked for: the last export of everybody is older than --full-every", "began", last.FullAt.Format(time.RFC3339))
	case last.PersonAttributes && !e.attributes:
		return usageError("--since-last: the day of %s has person attributes, which this export would leave out: give --person-attributes, or leave --since-last out to begin days without them", last.Day)
	case e.attributes && !last.PersonAttributes:
		x.log.Info("everybody is asked for: the last day has no person attributes", "day", last.Day)
	default:
		x.spec.Since = last.StartedAt
		x.log.Info("people who changed since the last export began are asked for; who was removed or merged, and devices that changed without their person, are seen by the next export of everybody",
			"since", last.StartedAt.UTC().Format(time.RFC3339), "everybody", last.FullAt.Add(span).UTC().Format(time.RFC3339))
	}
	return nil
}

// publishDay makes what was gathered the day on which the run began.
func (x *execution) publishDay(ctx context.Context, o *inventory.Options) (*inventory.Manifest, error) {
	e := &x.flags.export
	d := &inventory.Daily{Folder: e.to, StartedAt: x.spec.StartedAt, PersonAttributes: e.attributes, Applied: !x.spec.Since.IsZero()}
	if d.Applied {
		err := people.EachWithout(x.folder.LocalPath(peopleFile), func(id string) { d.Without = append(d.Without, id) })
		if err != nil {
			return nil, fmt.Errorf("read the kept people listing: %w", err)
		}
	}
	m, latest, err := inventory.PublishDay(ctx, x.folder.LocalFile(writers.GatheredFile), x.folder.LocalPath("table.stage"), o, d)
	if err != nil {
		return nil, err
	}
	m.Day = latest.Day
	return m, nil
}

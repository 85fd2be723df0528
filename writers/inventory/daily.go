package inventory

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/writers/table"
)

// LatestFile names the last day of a folder of days; it is written last.
const LatestFile = "latest.json"

// Latest is the content of latest.json.
type Latest struct {
	Day       string    `json:"day"`        // UTC
	Devices   string    `json:"devices"`    // relative to the folder, as all paths
	Changes   string    `json:"changes"`    // empty: the first day has none
	Rows      int64     `json:"rows"`       // devices
	StartedAt time.Time `json:"started_at"` // when the export began that gave this day
	FullAt    time.Time `json:"full_at"`    // when the last export of everybody began
	Feed      *Changes  `json:"changed,omitempty"`

	PersonAttributes bool `json:"person_attributes,omitempty"` // the day has their columns
}

// Daily says how a day is added to a folder of days.
type Daily struct {
	Folder    string    // path or s3:// location, ends with a slash
	StartedAt time.Time // of the export; its day in UTC is the day

	PersonAttributes bool // the day has their columns

	// Applied: what was gathered are the devices of people who changed since the last
	// day; Without are the ids of those of them who have no device.
	Applied bool
	Without []string
}

// dayOf is a day as folders are named.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func devicesOf(day string) string { return "day=" + day + "/devices.parquet" }

func changesOf(day string) string { return "changes/day=" + day + "/changes.parquet" }

// ReadLatest returns what latest.json of a folder says; the zero Latest where there
// is none.
func ReadLatest(ctx context.Context, folder string) (Latest, error) {
	var l Latest
	err := readJSON(ctx, folder+LatestFile, &l)
	if _, wrong := time.Parse(time.DateOnly, l.Day); err == nil && l.Day != "" && wrong != nil {
		err = fmt.Errorf("%s%s names no day: move it away to begin anew", folder, LatestFile)
	}
	return l, err
}

// days lists the days of a folder, sorted.
func days(ctx context.Context, folder string) (list []string, err error) {
	names, err := blob.Names(ctx, strings.TrimSuffix(folder, "/"))
	for _, name := range names {
		day, found := strings.CutSuffix(strings.TrimPrefix(filepath.ToSlash(name), "day="), "/devices.parquet")
		if _, wrong := time.Parse(time.DateOnly, day); found && wrong == nil {
			list = append(list, day)
		}
	}
	return list, err
}

// neighbours are the last earlier day and the first later one; empty: none.
func neighbours(all []string, day string) (earlier, later string) {
	for _, d := range all {
		switch {
		case d < day && d > earlier:
			earlier = d
		case d > day && (later == "" || d < later):
			later = d
		}
	}
	return earlier, later
}

// CheckDays finds out before a run begins whether a day can be added at its end.
func CheckDays(ctx context.Context, folder string) error {
	if _, err := ReadLatest(ctx, folder); err != nil {
		return err
	}
	return probe(ctx, folder+LatestFile)
}

// PublishDay adds what a run gathered to a folder of days: the table of the day,
// the change feed from the day before it, and latest.json last. A day that is
// there already is replaced, and the feed of the day after it is made again. rows is
// the file of gathered rows, stage a folder for what is made on this machine.
func PublishDay(ctx context.Context, rows, stage string, o *Options, d *Daily) (*Manifest, *Latest, error) {
	if err := errors.Join(os.RemoveAll(stage), os.MkdirAll(stage, 0o700)); err != nil {
		return nil, nil, err
	}
	p := &dayPublication{ctx: ctx, options: *o, daily: d, stage: stage, rows: rows}
	m, l, err := p.publish()
	_ = os.RemoveAll(stage) // it holds copies
	if err != nil {
		return nil, nil, fmt.Errorf("publish %s%s: %w", d.Folder, devicesOf(dayOf(d.StartedAt)), err)
	}
	return m, l, nil
}

type dayPublication struct {
	ctx     context.Context
	options Options
	daily   *Daily
	stage   string
	rows    string
}

func (p *dayPublication) publish() (*Manifest, *Latest, error) {
	day, folder := dayOf(p.daily.StartedAt), p.daily.Folder
	last, err := ReadLatest(p.ctx, folder)
	if err != nil {
		return nil, nil, err
	}
	l := &Latest{Day: day, Devices: devicesOf(day), StartedAt: p.daily.StartedAt, FullAt: p.daily.StartedAt, PersonAttributes: p.daily.PersonAttributes}
	if p.daily.Applied {
		if err := p.apply(folder + devicesOf(last.Day)); err != nil {
			return nil, nil, err
		}
		l.FullAt = last.FullAt
	}
	made := filepath.Join(p.stage, "devices.parquet")
	if p.options.Target, err = ParseTarget(made); err != nil {
		return nil, nil, err
	}
	m, err := Publish(p.ctx, p.rows, filepath.Join(p.stage, "files"), &p.options)
	if err != nil {
		return nil, nil, err
	}
	l.Rows = m.Rows
	all, err := days(p.ctx, folder)
	if err != nil {
		return nil, nil, err
	}
	earlier, later := neighbours(all, day)
	if earlier != "" {
		l.Changes = changesOf(day)
		if l.Feed, err = p.feed(earlier, folder+devicesOf(earlier), made, day); err != nil {
			return nil, nil, err
		}
	}
	if err := p.put(made, devicesOf(day)); err != nil {
		return nil, nil, err
	}
	if later != "" { // its feed began at what has just been replaced
		if _, err := p.feed(day, made, folder+devicesOf(later), later); err != nil {
			return nil, nil, err
		}
	}
	m.Changes = l.Feed
	if last.Day == day {
		m.Before = &last.Rows // the day's own table, which was replaced
	}
	if last.Day > day {
		return m, l, nil
	}
	return m, l, blob.PutJSON(p.ctx, folder+LatestFile, l)
}

// feed makes the change feed of a day from the tables of two days and publishes it.
func (p *dayPublication) feed(since, from, to, day string) (*Changes, error) {
	was, err := p.options.Open(p.ctx, from)
	if err != nil {
		return nil, err
	}
	defer was.Close()
	is, err := p.options.Open(p.ctx, to)
	if err != nil {
		return nil, err
	}
	defer is.Close()
	path := filepath.Join(p.stage, "changes.parquet")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	changes, err := compare(p.ctx, was, is, p.stage, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	changes.Since = since
	return changes, p.put(path, changesOf(day))
}

// put publishes a file of this machine below the folder, whole or not at all.
func (p *dayPublication) put(path, name string) error {
	return blob.CopyFile(p.ctx, path, p.daily.Folder+name)
}

// apply makes the rows of a whole day of those of the last day and of what was
// gathered since: everybody who was listed has the devices that were listed, and
// no others. Memory is that of the ids of what was gathered.
func (p *dayPublication) apply(base string) error {
	old, err := p.options.Open(p.ctx, base)
	if err != nil {
		return err
	}
	defer old.Close()
	merged := filepath.Join(p.stage, "rows")
	file, err := os.OpenFile(merged, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	to, err := table.NewSpool(file)
	if err == nil {
		err = errors.Join(p.merge(old, to), to.Flush())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	p.rows = merged
	return nil
}

func (p *dayPublication) merge(old batch.Source, to *table.Spool) error {
	seed := maphash.MakeSeed()
	person, device := p.options.cell(personColumn), p.options.cell(idColumn)
	people, devices := make(map[uint64]bool), make(map[uint64]bool)
	for _, id := range p.daily.Without {
		people[maphash.String(seed, id)] = true
	}
	err := table.EachRow(p.rows, func(cells []batch.Value) error {
		people[maphash.String(seed, cells[person].Text)] = true
		devices[maphash.String(seed, cells[device].Text)] = true
		return nil
	})
	if err != nil {
		return err
	}
	places := make([]int, len(p.options.All))
	for i, c := range p.options.All {
		places[i] = old.Header().Index(c.Name)
	}
	cells := make([]batch.Value, len(places))
	err = eachOf(p.ctx, old, func(row []batch.Value) error {
		for i, at := range places {
			cells[i] = cellAt(row, at)
		}
		if people[maphash.String(seed, cells[person].Text)] || devices[maphash.String(seed, cells[device].Text)] {
			return nil
		}
		return to.Add(cells)
	})
	if err != nil {
		return err
	}
	return table.EachRow(p.rows, to.Add)
}

// eachOf calls fn for every row of a table that was published before.
func eachOf(ctx context.Context, source batch.Source, fn func(cells []batch.Value) error) error {
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return err
		}
		if row.Err != nil {
			return row.Err
		}
		if err := fn(row.Values); err != nil {
			return err
		}
	}
	return nil
}

// eachID calls fn for every registration id of a table that was published before.
func (o *Options) eachID(ctx context.Context, location string, fn func(id string)) error {
	source, err := o.Open(ctx, location)
	if err != nil {
		return err
	}
	id := source.Header().Index(idColumn)
	err = eachOf(ctx, source, func(cells []batch.Value) error {
		fn(cellAt(cells, id).Text)
		return nil
	})
	return errors.Join(err, source.Close())
}

// cellAt is a value of a row that was read again, as inventories keep it; null where
// at is -1.
func cellAt(cells []batch.Value, at int) batch.Value {
	if at < 0 {
		return batch.Value{}
	}
	return kept(cells[at])
}

// kept is a value as inventories keep it.
func kept(v batch.Value) batch.Value {
	switch v.Kind {
	case batch.Null, batch.Bool:
		return v
	case batch.Timestamp:
		if t, ok := batch.PlatformTime(v.Text); ok {
			return timestamp(t)
		}
	}
	return batch.TextValue(v.String())
}

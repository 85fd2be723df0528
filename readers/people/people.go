package people

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// Options say what is read of the people listing.
type Options struct {
	Sender        Doer      // answers listing calls
	Filter        string    // the platform's JSON query; empty: everybody
	ModifiedSince time.Time // only people who changed since; zero: all
	Application   string    // only devices of this application; empty: all
	Detail        bool      // each device is asked for: said by Detected only
	PageSize      int64     // people a request; 0: 1000, the most the platform gives
}

func (o *Options) checkFilter() error {
	const example = `{"#eq":{"gender":"MALE"}}`
	if o.Filter == "" {
		return nil
	}
	var object map[string]any
	err := json.Unmarshal([]byte(o.Filter), &object)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other || err == nil && object == nil {
		return fmt.Errorf("the filter is not a JSON object such as %s", example)
	}
	if err != nil {
		return fmt.Errorf("the filter is not JSON (%w): an object such as %s was expected", err, example)
	}
	return nil
}

// query is the filter that is sent.
func (o *Options) query() (string, error) {
	if err := o.checkFilter(); err != nil {
		return "", err
	}
	if o.ModifiedSince.IsZero() {
		return o.Filter, nil
	}
	since := `{"#gte":{"modifiedAt":"` + o.ModifiedSince.UTC().Format("2006-01-02T15:04:05") + `"}}`
	if o.Filter == "" {
		return since, nil
	}
	return `{"#and":[` + since + `,` + o.Filter + `]}`, nil
}

// Layout turns people into rows.
type Layout interface {
	// Columns are the columns of every row: Bool, Timestamp or Text. The second
	// is the device's application.
	Columns() []batch.Column
	// Devices returns a row for each device of a person, who was listed at a
	// time. raw is valid JSON as the platform wrote it, and is not kept.
	Devices(raw []byte, at time.Time) [][]batch.Value
}

// Doer sends calls: an *apiclient.Client, or what stands in for it in a test.
type Doer interface {
	Do(ctx context.Context, call apiclient.Call) (apiclient.Response, error)
}

// Source is the people listing as a batch.Source: a row for every push device
// of every person. What was read is kept in a file, so that a resumed run goes
// on with the same rows, however the listing changed since.
type Source struct {
	options Options
	filter  string
	layout  Layout
	path    func() string
	sealed  atomic.Bool
	ended   bool
	last    atomic.Pointer[Count]
}

// Count is how far the listing was read.
type Count struct {
	People  int64 `json:"people"`   // that were listed
	Total   int64 `json:"total"`    // as the platform counted at the last page; -1: it did not
	Gaps    int64 `json:"gaps"`     // pages that were read again because people were removed meanwhile
	AllRead bool  `json:"all_read"` // the end of the listing was reached
}

// New returns the listing. path names the file in which it is kept; it is
// called when the first row is asked for.
func New(o Options, layout Layout, path func() string) (*Source, error) {
	o.PageSize = cmp.Or(o.PageSize, pageSize)
	p := &Source{options: o, layout: layout, path: path}
	var err error
	p.filter, err = o.query()
	return p, err
}

// Name implements batch.Source.
func (p *Source) Name() string { return "people" }

// Detected says what the listing is, as sources made of files do.
func (p *Source) Detected() string {
	text := "the people listing of the platform, everybody"
	if p.filter != "" {
		text = "the people listing of the platform, filtered"
	}
	if p.options.Application != "" {
		text += "; devices of application " + p.options.Application
	}
	if p.options.Detail {
		text += "; with a get for each device"
	}
	return text
}

// Header implements batch.Source.
func (p *Source) Header() batch.Header { return p.layout.Columns() }

// Identity implements batch.Source: the listing is a live one.
func (p *Source) Identity() batch.Identity { return batch.Identity{URI: "people"} }

// Close implements batch.Source.
func (p *Source) Close() error { return nil }

// Seal ends asking: what was kept is all there is to read from now on.
func (p *Source) Seal() { p.sealed.Store(true) }

// Count returns how far the listing was read. It may be called from any goroutine.
func (p *Source) Count() Count {
	if c := p.last.Load(); c != nil {
		return *c
	}
	return Count{Total: -1}
}

// End makes the source one without rows: for a run that has ended, whose kept
// listing is gone.
func (p *Source) End() { p.ended = true }

// errSealed says that more people may be there, but nobody is asked any more.
var errSealed = errors.New("the people listing was not read to its end")

// Rows implements batch.Source: first what was kept, then what the platform
// says, page by page. Each page is kept, durably, before its first row is given
// out.
func (p *Source) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		if p.ended {
			return
		}
		kept, err := openPages(p.path(), from.Offset)
		if err != nil {
			yield(batch.Row{}, fmt.Errorf("read the kept people listing: %w", err))
			return
		}
		defer kept.close()
		if from.Row > 0 && !kept.has(from.Offset) {
			yield(batch.Row{}, fmt.Errorf("read the kept people listing: %s was cut or replaced", p.path()))
			return
		}
		at := from
		for frame := new(page); ; at.Line = 0 {
			if frame, err = p.next(ctx, kept, frame); err != nil {
				yield(batch.Row{}, err)
				return
			}
			if frame == nil {
				return
			}
			at.Offset = frame.offset
			if !p.give(frame, &at, yield) {
				return
			}
		}
	}
}

// give yields the rows of a page from at on.
func (p *Source) give(frame *page, at *batch.Position, yield func(batch.Row, error) bool) bool {
	rest := string(frame.Rows)
	for i := int64(0); rest != ""; i++ {
		values, after, err := batch.ReadCells(rest, nil)
		if err != nil {
			yield(batch.Row{}, fmt.Errorf("read the kept people listing: %w", err))
			return false
		}
		if rest = after; i < at.Line {
			continue
		}
		row := batch.Row{Pos: *at, Values: values}
		at.Row++
		at.Line++
		row.Next = *at
		if !yield(row, nil) {
			return false
		}
	}
	return true
}

// next returns the page after the one before, nil at the end of the listing.
func (p *Source) next(ctx context.Context, kept *pageFile, before *page) (*page, error) {
	frame, err := kept.read()
	if frame != nil || err != nil {
		if frame != nil {
			p.publish(&frame.Pagination)
		}
		return frame, err
	}
	if before.Pagination.Done {
		return nil, nil
	}
	if p.sealed.Load() {
		return nil, errSealed
	}
	if frame, err = p.fetch(ctx, before.Pagination); err != nil {
		return nil, err
	}
	p.publish(&frame.Pagination)
	return frame, kept.append(frame)
}

func (p *Source) publish(w *pagination) {
	p.last.Store(&Count{People: w.People, Total: w.Total, Gaps: w.Gaps, AllRead: w.Done})
}

// fetch asks for the page that follows.
func (p *Source) fetch(ctx context.Context, w pagination) (*page, error) {
	fresh, err := p.options.ask(ctx, p.filter, &w)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	kept := &page{Pagination: w}
	for i := range fresh {
		rows := p.layout.Devices(fresh[i].raw, now)
		if len(rows) == 0 {
			kept.Without = append(kept.Without, fresh[i].id)
		}
		for _, row := range rows {
			if p.options.Application == "" || row[1].Text == p.options.Application {
				kept.Rows = batch.AppendCells(kept.Rows, row)
			}
		}
	}
	return kept, nil
}

// Each calls fn with every person of the listing, as the platform wrote it. Nothing is
// kept: one that was cut off begins anew.
func Each(ctx context.Context, sender Doer, fn func(raw []byte) error) error {
	o, w := Options{Sender: sender, PageSize: pageSize}, pagination{}
	for !w.Done {
		fresh, err := o.ask(ctx, "", &w)
		if err != nil {
			return err
		}
		for i := range fresh {
			if err := fn(fresh[i].raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask asks for a page and returns the people on it who are new.
func (o *Options) ask(ctx context.Context, filter string, w *pagination) ([]listed, error) {
	limit, number := w.window(o.PageSize)
	call := apiclient.ListPersonsCall(apiclient.ListPersonsOptions{
		Limit: int(limit), Page: int(number), OrderBy: "createdAt:asc", Filter: filter, IncludeTotal: true,
	})
	response, err := o.Sender.Do(ctx, call)
	if err != nil {
		return nil, peopleError(err, &call)
	}
	people, total, err := readAnswer(response.Body)
	if err == nil {
		w.Total = total
		people, err = w.accept(people, limit, number)
	}
	if err != nil {
		return nil, &batch.Abort{Code: apiclient.CodeAnswerInvalid, Err: err}
	}
	return people, nil
}

// errAnswer says that an answer is not a page of the listing. What it holds is
// personal and not shown.
var errAnswer = errors.New("the people listing does not have the documented form")

// readAnswer reads a page of the listing; the total is -1 where it is not told.
func readAnswer(body []byte) (people []listed, total int64, err error) {
	var answer struct {
		Persons    *[]json.RawMessage `json:"persons"`
		TotalCount *int64             `json:"totalCount"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Persons == nil {
		return nil, 0, errAnswer
	}
	for _, raw := range *answer.Persons {
		var person struct {
			ID        any    `json:"id"`
			CreatedAt string `json:"createdAt"`
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&person); err != nil || person.ID == nil {
			return nil, 0, errAnswer
		}
		created, ok := batch.PlatformTime(person.CreatedAt)
		if !ok {
			return nil, 0, errAnswer
		}
		people = append(people, listed{id: fmt.Sprint(person.ID), created: created.UTC().Format("2006-01-02T15:04:05.000000000"), raw: raw})
	}
	total = -1
	if answer.TotalCount != nil {
		total = *answer.TotalCount
	}
	return people, total, nil
}

// peopleError says why the listing cannot be read on: always the end of the run.
func peopleError(err error, call *apiclient.Call) error {
	refusal, answered := errors.AsType[*apiclient.Error](err)
	switch {
	case errors.Is(err, apiclient.ErrOutage):
		return &batch.Abort{Code: "outage", Err: err}
	case answered:
		return &batch.Abort{Code: refusal.Code, Err: fmt.Errorf("list people: %w", err)}
	}
	return fmt.Errorf("send %s: %w", call.Op, err)
}

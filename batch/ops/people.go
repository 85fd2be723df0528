package ops

import (
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

// PeopleOptions say what a walk over the people listing takes.
type PeopleOptions struct {
	Sender        Doer
	Filter        string    // the platform's JSON query; empty: everybody
	ModifiedSince time.Time // only people who changed since; zero: all
	Application   string    // only devices of this application; empty: all
	Detail        bool      // fetch each device found
	PageSize      int64     // people a request; 0: 1000, the most the platform gives
}

func (o *PeopleOptions) checkFilter() error {
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
func (o *PeopleOptions) query() (string, error) {
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

// People is the people listing as a batch.Source: a row for every push device
// of every person, the columns those of NewInventory(true). What was read is
// kept in a file, so that a resumed run goes on with the same rows, however the
// listing changed since.
type People struct {
	options   PeopleOptions
	filter    string
	inventory *Inventory
	path      func() string
	sealed    atomic.Bool
	ended     bool
	last      atomic.Pointer[PeopleCount]
}

// PeopleCount is how far a walk over the listing has come.
type PeopleCount struct {
	People  int64 `json:"people"`   // that were listed
	Total   int64 `json:"total"`    // as the platform counted at the last page; -1: it did not
	Gaps    int64 `json:"gaps"`     // pages that were read again because people were removed meanwhile
	AllRead bool  `json:"all_read"` // the end of the listing was reached
}

// NewPeople returns the listing. path names the file in which it is kept; it is
// called when the first row is asked for.
func NewPeople(o PeopleOptions, inventory *Inventory, path func() string) (*People, error) {
	if o.PageSize == 0 {
		o.PageSize = pageSize
	}
	p := &People{options: o, inventory: inventory, path: path}
	var err error
	p.filter, err = o.query()
	return p, err
}

// Name implements batch.Source.
func (p *People) Name() string { return "people" }

// Detected says what the listing is, as sources made of files do.
func (p *People) Detected() string {
	text := "the people listing of the platform, "
	if p.filter == "" {
		text += "everybody"
	} else {
		text += "filtered"
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
func (p *People) Header() batch.Header { return p.inventory.Columns() }

// Identity implements batch.Source: the listing is a live one.
func (p *People) Identity() batch.Identity { return batch.Identity{URI: "people"} }

// Close implements batch.Source.
func (p *People) Close() error { return nil }

// Seal ends asking: what was kept is all there is to read from now on.
func (p *People) Seal() { p.sealed.Store(true) }

// Count returns how far the walk has come. It may be called from any goroutine.
func (p *People) Count() PeopleCount {
	if c := p.last.Load(); c != nil {
		return *c
	}
	return PeopleCount{Total: -1}
}

// End makes the source one without rows: for a run that has ended, whose kept
// listing is gone.
func (p *People) End() { p.ended = true }

// errSealed says that more people may be there, but nobody is asked any more.
var errSealed = errors.New("the people listing was not read to its end")

// Rows implements batch.Source: first what was kept, then what the platform
// says, page by page. Each page is kept, durably, before its first row is given
// out.
func (p *People) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		if p.ended {
			return
		}
		kept, err := openPeopleFile(p.path(), from.Offset)
		if err != nil {
			yield(batch.Row{}, fmt.Errorf("read the kept people listing: %w", err))
			return
		}
		defer kept.close()
		at, frame, err := from, new(peopleFrame), error(nil)
		for first := true; ; first = false {
			if first && from.Row > 0 && !kept.has(from.Offset) {
				yield(batch.Row{}, fmt.Errorf("read the kept people listing: %s was cut or replaced", p.path()))
				return
			}
			if frame, err = p.next(ctx, kept, frame); err != nil {
				yield(batch.Row{}, err)
				return
			}
			if frame == nil {
				return
			}
			if !first {
				at.Line = 0
			}
			at.Offset = frame.offset
			if !p.give(frame, &at, yield) {
				return
			}
		}
	}
}

// give yields the rows of a page from at on.
func (p *People) give(frame *peopleFrame, at *batch.Position, yield func(batch.Row, error) bool) bool {
	for i := int(at.Line); i < len(frame.rows); i++ {
		row := batch.Row{Pos: *at, Values: frame.rows[i]}
		at.Row++
		at.Line++
		row.Next = *at
		if !yield(row, nil) {
			return false
		}
	}
	return true
}

// next returns the page behind the one before, nil at the end of the listing.
func (p *People) next(ctx context.Context, kept *peopleFile, before *peopleFrame) (*peopleFrame, error) {
	frame, err := kept.read()
	if frame != nil || err != nil {
		if frame != nil {
			p.tell(&frame.walk)
		}
		return frame, err
	}
	if before.walk.Done {
		return nil, nil
	}
	if p.sealed.Load() {
		return nil, errSealed
	}
	if frame, err = p.fetch(ctx, before.walk); err != nil {
		return nil, err
	}
	p.tell(&frame.walk)
	return frame, kept.append(frame)
}

func (p *People) tell(w *walk) {
	p.last.Store(&PeopleCount{People: w.People, Total: w.Total, Gaps: w.Skipped, AllRead: w.Done})
}

// fetch asks for the page that follows.
func (p *People) fetch(ctx context.Context, w walk) (*peopleFrame, error) {
	limit, number := w.window(p.options.PageSize)
	call := apiclient.ListPersonsCall(apiclient.ListPersonsOptions{
		Limit: int(limit), Page: int(number), OrderBy: "createdAt:asc", Filter: p.filter, IncludeTotal: true,
	})
	response, err := p.options.Sender.Do(ctx, call)
	if err != nil {
		return nil, peopleError(err, &call)
	}
	now := time.Now()
	page, err := readPeoplePage(response.Body)
	if err != nil {
		return nil, &batch.Abort{Code: apiclient.CodeAnswerInvalid, Err: err}
	}
	fresh, err := w.accept(page.people, limit, number)
	if err != nil {
		return nil, &batch.Abort{Code: apiclient.CodeAnswerInvalid, Err: err}
	}
	w.Total = page.total
	frame := &peopleFrame{walk: w}
	for i := range fresh {
		for _, row := range p.inventory.devices(&fresh[i], now) {
			if p.options.Application == "" || row[1].Text == p.options.Application {
				frame.rows = append(frame.rows, row)
			}
		}
	}
	return frame, nil
}

// peopleError says why the listing cannot be read on: always the end of the run.
func peopleError(err error, call *apiclient.Call) error {
	if refusal, answered := errors.AsType[*apiclient.Error](err); answered {
		return &batch.Abort{Code: refusal.Code, Err: fmt.Errorf("list people: %w", err)}
	}
	if errors.Is(err, apiclient.ErrOutage) {
		return &batch.Abort{Code: codeOutage, Err: err}
	}
	return fmt.Errorf("send %s: %w", call.Op, err)
}

// Map implements batch.Mapper for the rows of the listing: a get for each with
// PeopleOptions.Detail, else they are done.
func (p *People) Map(row *batch.Row) (batch.Request, *batch.Outcome) {
	id := row.Values[0].Text
	if !p.options.Detail || id == "" {
		return nil, &batch.Outcome{Status: batch.Succeeded, RegistrationID: id}
	}
	call := apiclient.GetCall(id)
	call.AppCode = row.Values[1].Text // the application's id is its code
	return newRequest(p.options.Sender, call, &assembly{id: id}), nil
}

package ops

import (
	"context"
	"slices"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// Doer sends calls: an *apiclient.Client, or what stands in for it in a test.
type Doer interface {
	Do(ctx context.Context, call apiclient.Call) (apiclient.Response, error)
}

// Operation is what a run does with each of its rows. The table Operations has
// all of them; columns go by their platform names.
type Operation struct {
	Name     string   // as the command is called
	Title    string   // one line for help
	Required []string // every row needs a value of each
	OneOf    []string // an input needs at least one of these columns; empty: none is needed
	Optional []string // objects stand as "customAttributes" and "additionalData"

	// identified tells that a row needs a value of OneOf: it names nobody else.
	identified bool
	// exported tells that an export is valid input: the columns of an inventory
	// that nobody can write are known and passed over.
	exported bool
	// answered tells that the body of the answer is the row's payload; else it is
	// not read.
	answered bool
	// call turns a valid row into its call, or settles it.
	call func(*requestBuilder) (apiclient.Call, *batch.Outcome)
}

// Operations is every operation, in the order help shows them. It returns a
// new slice.
func Operations() []*Operation {
	return []*Operation{
		{
			Name:     "personalize",
			Title:    "tie each row's device to a person",
			Required: []string{"registrationId"},
			OneOf:    []string{"externalId", "phoneNumber", "email"}, identified: true,
			Optional: []string{
				"appCode", "firstName", "lastName", "middleName", "birthday", "gender", "tags", "customAttributes",
			},
			call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
				p := apiclient.Personalize{Identity: a.identity, Attributes: a.attributes}
				a.body = p.AppendJSON(a.body[:0])
				return apiclient.PersonalizeCall(a.id, a.body, a.options.Personalize), nil
			},
		},
		{
			Name:     "depersonalize",
			Title:    "untie each row's device from its person",
			Required: []string{"registrationId"},
			Optional: []string{"appCode"},
			exported: true,
			call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
				return apiclient.DepersonalizeCall(a.id), nil
			},
		},
		{
			Name:     "update",
			Title:    "change what can be written of each row's device",
			Required: []string{"registrationId"},
			OneOf:    []string{"isPrimary", "registrationEnabled", "additionalData"},
			Optional: []string{"appCode"},
			exported: true,
			call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
				if a.update.IsEmpty() {
					return apiclient.Call{}, &batch.Outcome{
						Status: batch.Skipped, Code: codeNothingToUpdate, Message: "the row changes nothing: all its values are empty",
					}
				}
				a.body = a.update.AppendJSON(a.body[:0])
				return apiclient.UpdateCall(a.id, a.body), nil
			},
		},
		{
			Name:     "export",
			Title:    "write what the platform knows of each device into a table",
			Required: []string{"registrationId"},
			Optional: []string{"appCode"},
			exported: true,
			answered: true,
			call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
				return apiclient.GetCall(a.id), nil
			},
		},
	}
}

// Named returns the operation of that name, nil when there is none.
func Named(name string) *Operation {
	for _, op := range Operations() {
		if op.Name == name {
			return op
		}
	}
	return nil
}

// Columns returns every column the operation takes, required ones first.
func (o *Operation) Columns() []string { return slices.Concat(o.Required, o.OneOf, o.Optional) }

func (o *Operation) takes(t *definition) bool {
	return slices.Contains(o.Required, t.name) || slices.Contains(o.OneOf, t.name) || slices.Contains(o.Optional, t.name)
}

// DryRun says how much of a run happens without sending.
type DryRun uint8

// The kinds of dry run.
const (
	Send         DryRun = iota // no dry run
	ShowRequests               // every valid row is skipped with its call as a JSON line in Outcome.Payload
	Validate                   // every valid row is skipped; calls are not even built
)

// Options are what a binding needs to know beside the header.
type Options struct {
	Mapping        *Mapping   // from --map; may be nil
	Constants      []Constant // from --set
	NullLiteral    string     // the text that means JSON null; empty: none does
	PhoneRegion    string     // region of national phone numbers, such as HR; empty: none are accepted
	BirthdayDate   bool       // send birthdays as YYYY-MM-DD instead of midnight UTC
	IgnoreUnmapped bool       // pass unknown columns over
	HasAppCode     bool       // the run has an application code of its own
	Personalize    apiclient.PersonalizeOptions
	DryRun         DryRun
	Sender         Doer // may be nil in a dry run
}

// Listed maps the rows of the people listing, whose first two columns are the
// registration id and its application: a get for each with detail, else they
// are done.
func Listed(sender Doer, detail bool) batch.Mapper {
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		id := row.Values[0].Text
		if !detail || id == "" {
			return nil, &batch.Outcome{Status: batch.Succeeded, RegistrationID: id}
		}
		call := apiclient.GetCall(id)
		call.AppCode = row.Values[1].Text // the application's id is its code
		r := newRequest(sender, call, &requestBuilder{gathered: gathered{id: id}})
		r.answered = true
		return r, nil
	}
}

package ops

import (
	"slices"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// requestBuilder is where a row's request is put together. One serves all rows
// of an input, one after the other.
type requestBuilder struct {
	options  *Options
	phones   *phoneBook
	distinct bool           // every attribute has a column of its own: none can be given twice
	given    map[given]bool // attributes of the row, where they are not distinct

	row        int64 // its number in the run
	id         string
	appCode    string
	identity   apiclient.Identity
	mailbox    string // the e-mail address in the spelling that identifies it
	attributes apiclient.Attributes
	update     apiclient.Update

	tags     []string
	custom   []apiclient.Attribute
	data     []apiclient.Attribute
	known    bool // an identity value was given, valid or not
	hasID    bool // a registration id was given, valid or not
	problems []batch.Problem
	warnings batch.Outcome // its Warnings: what there is to know of the row if it goes through
}

// warn notes what there is to know of a row that may go through all the same.
func (a *requestBuilder) warn(code, column string) { a.warnings.Warn(code, column) }

// reset forgets the row before.
func (a *requestBuilder) reset() {
	if len(a.given) > 0 {
		clear(a.given)
	}
	*a = requestBuilder{
		options: a.options, phones: a.phones, distinct: a.distinct, given: a.given,
		tags: a.tags[:0], custom: a.custom[:0], data: a.data[:0], problems: a.problems[:0],
	}
}

// usualBody is room enough for most bodies, so that they are made in one piece.
const usualBody = 512

// build moves what was gathered in slices into the request.
func (a *requestBuilder) build() {
	a.attributes.Tags = a.tags
	a.attributes.Custom = a.custom
	a.update.AdditionalData = a.data
}

// skipped is the outcome of a valid row of a dry run.
func (a *requestBuilder) skipped(payload []byte) *batch.Outcome {
	return &batch.Outcome{Status: batch.Skipped, RegistrationID: a.id, Payload: payload, Warnings: a.warnings.Warnings}
}

// maxProblems bounds what is told of one row.
const maxProblems = 50

// reject notes one broken rule of the row. The same thing is told once.
func (a *requestBuilder) reject(f *field, code, message string) {
	p := batch.Problem{Code: code, Column: f.column, Message: message}
	if len(a.problems) < maxProblems && !slices.Contains(a.problems, p) {
		a.problems = append(a.problems, p)
	}
}

// rejection is the outcome of a row that broke rules: all of them are named.
func (a *requestBuilder) rejection() *batch.Outcome {
	return rejected(a.id, slices.Clone(a.problems))
}

func rejected(id string, problems []batch.Problem) *batch.Outcome {
	out := &batch.Outcome{Status: batch.Rejected, RegistrationID: id}
	out.SetProblems(problems)
	return out
}

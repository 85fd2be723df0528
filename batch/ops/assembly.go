package ops

import (
	"slices"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// assembly is where a row's request is put together. One assembly serves all
// rows of an input, one after the other; its slices are used again.
type assembly struct {
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

	// A body is made in scratch and moved to pages where a request keeps it.
	scratch []byte
	pages   pages
	outcome batch.Outcome // of a row that is settled without a problem
}

// reset forgets the row before.
func (a *assembly) reset() {
	a.id, a.appCode, a.mailbox = "", "", ""
	a.identity = apiclient.Identity{}
	a.attributes = apiclient.Attributes{}
	a.update = apiclient.Update{}
	a.tags, a.custom, a.data = a.tags[:0], a.custom[:0], a.data[:0]
	a.known, a.hasID = false, false
	if len(a.given) > 0 {
		clear(a.given)
	}
	a.problems = a.problems[:0]
}

// seal moves what was gathered in slices into the request.
func (a *assembly) seal() {
	a.attributes.Tags = a.tags
	a.attributes.Custom = a.custom
	a.update.AdditionalData = a.data
}

// body returns a body that was made in scratch, as something that a call may
// keep. The call of a dry run is shown before the next one is made.
func (a *assembly) body(made []byte) []byte {
	a.scratch = made
	if a.options.DryRun == ShowRequests {
		return made
	}
	return a.pages.keep(made)
}

// skipped is the outcome of a valid row of a dry run. It is used again for the
// next row.
func (a *assembly) skipped(payload []byte) *batch.Outcome {
	a.outcome = batch.Outcome{Status: batch.Skipped, RegistrationID: a.id, Payload: payload}
	return &a.outcome
}

// maxProblems bounds what is told of one row.
const maxProblems = 50

// reject notes one broken rule of the row. The same thing is told once.
func (a *assembly) reject(f *field, code, message string) {
	p := batch.Problem{Code: code, Column: f.column, Message: message}
	if len(a.problems) < maxProblems && !slices.Contains(a.problems, p) {
		a.problems = append(a.problems, p)
	}
}

// rejection is the outcome of a row that broke rules: all of them are named.
func (a *assembly) rejection() *batch.Outcome {
	return rejected(a.id, slices.Clone(a.problems))
}

func rejected(id string, problems []batch.Problem) *batch.Outcome {
	var codes, messages strings.Builder
	seen := make(map[string]bool, len(problems))
	for i := range problems {
		p := &problems[i]
		if !seen[p.Code] {
			separate(&codes, batch.CodeSeparator)
			codes.WriteString(p.Code)
			seen[p.Code] = true
		}
		separate(&messages, "; ")
		messages.WriteString(p.Error())
	}
	return &batch.Outcome{Status: batch.Rejected, RegistrationID: id, Code: codes.String(), Message: messages.String(), Problems: problems}
}

func separate(b *strings.Builder, separator string) {
	if b.Len() > 0 {
		b.WriteString(separator)
	}
}

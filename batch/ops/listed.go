package ops

import (
	"pushbatch/apiclient"
	"pushbatch/batch"
)

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
		r := newRequest(sender, call, &requestBuilder{id: id})
		r.answered = true
		return r, nil
	}
}

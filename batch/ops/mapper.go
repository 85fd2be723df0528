package ops

import (
	"slices"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// mapper returns what turns rows into requests. Everything that
// can be decided once was decided by the binder.
func (b *binder) mapper() *rowMapper {
	m := &rowMapper{
		operation: b.operation, options: b.options, fields: b.fields,
		builder: b.newRequestBuilder(), idColumn: -1,
	}
	m.header, m.message = b.header, b.header.Index(batch.MessageColumn)
	m.builder.distinct = true
	for _, f := range b.fields {
		if f.def.name == "registrationId" {
			m.idColumn = f.index
		}
		if f.isWhole() || b.taken[given{f.def, f.attr}] != f {
			m.builder.distinct = false
		}
		f.plain = !f.trim && f.empties == nil && f.values == nil && f.invalid == invalidReject && f.country == nil && !f.isWhole()
		if f.members != nil {
			f.members.taken = b.targets()
		}
	}
	m.finish = m.send
	switch b.options.DryRun {
	case ShowRequests:
		m.finish = m.show
	case Validate:
		m.finish = m.validated
	}
	return m
}

func (b *binder) targets() []target {
	var list []target
	for _, f := range b.fields {
		list = append(list, f.target)
	}
	return list
}

type rowMapper struct {
	operation *Operation
	options   *Options
	fields    []*field
	builder   *requestBuilder
	header    batch.Header
	idColumn  int   // of the registration id in the header; -1: none
	message   int   // column with the message of an earlier run; -1: none
	whole     field // stands for the column of a problem that no column has alone
	// finish turns a valid row into the row's request, or its outcome in a
	// dry run.
	finish func() (batch.Request, *batch.Outcome)
}

func (m *rowMapper) mapRow(row *batch.Row) (batch.Request, *batch.Outcome) {
	if row.CheckFaults(m.uses); row.Err != nil {
		return nil, rejected(m.rawID(row), []batch.Problem{*row.Err})
	}
	if m.isEmptyLine(row.Values) {
		return nil, &batch.Outcome{Status: batch.Skipped, Code: codeRowEmpty, Message: "all cells of the line are empty, as spreadsheets write them behind a table: there is nothing to send"}
	}
	a := m.builder
	a.reset()
	a.row = row.Num
	if m.message >= 0 && batch.IsUnmodified(row.Values[m.message].String(), m.header, row.Values) {
		return nil, rejected(m.rawID(row), []batch.Problem{{
			Code:    batch.CodeUnmodified,
			Message: "the row could not be read in the run before and is as it was: mend its cells, or empty " + batch.MessageColumn + " to send it as it stands",
		}})
	}
	for _, f := range m.fields {
		f.read(a, row)
	}
	m.checkComplete(a)
	if len(a.problems) > 0 {
		return nil, a.rejection()
	}
	a.build()
	return m.finish()
}

// isEmptyLine reports whether a row of several cells is a line of delimiters. Formats
// that have a null give no texts then.
func (m *rowMapper) isEmptyLine(values []batch.Value) bool {
	cells := 0
	for i, v := range values {
		switch {
		case strings.HasPrefix(m.header[i].Name, "_"): // of an earlier run or a part
		case v.Kind != batch.Text || v.Text != "":
			return false
		default:
			cells++
		}
	}
	return cells > 1
}

// uses reports whether a column's cells become part of the request whatever they
// are.
func (m *rowMapper) uses(column string) bool {
	return slices.ContainsFunc(m.fields, func(f *field) bool {
		return f.index >= 0 && f.column == column && f.invalid == invalidReject || f.country != nil && f.country.name == column
	})
}

// rawID is the registration id of a row that could not be decoded, as far as
// it was read.
func (m *rowMapper) rawID(row *batch.Row) string {
	if m.idColumn < 0 || m.idColumn >= len(row.Values) {
		return ""
	}
	return row.Values[m.idColumn].String()
}

// checkComplete looks for what every row needs.
func (m *rowMapper) checkComplete(a *requestBuilder) {
	if !a.hasID && len(m.operation.Required) > 0 {
		a.reject(&m.whole, codeRegistrationIDMissing, "the row has no registration id")
	}
	if m.operation.identified && len(m.operation.OneOf) > 0 && !a.known {
		a.reject(&m.whole, codeIdentityMissing, "the row has neither external id, phone number nor e-mail address")
	}
	if !m.options.HasAppCode && a.appCode == "" && len(a.problems) == 0 {
		a.reject(&m.whole, codeAppCodeMissing, "the row has no application code and the run has none of its own")
	}
}

// send is what becomes of a valid row in a run that sends.
func (m *rowMapper) send() (batch.Request, *batch.Outcome) {
	call, out := m.call()
	if out != nil {
		return nil, out
	}
	r := newRequest(m.options.Sender, call, m.builder)
	r.answered = m.operation.answered
	return r, nil
}

// show is what becomes of a valid row in a dry run: with the call it would send.
func (m *rowMapper) show() (batch.Request, *batch.Outcome) {
	call, out := m.call()
	if out != nil {
		return nil, out
	}
	return nil, m.builder.skipped(call.AppendJSON(make([]byte, 0, len(call.Body)+200)))
}

func (m *rowMapper) call() (apiclient.Call, *batch.Outcome) {
	call, out := m.operation.call(m.builder)
	if out != nil {
		out.RegistrationID, out.Warnings = m.builder.id, m.builder.outcome.Warnings
	}
	call.AppCode = m.builder.appCode
	call.Discard, call.Row = !m.operation.answered && call.Body == nil, m.builder.row
	return call, out
}

// validated is what becomes of a valid row when nothing but validation is asked for.
func (m *rowMapper) validated() (batch.Request, *batch.Outcome) {
	return nil, m.builder.skipped(nil)
}

// note remembers that a row gave a required value, though not one to send.
func (a *requestBuilder) note(f *field) {
	a.known = a.known || f.def.identity
	a.hasID = a.hasID || f.def.name == "registrationId"
}

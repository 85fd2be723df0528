package main

import (
	"fmt"
	"io"

	"pushbatch/batch"
)

// newDryRunProblems is the feature of a dry run: what inspect says of rows, in
// short.
func newDryRunProblems(x *execution) *feature {
	if x.client != nil || x.makesTable() {
		return nil
	}
	x.found = new(columnProblems)
	return &feature{mapper: func(in *openedInput, next batch.Mapper) batch.Mapper {
		var bound *boundColumns // made when the input's turn comes
		return func(row *batch.Row) (batch.Request, *batch.Outcome) {
			if bound == nil {
				bound = newBoundColumns(in.source.Header(), in.binding)
			}
			request, out := next(row)
			x.found.add(row, out, bound)
			return request, out
		}
	}}
}

// printDryRun writes what sending would take, and what is wrong by column.
func (x *execution) printDryRun(w io.Writer) {
	if x.found == nil || x.found.rows == 0 || x.flags.quiet || x.process.json {
		return
	}
	fmt.Fprintf(w, "  sending    %s\n", forecastOf(x.found.requests, x.flags.rate).text())
	x.found.printTo(w, "  ")
}

package writers

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// ResultColumns are the columns of the results file (see contract: run folder).
var ResultColumns = []string{
	"row", "source", "source_row", "registration_id", "operation", "status", "http_status",
	"error_code", "error_message", "attempts", "latency_ms", "finished_at",
}

// ResultFormat is a format of the results file.
type ResultFormat struct {
	Name   string // as --results takes it, and the file's ending
	header func(dst []byte) []byte
	line   func(dst []byte, c *resultContext, r *batch.Result) []byte
	render func(to io.Writer, from io.Reader) error // makes the file of the lines; nil: the lines are the file
}

// ResultFormats lists the formats of the results file; the first is the default.
var ResultFormats = []ResultFormat{
	{Name: "csv", header: appendResultHeader, line: appendResultCSV},
	{Name: "parquet", line: appendResultCells, render: renderResults},
	{Name: "ndjson", line: appendResultJSON},
}

// ResultFormatNamed finds a format by name.
func ResultFormatNamed(name string) (ResultFormat, error) {
	names := make([]string, len(ResultFormats))
	for i, f := range ResultFormats {
		if f.Name == name {
			return f, nil
		}
		names[i] = f.Name
	}
	return ResultFormat{}, fmt.Errorf("unknown results format %q: take one of %s", name, strings.Join(names, ", "))
}

// File is the name of the results file in this format.
func (f ResultFormat) File() string { return "results." + f.Name }

func appendResultHeader(dst []byte) []byte { return appendLine(dst, ResultColumns...) }

// resultContext is what the lines of one results file have in common, and what
// a line mostly shares with the one before it.
type resultContext struct {
	operation string
	stamp     stamp
	source    string
	cell      []byte // source as a cell of CSV

	unsent       []byte // the cells of an outcome without request and code
	unsentStatus batch.Status
}

// unsentCells are what appendOutcomeCells appends for a row that was not sent
// and has no code, as all valid rows of a dry run.
func (c *resultContext) unsentCells(r *batch.Result) []byte {
	if r.Status != c.unsentStatus {
		c.unsent, c.unsentStatus = appendOutcomeCells(nil, c, r), r.Status
	}
	return c.unsent
}

func (c *resultContext) sourceCell(source string) []byte {
	if source != c.source || c.cell == nil {
		c.source, c.cell = source, appendMade([]byte{}, source) // a file's name is anybody's
	}
	return c.cell
}

func appendResultCSV(dst []byte, c *resultContext, r *batch.Result) []byte {
	begin := len(dst)
	dst = strconv.AppendInt(dst, r.Row.Num, 10)
	number := dst[begin:]
	dst = append(append(dst, ','), c.sourceCell(r.Row.Source)...)
	if dst = append(dst, ','); r.Row.SourceNum() == r.Row.Num {
		dst = append(dst, number...)
	} else {
		dst = strconv.AppendInt(dst, r.Row.SourceNum(), 10)
	}
	dst = appendCell(append(dst, ','), r.RegistrationID)
	if r.Code == "" && r.Attempts == 0 && r.HTTPStatus == 0 && r.Message == "" {
		dst = append(dst, c.unsentCells(r)...)
	} else {
		dst = appendOutcomeCells(dst, c, r)
	}
	dst = c.stamp.append(append(dst, ','), r.Finished)
	return append(dst, '\n')
}

// appendOutcomeCells appends the cells from the operation to the latency, with
// the comma before them.
func appendOutcomeCells(dst []byte, c *resultContext, r *batch.Result) []byte {
	dst = append(append(dst, ','), c.operation...)
	dst = append(append(dst, ','), r.Status.String()...)
	dst = append(dst, ',')
	if r.HTTPStatus != 0 {
		dst = strconv.AppendInt(dst, int64(r.HTTPStatus), 10)
	}
	dst = appendMade(append(dst, ','), r.Code)
	dst = appendMade(append(dst, ','), r.Message)
	dst = strconv.AppendInt(append(dst, ','), int64(r.Attempts), 10)
	dst = append(dst, ',')
	if r.Attempts > 0 {
		dst = appendMillis(dst, r.Latency)
	}
	return dst
}

// appendResultJSON writes the same columns as the CSV; what is empty there is
// null here.
func appendResultJSON(dst []byte, c *resultContext, r *batch.Result) []byte {
	dst = strconv.AppendInt(append(dst, `{"row":`...), r.Row.Num, 10)
	dst = jsonappend.String(append(dst, `,"source":`...), r.Row.Source)
	dst = strconv.AppendInt(append(dst, `,"source_row":`...), r.Row.SourceNum(), 10)
	dst = appendTextOrNull(append(dst, `,"registration_id":`...), r.RegistrationID)
	dst = jsonappend.String(append(dst, `,"operation":`...), c.operation)
	dst = jsonappend.String(append(dst, `,"status":`...), r.Status.String())
	dst = append(dst, `,"http_status":`...)
	if r.HTTPStatus != 0 {
		dst = strconv.AppendInt(dst, int64(r.HTTPStatus), 10)
	} else {
		dst = append(dst, "null"...)
	}
	dst = appendTextOrNull(append(dst, `,"error_code":`...), r.Code)
	dst = appendTextOrNull(append(dst, `,"error_message":`...), r.Message)
	dst = strconv.AppendInt(append(dst, `,"attempts":`...), int64(r.Attempts), 10)
	dst = append(dst, `,"latency_ms":`...)
	if r.Attempts > 0 {
		dst = appendMillis(dst, r.Latency)
	} else {
		dst = append(dst, "null"...)
	}
	dst = c.stamp.append(append(dst, `,"finished_at":"`...), r.Finished)
	return append(dst, '"', '}', '\n')
}

func appendTextOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return jsonappend.String(dst, s)
}

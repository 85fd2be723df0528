package main

import (
	"encoding/json"

	"pushbatch/batch"
	"pushbatch/readers"
	"pushbatch/writers/report"
)

type inspection struct {
	Operation string             `json:"operation"`
	Inputs    []*inputInspection `json:"inputs"`
	Delta     *report.Delta      `json:"delta,omitempty"`
	Forecast  forecast           `json:"forecast"`          // of all inputs
	Devices   *duplicateReport   `json:"duplicate_devices"` // among the rows looked at
	Persons   *duplicateReport   `json:"duplicate_persons"`
	Written   string             `json:"written_map,omitempty"`
	ExitCode  int                `json:"exit_code"`
}

type inputInspection struct {
	Name     string             `json:"input"`
	Detected string             `json:"detected"`
	Error    *stopInspection    `json:"error,omitempty"` // it cannot be read, or not further
	Rows     int64              `json:"rows"`
	RowsAre  string             `json:"rows_are"`  // counted, declared (by the file), estimated (from its size) or at least
	RowsRead int64              `json:"rows_read"` // that were looked at
	Sendable int64              `json:"rows_sendable"`
	Mapping  []stopInspection   `json:"mapping_problems,omitempty"` // no run would begin
	Columns  []columnInspection `json:"columns"`
	Requests []json.RawMessage  `json:"requests"`
	Problems []problemGroup     `json:"problems"`
	Findings []*columnProblem   `json:"column_problems"` // by column and look of the cells
	Forecast forecast           `json:"forecast"`
	// Encodings are those that fit, of text that is not UTF-8.
	Encodings []readers.EncodingChoice `json:"encodings,omitempty"`

	Others int64  `json:"-"` // inputs that look alike and are told here
	Last   string `json:"-"` // the last of them

	found   columnProblems
	partial bool // only some columns are understood
	number  int  // among the inputs
	exit    int
	ended   bool           // every row was read
	next    batch.Position // after the last row read
}

// stopInspection is a reason why no run would begin, or end.
type stopInspection struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

type columnInspection struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	EmptyShare float64  `json:"empty_share"` // 0 to 1, of the rows looked at
	Samples    []string `json:"samples"`
	Use        string   `json:"use"`
	Target     string   `json:"target,omitempty"`
	Expects    string   `json:"expects,omitempty"` // what the values must be
	Found      string   `json:"found_by,omitempty"`

	empty int64
}

type problemGroup struct {
	Code    string          `json:"code"`
	Status  batch.Status    `json:"status"` // rejected or skipped
	Count   int64           `json:"count"`
	Meaning string          `json:"meaning,omitempty"`
	Remedy  string          `json:"remedy,omitempty"`
	Rows    []batch.Example `json:"rows"` // the first
}

// forecast is what sending would take.
type forecast struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"rate"`
}

func forecastOf(requests int64, rate float64) forecast {
	return forecast{requests, float64(requests) / rate, rate}
}

package main

import (
	"fmt"
	"slices"

	"pushbatch/writers/report"
)

// alike puts inputs together that look alike: the same format and columns, and
// nothing that is wrong with one of them. Those of thousands of files are told
// once.
func (i *inspection) alike() (groups []*inputInspection) {
	places := make(map[string]*inputInspection)
	for _, in := range i.Inputs {
		look := in.look()
		if group := places[look]; group != nil && look != "" {
			group.take(in)
			continue
		}
		first := *in
		first.Columns = slices.Clone(in.Columns)
		if groups = append(groups, &first); look != "" {
			places[look] = &first
		}
	}
	return groups
}

// look is what inputs that look alike have in common; empty: it is told alone.
func (in *inputInspection) look() string {
	if in.Error != nil || len(in.Problems) > 0 || len(in.Encodings) > 0 || len(in.found.tally.Warnings) > 0 {
		return ""
	}
	look := fmt.Sprintf("%q %q", in.Detected, in.Mapping)
	for i := range in.Columns {
		c := &in.Columns[i]
		look += fmt.Sprintf(" %q %q %q %q", c.Name, c.Type, c.Use, c.Target)
	}
	return look
}

// take adds the numbers of an input that looks alike.
func (in *inputInspection) take(other *inputInspection) {
	for i := range in.Columns {
		c := &in.Columns[i]
		c.empty += other.Columns[i].empty
		if all := in.RowsRead + other.RowsRead; all > 0 {
			c.EmptyShare = float64(c.empty) / float64(all)
		}
	}
	in.Rows += other.Rows
	in.RowsRead += other.RowsRead
	in.Sendable += other.Sendable
	in.Forecast = forecastOf(in.Forecast.Requests+other.Forecast.Requests, max(in.Forecast.Rate, other.Forecast.Rate, 1))
	if in.RowsAre != other.RowsAre {
		in.RowsAre = "estimated"
	}
	in.others++
	in.last = other.Name
}

// title names an input, or the first and last of those that look alike.
func (in *inputInspection) title() string {
	if in.others == 0 {
		return in.Name
	}
	return fmt.Sprintf("%s … %s: %s inputs that look alike", in.Name, in.last, report.Grouped(in.others+1))
}

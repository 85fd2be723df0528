package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/writers/report"
)

// columnProfiles are what the cells of all inputs look like, by column name.
type columnProfiles struct {
	header   batch.Header
	profiles []ops.Profile
	place    map[string]int
}

// places finds the profiles of an input's columns.
func (c *columnProfiles) places(h batch.Header) []int {
	if c.place == nil {
		c.place = make(map[string]int)
	}
	places := make([]int, len(h))
	for i, column := range h {
		at, known := c.place[column.Name]
		if !known {
			at = len(c.header)
			c.place[column.Name] = at
			c.header, c.profiles = append(c.header, column), append(c.profiles, ops.Profile{})
		}
		places[i] = at
	}
	return places
}

// writeMap writes a mapping to start from, and says what stands in it. A file
// that is there is not replaced: somebody may have worked on it.
func (c *columnProfiles) writeMap(path string, operation *ops.Operation, inputs []string) (written string, proposals []ops.Proposal, err error) {
	proposals = ops.Propose(operation, c.header, c.profiles)
	text := ops.AppendMapping(nil, operation.Name, strings.Join(inputs, " "), proposals)
	if _, err := ops.ParseMapping(path, text); err != nil {
		return "", nil, fmt.Errorf("the mapping that was made does not load: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it holds names of columns only
	if errors.Is(err, fs.ErrExist) {
		return "", nil, usageError("--write-map: %s exists already: name another file", path)
	} else if err != nil {
		return "", nil, usageError("--write-map: %v", err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", nil, usageError("--write-map: %v", err)
	}
	return mappingSummary(path, operation, proposals), proposals, nil
}

// propose shows what the written mapping says of an input's columns.
func (in *inputInspection) propose(proposals []ops.Proposal) {
	options := make(map[string]string, len(proposals))
	for _, p := range proposals {
		options[p.Column] = p.Option
	}
	for i := range in.Columns {
		c := &in.Columns[i]
		if c.Use = "not understood"; options[c.Name] != "" {
			c.Use = "proposed: " + options[c.Name]
		}
	}
}

// mappingSummary says what a written mapping holds and what it lacks.
func mappingSummary(path string, operation *ops.Operation, proposals []ops.Proposal) string {
	mapped, registration := int64(0), false
	for _, p := range proposals {
		if p.Option != "" {
			mapped++
		}
		registration = registration || p.Option == "registrationId" || strings.HasPrefix(p.Option, "{to: registrationId")
	}
	ignored := int64(len(proposals)) - mapped
	written := fmt.Sprintf("%s: %d %s with a target, %d not understood under ignore:", path, mapped, report.Plural(mapped, "column"), ignored)
	if !registration {
		written += "; no column is certainly the registration id: name it (to: registrationId)"
	}
	return written + fmt.Sprintf("; look through it, then: pushbatch %s … --map %s --dry-run", operation.Name, path)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"pushbatch/batch/blob"
	"pushbatch/writers/report"
)

// recordedInputs finds the inputs of a run again, in the order in which it reads
// them: files that have come since are none of its business. One that is not where
// it was is looked for by its name from the current folder, or where moved
// (--input OLD=NEW) says.
func recordedInputs(ctx context.Context, spec *runSpec, moved []string) ([]blob.Info, error) {
	places, err := movedInputs(spec, moved)
	if err != nil {
		return nil, err
	}
	var found []blob.Info
	for i := range spec.Inputs {
		in := &spec.Inputs[i]
		if in.URI == peopleInput {
			continue // kept in the run folder
		}
		if in.Size < 0 {
			return nil, &exitError{exitStopped, fmt.Errorf("input %s was a stream, which cannot be read again: the rows that did not succeed "+
				"stand in failed.csv, which is an input itself; those that its results do not list need a new run", in.Name)}
		}
		info, err := findInput(ctx, in, places)
		if err != nil {
			return nil, &exitError{exitStopped, fmt.Errorf("input %s cannot be read any more: %w; if it was moved, give --input %s=NEW", in.Name, err, report.ShellWord(in.Name))}
		}
		in.URI = info.URI
		info.Location, info.Partitions = in.Name, in.Partitions
		found = append(found, info)
	}
	return found, nil
}

// movedInputs reads the pairs of --input.
func movedInputs(spec *runSpec, pairs []string) (map[string]string, error) {
	places := make(map[string]string)
	for _, pair := range pairs {
		name, place, ok := strings.Cut(pair, "=")
		if !ok || place == "" {
			return nil, usageError("--input %q: OLD=NEW was expected, the name of an input and where it is now", pair)
		}
		known := false
		for _, in := range spec.Inputs {
			if in.Name == name || in.URI == name {
				places[in.Name], known = place, true
			}
		}
		if !known {
			return nil, usageError("--input %s: the run has no such input; status and job.json name them", name)
		}
	}
	return places, nil
}

func findInput(ctx context.Context, in *inputSpec, places map[string]string) (blob.Info, error) {
	if place, ok := places[in.Name]; ok {
		return blob.Stat(ctx, place)
	}
	info, err := blob.Stat(ctx, in.URI)
	if errors.Is(err, fs.ErrNotExist) && !blob.IsS3(in.URI) {
		if here, err := blob.Stat(ctx, in.Name); err == nil {
			return here, nil
		}
	}
	return info, err
}

// unchanged refuses to go on over an input with other content than the run read.
func (x *execution) unchanged(ctx context.Context, spec *runSpec) error {
	for i := range spec.Inputs {
		was := &spec.Inputs[i]
		if was.URI == peopleInput {
			continue
		}
		diff := fmt.Sprintf("it is empty, had size %d", was.Size) // --allow-empty has passed over it
		if i < len(x.opened) && x.opened[i].source.Name() == was.Name {
			var err error
			if diff, err = differs(ctx, was, x.opened[i].info, x.opened[i].source.Identity().Fingerprint); err != nil {
				return &exitError{exitStopped, err}
			}
		}
		if diff != "" {
			return &exitError{exitStopped, fmt.Errorf("input %s has changed since the run began (%s): put the old file back, or start a new run", was.Name, diff)}
		}
	}
	return nil
}

// differs says how an input differs in content from what a run read; empty: it
// is the same, whatever its time and place.
func differs(ctx context.Context, was *inputSpec, is blob.Info, fingerprint string) (string, error) {
	switch {
	case is.Size == 0 && was.Size > 0:
		return fmt.Sprintf("it is empty, had size %d", was.Size), nil
	case was.Size != is.Size:
		return fmt.Sprintf("size %d, was %d", is.Size, was.Size), nil
	case was.Fingerprint != fingerprint && is.ETag != "":
		return "another version (ETag)", nil
	case was.Fingerprint != fingerprint:
		return "other content", nil
	case was.ModTime.Equal(is.ModTime), is.ETag != "", is.Size <= blob.FingerprintWhole:
		return "", nil
	case was.Checksum == "": // too large to be read for this alone: its time decides
		return fmt.Sprintf("modified %s, was %s", is.ModTime.UTC().Format("2006-01-02 15:04:05"), was.ModTime.UTC().Format("2006-01-02 15:04:05")), nil
	}
	sum, err := checksum(ctx, is)
	if err != nil || sum == was.Checksum {
		return "", err
	}
	return "other content", nil
}

// largestChecked bounds what is read to know an input again that is touched: some
// seconds.
const largestChecked = 4 << 30

// checksum is CRC-32C over a local input whose fingerprint does not cover it as a
// whole; empty where the fingerprint says enough, or the input is too large.
func checksum(ctx context.Context, in blob.Info) (string, error) {
	if in.Size <= blob.FingerprintWhole || in.Size > largestChecked || in.ETag != "" {
		return "", nil
	}
	r, err := blob.OpenAt(ctx, in)
	if err != nil {
		return "", err
	}
	defer r.Close()
	hash := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if _, err := io.CopyBuffer(hash, io.NewSectionReader(r, 0, math.MaxInt64), make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("read %s: %w", in.Location, err)
	}
	return strconv.FormatUint(uint64(hash.Sum32()), 16), nil
}

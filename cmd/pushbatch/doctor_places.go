package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
)

// doctorRows is how many rows of each input doctor reads.
const doctorRows = 10_000

// readInputs checks that the inputs can be read, and returns the application codes
// that are in use: the flag's and those of the rows that were read.
func (d *examination) readInputs(ctx context.Context) []string {
	codes := map[string]bool{d.flags.client.AppCode: true}
	delete(codes, "")
	found, err := blob.Expand(ctx, d.inputs)
	if len(d.inputs) > 0 && err != nil {
		d.add("inputs", checkFailed, err.Error(), "correct INPUT; objects in S3 need s3:ListBucket and s3:GetObject")
		return slices.Sorted(maps.Keys(codes))
	}
	bad := false
	for _, info := range found {
		if !info.Rereadable() {
			d.add("inputs", checkSkipped, info.Location+" can be read once only, by the job", "")
			bad = true
			continue
		}
		if err := d.readInput(ctx, info, codes); err != nil {
			d.add("inputs", checkFailed, info.Location+": "+err.Error(), "correct the file, or the flags that say how it is read; see pushbatch inspect")
			bad = true
		}
	}
	if len(found) > 0 && !bad {
		d.add("inputs", checkOK, fmt.Sprintf("%d can be read", len(found)), "")
	}
	return slices.Sorted(maps.Keys(codes))
}

func (d *examination) readInput(ctx context.Context, info blob.Info, codes map[string]bool) (err error) {
	source, err := readers.Open(ctx, info, d.flags.readerOptions(nil))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	column := slices.IndexFunc(source.Header(), func(c batch.Column) bool {
		return strings.EqualFold(strings.NewReplacer("_", "", "-", "", " ", "").Replace(c.Name), "appCode")
	})
	rows := 0
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return err
		}
		if column >= 0 && column < len(row.Values) && row.Values[column].Text != "" {
			codes[row.Values[column].Text] = true
		}
		if rows++; rows == doctorRows {
			break
		}
	}
	return nil
}

// runFolder checks that what a job writes can be written.
func (d *examination) runFolder(ctx context.Context) {
	out := cmp.Or(d.flags.out, "runs")
	d.writable(ctx, "run folder", out, out != "runs" && !d.flags.goOn)
	if to := d.flags.export.to; to != "" {
		d.writable(ctx, "table", strings.TrimSuffix(to, path.Base(to)), false)
	}
}

// writable writes a small file into a place and removes it.
func (d *examination) writable(ctx context.Context, check, place string, mustBeNew bool) {
	if blob.IsS3(place) {
		d.writableS3(ctx, place)
		return
	}
	if _, err := os.Stat(filepath.Join(place, "job.json")); err == nil && mustBeNew {
		d.add(check, checkFailed, place+" holds a run already", "give another --out, or go on with it: pushbatch resume")
		return
	}
	there := place
	for info, err := os.Stat(there); err != nil || !info.IsDir(); info, err = os.Stat(there) {
		if err == nil {
			d.add(check, checkFailed, there+" is no folder", "give another --out")
			return
		}
		if up := filepath.Dir(there); up != there {
			there = up
			continue
		}
		break
	}
	probe, err := os.CreateTemp(there, ".pushbatch-doctor-*")
	if err == nil {
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		d.add(check, checkFailed, err.Error(), "make "+there+" writable, or give another --out")
		return
	}
	d.add(check, checkOK, there+" can be written", "")
}

func (d *examination) writableS3(ctx context.Context, place string) {
	ctx, cancel := context.WithTimeout(ctx, 4*lookWithin)
	defer cancel()
	name := fmt.Sprintf(".pushbatch-doctor-%d", time.Now().UnixNano())
	place = strings.TrimSuffix(place, "/")
	err := blob.Copy(ctx, place+"/"+name, strings.NewReader("a check by pushbatch doctor\n"), blob.CreateOptions{})
	if err == nil {
		err = blob.RemoveBelow(ctx, place, []string{name})
	}
	if err != nil {
		d.add("S3 rights", checkFailed, place+": "+err.Error(), "permit s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket there, see pushbatch help s3")
		return
	}
	d.add("S3 rights", checkOK, place+" can be written", "")
}

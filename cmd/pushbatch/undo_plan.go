package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"pushbatch/apiclient"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/undo"
	"pushbatch/readers"
)

// planLine is a line of the plan, with the columns of ops.UndoHeader.
type planLine struct {
	Device  string `json:"registrationId"`
	Restore string `json:"_restore"`
}

// writePlan plans every device, writes the plan into the run folder and says what
// putting them back will take.
func (x *execution) writePlan(ctx context.Context, log *os.File) (err error) {
	upload, err := blob.Create(ctx, x.folder.Path(planFile))
	if err != nil {
		return &exitError{exitStopped, err}
	}
	defer func() { err = errors.Join(err, upload.Abort()) }()
	to := bufio.NewWriterSize(upload, 256<<10)
	count := &undoCount{}
	err = undo.Plan(x.spec.Undo.Operation, undo.Records(log), filepath.Dir(log.Name()), func(r *undo.Restore) error {
		plan, err := json.Marshal(r)
		if err != nil {
			return err
		}
		line, err := json.Marshal(planLine{r.Device, string(plan)})
		if err != nil {
			return err
		}
		count.add(r)
		_, err = to.Write(append(line, '\n'))
		return err
	})
	if err == nil {
		err = to.Flush()
	}
	if err != nil {
		return &exitError{exitStopped, fmt.Errorf("plan the undo of %s: %w", x.spec.Undo.Run, err)}
	}
	if count.devices == 0 {
		return usageError("%s changed no device: there is nothing to undo", x.spec.Undo.Run)
	}
	x.spec.Undo.Devices, x.spec.Undo.Notes = count.devices, count.notes()
	x.log.Info("undo", "devices", count.devices, "requests_at_most", 2*count.devices, "minutes_at_most", x.undoMinutes(count))
	for _, note := range x.spec.Undo.Notes {
		x.log.Warn(note)
	}
	if err := upload.Commit(); err != nil {
		return &exitError{exitStopped, err}
	}
	return nil
}

// undoMinutes is how long looking at the devices and putting them back takes at
// the limits in force, rounded up. Owners are looked up at the rate of the listing.
func (x *execution) undoMinutes(c *undoCount) int64 {
	rate := x.flags.rate
	if c.owners > 0 {
		rate = min(rate, x.flags.listRate)
	}
	return int64(float64(c.devices)/rate/60) + 1
}

// undoCount counts what a plan holds and what cannot come back.
type undoCount struct {
	devices, owners, primaries int64
	attributes, nobodies       int64
}

func (c *undoCount) add(r *undo.Restore) {
	c.devices++
	for _, f := range r.Fields {
		if f.Name == "isPrimary" {
			c.primaries++
		}
	}
	if len(r.Fields) > 0 {
		return
	}
	c.owners++
	if r.Attributes {
		c.attributes++
	}
	if r.Before != nil && !r.Before.Identified() {
		c.nobodies++
	}
}

// notes name what does not come back, with how many devices it is about.
func (c *undoCount) notes() (notes []string) {
	for _, n := range []struct {
		count int64
		text  string
	}{
		{c.nobodies, "devices belonged to people without any identity, whom no request can name: they are left alone"},
		{c.attributes, "devices were given to people together with attributes or tags, which stay as the run set them"},
		{c.owners, "devices go back to people: profiles that were merged stay merged, leads that became customers stay customers, and which device of a person was primary is not put back"},
		{c.primaries, "devices get back their own isPrimary; which device of the person was primary instead is not known"},
	} {
		if n.count > 0 {
			notes = append(notes, fmt.Sprintf("%d %s", n.count, n.text))
		}
	}
	return notes
}

// openPlan makes the plan the one input of the run.
func (x *execution) openPlan(ctx context.Context, info blob.Info) error {
	source, err := readers.Open(ctx, info, readers.Options{Format: "ndjson"})
	if err != nil {
		return &exitError{exitStopped, err}
	}
	if x.spec.Retry != nil {
		if source, err = x.spec.Retry.only(ctx, source); err != nil {
			return err
		}
	}
	options, err := x.bindOptions()
	if err != nil {
		return errors.Join(err, source.Close())
	}
	binding := &ops.Binding{Map: ops.UndoMapper(options, x.applicationID(ctx))}
	for i, name := range ops.UndoHeader() {
		binding.Columns = append(binding.Columns, ops.ColumnUse{Column: name, Index: i, Use: ops.Sent})
	}
	x.opened = []openedInput{{info: info, source: source, binding: binding}}
	return nil
}

// applicationID finds the id of an application, which a look-up of a device's person
// needs, by its code. Where the key may not read the applications, it is the code.
func (x *execution) applicationID(ctx context.Context) func(code string) string {
	ids := make(map[string]string)
	if x.client != nil {
		var answer struct {
			Applications []struct{ ApplicationCode, ApplicationID string }
		}
		response, err := x.client.Do(ctx, apiclient.ApplicationsCall())
		if err == nil && json.Unmarshal(response.Body, &answer) == nil {
			for _, a := range answer.Applications {
				ids[a.ApplicationCode] = a.ApplicationID
			}
		}
	}
	return func(code string) string {
		if code == "" {
			code = x.flags.appCode
		}
		if id := ids[code]; id != "" {
			return id
		}
		return code
	}
}

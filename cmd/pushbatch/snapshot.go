package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/batch/undo"
	"pushbatch/readers/people"
)

// beforeFile holds what devices were before a run. While the run goes on it grows,
// uncompressed, with runstore.PartSuffix behind its name.
const beforeFile = runstore.BeforeFile

// snapshotFlags say what is kept for undo.
type snapshotFlags struct {
	snapshot     bool
	snapshotFrom string
}

func (s *snapshotFlags) add(fs *pflag.FlagSet) {
	fs.BoolVar(&s.snapshot, "snapshot", false, "keep what each device was before anything is sent, so that undo can put it back")
	fs.StringVar(&s.snapshotFrom, "snapshot-from", "", "take what devices were from an inventory `FILE` that export made before (implies --snapshot)")
}

func (s *snapshotFlags) wanted() bool { return s.snapshot || s.snapshotFrom != "" }

// snapshot is the feature that keeps what devices were.
type snapshot struct {
	x   *execution
	log *undo.Log
}

func newSnapshot(x *execution) *feature {
	if !x.flags.snapshotFlags.wanted() || x.client == nil || !slices.Contains([]string{"personalize", "depersonalize", "update"}, x.operation.Name) {
		return nil
	}
	return &feature{firstPass: x.before.begin, ended: x.before.end}
}

// begin opens the log and, where the operation changes whose a device is, writes
// into it who has which device now.
func (s *snapshot) begin(ctx context.Context) (err error) {
	if s.log, err = undo.OpenLog(s.x.folder.LocalPath(beforeFile)); err != nil {
		return &exitError{exitStopped, err}
	}
	if s.x.operation.Name == "update" && s.x.flags.snapshotFrom == "" || s.listed() {
		return nil
	}
	s.x.log.Info("looking whose the devices are before the first request")
	partial := false
	if s.x.flags.snapshotFrom != "" {
		partial, err = appendInventory(ctx, s.log, s.x.flags.snapshotFrom)
	} else {
		err = s.walk(ctx)
	}
	if err != nil {
		return err
	}
	return errors.Join(s.log.Append(undo.Record{Kind: undo.KindListed, Partial: partial}), s.log.Sync())
}

// listed reports whether an earlier execution has written whose the devices were.
func (s *snapshot) listed() bool {
	file, err := os.Open(s.x.folder.LocalPath(beforeFile))
	if err != nil {
		return false
	}
	defer file.Close()
	for r, err := range undo.Records(file) {
		if err != nil || r.Kind == undo.KindListed {
			return err == nil
		}
	}
	return false
}

// ownerLayout makes a row of every device: its id, its application, its person.
type ownerLayout struct{}

// Columns implements people.Layout.
func (ownerLayout) Columns() []batch.Column {
	return []batch.Column{{Name: "registrationId", Kind: batch.Text}, {Name: "applicationId", Kind: batch.Text}, {Name: "person", Kind: batch.Text}}
}

// Devices implements people.Layout.
func (ownerLayout) Devices(raw []byte, _ time.Time) (rows [][]batch.Value) {
	type device struct{ RegistrationID, ApplicationID string }
	var p struct {
		ID                 any
		ExternalID         string
		ContactInformation struct {
			Phone         []struct{ Number string }
			Email         []struct{ Address string }
			Push, Webpush []device
		}
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&p) != nil {
		return nil // the listing was read as JSON before
	}
	person := undo.Person{ID: fmt.Sprint(p.ID), ExternalID: p.ExternalID}
	if c := p.ContactInformation; len(c.Phone) > 0 {
		person.Phone = c.Phone[0].Number
	}
	if c := p.ContactInformation; len(c.Email) > 0 {
		person.Email = c.Email[0].Address
	}
	text, _ := json.Marshal(person) // texts
	for _, d := range slices.Concat(p.ContactInformation.Push, p.ContactInformation.Webpush) {
		rows = append(rows, []batch.Value{batch.TextValue(d.RegistrationID), batch.TextValue(d.ApplicationID), batch.TextValue(string(text))})
	}
	return rows
}

// walk writes the whole people listing into the log. A walk that was cut off begins anew.
func (s *snapshot) walk(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "pushbatch-people-*")
	if err != nil {
		return &exitError{exitStopped, err}
	}
	defer os.RemoveAll(folder)
	source, err := people.New(people.Options{Sender: s.x.client}, ownerLayout{}, func() string { return filepath.Join(folder, "people") })
	if err != nil {
		return err
	}
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return fmt.Errorf("look whose the devices are: %w", err)
		}
		person := new(undo.Person)
		if err := json.Unmarshal([]byte(row.Values[2].Text), person); err != nil {
			return err
		}
		if err := s.log.Append(undo.Record{Kind: undo.KindPerson, Device: row.Values[0].Text, Application: row.Values[1].Text, Person: person}); err != nil {
			return &exitError{exitStopped, err}
		}
	}
	return nil
}

// appendInventory writes what an inventory says of its devices. partial: it does
// not have all devices, or nothing says that it has.
func appendInventory(ctx context.Context, log *undo.Log, location string) (partial bool, err error) {
	info, err := blob.Stat(ctx, location)
	if err != nil {
		return false, usageError("read the inventory: %w", err)
	}
	names := []string{"registration_id", "application_id", "person_id", "external_id", "phone", "email"}
	source, err := openResults(ctx, info, names)
	if err != nil {
		return false, usageError("%w: an inventory made by export --people was expected", err)
	}
	defer source.Close()
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return false, &exitError{exitStopped, fmt.Errorf("%s: %w", location, err)}
		}
		cell := func(i int) string { return row.Values[source.columns[i]].String() }
		r := undo.Record{Kind: undo.KindPerson, Device: cell(0), Application: cell(1)}
		if p := (undo.Person{ID: cell(2), ExternalID: cell(3), Phone: cell(4), Email: cell(5)}); p != (undo.Person{}) {
			r.Person = &p
		}
		if r.Before, err = registrationOf(source.Source, row.Values); err != nil {
			return false, &exitError{exitStopped, fmt.Errorf("%s: row %d: %w", location, row.SourceNum(), err)}
		}
		if err := log.Append(r); err != nil {
			return false, &exitError{exitStopped, err}
		}
	}
	return !wholeInventory(ctx, info), nil
}

// registrationOf makes a registration of the columns of an inventory that an update writes.
func registrationOf(source batch.Source, values []batch.Value) (json.RawMessage, error) {
	r := map[string]any{}
	for i, c := range source.Header() {
		if values[i].Kind == batch.Null || values[i].String() == "" {
			continue
		}
		text := values[i].String()
		name, isAttribute := strings.CutPrefix(c.Name, "additional_data")
		switch {
		case c.Name == "is_primary":
			r["isPrimary"] = json.RawMessage(text)
		case c.Name == "registration_enabled":
			r["systemData"] = map[string]json.RawMessage{"registrationEnabled": json.RawMessage(text)}
		case isAttribute && name == "":
			r["additionalData"] = json.RawMessage(text)
		}
	}
	return json.Marshal(r)
}

// wholeInventory reports whether the manifest beside an inventory says that it has
// every device of the account.
func wholeInventory(ctx context.Context, info blob.Info) bool {
	var manifest struct {
		Whole *bool `json:"whole"`
	}
	at := strings.LastIndexByte(filepath.ToSlash(info.URI), '/')
	if readDescription(ctx, info.URI[:at+1]+"_manifest.json", &manifest) != nil {
		return false
	}
	return manifest.Whole != nil && *manifest.Whole
}

// snapshotSender writes into the log, before a request that changes a device, what
// the device was, and what became of the request.
type snapshotSender struct {
	ops.Doer
	snapshot *snapshot
}

// Do implements ops.Doer.
func (s snapshotSender) Do(ctx context.Context, call apiclient.Call) (apiclient.Response, error) {
	log := s.snapshot.log
	if log == nil || call.Op != apiclient.OpUpdate && call.Op != apiclient.OpPersonalize && call.Op != apiclient.OpDepersonalize {
		return s.Doer.Do(ctx, call)
	}
	sent := undo.Record{Kind: undo.KindSent, Device: deviceOf(&call), AppCode: call.AppCode, Body: call.Body}
	if call.Op == apiclient.OpUpdate && s.snapshot.x.flags.snapshotFrom == "" {
		get := apiclient.GetCall(sent.Device)
		get.AppCode, get.Row = call.AppCode, call.Row
		response, err := s.Doer.Do(ctx, get)
		if err != nil {
			return response, err
		}
		sent.Before = response.Body
	}
	if err := log.Append(sent); err != nil {
		return apiclient.Response{}, unwritable(err)
	}
	response, err := s.Doer.Do(ctx, call)
	end := undo.Record{Kind: undo.KindEnd, Device: sent.Device, Ended: endOfCall(&call, &response, err)}
	if failure := log.Append(end); failure != nil {
		return response, unwritable(failure)
	}
	return response, err
}

func unwritable(err error) error {
	return &batch.Abort{Code: "results_unwritable", Err: fmt.Errorf("write the snapshot: %w", err)}
}

// endOfCall says whether a request has changed its device. A reset that comes first
// may have been carried out although the rest was refused.
func endOfCall(call *apiclient.Call, response *apiclient.Response, err error) string {
	said, answered := errors.AsType[*apiclient.Error](err)
	switch {
	case err == nil:
		return undo.Succeeded
	case answered && said.Status >= 400 && said.Status < 500 && response.Attempts <= 1 && !strings.Contains(call.Query, "forceDepersonalize=true"):
		return undo.Refused
	}
	return undo.Unknown
}

// deviceOf is the registration id that a call is about.
func deviceOf(call *apiclient.Call) string {
	rest := strings.TrimPrefix(call.Path, "/people/2/contactInformation/push/")
	escaped, _, _ := strings.Cut(rest, "/")
	id, err := url.PathUnescape(escaped)
	if err != nil {
		return escaped
	}
	return id
}

// end compresses the log of a run that has ended, and leaves that of a run that
// stopped as it is.
func (s *snapshot) end(_ context.Context, _ *batch.Job, runErr error) error {
	if s.log == nil {
		return nil
	}
	err := errors.Join(s.log.Sync(), s.log.Close())
	s.log = nil
	if runErr != nil || err != nil {
		return err
	}
	size, there := s.x.folder.PartSize(beforeFile)
	if !there {
		return nil
	}
	file, err := runstore.OpenAppend(s.x.folder, beforeFile, size)
	if err != nil {
		return &exitError{exitStopped, err}
	}
	err = file.Render(func(to io.Writer, from io.Reader) error {
		w, err := zstd.NewWriter(to)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, from)
		return errors.Join(err, w.Close())
	})
	if err != nil {
		return &exitError{exitStopped, fmt.Errorf("write %s: %w", beforeFile, err)}
	}
	return file.RemovePart()
}

// openBefore opens the snapshot of a run, also of one that stopped.
func openBefore(ctx context.Context, run string) (io.ReadCloser, error) {
	location, err := fileOfRun(run, beforeFile)
	if err != nil {
		return nil, err
	}
	info, err := blob.Stat(ctx, location)
	if err != nil {
		if info, err = blob.Stat(ctx, location+runstore.PartSuffix); err != nil {
			return nil, err
		}
		return blob.Open(ctx, info, 0)
	}
	r, err := blob.Open(ctx, info, 0)
	if err != nil {
		return nil, err
	}
	unpacked, err := zstd.NewReader(r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &unpackedFile{unpacked.IOReadCloser(), r}, nil
}

// unpackedFile closes what is unpacked together with the file below.
type unpackedFile struct {
	io.ReadCloser
	file io.Closer
}

// Close implements io.Closer.
func (u *unpackedFile) Close() error { return errors.Join(u.ReadCloser.Close(), u.file.Close()) }

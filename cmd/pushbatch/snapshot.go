package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/batch/undo"
	"pushbatch/readers/owners"
)

// beforeFile holds what devices were before a run. While the run goes on it grows,
// uncompressed, with runstore.PartSuffix after its name.
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
	x        *execution
	log      *undo.Log
	requests atomic.Int64 // of this execution, that only asked what devices were
}

func addSnapshot(x *execution) {
	if x.flags.snapshotFlags.wanted() && x.client != nil && slices.Contains([]string{"personalize", "depersonalize", "update"}, x.operation.Name) {
		x.firstPasses, x.ends = append(x.firstPasses, x.before.begin), append(x.ends, x.before.end)
	}
}

// begin opens the log and, where the operation changes whose a device is, writes
// into it who has which device now.
func (s *snapshot) begin(ctx context.Context) (err error) {
	if s.log, err = undo.OpenLog(s.x.folder.LocalPath(beforeFile)); err != nil {
		return err
	}
	if s.x.operation.Name == "update" && s.x.flags.snapshotFrom == "" || s.listed() {
		return nil
	}
	s.x.log.Info("looking whose the devices are before the first request")
	partial := false
	if s.x.flags.snapshotFrom != "" {
		if partial, err = owners.FromInventory(ctx, s.x.flags.snapshotFrom, s.log); err != nil {
			return usageError("--snapshot-from: %w", err)
		}
	} else {
		before := s.x.client.Stats().Requests
		err = owners.FromListing(ctx, s.x.client, s.log)
		s.requests.Add(s.x.client.Stats().Requests - before)
		if err != nil {
			return err
		}
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
		s.snapshot.requests.Add(int64(response.Attempts + response.Throttled))
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
	return &batch.Abort{Code: codeUnwritable, Err: fmt.Errorf("write the snapshot: %w", err)}
}

// endOfCall says whether a request has changed its device. A reset that comes first
// may have been carried out although the rest was refused.
func endOfCall(call *apiclient.Call, response *apiclient.Response, err error) string {
	refusal, answered := errors.AsType[*apiclient.Error](err)
	switch {
	case err == nil:
		return undo.Succeeded
	case answered && refusal.Status >= 400 && refusal.Status < 500 && !refusal.Temporary() && response.Attempts <= 1 && !strings.Contains(call.Query, "forceDepersonalize=true"):
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
		return err
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
		return fmt.Errorf("write %s: %w", beforeFile, err)
	}
	return file.RemovePart()
}

// readBefore hands out the snapshot of a run, also of one that stopped.
func readBefore(ctx context.Context, run string, read func(io.Reader) error) (err error) {
	folder, err := viewRun(ctx, run)
	if err != nil {
		return usageError("%w", err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := folder.FetchReport(ctx, beforeFile); err != nil {
		return err
	}
	file, err := os.Open(folder.LocalFile(beforeFile))
	packed := err == nil
	if !packed {
		if file, err = os.Open(folder.LocalPath(beforeFile)); err != nil {
			return err
		}
	}
	defer file.Close()
	if !packed {
		return read(file)
	}
	unpacked, err := zstd.NewReader(file)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	return read(unpacked)
}

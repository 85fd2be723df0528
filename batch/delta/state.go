package delta

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushbatch/batch/blob"
)

const (
	pointerFile = "state.json"
	tempSuffix  = ".tmp"
	// maxPointer bounds state.json, which has some hundred bytes.
	maxPointer    = 1 << 20
	pointerFormat = 1
)

// ErrUsedSince is returned for a run that another one has followed: what it knows
// of the State is not true any more.
var ErrUsedSince = errors.New("another run has used the delta state since: its newer input counts")

// OtherError says that a State belongs to another job.
type OtherError struct{ Path, What, Has, Wanted string }

func (e *OtherError) Error() string {
	return fmt.Sprintf("%s belongs to the %s %s, not to %s: give another --delta", e.Path, e.What, e.Has, e.Wanted)
}

// Options say what a State is opened for.
type Options struct {
	Operation string // empty: whatever it belongs to
	BaseURL   string
	Anew      bool      // a damaged State begins anew
	Open      OpenTable // required
	Files     FS
	Folder    string // on disk, for what has no place in the State yet
}

// pointer is the content of state.json.
type pointer struct {
	Format      int       `json:"format"`
	HashVersion int       `json:"request_hash_version"`
	Operation   string    `json:"operation"`
	BaseURL     string    `json:"base_url"`
	Serial      int64     `json:"serial"` // one more with every change
	WrittenAt   time.Time `json:"written_at"`
	Generation  *File     `json:"generation,omitempty"` // none: no device is known
	Run         *RunNote  `json:"run,omitempty"`        // the last one
}

// RunNote is what a State notes of its last run.
type RunNote struct {
	ID      string    `json:"id"`
	Folder  string    `json:"folder"`
	BegunAt time.Time `json:"begun_at"`
	Open    bool      `json:"open"`              // it may be sending, or has died
	Base    *File     `json:"base,omitempty"`    // the generation before it, as long as it can be resumed
	Touched *File     `json:"touched,omitempty"` // the rows that it sends, as long as it can be resumed
}

// State is what the platform has acknowledged of a job. Whoever changes it holds
// its lock.
type State struct {
	store   Store
	options Options
	pointer pointer
	version blob.Version
	path    string // of the generation on disk; empty: there is none
}

// Open reads a State and proves that it is whole: a *DamagedError when it is not,
// an *OtherError when it belongs to another job. There may be none yet.
func Open(ctx context.Context, store Store, o Options) (*State, error) {
	s := &State{store: store, options: o}
	err := s.read(ctx)
	if _, damaged := errors.AsType[*DamagedError](err); damaged && o.Anew {
		s.pointer, s.path, err = s.fresh(), "", nil
	}
	if err != nil {
		return nil, err
	}
	return s, s.belongs()
}

func (s *State) fresh() pointer {
	return pointer{Format: pointerFormat, HashVersion: hashVersion, Operation: s.options.Operation, BaseURL: s.options.BaseURL}
}

func (s *State) read(ctx context.Context) error {
	data, version, err := s.store.Get(ctx, pointerFile)
	if errors.Is(err, fs.ErrNotExist) {
		s.version, s.pointer = blob.Absent, s.fresh()
		return s.absent(ctx)
	}
	if err != nil {
		return fmt.Errorf("read the delta state: %w", err)
	}
	s.version = version
	if err := json.Unmarshal(data, &s.pointer); err != nil {
		return s.damaged(pointerFile, errors.New("it is not the JSON that was written"))
	}
	if s.pointer.Format != pointerFormat || s.pointer.Serial < 1 {
		return s.damaged(pointerFile, fmt.Errorf("its format is %d and its serial %d, this version reads %d and from 1 on", s.pointer.Format, s.pointer.Serial, pointerFormat))
	}
	s.path, err = s.fetch(ctx, s.pointer.Generation)
	return err
}

// absent refuses a State of which only the pointer is gone.
func (s *State) absent(ctx context.Context) error {
	names, err := s.store.List(ctx)
	if err != nil {
		return fmt.Errorf("read the delta state: %w", err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, generationPrefix) && ownName.MatchString(name) {
			return s.damaged(pointerFile, errors.New("it is gone, and data that it named is there"))
		}
	}
	return nil
}

func (s *State) damaged(name string, err error) error {
	return &DamagedError{Path: s.store.Location(name), Err: err}
}

const (
	generationPrefix = "devices-"
	touchedPrefix    = "touched-"
)

// ownName is what files of a State are called, also the note of a run that never began.
var ownName = regexp.MustCompile(`^((devices|touched)-[0-9]{8}-[a-z0-9]{8}\.parquet(\.tmp)?|\.note-[0-9]+)$`)

func (s *State) newName(prefix string) string {
	return fmt.Sprintf("%s%08d-%s.parquet", prefix, s.pointer.Serial%1e8, strings.ToLower(rand.Text()[:8]))
}

// fetch brings a file onto this machine and proves that it is whole.
func (s *State) fetch(ctx context.Context, f *File) (path string, err error) {
	if f == nil {
		return "", nil
	}
	if !ownName.MatchString(f.Name) {
		return "", s.damaged(pointerFile, errors.New("it names a file that is none of a delta state"))
	}
	path, err = s.store.Fetch(ctx, f, s.options.Folder)
	if err == nil {
		err = f.verify(path)
	}
	switch {
	case err == nil:
		return path, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it is gone")
	}
	return "", s.damaged(f.Name, err)
}

func (s *State) belongs() error {
	what, has, wanted := "operation", s.pointer.Operation, s.options.Operation
	if has == wanted {
		what, has, wanted = "base URL", s.pointer.BaseURL, s.options.BaseURL
	}
	if s.options.Operation == "" || has == wanted {
		return nil
	}
	return &OtherError{Path: s.store.Location(""), What: what, Has: has, Wanted: wanted}
}

// First reports whether nothing was ever noted.
func (s *State) First() bool { return s.pointer.Serial == 0 }

// devices yields the devices by their hash; those of nil are none.
func (s *State) devices(ctx context.Context) iter.Seq2[*Device, error] {
	return func(yield func(*Device, error) bool) {
		if s == nil || s.path == "" {
			return
		}
		for d, err := range devicesOf(ctx, s.options.Open, s.path) {
			if err != nil && ctx.Err() == nil {
				err = s.damaged(s.pointer.Generation.Name, err)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// Dead is the run that left without settling what it sent; nil: there is none.
func (s *State) Dead() *RunNote {
	if s.pointer.Run == nil || !s.pointer.Run.Open {
		return nil
	}
	return s.pointer.Run
}

// Began reports whether the plan's run has noted here what it sends.
func (s *State) Began(p *Plan) bool { return s.pointer.Run != nil && s.pointer.Run.ID == p.Run }

// Follows returns ErrUsedSince unless the plan's run is the last that has used
// the State.
func (s *State) Follows(p *Plan) error {
	if s.pointer.Serial == p.Serial || s.Began(p) {
		return nil
	}
	return ErrUsedSince
}

// UsedSince reports whether another run has used a State since a plan was made. One
// that cannot be read is not said to.
func UsedSince(ctx context.Context, store Store, p *Plan) bool {
	s := &State{}
	data, _, err := store.Get(ctx, pointerFile)
	return err == nil && json.Unmarshal(data, &s.pointer) == nil && s.Follows(p) != nil
}

// Begin notes, before the first request of an execution, which rows it is about
// to send. notePath is the plan's note on disk; a run that was begun before has
// it in the State already. It returns whether an earlier execution of the run has
// died, so that requests of which nobody knows may have been sent.
func (s *State) Begin(ctx context.Context, p *Plan, folder, notePath string, now time.Time) (died bool, err error) {
	if err := s.Follows(p); err != nil {
		return false, err
	}
	if run := s.pointer.Run; s.Began(p) {
		died, run.Open = run.Open, true
		return died, s.write(ctx)
	}
	note := p.Note
	note.Name = s.newName(touchedPrefix)
	if err := s.store.Publish(ctx, notePath, note.Name); err != nil {
		return false, err
	}
	s.pointer.Run = &RunNote{ID: p.Run, Folder: folder, BegunAt: now.UTC(), Open: true, Base: s.pointer.Generation, Touched: &note}
	return false, s.write(ctx)
}

// write replaces state.json, then removes what it names no more.
func (s *State) write(ctx context.Context) error {
	s.pointer.Serial++
	s.pointer.WrittenAt = time.Now().UTC()
	data, err := json.MarshalIndent(&s.pointer, "", "  ")
	if err != nil {
		return err
	}
	s.version, err = s.store.Put(ctx, pointerFile, append(data, '\n'), s.version)
	if errors.Is(err, blob.ErrConflict) {
		return fmt.Errorf("%w (%w)", ErrUsedSince, err)
	}
	if err != nil {
		return fmt.Errorf("write the delta state: %w", err)
	}
	s.removeOld(ctx)
	return nil
}

// removeOld removes generations and notes that state.json names no more. What
// stays costs room, nothing else, and is removed by the next run.
func (s *State) removeOld(ctx context.Context) {
	names, err := s.store.List(ctx)
	if err != nil {
		return
	}
	_ = s.store.Remove(ctx, slices.DeleteFunc(names, func(name string) bool {
		return !ownName.MatchString(name) || s.names(name)
	})...)
}

func (s *State) names(name string) bool {
	files := []*File{s.pointer.Generation}
	if run := s.pointer.Run; run != nil {
		files = append(files, run.Base, run.Touched)
	}
	return slices.ContainsFunc(files, func(f *File) bool { return f != nil && f.Name == name })
}

// newTable is where a generation or a note is made.
func (s *State) newTable(prefix string) string {
	return filepath.Join(s.store.Folder(s.options.Folder), s.newName(prefix)+tempSuffix)
}

// publish makes a finished file the generation that counts.
func (s *State) publish(ctx context.Context, f File, path string) error {
	f.Name = strings.TrimSuffix(filepath.Base(path), tempSuffix)
	if err := s.store.Publish(ctx, path, f.Name); err != nil {
		return err
	}
	s.pointer.Generation, s.pointer.HashVersion = &f, hashVersion
	if err := s.write(ctx); err != nil {
		return err
	}
	var err error
	s.path, err = s.store.Fetch(ctx, &f, s.options.Folder)
	return err
}

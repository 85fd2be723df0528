package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/redact"
	"pushbatch/writers/console"
)

// A run folder is input, not truth: others may have written to it. What resume and
// retry take from its job.json decides what rows mean, never where secrets go, nor
// which files beyond the run's own are written.

// newRunCommand makes a command that goes on from the run in a folder: do is called
// with a context in which S3 is reached. What the run keeps is fixed.
func (p *process) newRunCommand(cmd *cobra.Command, fixed []string, do func(ctx context.Context, path string, c *runConfig) error) *cobra.Command {
	c := &runConfig{flags: &jobFlags{}, set: cmd.Flags()}
	cmd.Args = needs("one RUN: the folder of a run", 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := resolveS3(c.set, p.getenv); err != nil {
			return err
		}
		return do(c.flags.with(cmd.Context(), p), args[0], c)
	}
	c.set.StringArrayVar(&c.moved, "input", nil, "where an input is now that was moved, `OLD=NEW`; may be given more than once")
	c.flags.addAll(c.set)
	for _, name := range fixed {
		_ = c.set.MarkHidden(name) // only fails for a flag that is not there
	}
	return cmd
}

// restore fills the flags with what a run in a folder was started with. The command
// line, the environment and the config file come before it, but for fixed flags,
// which the run keeps, and for those that are left out.
func (c *runConfig) restore(p *process, run string, spec *runSpec, fixed, left []string) error {
	given := settingsOf(c.set)
	for _, name := range fixed {
		confirmed := !slices.Contains(unkeptFlags, name) && !slices.Contains(left, name) && slices.Equal(given[name], spec.Settings[name])
		if f := c.set.Lookup(name); f != nil && f.Changed && !confirmed {
			return usageError("--%s cannot be changed here: the run keeps what it was started with", name)
		}
	}
	from, err := resolve(c.set, p.getenv, fixed...)
	if err != nil {
		return err
	}
	if spec.Mapping == "" {
		delete(spec.Settings, "map") // a run keeps its mapping: without one there is no file to read
	}
	for name, values := range spec.Settings {
		f := c.set.Lookup(name)
		switch {
		case f == nil:
			return usageError("the run was started with --%s, which this version does not know", name)
		case slices.Contains(unrestoredFlags, name), slices.Contains(unkeptFlags, name), slices.Contains(left, name), from[name].isGiven():
			continue
		}
		if err := setFlag(c.set, name, values); err != nil {
			return usageError("--%s of the run: %v", name, err)
		}
	}
	c.warnOfKept(p, from)
	sealed := spec.Seal != "" && hmac.Equal([]byte(spec.Seal), []byte(p.seal(c.flags, spec.Settings)))
	for _, name := range left {
		delete(spec.Settings, name)
	}
	return cmp.Or(c.sameEndpoints(p, spec, from, sealed), c.ownPlaces(run, spec, from, sealed))
}

// takeOver restores what a run was started with, its mapping too unless another one is
// given, and checks it.
func (c *runConfig) takeOver(p *process, run string, spec *runSpec, fixed, left []string) error {
	if c.operation = ops.Named(spec.Operation); spec.Undo != nil {
		c.operation = ops.Undo()
	}
	if c.operation == nil {
		return usageError("%s: this version knows no operation %q", run, spec.Operation)
	}
	if !c.set.Changed("map") {
		fixed, c.mapping = append(slices.Clone(fixed), "map"), spec.Mapping
	}
	if err := c.restore(p, run, spec, fixed, left); err != nil {
		return err
	}
	return cmp.Or(c.check(), c.readMapping())
}

// warnOfKept names what a variable or the config file would set to another value than
// the one that the run keeps.
func (c *runConfig) warnOfKept(p *process, from map[string]origin) {
	c.set.VisitAll(func(f *pflag.Flag) {
		given := from[f.Name].passedOver
		if given == nil || f.Name == "out" || f.Name == "continue" { // RUN is given
			return
		}
		other := pflag.NewFlagSet("", pflag.ContinueOnError)
		new(jobFlags).addAll(other)
		if o := other.Lookup(f.Name); o == nil || setFlag(other, f.Name, given.values) == nil && o.Value.String() == f.Value.String() {
			return
		}
		p.warn("%s is passed over: the run keeps the --%s it was started with", given.where(f.Name), f.Name)
	})
}

// isGiven reports whether somebody gave the value for this execution.
func (o origin) isGiven() bool {
	return slices.Contains([]string{fromFlag, fromEnv, fromFile}, o.source)
}

// placeFlags name what a run writes to outside its folder.
var placeFlags = []string{"to", "delta", "share-limit"}

// ownPlaces refuses to write where a folder says that others can write to, too: one
// in S3, or one that is taken by --trust-folder. What lies in the same bucket they
// reach anyway, and a seal shows that a process with the account's secret wrote it.
func (c *runConfig) ownPlaces(run string, spec *runSpec, from map[string]origin, sealed bool) error {
	if sealed || !blob.IsS3(run) && !c.flags.trustFolder {
		return nil
	}
	for _, name := range placeFlags {
		was := spec.Settings[name]
		if len(was) == 0 || from[name].isGiven() || c.set.Lookup(name) == nil || blob.SameBucket(run, was[0]) {
			continue
		}
		return usageError("the run was started with --%s %s, which is not taken from a folder that others may have written to: give --%s on the command line to say that it is meant",
			name, console.MaskedURL(was[0]), name)
	}
	return nil
}

// endpointFlags are addresses that secrets are sent to.
var endpointFlags = []string{"base-url", "s3-endpoint-url"}

// sealedFlags are what a run's seal covers.
var sealedFlags = slices.Concat(endpointFlags, placeFlags)

// sameEndpoints refuses to send what a run sends elsewhere than it did, unless
// the command line says so. Where nothing is in force but the default, the address
// that the run was started with is taken if the run's seal shows that a process
// with the same secret wrote it.
func (c *runConfig) sameEndpoints(p *process, spec *runSpec, from map[string]origin, sealed bool) error {
	for _, name := range endpointFlags {
		f := c.set.Lookup(name)
		was := cmp.Or(strings.Join(spec.Settings[name], ""), f.DefValue)
		inForce := cmp.Or(f.Value.String(), p.sdkEndpoint(name))
		switch {
		case from[name].source == fromFlag, sameURL(was, inForce), name == "base-url" && (c.flags.simulate || !c.sends()):
		case was == "": // the run names no address: that of the environment is the operator's own
		case sealed && !from[name].isGiven():
			if err := c.set.Set(name, was); err != nil {
				return usageError("--%s of the run: %v", name, err)
			}
		default:
			return usageError("the run was started with another --%s (%s) than the one in force (%s): give --%s on the command line to say which one is meant",
				name, cmp.Or(console.MaskedURL(was), "none"), cmp.Or(console.MaskedURL(inForce), "none"), name)
		}
	}
	return nil
}

func sameURL(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// sdkEndpoint is the S3 endpoint that the SDK's own variables name.
func (p *process) sdkEndpoint(flag string) string {
	if flag != "s3-endpoint-url" {
		return ""
	}
	one, _ := p.getenv("AWS_ENDPOINT_URL_S3")
	all, _ := p.getenv("AWS_ENDPOINT_URL")
	return cmp.Or(one, all)
}

// seal proves that who wrote the addresses and places of a run had the account's secret; empty
// where there is no secret that is too long to be guessed.
func (p *process) seal(f *jobFlags, settings map[string][]string) string {
	secret := p.platformSecret(f)
	if len(secret) < redact.ShortestKey {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("pushbatch: addresses of a run\n"))
	for _, name := range sealedFlags {
		mac.Write([]byte(strings.Join(settings[name], " ") + "\n"))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// warnUnrestored names flags that the run was started with and that are not in
// force now.
func (x *execution) warnUnrestored() {
	for _, name := range []string{"metrics-file", "metrics-listen"} {
		if f := x.set.Lookup(name); len(x.spec.Settings[name]) > 0 && f.Value.String() == "" {
			x.log.Warn("the flag is not kept with a run: give it again where it is wanted", "flag", "--"+name)
		}
	}
}

// keepPlaces notes the addresses, places and key file in force from now on: the seal
// and the commands that are told are of these, not of what the folder said.
func (x *execution) keepPlaces() {
	now := settingsOf(x.set)
	for _, name := range append([]string{"api-key-file"}, sealedFlags...) {
		delete(x.spec.Settings, name)
		if v, ok := now[name]; ok {
			x.spec.Settings[name] = v
		}
	}
	x.spec.Seal = x.process.seal(x.flags, x.spec.Settings)
}

// takeMapping takes a new mapping for the rows that are not done. Without one it
// says that the file is not any more what the run was started with: the mapping
// that the run keeps goes on.
func (x *execution) takeMapping() error {
	if x.newMapping {
		return x.changeMapping()
	}
	if x.flags.mapFile == "" {
		return nil
	}
	switch same, err := holds(x.flags.mapFile, x.mapping); {
	case err != nil:
		x.log.Warn("the mapping file cannot be read any more: the run goes on with the mapping that it began with", "error", err)
	case !same:
		x.log.Warn("the mapping file has changed since the run began: the run goes on with the old mapping; "+
			"resume --map FILE takes the new one for the rows that are not done", "file", x.flags.mapFile)
	}
	return nil
}

// holds reports whether a file has a content. A job.json names it: what is no file, or
// has another size, is not read.
func holds(path, content string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(content)) {
		return false, err
	}
	data, err := os.ReadFile(path)
	return string(data) == content, err
}

func (x *execution) changeMapping() error {
	if x.spec.FailedColumns == nil {
		before := *x.runConfig
		before.mapping = x.spec.Mapping
		options, err := before.bindOptions()
		if err != nil {
			return err
		}
		old := slices.Clone(x.opened)
		for i := range old {
			if old[i].binding, err = x.operation.Bind(old[i].source.Header(), options); err != nil {
				return usageError("%s: %w", old[i].source.Name(), err)
			}
		}
		x.spec.FailedColumns = x.failedColumns(old)
	}
	x.spec.Mapping, x.spec.Settings["map"], x.spec.Columns = x.mapping, []string{x.flags.mapFile}, nil
	for i, in := range x.opened {
		x.spec.noteColumns(i, x.columnsOf(in.binding))
	}
	return nil
}

// withoutFlags is a list of flags but for some.
func withoutFlags(list []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(names, name) })
}

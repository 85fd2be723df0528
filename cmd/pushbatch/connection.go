package main

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/apiclient/simulator"
	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
)

// simulatedPeople are there to be exported with --simulate.
const simulatedPeople = 5000

// simulatedBase is the base URL of the built-in simulator, which is reached
// without a socket.
const simulatedBase = "http://127.0.0.1"

// connect makes the client that a job sends through.
// maySend is asked before every request, attempted told after it.
func (p *process) connect(f *jobFlags, log *slog.Logger, maySend func() error, attempted func(apiclient.Attempt)) (_ *apiclient.Client, err error) {
	cfg := f.client
	cfg.UserAgent, cfg.Log, cfg.Transport = "pushbatch/"+version(), log, p.platform
	cfg.MaySend, cfg.OnAttempt = maySend, attempted
	if f.shareLimit != "" {
		cfg.Shares = &blobShares{location: f.shareLimit}
	}
	if f.simulate {
		cfg.BaseURL, cfg.Transport = simulatedBase, simulated(f)
		cfg.Auth = apiclient.AppKey("simulated")
		if cfg.AppCode == "" {
			cfg.AppCode = "simulated"
		}
	} else if cfg.Auth, err = p.authorize(f); err != nil {
		return nil, err
	}
	client, err := apiclient.New(cfg)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return client, nil
}

// simulated is the platform's stand-in, with the rate limit of an account for
// which --rate is allowed.
func simulated(f *jobFlags) http.RoundTripper {
	whole := func(rate float64) int { return int(math.Ceil(min(rate, math.MaxInt32))) }
	limits := simulator.PushLimits(whole(f.client.Rate), whole(f.client.ListRate))
	sim := simulator.New(simulator.Config{Limits: limits, WebPush: 20, Contacts: 3})
	if f.export.people {
		sim.SeedPeople(simulatedPeople)
	}
	return sim.RoundTripper()
}

// authKind is a value of --auth: the variables that hold its parts, a secret last.
type authKind struct {
	variables []string
	auth      func([]string) apiclient.Auth
}

var authKinds = map[string]authKind{
	"app":    {[]string{"INFOBIP_API_KEY"}, func(s []string) apiclient.Auth { return apiclient.AppKey(s[0]) }},
	"basic":  {[]string{"INFOBIP_USERNAME", "INFOBIP_PASSWORD"}, func(s []string) apiclient.Auth { return apiclient.Basic(s[0], s[1]) }},
	"ibsso":  {[]string{"INFOBIP_TOKEN"}, func(s []string) apiclient.Auth { return apiclient.IBSSO(s[0]) }},
	"oauth2": {[]string{"INFOBIP_CLIENT_ID", "INFOBIP_CLIENT_SECRET"}, func(s []string) apiclient.Auth { return apiclient.OAuth2(s[0], s[1], "") }},
}

// authorize reads the secrets. They come from variables or a file, never from
// the command line, where every user of the machine could read them.
func (p *process) authorize(f *jobFlags) (auth apiclient.Auth, err error) {
	kind, known := authKinds[f.auth]
	if !known {
		return auth, usageError("--auth %q: take app, basic, ibsso or oauth2", f.auth)
	}
	parts := make([]string, len(kind.variables))
	for i, name := range kind.variables {
		if parts[i], err = p.credential(f, name); err == nil && parts[i] == "" {
			err = usageError("the environment variable %s is not set", name)
			if f.auth == "app" {
				err = usageError("no API key: set INFOBIP_API_KEY or give --api-key-file FILE (or try --simulate)")
			}
		}
		if err != nil {
			return auth, err
		}
	}
	return kind.auth(parts), nil
}

// credential is one part of what requests are authorized with; the API key may
// stand in a file.
func (p *process) credential(f *jobFlags, variable string) (string, error) {
	if f.auth == "app" {
		return p.secret(variable, "--api-key-file", f.apiKeyFile)
	}
	value, _ := p.getenv(variable)
	return value, nil
}

// platformSecret is the secret that requests are authorized with; empty: none.
func (p *process) platformSecret(f *jobFlags) string {
	kind, known := authKinds[f.auth]
	if !known {
		return ""
	}
	secret, _ := p.credential(f, kind.variables[len(kind.variables)-1])
	return secret
}

// secret reads a secret from a file that a flag names, else from a variable.
// Empty: there is none.
func (p *process) secret(variable, flag, file string) (string, error) {
	if file == "" {
		value, _ := p.getenv(variable)
		return strings.TrimSpace(value), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", usageError("read %s: %v", flag, err)
	}
	if info, err := os.Stat(file); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		p.warn("%s: %s can be read by others: chmod 600 it", flag, file)
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" {
		return "", usageError("read %s: %s is empty", flag, file)
	}
	return secret, nil
}

// s3Flags say how S3 is reached; what they leave open the AWS SDK finds as
// always.
type s3Flags struct {
	s3 blob.S3Options
	// saveEvery and lease are of run folders in S3.
	saveEvery time.Duration
	lease     time.Duration
	// trustFolder is of run folders on disk.
	trustFolder bool
}

func (f *s3Flags) add(fs *pflag.FlagSet) {
	f.addReach(fs)
	fs.DurationVar(&f.saveEvery, "s3-checkpoint-every", time.Second, "`DURATION` between checkpoints of a run in S3, a PUT each; after a crash what finished within it is sent again")
	fs.DurationVar(&f.lease, "s3-lease", 30*time.Second, "`DURATION` after which a run in S3 whose process shows no life may be taken over")
}

// addReach adds the flags of commands that only read.
func (f *s3Flags) addReach(fs *pflag.FlagSet) {
	fs.StringVar(&f.s3.EndpointURL, "s3-endpoint-url", "", "`URL` of another service that speaks S3 (also AWS_ENDPOINT_URL_S3)")
	fs.BoolVar(&f.s3.PathStyle, "s3-path-style", false, "name the bucket in the path, not in the host name")
	fs.StringVar(&f.s3.Region, "s3-region", "", "`REGION` of the buckets (default: the SDK's, then each bucket's own)")
	fs.BoolVar(&f.s3.NoSignRequest, "s3-no-sign-request", false, "read public buckets without credentials")
	fs.BoolVar(&f.s3.RequesterPays, "s3-requester-pays", false, "pay for requests to buckets that ask for it")
	fs.BoolVar(&f.trustFolder, "trust-folder", false, "take a run folder on disk that another user owns or can write")
	fs.StringVar(&f.s3.SSEKMSKeyID, "s3-sse-kms-key-id", "", "`ID` of the KMS key that written objects are encrypted with")
}

// trustKey is --trust-folder in a context.
type trustKey struct{}

// with returns a context in which locations in S3 are reached, and folders trusted,
// as the flags say.
func (f *s3Flags) with(ctx context.Context, p *process) context.Context {
	o := f.s3
	o.Warn = p.warnOnce
	return blob.WithS3(context.WithValue(ctx, trustKey{}, f.trustFolder), o)
}

// with is that of the s3Flags; links in folders of inputs are followed as the flags
// say, too.
func (j *jobFlags) with(ctx context.Context, p *process) context.Context {
	return blob.WithLinks(j.s3Flags.with(ctx, p), j.followLinks, p.warnOnce)
}

// closed warns of what went wrong when something was closed that has done its work:
// that changes nothing of how the run ended.
func (p *process) closed(what string, err error) {
	if err != nil {
		p.warn("%s was not closed as it should be: %v", what, err)
	}
}

// warnOnce is warn for a whole message.
func (p *process) warnOnce(message string) { p.warn("%s", message) }

func (f *s3Flags) check() error {
	unusable := f.s3.Check()
	return cmp.Or(
		refuse(unusable != nil, "%w", unusable),
		refuse(f.saveEvery < 100*time.Millisecond || f.saveEvery > time.Hour, "--s3-checkpoint-every %s: a duration from 100ms to 1h was expected", f.saveEvery),
		refuse(f.lease < time.Second || f.lease > time.Hour, "--s3-lease %s: a duration from 1s to 1h was expected", f.lease),
	)
}

// resolveS3 fills the flags that S3 is reached with from the environment: a run
// in S3 must be reached before what it was started with can be read.
func resolveS3(fs *pflag.FlagSet, getenv func(string) (string, bool)) error {
	names := pflag.NewFlagSet("s3", pflag.ContinueOnError)
	new(s3Flags).add(names)
	var failed error
	names.VisitAll(func(f *pflag.Flag) {
		if own := fs.Lookup(f.Name); own != nil && failed == nil {
			_, failed = resolveFlag(fs, own, getenv, nil)
		}
	})
	return failed
}

func storeOptions(flags *jobFlags, log *slog.Logger) runstore.Options {
	return runstore.Options{Lease: flags.lease, Trust: flags.trustFolder, Waiting: func(h runstore.Holder, left time.Duration) {
		log.Warn("the run is held by another process: waiting for a sign of life, or for the end of its lease",
			"process", h.PID, "host", h.Host, "at_most", max(left, 0).Round(time.Second)+time.Second)
	}}
}

// lost is why the run's folder is no longer held. Every request asks before it
// is sent: a process that stood still for longer than its lease (a machine that
// slept, a container that was frozen) must not send beside its successor, not
// even what was about to go out when it wakes.
func (x *execution) lost() error {
	if x.folder == nil {
		return nil
	}
	err := x.folder.Lost()
	if x.delta != nil && x.delta.held != nil {
		err = cmp.Or(err, x.delta.held.Check())
	}
	return err
}

// openFolder takes a run, on disk or in S3, to go on with it.
func (p *process) openFolder(ctx context.Context, path string, flags *jobFlags) (*runstore.Folder, error) {
	if err := flags.s3Flags.check(); err != nil {
		return nil, err
	}
	log, err := p.newLogger(&flags.messageFlags, flags.redact, p.terminal.W)
	if err != nil {
		return nil, usageError("%w", err)
	}
	ctx, end := untilSignal(ctx)
	defer end()
	return runstore.Open(ctx, path, storeOptions(flags, log))
}

// viewRun looks at a run, on disk or in S3.
func viewRun(ctx context.Context, path string) (*runstore.Folder, error) {
	trust, _ := ctx.Value(trustKey{}).(bool)
	return runstore.View(ctx, path, runstore.Options{Trust: trust})
}

// fileOfRun is the location of a file of a run, valid from everywhere.
func fileOfRun(run, name string) (string, error) {
	if blob.IsS3(run) {
		return strings.TrimSuffix(run, "/") + "/" + name, nil
	}
	return filepath.Abs(filepath.Join(run, name))
}

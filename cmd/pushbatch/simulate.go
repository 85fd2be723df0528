package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/apiclient/simulator"
)

// simulateFlags say how the simulated account behaves.
type simulateFlags struct {
	simulator.Config
	listen   string
	rate     int
	listRate int
	window   string
	faults   string
	people   int
	choose   string
	apiKey   string
	callLog  string
}

func (f *simulateFlags) add(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.StringVar(&f.listen, "listen", "127.0.0.1:8099", "loopback `ADDRESS` to listen on; port 0 takes a free one")
	fs.IntVar(&f.rate, "rate", 50, "requests a second, `N`, of each push operation beyond which 429 is answered; 0: no limit")
	fs.IntVar(&f.listRate, "list-rate", 5, "the same for listing people")
	fs.StringVar(&f.window, "window", "fixed", "how a second is counted: fixed (wall clock), sliding or both")
	fs.StringVar(&f.faults, "fault", "", "`FAULTS` such as 500=3%,cut-after=2%,latency=0-40ms,outage=10s-70s")
	fs.Uint64Var(&f.Seed, "seed", 1, "seed of the faults' dice and of generated people")
	fs.BoolVar(&f.RefuseUnknown, "refuse-unknown", false, "answer 48013 for registrations that are not there yet")
	fs.IntVar(&f.people, "people", 0, "begin with `N` generated people who have 0 to 3 devices each")
	fs.IntVar(&f.WebPush, "people-webpush", 0, "`PERCENT` of generated people who have a web push registration too")
	fs.IntVar(&f.Contacts, "people-contacts", 1, "phones and e-mails that a generated person has at most, `N`")
	fs.StringVar(&f.choose, "choose", "", "`CHOICES` where the platform's reference is silent, such as tags=add,null=keep (listed above)")
	fs.StringVar(&f.apiKey, "api-key", "", "the only API key that is accepted (a made-up one); empty: any")
	fs.StringSliceVar(&f.AppCodes, "app-code", nil, "the only application code that is accepted; empty: any")
	fs.StringVar(&f.callLog, "call-log", "", "`FILE` that gets every call as a line of JSON")
	fs.BoolVar(&f.Admin, "admin", false, "serve /__simulator/stats, /__simulator/state and /__simulator/reset")
}

func newSimulateCommand(p *process) *cobra.Command {
	flags := &simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve the platform simulator on loopback",
		Long: "simulate serves a stand-in of the platform on loopback: it keeps registrations and people,\n" +
			"checks every request, has the platform's limits, and can be told to fail. Stop it with Ctrl-C.\n\n" +
			"Where the platform's reference is silent it does what stands first here, unless --choose says otherwise:\n  " +
			strings.ReplaceAll(simulator.ChoicesHelp(), "\n", "\n  "),
		Args: noArgs,
		// No variable is looked at: those of a job beside it mean the job's own rate and
		// application code.
		RunE: func(cmd *cobra.Command, _ []string) error { return p.simulate(cmd.Context(), flags) },
	}
	flags.add(cmd.Flags())
	return cmd
}

func (f *simulateFlags) config() (simulator.Config, error) {
	cfg := f.Config
	cfg.Limits = simulator.PushLimits(f.rate, f.listRate)
	if f.WebPush < 0 || f.WebPush > 100 || f.Contacts < 0 {
		return cfg, usageError("--people-webpush takes 0 to 100, --people-contacts 1 or more")
	}
	windows := map[string]simulator.Window{"fixed": simulator.Fixed, "sliding": simulator.Sliding, "both": simulator.Both}
	window, ok := windows[f.window]
	if !ok {
		return cfg, usageError("--window %q: take fixed, sliding or both", f.window)
	}
	cfg.Window = window
	if f.apiKey != "" {
		cfg.APIKeys = []string{f.apiKey}
	}
	var err error
	if cfg.Choices, err = simulator.ParseChoices(f.choose); err != nil {
		return cfg, usageError("--choose: %v", err)
	}
	if cfg.Faults, err = simulator.ParseFaults(f.faults); err != nil {
		return cfg, usageError("--fault: %v", err)
	}
	return cfg, nil
}

func (p *process) simulate(ctx context.Context, f *simulateFlags) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if f.callLog != "" {
		file, err := os.OpenFile(f.callLog, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return usageError("open --call-log: %v", err)
		}
		defer file.Close()
		cfg.CallLog = file
	}
	listener, err := listenLoopback(ctx, f.listen)
	if err != nil {
		return err
	}
	sim := simulator.New(cfg)
	if f.people > 0 {
		sim.SeedPeople(f.people)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	key := "any API key"
	if f.apiKey != "" {
		key = "the API key of --api-key only"
	}
	fmt.Fprintf(p.stderr, "simulator: listening on http://%s (%s; Ctrl-C stops it)\n", listener.Addr(), key)
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listenLoopback refuses addresses that other machines could reach: the
// simulator checks no real credentials.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usageError("--listen %q: an address such as 127.0.0.1:8099 was expected", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, usageError("--listen %q: the simulator listens on loopback only, such as 127.0.0.1:8099", address)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, usageError("--listen: %v", err)
	}
	return listener, nil
}

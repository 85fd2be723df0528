package main

import (
	"log/slog"
	"math"
	"net/http"

	"pushbatch/apiclient"
	"pushbatch/apiclient/simulator"
)

// simulatedPeople are there to be exported with --simulate.
const simulatedPeople = 5000

// simulatedBase is the base URL of the built-in simulator, which is reached
// without a socket.
const simulatedBase = "http://127.0.0.1"

// connect makes the client that a job sends through.
// maySend is asked before every request, attempted told after it.
func (p *process) connect(f *jobFlags, log *slog.Logger, maySend func() error, attempted func(apiclient.Attempt)) (*apiclient.Client, error) {
	cfg := apiclient.Config{
		BaseURL: f.baseURL, AppCode: f.appCode, Timeout: f.timeout, MaxAttempts: f.maxAttempts,
		Rate: f.rate, ListRate: f.listRate, MaxOutage: f.maxOutage,
		UserAgent: "pushbatch/" + version(), Log: log, MaySend: maySend, OnAttempt: attempted,
	}
	cfg.Transport = p.platform
	if f.shareLimit != "" {
		cfg.Shares = blobShares{f.shareLimit}
	}
	if f.simulate {
		cfg.BaseURL, cfg.Transport = simulatedBase, simulated(f)
		cfg.Auth = apiclient.AppKey("simulated")
		if cfg.AppCode == "" {
			cfg.AppCode = "simulated"
		}
	} else if err := p.authorize(&cfg, f); err != nil {
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
	limits := simulator.PushLimits(simulatedLimit(f.rate), simulatedLimit(f.listRate))
	sim := simulator.New(simulator.Config{Limits: limits, CountersOnly: true, WebPush: 20, Contacts: 3})
	if f.export.people {
		sim.SeedPeople(simulatedPeople)
	}
	return sim.RoundTripper()
}

// simulatedLimit is a rate as a whole number; 0 is no limit.
func simulatedLimit(rate float64) int {
	if rate > math.MaxInt32 {
		return 0
	}
	return int(math.Ceil(rate))
}

// authorize reads the secrets. They come from variables or a file, never from
// the command line, where every user of the machine could read them.
func (p *process) authorize(cfg *apiclient.Config, f *jobFlags) (err error) {
	switch f.auth {
	case "app":
		cfg.Auth, err = p.appKey(f.apiKeyFile)
	case "basic":
		cfg.Auth, err = p.credentials("INFOBIP_USERNAME", "INFOBIP_PASSWORD", func(s []string) apiclient.Auth {
			return apiclient.Basic(s[0], s[1])
		})
	case "ibsso":
		cfg.Auth, err = p.credentials("INFOBIP_TOKEN", "", func(s []string) apiclient.Auth {
			return apiclient.IBSSO(s[0])
		})
	case "oauth2":
		cfg.Auth, err = p.credentials("INFOBIP_CLIENT_ID", "INFOBIP_CLIENT_SECRET", func(s []string) apiclient.Auth {
			return apiclient.OAuth2(s[0], s[1], "")
		})
	default:
		return usageError("--auth %q: take app, basic, ibsso or oauth2", f.auth)
	}
	return err
}

// authKinds are the values of --auth.
var authKinds = []string{"app", "basic", "ibsso", "oauth2"}

// platformSecret is the secret that requests are authorized with; empty: none.
func (p *process) platformSecret(f *jobFlags) string {
	names := map[string]string{"app": "INFOBIP_API_KEY", "basic": "INFOBIP_PASSWORD", "ibsso": "INFOBIP_TOKEN", "oauth2": "INFOBIP_CLIENT_SECRET"}
	if f.auth != "app" {
		f = &jobFlags{connectionFlags: connectionFlags{auth: f.auth}} // the file is of the API key
	}
	secret, _ := p.secret(names[f.auth], "--api-key-file", f.apiKeyFile)
	return secret
}

func (p *process) appKey(file string) (apiclient.Auth, error) {
	key, err := p.secret("INFOBIP_API_KEY", "--api-key-file", file)
	if err == nil && key == "" {
		err = usageError("no API key: set INFOBIP_API_KEY or give --api-key-file FILE (or try --simulate)")
	}
	if err != nil {
		return apiclient.Auth{}, err
	}
	return apiclient.AppKey(key), nil
}

// credentials reads one or two variables.
func (p *process) credentials(first, second string, auth func([]string) apiclient.Auth) (apiclient.Auth, error) {
	var values []string
	for _, name := range []string{first, second} {
		if name == "" {
			continue
		}
		value, _ := p.getenv(name)
		if value == "" {
			return apiclient.Auth{}, usageError("the environment variable %s is not set", name)
		}
		values = append(values, value)
	}
	return auth(values), nil
}

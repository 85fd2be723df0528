package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbatch/apiclient"
	"pushbatch/batch/ops"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

type finding struct {
	Check   string `json:"check"`
	Status  string `json:"status"` // ok, note, failed or skipped
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// What a check comes to. A note does not keep a job from working.
const (
	checkOK      = "ok"
	checkNote    = "note"
	checkFailed  = "failed"
	checkSkipped = "skipped"
)

func newDoctorCommand(p *process) *cobra.Command {
	flags, asJSON := &jobFlags{}, false
	cmd := &cobra.Command{
		Use:   "doctor [INPUT…]",
		Short: "Check all that a job needs, before anything is sent",
		Long: "doctor checks what a job with the same flags and INPUT would need: settings, host name, proxy,\n" +
			"TLS, clock, credentials and their scopes, application codes, S3 rights and the run folder. It changes\n" +
			"nothing at the platform. Each check has its line, with what to do where something is wrong.\n" +
			"The exit code is 0, 4 where a check failed, or 2 for wrong usage.",
		RunE: func(cmd *cobra.Command, inputs []string) error {
			c := &runConfig{operation: ops.Named("update"), inputs: inputs, flags: flags, set: cmd.Flags()}
			return p.doctor(cmd.Context(), c, asJSON)
		},
	}
	flags.addAll(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *process) doctor(ctx context.Context, c *runConfig, asJSON bool) error {
	if err := c.load(p.getenv); err != nil {
		return err
	}
	d := &examination{execution: &execution{runConfig: c, process: p}}
	d.log, _ = p.newLogger(&messageFlags{quiet: true, logFormat: "text"}, false, io.Discard)
	ctx = c.flags.with(ctx, p)
	d.settings()
	if err := d.connect(); err != nil {
		return err
	}
	codes := d.readInputs(ctx)
	d.platform(ctx, codes)
	d.runFolder(ctx)
	failed := slices.ContainsFunc(d.Checks, func(f finding) bool { return f.Status == checkFailed })
	if failed {
		d.ExitCode = exitStopped
	}
	if err := show(p.stdout, "checks", &d.findings, asJSON); err != nil {
		return err
	}
	if failed {
		return &exitError{exitStopped, errors.New("a check failed"), true}
	}
	return nil
}

// examination is a doctor's work: an execution that sends no row.
type examination struct {
	*execution
	findings
}

type findings struct {
	ExitCode int       `json:"exit_code"`
	Checks   []finding `json:"checks"`
}

func (d *examination) add(check, status, message, remedy string) {
	d.Checks = append(d.Checks, finding{check, status, console.OneLine(message), remedy})
}

// settings are fine when doctor comes here: what no job can have is wrong usage.
func (d *examination) settings() {
	text := "base URL " + console.MaskedURL(d.flags.client.BaseURL) + ", authorization " + d.flags.auth
	if d.flags.simulate {
		text = "the built-in simulator: no account is needed"
	}
	d.add("settings", checkOK, text+fmt.Sprintf(", %g requests/s", d.flags.client.Rate), "")
}

// connect makes the client. Without a secret the checks that need none go on.
func (d *examination) connect() error {
	if err := apiclient.CheckBaseURL(d.flags.client.BaseURL); err != nil && !d.flags.simulate {
		return usageError("%w", err)
	}
	client, err := d.process.connect(d.flags, d.log, nil, d.attemptEnded)
	if err == nil {
		d.client = client
		return nil
	}
	if _, known := authKinds[d.flags.auth]; known && d.process.platformSecret(d.flags) == "" {
		d.add("credentials", checkFailed, err.Error(), "set the variable, or give the file that holds the key")
		return nil
	}
	return err
}

// platform checks the way to the platform and what it says of the credentials. What
// cannot be told because of what failed before has no line.
func (d *examination) platform(ctx context.Context, codes []string) {
	if !d.flags.simulate && !d.hostName(ctx) || d.client == nil {
		return
	}
	list, err := d.askApplications(ctx)
	if !d.flags.simulate && !d.reached(err) {
		return
	}
	d.clock()
	if d.credentials(ctx, codes, err) {
		d.appCodes(ctx, codes, list)
		d.people(ctx)
	}
}

// hostName tells which proxy is used, and whether the host's address is found.
func (d *examination) hostName(ctx context.Context) bool {
	u, _ := url.Parse(d.flags.client.BaseURL) // checked with the settings
	host := u.Hostname()
	proxy, err := apiclient.ProxyOf(&http.Request{URL: u})
	switch {
	case err != nil:
		d.add("proxy", checkFailed, err.Error(), d.remedy(apiclient.CodeProxy, ""))
		return false
	case proxy != nil:
		d.add("proxy", checkOK, "requests go through "+proxy.Host, "")
		d.add("host name", checkSkipped, "the proxy looks "+host+" up", "")
		return true
	}
	d.add("proxy", checkOK, "none is used", "")
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		d.add("host name", checkFailed, host+" has no address", "correct --base-url (INFOBIP_BASE_URL): every account has its own, https://xxxxx.api.infobip.com")
		return false
	}
	d.add("host name", checkOK, fmt.Sprintf("%s is %s", host, addresses[0]), "")
	return true
}

// wayTo names the check that a failure without an answer belongs to.
func (d *examination) wayTo(code string) string {
	if strings.HasPrefix(d.flags.client.BaseURL, "https:") && strings.HasPrefix(code, "tls_") {
		return "TLS"
	}
	return "connection"
}

// reached tells whether an encrypted connection came about.
func (d *examination) reached(err error) bool {
	said, ok := errors.AsType[*apiclient.Error](err)
	switch {
	case ok && said.Status == 0 && (said.Code == apiclient.CodeProxy || strings.HasPrefix(said.Message, "proxy ")):
		d.Checks = slices.DeleteFunc(d.Checks, func(f finding) bool { return f.Check == "proxy" })
		d.add("proxy", checkFailed, said.Message, d.remedy(apiclient.CodeProxy, ""))
		return false
	case ok && said.Status == 0:
		d.add(d.wayTo(said.Code), checkFailed, said.Code+": "+said.Message, d.remedy(said.Code, "see that the host can be reached from here: firewall, HTTPS_PROXY"))
		return false
	case err != nil && !ok:
		d.add(d.wayTo(""), checkFailed, "no answer within "+lookWithin.String(), "see that the host can be reached from here: firewall, HTTPS_PROXY")
		return false
	case strings.HasPrefix(d.flags.client.BaseURL, "http:"):
		d.add("TLS", checkOK, "plain http, which is for loopback only", "")
	default:
		d.add("TLS", checkOK, "the host's certificate is trusted", "")
	}
	return true
}

// mostOff is how much a clock may be wrong before it is told.
const mostOff = time.Minute

func (d *examination) clock() {
	off := time.Since(d.answered).Abs().Round(time.Second)
	switch {
	case d.answered.IsZero():
		d.add("clock", checkSkipped, "the answer has no date", "")
	case off > mostOff:
		d.add("clock", checkNote, fmt.Sprintf("this machine's clock is off by %s", off), "set the clock (NTP): S3 refuses requests that are 15 minutes off")
	default:
		d.add("clock", checkOK, "right", "")
	}
}

// probeID is a registration that no account has.
const probeID = "pushbatch-doctor-no-such-registration"

// credentials tries the key without changing anything: listing is what the look at
// the applications came to, and a registration that does not exist is asked for.
func (d *examination) credentials(ctx context.Context, codes []string, listing error) (accepted bool) {
	call := apiclient.GetCall(probeID)
	if d.flags.client.AppCode == "" {
		call.AppCode = append(codes, "none-is-given")[0]
	}
	const check = "credentials"
	_, err := d.look(ctx, apiclient.OpGet, call)
	said, refused := errors.AsType[*apiclient.Error](err)
	switch {
	case refused && said.Status == http.StatusUnauthorized:
		d.add(check, checkFailed, "the platform refuses them (401)", d.remedy("UNAUTHORIZED", "see that the key is the account's and not expired"))
	case refused && said.Status == http.StatusForbidden:
		d.add(check, checkFailed, "accepted, but they lack the scope (403)", "give the key people:manage or mobile-app-messaging:manage")
	case err != nil && (!refused || said.Temporary()):
		code := ""
		if refused {
			code = said.Code
		}
		d.add(check, checkFailed, "not known: "+err.Error(), d.remedy(code, "try again; the platform did not answer as it does"))
	case refused && said.Code != ops.CodeUnknownRegistration && (said.Status == http.StatusNotFound || strings.HasPrefix(said.Code, "http_")):
		d.add(check, checkFailed, fmt.Sprintf("not known: the address answers, and not as the platform does (%d)", said.Status),
			"see that --base-url is the account's own, https://….api.infobip.com, without a path after it")
	case listing == nil:
		d.add(check, checkOK, "accepted; they may read the applications", "")
	default:
		d.add(check, checkOK, "accepted; they may not read the applications (scope mobile-app-messaging:manage)", "")
	}
	return d.Checks[len(d.Checks)-1].Status == checkOK
}

// remedy is what the catalogue of errors says about a code.
func (d *examination) remedy(code, otherwise string) string {
	e, _ := ops.Explain(code)
	return cmp.Or(e.Remedy, otherwise)
}

// mostCodes bounds how many application codes are tried one by one.
const mostCodes = 20

// appCodes checks every application code that is in use: against the list, or
// where it cannot be read by a get that finds nothing.
func (d *examination) appCodes(ctx context.Context, codes []string, list []report.Application) {
	if len(codes) == 0 {
		d.add("application codes", checkFailed, "none is given", "give --app-code, INFOBIP_APP_CODE or a column appCode")
		return
	}
	bad := 0
	for i, code := range codes {
		problem := unknownCode(code, list)
		if len(list) == 0 && i < mostCodes {
			call := apiclient.GetCall(probeID)
			call.AppCode = code
			_, err := d.look(ctx, apiclient.OpGet, call)
			if said, ok := errors.AsType[*apiclient.Error](err); ok && said.Class == apiclient.AppCode {
				problem = "the platform does not know the application code " + code
			}
		}
		if problem != "" {
			bad++
			d.add("application codes", checkFailed, problem, "copy the code from the mobile application profile of this account")
		}
	}
	switch {
	case bad > 0:
	case len(list) > 0 || len(codes) <= mostCodes:
		d.add("application codes", checkOK, fmt.Sprintf("%d known to the account", len(codes)), "")
	default:
		d.add("application codes", checkNote, fmt.Sprintf("the first %d of %d are known to the account; the others were not tried", mostCodes, len(codes)), "")
	}
}

// people tries what only export --people needs.
func (d *examination) people(ctx context.Context) {
	_, err := d.look(ctx, apiclient.OpListPersons, apiclient.ListPersonsCall(apiclient.ListPersonsOptions{Limit: 1, Page: 1}))
	remedy := "give the key people:read or people:manage; only export --people and snapshots need it"
	switch {
	case err == nil:
		d.add("people listing", checkOK, "may be read", "")
	case d.flags.export.people:
		d.add("people listing", checkFailed, err.Error(), remedy)
	default:
		d.add("people listing", checkNote, err.Error(), remedy)
	}
}

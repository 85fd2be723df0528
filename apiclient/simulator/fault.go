package simulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Action is what a fault does to a request.
type Action uint8

// The actions.
const (
	ActStatus    Action = iota // answer Status, without an effect
	ActLatency                 // take longer: half before the effect, half after it
	ActJitter                  // arrive later: before the limit counts the request
	ActCutBefore               // break the connection, without an effect
	ActCutAfter                // break the connection once the request took effect
	ActCutBody                 // after the effect, announce the whole answer and send half
	ActHang                    // no effect and no answer until the client goes
)

// Fault is one declared fault. A request meets every latency and jitter that
// matches it, and the first of the other faults. Zero fields match everything;
// without Share, Nth, Every and a span the fault always happens.
type Fault struct {
	Name string // in the call log

	Op   string         // name of an operation; empty: all but the token's, and but the applications where it comes and goes
	Path *regexp.Regexp // of the escaped path

	Share      float64       // probability, 0 to 1
	Nth, Until int           // the Nth matching request, up to the Until-th
	Every      int           // every n-th matching request
	From, To   time.Duration // since the first request

	Action   Action
	Status   int
	envelope func(status int) answer
	Min, Max time.Duration // of ActLatency and ActJitter, uniform
	Mean     time.Duration // exponential instead, if not 0
}

// verdict is what the faults do to one request.
type verdict struct {
	fault   *Fault // other than latency and jitter; nil: none
	latency time.Duration
	jitter  time.Duration
}

// dice decides about faults; the caller locks.
type dice struct {
	rules []Fault
	seen  []int // matching requests by rule
	rng   *rand.Rand
}

func newDice(cfg *Config) *dice {
	return &dice{rules: cfg.Faults, seen: make([]int, len(cfg.Faults)), rng: rand.New(rand.NewPCG(cfg.Seed, 1))}
}

func (d *dice) throw(op Op, path string, since time.Duration) verdict {
	var v verdict
	for i := range d.rules {
		f := &d.rules[i]
		if !f.matches(op, path) || !d.happens(i, since) {
			continue
		}
		switch f.Action {
		case ActLatency:
			v.latency += d.span(f)
		case ActJitter:
			v.jitter += d.span(f)
		default:
			if v.fault == nil {
				v.fault = f
			}
		}
	}
	return v
}

func (f *Fault) matches(op Op, path string) bool {
	lasts := f.Status >= 500 && f.Share == 0 && f.Nth == 0 && f.Every == 0 && op == OpApplications // as an outage, which spares nothing
	if f.Op == "" && op >= OpApplications && !lasts || f.Op != "" && f.Op != op.String() {
		return false
	}
	return f.Path == nil || f.Path.MatchString(path)
}

func (d *dice) happens(i int, since time.Duration) bool {
	f := &d.rules[i]
	if f.To > 0 && (since < f.From || since >= f.To) {
		return false
	}
	d.seen[i]++
	n := d.seen[i]
	switch {
	case f.Nth > 0:
		return n >= f.Nth && n <= max(f.Nth, f.Until)
	case f.Every > 0:
		return n%f.Every == 0
	case f.Share > 0:
		return d.rng.Float64() < f.Share
	default:
		return true
	}
}

func (d *dice) span(f *Fault) time.Duration {
	if f.Mean > 0 {
		return time.Duration(d.rng.ExpFloat64() * float64(f.Mean))
	}
	if f.Max <= f.Min {
		return f.Min
	}
	return f.Min + time.Duration(d.rng.Int64N(int64(f.Max-f.Min)+1))
}

// ParseFaults reads faults from their compact text, rules joined by commas:
//
//	500=3%,503=3%,html-502=2%,cut-before=2%,cut-after=2%,cut-body=1%,latency=0-40ms,outage=10s-70s
//
// A rule is NAME[@OPERATION[@REGEXP]]=WHEN. NAME is a status, bare or with its
// envelope in front (older-, newer-, push-, html-, empty-), or cut-before,
// cut-after, cut-body, hang, outage (html-503), latency or jitter. WHEN is a
// share (3%), a request's number (#5 or #5-9), every n-th (/100), a span since
// the start (10s-70s) or always. Latency and jitter take a duration instead:
// 20ms, 0-40ms or exp:20ms.
func ParseFaults(text string) ([]Fault, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var faults []Fault
	for rule := range strings.SplitSeq(text, ",") {
		f, err := parseFault(strings.TrimSpace(rule))
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", rule, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(rule string) (Fault, error) {
	at := strings.LastIndexByte(rule, '=')
	if at < 0 {
		return Fault{}, fmt.Errorf("wants the form name=when, such as 500=3%%")
	}
	parts := strings.SplitN(rule[:at], "@", 3)
	f := Fault{Name: parts[0]}
	if err := f.setMatch(parts[1:]); err != nil {
		return f, err
	}
	if err := f.setAction(parts[0]); err != nil {
		return f, err
	}
	if f.Action == ActLatency || f.Action == ActJitter {
		return f, f.setDelay(rule[at+1:])
	}
	return f, f.setWhen(rule[at+1:])
}

func (f *Fault) setMatch(parts []string) error {
	if len(parts) > 0 && parts[0] != "" {
		if !slices.Contains(opNames[:], parts[0]) {
			return fmt.Errorf("unknown operation %s: get, update, personalize, depersonalize, list-persons or token", parts[0])
		}
		f.Op = parts[0]
	}
	if len(parts) < 2 {
		return nil
	}
	var err error
	f.Path, err = regexp.Compile(parts[1])
	return err
}

var faultNames = map[string]Fault{
	"latency":    {Action: ActLatency},
	"jitter":     {Action: ActJitter},
	"cut-before": {Action: ActCutBefore},
	"cut-after":  {Action: ActCutAfter},
	"cut-body":   {Action: ActCutBody},
	"hang":       {Action: ActHang},
	"outage":     {Status: 503, envelope: htmlError},
}

func (f *Fault) setAction(name string) error {
	if known, ok := faultNames[name]; ok {
		f.Action, f.Status, f.envelope = known.Action, known.Status, known.envelope
		return nil
	}
	envelope, digits, ok := strings.Cut(name, "-")
	if !ok {
		envelope, digits = "older", name
	}
	status, err := strconv.Atoi(digits)
	f.envelope, ok = envelopes[envelope]
	if !ok || err != nil || status < 400 || status > 599 {
		return fmt.Errorf("unknown fault %s: a status from 400 to 599, or a name", name)
	}
	f.Status = status
	return nil
}

func (f *Fault) setDelay(text string) (err error) {
	if mean, ok := strings.CutPrefix(text, "exp:"); ok {
		f.Mean, err = time.ParseDuration(mean)
		return err
	}
	f.Min, f.Max, err = parseSpan(text, time.ParseDuration)
	return err
}

// parseSpan reads 20ms as 20ms to 20ms, and 10-40ms as 10ms to 40ms.
func parseSpan[T int | time.Duration](text string, parse func(string) (T, error)) (from, to T, err error) {
	low, high, two := strings.Cut(text, "-")
	if unit := strings.TrimLeft(high, "0123456789."); strings.TrimLeft(low, "0123456789.") == "" {
		low += unit
	}
	if from, err = parse(low); err != nil || !two {
		return from, from, err
	}
	if to, err = parse(high); err == nil && to < from {
		err = fmt.Errorf("span %s ends before it begins", text)
	}
	return from, to, err
}

func (f *Fault) setWhen(text string) (err error) {
	wrong := ""
	switch {
	case text == "always":
	case strings.HasSuffix(text, "%"):
		f.Share, err = strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if f.Share /= 100; !(f.Share > 0 && f.Share <= 1) {
			wrong = "a share is more than 0% and at most 100%"
		}
	case strings.HasPrefix(text, "#"):
		if f.Nth, f.Until, err = parseSpan(text[1:], strconv.Atoi); f.Nth < 1 {
			wrong = "requests are numbered from 1, the last not before the first"
		}
	case strings.HasPrefix(text, "/"):
		if f.Every, err = strconv.Atoi(text[1:]); f.Every < 1 {
			wrong = "every n-th wants n of 1 or more"
		}
	default:
		if f.From, f.To, err = parseSpan(text, time.ParseDuration); f.To == f.From {
			wrong = "a span of time wants two durations, such as 10s-70s"
		}
	}
	if err == nil && wrong != "" {
		return errors.New(wrong)
	}
	return err
}

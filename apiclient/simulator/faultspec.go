package simulator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

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
		if _, known := parseOp(parts[0]); !known {
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

func (f *Fault) setAction(name string) error {
	switch name {
	case "latency":
		f.Action = ActLatency
	case "jitter":
		f.Action = ActJitter
	case "cut-before":
		f.Action = ActCutBefore
	case "cut-after":
		f.Action = ActCutAfter
	case "cut-body":
		f.Action = ActCutBody
	case "hang":
		f.Action = ActHang
	case "outage":
		f.Status, f.Envelope = 503, EnvelopeHTML
	default:
		return f.setStatus(name)
	}
	return nil
}

func (f *Fault) setStatus(name string) error {
	digits := name
	if envelope, rest, ok := strings.Cut(name, "-"); ok {
		digits = rest
		switch envelope {
		case "older":
			f.Envelope = EnvelopeOlder
		case "newer":
			f.Envelope = EnvelopeNewer
		case "push":
			f.Envelope = EnvelopePush
		case "html":
			f.Envelope = EnvelopeHTML
		case "empty":
			f.Envelope = EnvelopeEmpty
		default:
			return fmt.Errorf("unknown fault %s", name)
		}
	}
	status, err := strconv.Atoi(digits)
	if err != nil || status < 400 || status > 599 {
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
	f.Min, f.Max, err = parseSpan(text)
	return err
}

// parseSpan reads 20ms as 20ms to 20ms, and 10-40ms as 10ms to 40ms.
func parseSpan(text string) (from, to time.Duration, err error) {
	low, high, two := strings.Cut(text, "-")
	if unit := strings.TrimLeft(high, "0123456789."); strings.TrimLeft(low, "0123456789.") == "" {
		low += unit
	}
	if from, err = time.ParseDuration(low); err != nil {
		return 0, 0, err
	}
	if !two {
		return from, from, nil
	}
	if to, err = time.ParseDuration(high); err != nil {
		return 0, 0, err
	}
	if to < from {
		return 0, 0, fmt.Errorf("span %s ends before it begins", text)
	}
	return from, to, nil
}

func (f *Fault) setWhen(text string) (err error) {
	switch {
	case text == "always":
		return nil
	case strings.HasSuffix(text, "%"):
		f.Share, err = strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		f.Share /= 100
		if err == nil && !(f.Share > 0 && f.Share <= 1) {
			err = fmt.Errorf("a share is more than 0%% and at most 100%%")
		}
		return err
	case strings.HasPrefix(text, "#"):
		return f.setNumbers(text[1:])
	case strings.HasPrefix(text, "/"):
		f.Every, err = strconv.Atoi(text[1:])
		if err == nil && f.Every < 1 {
			err = fmt.Errorf("every n-th wants n of 1 or more")
		}
		return err
	default:
		f.From, f.To, err = parseSpan(text)
		if err == nil && f.To == f.From {
			err = fmt.Errorf("a span of time wants two durations, such as 10s-70s")
		}
		return err
	}
}

func (f *Fault) setNumbers(text string) (err error) {
	first, last, two := strings.Cut(text, "-")
	if f.Nth, err = strconv.Atoi(first); err != nil {
		return err
	}
	f.Until = f.Nth
	if two {
		f.Until, err = strconv.Atoi(last)
	}
	if err == nil && (f.Nth < 1 || f.Until < f.Nth) {
		err = fmt.Errorf("requests are numbered from 1, the last not before the first")
	}
	return err
}

package ops

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// phoneBook recognises phone numbers in E.164 digits much faster than the
// library does. It answers yes only where the library would accept the digits
// and leave them as they are; everything else is left to the library. It is
// built from the library's own numbering plans, calling code by calling code as
// they are met, and tests hold it to the library's verdicts.
type phoneBook struct {
	plans  [1000]*numberingPlan // by calling code
	guards map[string]*regionGuard
}

func newPhoneBook() *phoneBook { return &phoneBook{guards: make(map[string]*regionGuard)} }

// plain returns the digits of a number that is E.164 with or without +, when
// its numbering plan has it. With a region, digits without + could also be a
// national number: only those that cannot be one are recognised.
func (p *phoneBook) plain(s, region string) (string, bool) {
	digits, international := strings.CutPrefix(s, "+")
	if len(digits) < 4 || len(digits) > maxDigits {
		return "", false
	}
	code, width := p.callingCode(digits)
	if code == nil {
		return "", false
	}
	if region != "" && !international && !p.guard(region).admits(code, digits) {
		return "", false
	}
	return digits, code.has(digits[width:])
}

// maxDigits keeps national numbers below the library's limit of 17.
const maxDigits = 18

// callingCode finds the plan of the calling code that digits begin with. No
// calling code is the beginning of another.
func (p *phoneBook) callingCode(digits string) (plan *numberingPlan, width int) {
	code := 0
	for width = 1; width <= 3; width++ {
		d := digits[width-1] - '0'
		if d > 9 || code == 0 && d == 0 {
			return nil, 0
		}
		code = code*10 + int(d)
		if p.plans[code] == nil {
			p.plans[code] = newNumberingPlan(code)
		}
		if p.plans[code].exists {
			return p.plans[code], width
		}
	}
	return nil, 0
}

func (p *phoneBook) guard(region string) *regionGuard {
	if p.guards[region] == nil {
		p.guards[region] = newRegionGuard(region)
	}
	return p.guards[region]
}

// numberingPlan is the numbers of one calling code.
type numberingPlan struct {
	exists    bool
	main      string // the region whose rules the library parses by
	regions   []regionPlan
	automaton *digitAutomaton // nil: leave everything to the library
	prefix    int             // program of the national prefix; -1: none
}

// regionPlan is the programs of one region, in the library's order.
type regionPlan struct {
	leading int // program of the leading digits; -1: none
	general desc
	kinds   []desc
}

// desc is a description of numbers: a program and the lengths they may have.
type desc struct {
	program int
	lengths []int32
}

func newNumberingPlan(code int) *numberingPlan {
	plan := &numberingPlan{prefix: -1}
	names := phonenumbers.GetRegionCodesForCountryCode(code)
	if len(names) == 0 {
		return plan
	}
	plan.exists, plan.main = true, names[0]
	var patterns []string
	program := func(pattern string) int {
		if pattern == "" {
			return -1
		}
		patterns = append(patterns, pattern)
		return len(patterns) - 1
	}
	for i, name := range names {
		m := metadataOf(name, code)
		if m == nil {
			return plan
		}
		if i == 0 {
			plan.prefix = program(m.GetNationalPrefixForParsing())
		}
		plan.regions = append(plan.regions, newRegionPlan(m, program))
	}
	plan.automaton, _ = newDigitAutomaton(patterns)
	return plan
}

// metadataOf finds what the library knows of a region; the region 001 stands
// for the calling codes of no country.
func metadataOf(region string, code int) *phonenumbers.PhoneMetadata {
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		return nil
	}
	for _, m := range all.GetMetadata() {
		if m.GetId() == region && int(m.GetCountryCode()) == code {
			return m
		}
	}
	return nil
}

func newRegionPlan(m *phonenumbers.PhoneMetadata, program func(string) int) regionPlan {
	describe := func(d *phonenumbers.PhoneNumberDesc) desc {
		return desc{program(d.GetNationalNumberPattern()), d.GetPossibleLength()}
	}
	r := regionPlan{leading: program(m.GetLeadingDigits()), general: describe(m.GetGeneralDesc())}
	kinds := []*phonenumbers.PhoneNumberDesc{
		m.GetPremiumRate(), m.GetTollFree(), m.GetSharedCost(), m.GetVoip(), m.GetPersonalNumber(),
		m.GetPager(), m.GetUan(), m.GetVoicemail(), m.GetFixedLine(),
	}
	if !m.GetSameMobileAndFixedLinePattern() {
		kinds = append(kinds, m.GetMobile())
	}
	for _, k := range kinds {
		if d := describe(k); d.program >= 0 {
			r.kinds = append(r.kinds, d)
		}
	}
	return r
}

// Verdicts of a plan about a state of its automaton.
const (
	verdictUnknown int8 = iota
	verdictYes
	verdictLeave // to the library
)

// has reports whether the plan surely has a national number as it stands.
func (p *numberingPlan) has(national string) bool {
	if p.automaton == nil {
		return false
	}
	state := p.automaton.run(national)
	if state < 0 {
		return false
	}
	s := &p.automaton.states[state]
	if s.note == verdictUnknown {
		s.note = p.verdict(s, len(national))
	}
	return s.note == verdictYes
}

// verdict follows the library: a number that a national prefix could be taken
// off is left to it; else the first region that claims the number decides.
func (p *numberingPlan) verdict(s *automatonState, length int) int8 {
	if p.prefix >= 0 && s.prefix.has(p.prefix) {
		return verdictLeave
	}
	for i := range p.regions {
		r := &p.regions[i]
		valid := r.has(s, length)
		if len(p.regions) == 1 || valid && r.leading < 0 || r.leading >= 0 && s.prefix.has(r.leading) {
			if valid {
				return verdictYes
			}
			return verdictLeave
		}
	}
	return verdictLeave
}

func (r *regionPlan) has(s *automatonState, length int) bool {
	return r.general.matches(s, length) &&
		slices.ContainsFunc(r.kinds, func(d desc) bool { return d.matches(s, length) })
}

func (d desc) matches(s *automatonState, length int) bool {
	return d.program >= 0 && s.full.has(d.program) &&
		(len(d.lengths) == 0 || slices.Contains(d.lengths, int32(length)))
}

// regionGuard tells digits that begin with a region's own calling code, and
// that the library takes for international, from those it could take for a
// national number of the region.
type regionGuard struct {
	region    string
	automaton *digitAutomaton // nil: admit nothing
}

// The programs of a regionGuard.
const (
	guardPrefix = iota
	guardNational
)

func newRegionGuard(region string) *regionGuard {
	g := &regionGuard{region: region}
	m := metadataOf(region, phonenumbers.GetCountryCodeForRegion(region))
	if m == nil || m.GetInternationalPrefix() == "" {
		return g
	}
	patterns := []string{guardPrefix: m.GetInternationalPrefix(), guardNational: m.GetGeneralDesc().GetNationalNumberPattern()}
	g.automaton, _ = newDigitAutomaton(patterns)
	return g
}

// admits reports whether digits of the plan are read as international: the
// plan is the region's own, and all of the digits together are neither an
// international prefix nor the shape of a national number.
func (g *regionGuard) admits(plan *numberingPlan, digits string) bool {
	if g.automaton == nil || plan.main != g.region {
		return false
	}
	state := g.automaton.run(digits)
	if state < 0 {
		return state == deadState
	}
	s := &g.automaton.states[state]
	return !s.prefix.has(guardPrefix) && !s.full.has(guardNational)
}

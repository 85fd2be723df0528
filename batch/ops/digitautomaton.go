package ops

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// digitAutomaton runs many regular expressions over a string of digits at
// once. Its states are made as they are met (a lazy subset construction over
// the programs that regexp/syntax compiles), so that a number costs one table
// lookup a digit. It is for one goroutine.
type digitAutomaton struct {
	programs []*syntax.Prog
	states   []automatonState
	byKey    map[string]int32
	scratch  []uint32
}

// automatonState is a set of program positions, and which programs have matched
// at this point or, with sticky, at an earlier one.
type automatonState struct {
	next    [10]int32 // 0: not made yet; deadState: no program can match any more
	threads []uint32  // program number << 16 | program counter, sorted, behind all empty steps
	full    bitset    // programs that match all digits read
	prefix  bitset    // programs that match the first one or more digits read
}

const (
	deadState = -1
	fullState = -2 // the automaton has too many states to make another
	// maxAutomatonStates bounds the memory of one calling code's numbers; the
	// largest plans need about a tenth of it.
	maxAutomatonStates = 1 << 15
)

// bitset holds small numbers.
type bitset [5]uint64

func (b *bitset) add(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b *bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

const maxPrograms = len(bitset{}) * 64

// newDigitAutomaton compiles patterns, which must be free of anchors and
// boundaries; ok is false when they are not, or are too many.
func newDigitAutomaton(patterns []string) (a *digitAutomaton, ok bool) {
	if len(patterns) > maxPrograms {
		return nil, false
	}
	a = &digitAutomaton{byKey: make(map[string]int32)}
	for _, pattern := range patterns {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			return nil, false
		}
		program, err := syntax.Compile(tree.Simplify())
		if err != nil || len(program.Inst) > 1<<16 || slices.ContainsFunc(program.Inst, isAnchor) {
			return nil, false
		}
		a.programs = append(a.programs, program)
	}
	start := automatonState{}
	for i, p := range a.programs {
		a.step(&start, uint32(i), uint32(p.Start))
	}
	a.intern(start)
	return a, true
}

func isAnchor(i syntax.Inst) bool { return i.Op == syntax.InstEmptyWidth }

// step adds a position and all that it leads to without reading a digit.
func (a *digitAutomaton) step(s *automatonState, program, pc uint32) {
	thread := program<<16 | pc
	if slices.Contains(a.scratch, thread) {
		return
	}
	a.scratch = append(a.scratch, thread)
	switch in := &a.programs[program].Inst[pc]; in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		a.step(s, program, in.Out)
		a.step(s, program, in.Arg)
	case syntax.InstCapture, syntax.InstNop:
		a.step(s, program, in.Out)
	case syntax.InstMatch:
		s.full.add(int(program))
	}
}

// intern gives the state that step has gathered its number.
func (a *digitAutomaton) intern(s automatonState) int32 {
	slices.Sort(a.scratch)
	s.threads = slices.Clone(slices.DeleteFunc(a.scratch, func(t uint32) bool { return !a.reads(t) }))
	a.scratch = a.scratch[:0]
	if len(s.threads) == 0 && s.full == (bitset{}) && s.prefix == (bitset{}) {
		return deadState
	}
	key := s.key()
	if have, found := a.byKey[key]; found {
		return have
	}
	if len(a.states) == maxAutomatonStates {
		return fullState
	}
	a.states = append(a.states, s)
	number := int32(len(a.states) - 1)
	a.byKey[key] = number
	return number
}

func (a *digitAutomaton) reads(thread uint32) bool {
	switch a.programs[thread>>16].Inst[thread&0xFFFF].Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

func (s *automatonState) key() string {
	key := make([]byte, 0, 4*len(s.threads)+16*len(s.full))
	for i := range s.full {
		key = binary.LittleEndian.AppendUint64(key, s.full[i])
		key = binary.LittleEndian.AppendUint64(key, s.prefix[i])
	}
	for _, t := range s.threads {
		key = binary.LittleEndian.AppendUint32(key, t)
	}
	return string(key)
}

// make finds or makes the state that follows state at a digit.
func (a *digitAutomaton) make(state int32, digit byte) int32 {
	from := &a.states[state]
	to := automatonState{prefix: from.prefix}
	for _, t := range from.threads {
		in := &a.programs[t>>16].Inst[t&0xFFFF]
		if in.MatchRune(rune('0' + digit)) {
			a.step(&to, t>>16, in.Out)
		}
	}
	for i := range to.prefix {
		to.prefix[i] |= to.full[i]
	}
	next := a.intern(to)
	a.states[state].next[digit] = next
	return next
}

// run reads digits and returns the state behind them, negative when there is
// none. It stops at anything that is not a digit with deadState.
func (a *digitAutomaton) run(digits string) int32 {
	var state int32
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return deadState
		}
		next := a.states[state].next[d]
		if next == 0 {
			next = a.make(state, d)
		}
		if next < 0 {
			return next
		}
		state = next
	}
	return state
}

// Testreport reads the events of "go test -json" on standard input and prints
// what plain "go test" prints: a line for each package and the output of the
// tests that failed. After it stand the skipped tests with their reasons and
// the count of all.
//
//	go test -json ./... | go run .ci/testreport.go
//
// It ends with 1 when a test failed, when no test ran at all, and, with CI=true
// in the environment, when a test was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// event is one line of go test's JSON output (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// test names one test of one package; name is empty for the package itself.
type test struct{ pkg, name string }

type report struct {
	out             io.Writer
	output          map[test]*strings.Builder // of tests that have not ended
	skips           map[test]string           // reason by test
	passed, failed  int
	packageFailures int // packages that failed to build, panicked or were not run
}

func main() {
	r := &report{out: os.Stdout, output: map[test]*strings.Builder{}, skips: map[test]string{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "read test events:", err)
		os.Exit(1)
	}
	if !r.finish(os.Getenv("CI") == "true") {
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(r.out, lines.Text()) // not an event: go's own words
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	t := test{e.Package, e.Test}
	switch {
	case e.Action == "build-output", e.Action == "output" && e.Test == "":
		r.packageOutput(e.Output)
	case e.Action == "output":
		if r.output[t] == nil {
			r.output[t] = new(strings.Builder)
		}
		r.output[t].WriteString(e.Output)
	case e.Action == "build-fail", e.Action == "fail" && e.Test == "":
		r.packageFailures++
	case e.Action == "pass" && e.Test != "":
		r.passed++
		delete(r.output, t)
	case e.Action == "fail":
		r.failed++
		fmt.Fprint(r.out, r.release(t))
	case e.Action == "skip" && e.Test != "":
		r.skips[t] = r.release(t)
	}
}

// packageOutput prints what go test says of a whole package, but for the bare
// verdict that the line with the package's name repeats.
func (r *report) packageOutput(text string) {
	if text != "PASS\n" && !strings.HasPrefix(text, "=== ") {
		fmt.Fprint(r.out, text)
	}
}

// release returns a test's output and forgets it.
func (r *report) release(t test) string {
	defer delete(r.output, t)
	if r.output[t] == nil {
		return ""
	}
	return r.output[t].String()
}

func (r *report) finish(noSkips bool) bool {
	for _, b := range r.output { // never ended: the test binary died
		fmt.Fprint(r.out, b.String())
	}
	byName := func(a, b test) int { return strings.Compare(a.pkg+a.name, b.pkg+b.name) }
	for _, t := range slices.SortedFunc(maps.Keys(r.skips), byName) {
		fmt.Fprintf(r.out, "skipped: %s %s\n%s", t.pkg, t.name, r.skips[t])
	}
	fmt.Fprintf(r.out, "%d tests passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skips))
	if noSkips && len(r.skips) > 0 {
		fmt.Fprintln(r.out, "CI=true: no test may be skipped")
		return false
	}
	return r.failed == 0 && r.packageFailures == 0 && r.passed > 0
}

package main

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "pushbatch"
	root   = "../.." // the module's root, seen from this package
)

// mayImport says which packages of ours each package of ours may import. A
// package that is not here has no place in the plan. Tests are free: they may
// bring client and simulator together.
var mayImport = map[string][]string{
	"batch":               {"batch/jsonappend"},
	"batch/blob":          {"batch"}, // batch.Go
	"batch/runstore":      {"batch", "batch/blob"},
	"batch/jsonappend":    {},
	"batch/delta":         {"batch", "batch/blob", "batch/runstore", "batch/spill"},
	"batch/ops":           {"batch/undo", "batch", "batch/jsonappend", "apiclient"},
	"batch/redact":        {"batch", "batch/jsonappend", "batch/ops", "apiclient"},
	"batch/spill":         {},
	"readers":             {"batch", "batch/blob", "readers/inputerror", "readers/csvfile", "readers/jsonlines", "readers/parquetfile", "readers/textfile"},
	"readers/csvfile":     {"batch", "readers/inputerror", "readers/textfile"},
	"readers/jsonlines":   {"batch", "readers/inputerror", "readers/textfile"},
	"readers/textfile":    {"batch", "readers/inputerror"},
	"readers/parquetfile": {"batch", "readers/inputerror"},
	"readers/inputerror":  {"batch", "batch/blob"},
	"readers/owners":      {"batch", "batch/blob", "batch/undo", "readers", "readers/people"},
	"readers/people":      {"batch", "apiclient"},
	"writers":             {"batch", "batch/jsonappend", "batch/runstore", "writers/table"},
	"writers/inventory":   {"batch", "batch/blob", "batch/spill", "writers/table"},
	"writers/form":        {},
	"writers/report":      {"batch", "batch/ops", "readers/inputerror", "writers/inventory", "writers/form"},
	"batch/split":         {"batch/spill"},
	"batch/undo":          {"batch/spill"},
	"writers/console":     {"apiclient", "batch", "writers/form", "writers/report"},
	"writers/parts":       {"batch", "batch/blob", "batch/runstore", "writers/table"},
	"writers/table":       {"batch", "batch/jsonappend"},
	"writers/watch":       {"apiclient", "batch", "writers/form", "writers/report"},
	"apiclient":           {"batch/jsonappend"},
	"apiclient/simulator": {}, // a wire type shared with the client would be wrong on both sides at once
	"cmd/pushbatch": {
		"batch",
		"batch/blob",
		"batch/delta",
		"batch/jsonappend",
		"batch/ops",
		"batch/redact",
		"batch/runstore",
		"batch/spill",
		"batch/split",
		"batch/undo",
		"readers",
		"readers/inputerror",
		"readers/people",
		"readers/owners",
		"writers",
		"writers/console",
		"writers/form",
		"writers/inventory",
		"writers/parts",
		"writers/report",
		"writers/table",
		"writers/watch",
		"apiclient",
		"apiclient/simulator",
	},
}

// testOnly are path prefixes of what must never be linked into the binary.
var testOnly = []string{
	module + "/testdata/s3test",
	module + "/testdata/thorough",
	module + "/testdata/openapitest",
	module + "/testdata/readertest",
	module + "/testdata/peak",
	module + "/testdata/writertest",
	"github.com/getkin/kin-openapi",
	"github.com/google/go-cmp",
	"github.com/prometheus",
	"github.com/rogpeppe/go-internal",
	"go.uber.org/goleak",
	"net/http/httptest",
	"pgregory.net/rapid",
	"testing",
}

// unaffordable are packages that call methods by names they read at run time:
// once the linker meets that, it keeps every exported method of every type, a
// third more program. That a dependency imports them says nothing (cobra does,
// and calls them only for templates that we do not set): there the size of the
// program tells, see demandProgram.
var unaffordable = []string{"html/template", "text/template"}

// topLevel are the entries the repository's root may have beside dot files.
var topLevel = []string{
	"LICENSE", "README.md", "apiclient", "batch", "cmd", "go.mod", "go.sum", "readers", "testdata", "writers",
}

// emptyNames say nothing about what a file or folder holds.
var emptyNames = []string{"common", "helper", "helpers", "manager", "misc", "util", "utils"}

func TestPackagesImportOnlyWhatThePlanAllows(t *testing.T) {
	t.Parallel()
	for _, line := range output(t, "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...") {
		imports := strings.Fields(line)
		name := strings.TrimPrefix(imports[0], module+"/")
		allowed, planned := mayImport[name]
		if !planned {
			t.Errorf("package %s is not in the plan: give it a line in mayImport or another home", name)
			continue
		}
		for _, path := range imports[1:] {
			if slices.Contains(unaffordable, path) {
				t.Errorf("package %s imports %s, which makes the program a third larger", name, path)
			}
			ours, isOurs := strings.CutPrefix(path, module+"/")
			if isOurs && !slices.Contains(allowed, ours) {
				t.Errorf("package %s imports %s; of ours it may import %q only", name, ours, allowed)
			}
		}
	}
}

func TestBinaryHasNoTestCode(t *testing.T) {
	t.Parallel()
	for _, dep := range output(t, "go", "list", "-deps", "./cmd/"+module) {
		for _, prefix := range testOnly {
			if dep == prefix || strings.HasPrefix(dep, prefix+"/") {
				t.Errorf("the binary depends on %s, which is for tests only", dep)
			}
		}
	}
}

func TestTreeHasOnlyPlannedNames(t *testing.T) {
	t.Parallel()
	for _, file := range output(t, "git", "-c", "safe.directory=*", "ls-files") {
		elements := strings.Split(file, "/")
		if top := elements[0]; !strings.HasPrefix(top, ".") && !slices.Contains(topLevel, top) {
			t.Errorf("%s: the top level is fixed, %s is not part of it", file, top)
		}
		for _, element := range elements {
			stem := strings.TrimSuffix(strings.TrimSuffix(element, path.Ext(element)), "_test")
			if slices.Contains(emptyNames, strings.ToLower(stem)) {
				t.Errorf("%s: the name %s says nothing about what is in it", file, element)
			}
		}
	}
}

// A goroutine that panics without batch.Guard ends the process with 2, which means
// that nothing was sent: all are begun by batch.Go, or by a group with batch.Guarded.
func TestGoroutinesAreGuarded(t *testing.T) {
	t.Parallel()
	begun := 0
	for _, file := range output(t, "git", "-c", "safe.directory=*", "ls-files", "*.go") {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "testdata/") || strings.Contains(file, "test/") || strings.HasPrefix(file, ".ci/") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				begun++
				if file != "batch/fault.go" {
					t.Errorf("%s has a go statement: take batch.Go", file)
				}
			case *ast.CallExpr:
				begun += demandGuarded(t, file, n)
			}
			return true
		})
	}
	if begun < 10 {
		t.Errorf("only %d goroutines were found", begun)
	}
}

// demandGuarded looks at calls of methods and functions named Go: those of a group
// take Guarded functions.
func demandGuarded(t *testing.T, file string, call *ast.CallExpr) int {
	t.Helper()
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Go" {
		return 0
	}
	if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == "batch" {
		return 1
	}
	if len(call.Args) == 1 {
		var buf strings.Builder
		_ = printer.Fprint(&buf, token.NewFileSet(), call.Args[0])
		if strings.HasPrefix(strings.TrimPrefix(buf.String(), "batch."), "Guarded(") {
			return 1
		}
	}
	t.Errorf("%s begins a goroutine of a group without batch.Guarded", file)
	return 1
}

// output runs a command in the module's root and returns its lines. A command
// that says nothing fails the test: a check over nothing would pass.
func output(t *testing.T, name string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run %s: %v", cmd, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) == 1 && lines[0] == "" {
		t.Fatalf("%s printed nothing", cmd)
	}
	return lines
}

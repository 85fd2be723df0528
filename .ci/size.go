// Size prints how large the program's source is and fails where something is too
// large to be read: a file, a function, a folder, or the whole.
//
//	go run .ci/size.go
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	aimLines   = 35_000 // of all files without tests and tools
	mostOfFile = 350
	mostOfFunc = 60 // tables of data aside
	mostFiles  = 25 // of a folder, without tests
)

// What is larger than it should be may shrink, not grow: lower these with it.
const mostLines = 44_306

var mostOfFolder = map[string]int{"cmd/pushbatch": 40}

// sizes are what is counted.
type sizes struct {
	lines     map[string]int // by package folder
	files     map[string]int
	functions []int
	faults    []string
}

func main() {
	out, err := exec.Command("git", "-c", "safe.directory=*", "ls-files", "*.go").Output()
	if err != nil || len(out) == 0 {
		fmt.Fprintln(os.Stderr, "list the files:", err)
		os.Exit(1)
	}
	s := &sizes{lines: map[string]int{}, files: map[string]int{}}
	for name := range strings.FieldsSeq(string(out)) {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "testdata/") {
			continue
		}
		if err := s.add(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if s.print(); len(s.faults) > 0 {
		fmt.Printf("too large:\n  %s\n", strings.Join(s.faults, "\n  "))
		os.Exit(1)
	}
}

func (s *sizes) add(name string) error {
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil // removed, not committed yet
	}
	if err != nil {
		return err
	}
	folder, n := filepath.Dir(name), bytes.Count(data, []byte("\n"))
	s.lines[folder] += n
	s.files[folder]++
	if n > mostOfFile {
		s.fault("%s has %d lines, at most %d", name, n, mostOfFile)
	}
	places := token.NewFileSet()
	file, err := parser.ParseFile(places, name, data, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		lines := places.Position(f.End()).Line - places.Position(f.Pos()).Line + 1
		s.functions = append(s.functions, lines)
		if lines > mostOfFunc && !isTable(f) {
			s.fault("%s: %s has %d lines, at most %d", name, f.Name.Name, lines, mostOfFunc)
		}
	}
	return nil
}

func (s *sizes) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// isTable reports whether a function only returns data.
func isTable(f *ast.FuncDecl) bool {
	if len(f.Body.List) != 1 {
		return false
	}
	r, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) == 0 {
		return false
	}
	_, ok = r.Results[0].(*ast.CompositeLit)
	return ok
}

func (s *sizes) print() {
	total := 0
	var folders []string
	for folder, n := range s.lines {
		folders = append(folders, folder)
		total += n
		most := mostFiles
		if larger, ok := mostOfFolder[folder]; ok {
			most = larger
		}
		if s.files[folder] > most {
			s.fault("%s has %d files without tests, at most %d", folder, s.files[folder], most)
		}
	}
	slices.Sort(folders)
	for _, folder := range folders {
		fmt.Printf("%6d lines %3d files  %s\n", s.lines[folder], s.files[folder], folder)
	}
	if total > mostLines {
		s.fault("%d lines in all, at most %d", total, mostLines)
	}
	if total > aimLines {
		fmt.Printf("!!! %d lines more than the %d that the whole should have\n", total-aimLines, aimLines)
	}
	slices.Sort(s.functions)
	n := len(s.functions)
	fmt.Printf("%6d lines in all; %d functions: median %d lines, 90 %% at most %d, the longest %d\n",
		total, n, s.functions[n/2], s.functions[n*9/10], s.functions[n-1])
}

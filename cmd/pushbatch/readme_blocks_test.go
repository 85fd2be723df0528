package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// block is one fenced block of the README and what the marks above it say. A
// mark is an HTML comment, which readers do not see:
//
//	<!-- test: skip: WHY -->       not run
//	<!-- test: exit N -->          the block ends with N
//	<!-- test: before: SHELL -->   run first
//	<!-- test: root -->            run in the repository's folder
//	<!-- test: background -->      a server: goes on to the end of the test
//	<!-- test: file NAME -->       the block is the content of a file
//	<!-- test: athena -->          SQL of Athena, which is held against the table
type block struct {
	file     string
	line     int // of the opening fence
	language string
	text     string
	marks    map[string]string
}

func (b *block) marked(name string) bool { _, ok := b.marks[name]; return ok }

func (b *block) String() string { return fmt.Sprintf("%s:%d (%s)", b.file, b.line, b.language) }

// knownMarks are the marks that mean something; a mistyped one must not be
// passed over.
var knownMarks = []string{"skip", "exit", "before", "root", "background", "file", "athena"}

// readmeBlocks finds the fenced blocks of a Markdown text.
func readmeBlocks(text string) ([]*block, error) {
	var blocks []*block
	var open *block
	marks, indent := make(map[string]string), ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open != nil && trimmed == "```":
			blocks, open = append(blocks, open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case strings.HasPrefix(trimmed, "```"):
			indent, _, _ = strings.Cut(line, "`")
			open = &block{line: i + 1, language: strings.TrimPrefix(trimmed, "```"), marks: marks}
			marks = make(map[string]string)
		case strings.HasPrefix(trimmed, "<!-- test: "):
			name, value, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(trimmed, "<!-- test: "), " -->"), " ")
			name = strings.TrimSuffix(name, ":")
			if !slices.Contains(knownMarks, name) {
				return nil, fmt.Errorf("line %d: unknown mark %q", i+1, name)
			}
			marks[name] = value
		case trimmed != "" && len(marks) > 0:
			return nil, fmt.Errorf("line %d: a mark stands above no block", i+1)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%v is not closed", open)
	}
	return blocks, nil
}

// readme reads the blocks of the README and of all help topics, the README's first.
func readme(t *testing.T) []*block {
	t.Helper()
	topics, err := filepath.Glob("help/*.md")
	if err != nil || len(topics) < 15 {
		t.Fatalf("%d help topics, %v", len(topics), err)
	}
	var all []*block
	for _, file := range append([]string{filepath.Join(root, "README.md")}, topics...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := readmeBlocks(string(data))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, b := range blocks {
			b.file = file
		}
		all = append(all, blocks...)
	}
	if len(all) < 40 {
		t.Fatalf("README and topics have only %d blocks", len(all))
	}
	return all
}

func TestReadmeBlocks(t *testing.T) {
	t.Parallel()
	blocks, err := readmeBlocks("a\n\n1. b\n\n   <!-- test: exit 3 -->\n   ```sh\n   one\n     two\n   ```\n\n```yaml\nc: 1\n```\n")
	if err != nil || len(blocks) != 2 {
		t.Fatalf("%v %v", blocks, err)
	}
	first, second := blocks[0], blocks[1]
	if n, _ := strconv.Atoi(first.marks["exit"]); n != 3 || first.text != "one\n  two\n" || first.language != "sh" || first.line != 6 {
		t.Errorf("%+v", first)
	}
	if len(second.marks) != 0 || second.text != "c: 1\n" {
		t.Errorf("%+v", second)
	}
	for _, bad := range []string{"<!-- test: exits 3 -->\n```sh\n```\n", "<!-- test: root -->\ntext\n", "```sh\nopen"} {
		if _, err := readmeBlocks(bad); err == nil {
			t.Errorf("accepted: %q", bad)
		}
	}
}

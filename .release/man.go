//go:build ignore

// Man writes the man pages that the archives of a release hold, from what the program
// itself says: one of section 1 a command, one of section 7 a help topic. The texts are
// those of --help, with their line breaks.
//
//	go run .release/man.go PROGRAM FOLDER
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

func run(program, folder string) error {
	origin, err := exec.Command(program, "version").Output() // pushbatch VERSION (commit …, DATE) …
	if err != nil {
		return err
	}
	w := &writer{program: program, folder: folder, version: strings.Fields(string(origin))[1], day: day.FindString(string(origin))}
	return w.page([]string{"pushbatch"}, "bulk import and export of mobile push device registrations", "", "1")
}

var day = regexp.MustCompile(`\d{4}-\d\d-\d\dT`)

type writer struct{ program, folder, version, day string }

// entry is a command or a topic in the help of the one above it.
var entry = regexp.MustCompile(`^  (?:pushbatch )?([a-z0-9-]+) +(\S.*)$`)

// page writes the page of a command or topic, then those of all below it.
func (w *writer) page(command []string, short, parent, section string) error {
	args := append(command[1:len(command):len(command)], "--help")
	if section == "7" {
		args = []string{"help", command[1]}
	}
	help, err := exec.Command(w.program, args...).Output()
	if err != nil {
		return fmt.Errorf("%s %q: %w", w.program, args, err)
	}
	text, usage, _ := strings.Cut("\n"+string(help), "\nUsage:\n")
	below := append(entries(usage, "Available Commands:", "1"), entries(usage, "Additional help topics:", "7")...)
	name := strings.Join(command, "-")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q %s %q %q \"pushbatch\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), section, strings.TrimSuffix(w.day, "T"), "pushbatch "+w.version, roff(name), roff(short))
	if section == "1" {
		line, _, _ := strings.Cut(usage, "\n")
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(strings.TrimSpace(line)))
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(strings.Trim(text, "\n")))
	if flags := sectionOf(usage, "Flags:"); flags != "" {
		fmt.Fprintf(&b, ".SH OPTIONS\n.nf\n%s\n.fi\n", roff(wrapped(flags)))
	}
	var related []string
	if parent != "" {
		related = append(related, parent+"(1)")
	}
	for _, e := range below {
		related = append(related, fmt.Sprintf("%s-%s(%s)", name, e[0], e[2]))
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", roff(strings.Join(related, ",\n")))
	if err := os.WriteFile(filepath.Join(w.folder, name+"."+section), []byte(b.String()), 0o644); err != nil {
		return err
	}
	for _, e := range below {
		if err := w.page(append(command[:len(command):len(command)], e[0]), e[1], name, e[2]); err != nil {
			return err
		}
	}
	return nil
}

// entries are what a list of a help text names, but for help itself: name, meaning and
// section.
func entries(usage, title, section string) (all [][3]string) {
	for line := range strings.SplitSeq(sectionOf(usage, title), "\n") {
		if m := entry.FindStringSubmatch(line); m != nil && m[1] != "help" {
			all = append(all, [3]string{m[1], m[2], section})
		}
	}
	return all
}

// sectionOf is what stands under a title, up to the next empty line.
func sectionOf(usage, title string) string {
	_, found, _ := strings.Cut(usage, "\n"+title+"\n")
	found, _, _ = strings.Cut(found, "\n\n")
	return strings.TrimRight(found, "\n")
}

// flag is a line that begins with a flag, up to what it means.
var flag = regexp.MustCompile(`^ +(?:-\w, )?--\S+(?: \S+)? {2,}`)

// wrapped breaks the lines of flags so that a terminal need not.
func wrapped(flags string) string {
	const width = 78
	var b strings.Builder
	for line := range strings.SplitSeq(flags, "\n") {
		indent := len(flag.FindString(line))
		b.WriteString(line[:indent])
		column := indent
		for _, word := range strings.Fields(line[indent:]) {
			if n := len([]rune(word)); column > indent && column+1+n > width {
				b.WriteString("\n" + strings.Repeat(" ", indent))
				column = indent + n
			} else if column > indent {
				b.WriteString(" ")
				column += 1 + n
			} else {
				column += n
			}
			b.WriteString(word)
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// roff writes a text so that man shows it as it is: a backslash or hyphen means
// itself, and no line begins a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// Bench measures the built program against floors in the same run and prints a
// table: bare loops over encoding/csv and net/http that do nothing but the
// necessary. Client, server and floor are processes of their own, run in turn.
//
//	go run ./testdata/bench            # some 3 minutes on 2 cores
//	go run ./testdata/bench -scale 5   # 5 million rows of a dry run; the figures of the README
//	go run ./testdata/bench -only job,dry
//	go run ./testdata/bench -only journal -turns 15
//	go run ./testdata/bench -only delta -scale 10   # 10 million devices; minutes, and 6 GB of disk
//
// Ratios within one run mean something; absolute figures drift with the machine.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// measure is one group of lines of the table.
type measure struct {
	name string
	run  func(*bench) error
}

func measures() []measure {
	return []measure{
		{"units", units},
		{"dry", dryRuns},
		{"memory", memory},
		{"job", wholeJob},
		{"journal", journal},
		{"latency", slowServer},
		{"rate", rates},
		{"start", starts},
		{"checkpoint", checkpoints},
		{"delta", nights},
	}
}

// bench is where the measures find their parts.
type bench struct {
	dir   string // for data and runs; removed at the end
	ours  string // the program
	self  string // this program, which is floor and server too
	scale int
	turns int
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 2 && os.Args[1] == "part" {
		if err := part(os.Args[2], os.Args[3:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	scale := flag.Int("scale", 1, "millions of rows in a dry run")
	turns := flag.Int("turns", 5, "how often each is run; medians are shown")
	only := flag.String("only", "", "measure only these, separated by commas")
	flag.Parse()
	if err := runAll(*scale, *turns, *only); err != nil {
		log.Fatal(err)
	}
}

func runAll(scale, turns int, only string) error {
	dir, err := os.MkdirTemp("", "pushbatch-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, ours: filepath.Join(dir, "pushbatch"), self: filepath.Join(dir, "bench"), scale: scale, turns: turns}
	for program, pkg := range map[string]string{b.ours: "./cmd/pushbatch", b.self: "./testdata/bench"} {
		if err := build(program, pkg); err != nil {
			return err
		}
	}
	fmt.Printf("%s, %d cores, %s %s/%s, commit %s, medians of %d turns\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, commit(), turns)
	fmt.Println("| what | ours | floor | ratio | wanted |")
	fmt.Println("|---|---|---|---|---|")
	for _, m := range measures() {
		if only != "" && !slices.Contains(strings.Split(only, ","), m.name) {
			continue
		}
		if err := m.run(b); err != nil {
			return fmt.Errorf("measure %s: %w", m.name, err)
		}
	}
	return nil
}

// line prints one line of the table.
func line(what, ours, floor, ratio, wanted string) {
	fmt.Printf("| %s | %s | %s | %s | %s |\n", what, ours, floor, ratio, wanted)
}

func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// median of values, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

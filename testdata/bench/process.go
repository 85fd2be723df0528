package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// usage is what the system says of one finished process.
type usage struct {
	wall, cpu float64 // seconds
	memory    float64 // peak, MB
}

// run runs a program to its end; its exit code must be one of those wanted.
func run(wanted []int, program string, args ...string) (usage, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "INFOBIP_API_KEY=bench", "INFOBIP_APP_CODE=bench")
	var said bytes.Buffer
	cmd.Stderr = &said
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if cmd.ProcessState == nil {
		return usage{}, err
	}
	for _, code := range wanted {
		if cmd.ProcessState.ExitCode() == code {
			return usageOf(cmd.ProcessState, wall), nil
		}
	}
	return usage{}, fmt.Errorf("%s: %w\n%s", strings.Join(append([]string{filepath.Base(program)}, args...), " "), err, said.String())
}

func usageOf(state *os.ProcessState, wall time.Duration) usage {
	u := usage{wall: wall.Seconds(), cpu: (state.UserTime() + state.SystemTime()).Seconds()}
	if sys, ok := state.SysUsage().(*syscall.Rusage); ok {
		u.memory = float64(sys.Maxrss) / 1024
	}
	return u
}

func build(program, pkg string, flags ...string) error {
	args := append([]string{"build", "-ldflags=-s -w", "-o", program}, flags...)
	if out, err := exec.Command("go", append(args, pkg)...).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// runOnce makes a new run of ours; the folder is removed.
func (b *bench) runOnce(args ...string) (usage, error) { return b.runProgram(b.ours, args...) }

func (b *bench) runProgram(program string, args ...string) (usage, error) {
	out := filepath.Join(b.dir, "run")
	defer os.RemoveAll(out)
	return run([]int{0}, program, append(args, "--out", out, "--quiet")...)
}

// inTurn runs two things alternately and returns the medians of each and of
// their ratios, turn by turn.
func (b *bench) inTurn(one, other func() (usage, error)) (ours, floor, ratio usage, err error) {
	var all [3][3][]float64
	for range b.turns {
		u, err := one()
		if err != nil {
			return ours, floor, ratio, err
		}
		f, err := other()
		if err != nil {
			return ours, floor, ratio, err
		}
		for i, x := range []usage{u, f, {u.wall / f.wall, u.cpu / f.cpu, u.memory / f.memory}} {
			all[i][0], all[i][1], all[i][2] = append(all[i][0], x.wall), append(all[i][1], x.cpu), append(all[i][2], x.memory)
		}
	}
	for i, to := range []*usage{&ours, &floor, &ratio} {
		*to = usage{median(all[i][0]), median(all[i][1]), median(all[i][2])}
	}
	return ours, floor, ratio, nil
}

// rows returns a file of n rows in a format, made once.
func (b *bench) rows(format string, n int) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("%d.%s", n, format))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	gen := filepath.Join(b.dir, "gen")
	if _, err := os.Stat(gen); err != nil {
		if err := build(gen, "./testdata/gen"); err != nil {
			return "", err
		}
	}
	cmd := exec.Command(gen, "-rows", fmt.Sprint(n), "-format", format)
	cmd.Stdout, cmd.Stderr = file, os.Stderr
	return path, cmd.Run()
}

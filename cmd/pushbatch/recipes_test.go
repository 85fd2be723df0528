package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/parts"
)

// partRecipe is how an engine starts the run of one part.
type partRecipe struct {
	name     string
	variable string // that the engine sets to the part's number
	script   string // of a shell
}

// partRecipes are those of the help topics.
func partRecipes(t *testing.T) []partRecipe {
	t.Helper()
	var job struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct{ Command, Args []string }
				}
			}
		}
	}
	var definition struct{ ContainerProperties struct{ Command []string } }
	for _, b := range readme(t) {
		switch {
		case b.language == "yaml" && strings.Contains(b.text, "\nkind: Job\n"):
			if err := yaml.Unmarshal([]byte(b.text), &job); err != nil {
				t.Fatalf("%v: %v", b, err)
			}
		case b.language == "json":
			if err := json.Unmarshal([]byte(b.text), &definition); err != nil {
				t.Fatalf("%v: %v", b, err)
			}
		}
	}
	containers, command := job.Spec.Template.Spec.Containers, definition.ContainerProperties.Command
	if len(containers) != 1 || strings.Join(containers[0].Command, " ") != "sh -c" || len(containers[0].Args) != 1 {
		t.Fatalf("the Indexed Job has %+v", containers)
	}
	if len(command) != 3 || command[0] != "sh" || command[1] != "-c" {
		t.Fatalf("the job definition has %q", command)
	}
	return []partRecipe{
		{"Slurm", "SLURM_ARRAY_TASK_ID", slurmRecipe(t)},
		{"Kubernetes", "JOB_COMPLETION_INDEX", containers[0].Args[0]},
		{"AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", command[2]},
	}
}

// run starts a part as the engine does and returns what it printed and its exit code.
func (r *partRecipe) run(t *testing.T, dir, bin string, part int, env ...string) (string, int) {
	t.Helper()
	script := strings.ReplaceAll(r.script, "s3://company-push/", "")
	c := exec.CommandContext(t.Context(), "bash", "-c", script) //nolint:gosec // of our help topics
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), r.variable+"="+strconv.Itoa(part))
	c.Env = append(c.Env, env...)
	out, _ := c.CombinedOutput()
	return string(out), c.ProcessState.ExitCode()
}

// Every recipe names the part that split has written, whatever its number.
func TestRecipesNameTheirPart(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("recipes are run by a shell")
	}
	bin := t.TempDir()
	echo := "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "pushbatch"), []byte(echo), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	for _, r := range partRecipes(t) {
		for _, part := range []int{0, 7, 8, 9, 10, 42, 99, 100, 999} {
			out, code := r.run(t, t.TempDir(), bin, part)
			args := strings.Split(out, "\n")
			if code != 0 || len(args) < 5 || args[1] != "parts/"+parts.Name(part) || args[2] != "--out" || args[3] != fmt.Sprintf("runs/part-%d", part) {
				t.Errorf("%s, part %d: exit code %d\n%s", r.name, part, code, out)
			}
		}
	}
}

// The recipes of engines that cannot be had here, run as the engine would: twelve parts,
// one of them killed and started again, one with a row that is rejected. (TestSlurm has
// a real engine.)
func TestRecipesOfParts(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	bin := t.TempDir()
	if err := os.Symlink(binary(t), filepath.Join(bin, "pushbatch")); err != nil {
		t.Fatal(err)
	}
	for _, r := range partRecipes(t)[1:] {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			want := writeKillRows(t, filepath.Join(dir, "devices.csv"), 600)
			appendTo(t, filepath.Join(dir, "devices.csv"), "not an id,1\n")
			sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
			r.script = strings.ReplaceAll(r.script, "pushbatch personalize", "pushbatch update")
			env := []string{"INFOBIP_API_KEY=" + scriptKey, "INFOBIP_APP_CODE=test-app", "INFOBIP_BASE_URL=" + url, "PUSHBATCH_RATE=5000"}
			command := func(args ...string) string {
				c := exec.CommandContext(t.Context(), binary(t), args...) //nolint:gosec // the program
				c.Dir = dir
				out, err := c.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %v\n%s", args, err, out)
				}
				return string(out)
			}
			command("split", "devices.csv", "--operation", "update", "--parts", "12", "--to", "parts")
			runs, rejected := []string{"report"}, 0
			for part := range 12 {
				if part == 10 { // its first task is stopped, as by a lost machine
					r.run(t, dir, bin, part, append(env, "PUSHBATCH_MAX_DURATION=1ms")...)
				}
				out, code := r.run(t, dir, bin, part, env...)
				if code == exitBadRows {
					rejected++
				} else if code != 0 {
					t.Errorf("part %d: exit code %d\n%s", part, code, out)
				}
				runs = append(runs, fmt.Sprintf("runs/part-%d", part))
			}
			if rejected != 1 {
				t.Errorf("%d parts ended with 1, want the one that has the rejected row", rejected)
			}
			demandState(t, sim, want)
			if out := command(runs...); !strings.Contains(out, "update: 601 rows") || !strings.Contains(out, "rejected   1") {
				t.Errorf("the parts do not add up:\n%s", out)
			}
		})
	}
}

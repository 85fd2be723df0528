package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// The recipe of the help topic on a real Slurm with two nodes: an array of eight
// parts, two at a time. One task's process is killed and started again, one node is
// drained while it works. The platform ends in the state of the rows in their order,
// the parts add up, and a part with a rejected row does not fail the job.
func TestSlurm(t *testing.T) {
	t.Parallel()
	thorough.Only(t) // it installs nothing and takes minutes
	const rows = 2400
	dir := t.TempDir()
	want := writeKillRows(t, filepath.Join(dir, "devices.csv"), rows)
	appendTo(t, filepath.Join(dir, "devices.csv"), "not an id,1\n")
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	s := startSlurm(t, dir, url)
	s.do(t, "pushbatch", "split", "devices.csv", "--operation", "update", "--parts", "8", "--to", "parts")
	s.do(t, "mkdir", "-p", "runs")
	script := strings.NewReplacer("pushbatch personalize", "pushbatch update", "--rate 50", "--rate 120").Replace(slurmRecipe(t))
	if err := os.WriteFile(filepath.Join(dir, "part.sh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	job := strings.TrimSpace(s.do(t, "sbatch", "--parsable", "--array=0-7%2", "part.sh"))

	pid := s.processOf(t, "runs/part-1")
	s.do(t, "kill", "-9", strconv.Itoa(pid))
	s.await(t, job+"_1", "FAILED")
	s.do(t, "scontrol", "requeue", job+"_1")
	s.do(t, "scontrol", "update", "JobId="+job+"_1", "StartTime=now")

	s.processOf(t, "runs/part-2")
	s.do(t, "scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=test")
	for _, line := range strings.Fields(s.do(t, "squeue", "-h", "-t", "R", "-w", "n1", "-o", "%i")) {
		s.do(t, "scontrol", "requeue", line)
		s.await(t, line, "PENDING")
		s.do(t, "scontrol", "update", "JobId="+line, "StartTime=now")
	}
	for task := range 8 {
		s.await(t, fmt.Sprintf("%s_%d", job, task), "COMPLETED")
	}
	demandState(t, sim, want)
	report := s.do(t, "sh", "-c", "pushbatch report runs/part-*")
	if !strings.Contains(report, "update: 2,401 rows") || !strings.Contains(report, "succeeded  2,400") || !strings.Contains(report, "rejected   1") {
		t.Errorf("the parts do not add up:\n%s", report)
	}
}

// slurmRecipe is the job script of the help topic.
func slurmRecipe(t *testing.T) string {
	t.Helper()
	for _, b := range readme(t) {
		if b.marks["file"] == "part.sh" {
			return b.text
		}
	}
	t.Fatal("the topic slurm has no job script")
	return ""
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// slurm is a cluster of two nodes on this machine.
type slurm struct {
	dir string
	env []string
}

func startSlurm(t *testing.T, dir, url string) *slurm {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	home := t.TempDir()
	ports := freePorts(t, 3)
	conf := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[3]d
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool-%%n
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd-%%n.pid
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MinJobAge=3600
NodeName=n0 NodeAddr=127.0.0.1 NodeHostname=%[1]s Port=%[4]d CPUs=1
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname=%[1]s Port=%[5]d CPUs=1
PartitionName=main Nodes=n0,n1 Default=YES MaxTime=INFINITE State=UP
`, host, home, ports[0], ports[1], ports[2])
	path, bin := filepath.Join(home, "slurm.conf"), filepath.Join(home, "bin")
	for _, err := range []error{
		os.WriteFile(path, []byte(conf), 0o600), os.Mkdir(filepath.Join(home, "state"), 0o700), os.Mkdir(bin, 0o700),
		os.Symlink(binary(t), filepath.Join(bin, "pushbatch")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &slurm{dir: dir, env: append(os.Environ(), "SLURM_CONF="+path, "PATH="+bin+":"+os.Getenv("PATH"),
		"INFOBIP_API_KEY="+scriptKey, "INFOBIP_APP_CODE=test-app", "INFOBIP_BASE_URL="+url)}
	for _, daemon := range [][]string{{"slurmctld", "-D"}, {"slurmd", "-D", "-N", "n0"}, {"slurmd", "-D", "-N", "n1"}} {
		c := exec.Command(daemon[0], daemon[1:]...)
		c.Env, c.Dir = s.env, home
		if err := c.Start(); err != nil {
			t.Fatalf("%v: .ci/run installs it", err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	}
	eventually(t, "both nodes to be idle", func() bool {
		out, _ := s.command("sinfo", "-h", "-t", "idle", "-o", "%D").Output()
		return strings.TrimSpace(string(out)) == "2"
	})
	return s
}

func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		_, port, err := net.SplitHostPort(freePort(t))
		if err != nil {
			t.Fatal(err)
		}
		number, _ := strconv.Atoi(port)
		ports = append(ports, number)
	}
	return ports
}

func (s *slurm) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Env, c.Dir = s.env, s.dir
	for _, entry := range s.env {
		if path, ok := strings.CutPrefix(entry, "PATH="); ok && name == "pushbatch" {
			c.Path, c.Err = filepath.Join(strings.Split(path, ":")[0], name), nil
		}
	}
	return c
}

// do runs a command of the recipe, which must succeed.
func (s *slurm) do(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// await waits for a task to be in a state.
func (s *slurm) await(t *testing.T, task, state string) {
	t.Helper()
	var out []byte
	eventually(t, "task "+task+" to be "+state, func() bool {
		out, _ = s.command("scontrol", "-o", "show", "job", task).Output()
		return strings.Contains(string(out), "JobState="+state+" ")
	})
}

// processOf waits for the process that works on a run and returns its id.
func (s *slurm) processOf(t *testing.T, run string) (pid int) {
	t.Helper()
	eventually(t, "a process to work on "+run, func() bool {
		if _, err := os.Stat(filepath.Join(s.dir, run, "checkpoint.json")); err != nil {
			return false
		}
		names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, name := range names {
			line, _ := os.ReadFile(name)
			args := strings.Split(string(line), "\x00")
			where, _ := os.Readlink(filepath.Join(filepath.Dir(name), "cwd"))
			if len(args) > 4 && strings.HasSuffix(args[0], "pushbatch") && args[4] == run && where == s.dir {
				pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(name)))
			}
		}
		return pid != 0
	})
	return pid
}

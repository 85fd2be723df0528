package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"pushbatch/testdata/thorough"
)

// largest is what the released program must stay below: it is fetched by pods.
const largest = 30_000_000

// The release is made twice, from two folders at different times of the day:
// the archives are the same byte for byte, hold what they should, and the
// program within is static and knows where it comes from.
func TestReleaseIsReproducible(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	names := []string{"pushbatch_1.2.3_linux_amd64.tar.gz", "pushbatch_1.2.3_windows_amd64.zip", "pushbatch_1.2.3_SBOM.txt", "pushbatch_1.2.3_SHA256SUMS"}
	first, second := buildRelease(t, root), buildRelease(t, copyOfTree(t))
	for _, name := range names {
		if !bytes.Equal(first[name], second[name]) || len(first[name]) == 0 {
			t.Errorf("%s differs: %d and %d bytes", name, len(first[name]), len(second[name]))
		}
	}
	if linked := string(first[names[2]]); !strings.Contains(linked, "pushbatch 1.2.3\n") || !strings.Contains(linked, "\tdep\tgithub.com/parquet-go/parquet-go\tv") {
		t.Errorf("the list of what is linked in:\n%s", linked)
	}
	for _, name := range names[:3] {
		if line := fmt.Sprintf("%x  %s\n", sha256.Sum256(first[name]), name); !strings.Contains(string(first[names[3]]), line) {
			t.Errorf("no %s in\n%s", line, first[names[3]])
		}
	}
	files := untar(t, first[names[0]])
	var got []string
	for name := range files {
		got = append(got, strings.TrimPrefix(name, "pushbatch_1.2.3_linux_amd64/"))
	}
	for _, want := range []string{"pushbatch", "README.md", "LICENSE", "man/pushbatch.1", "man/pushbatch-errors.7", "completions/_pushbatch", "completions/pushbatch.bash", "completions/pushbatch.fish", "completions/pushbatch.ps1"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not in the archive: %q", want, got)
		}
	}
	demandProgram(t, files["pushbatch_1.2.3_linux_amd64/pushbatch"])
	archive, err := zip.NewReader(bytes.NewReader(first[names[1]]), int64(len(first[names[1]])))
	if err != nil || !slices.ContainsFunc(archive.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, "/pushbatch.exe") }) {
		t.Errorf("no program for Windows: %v", err)
	}
}

// buildRelease runs the script and returns what it made.
func buildRelease(t *testing.T, tree string) map[string][]byte {
	t.Helper()
	out := t.TempDir()
	command := exec.CommandContext(t.Context(), filepath.Join(tree, ".release", "build"), out, "linux/amd64", "windows/amd64")
	command.Env = append(os.Environ(), "VERSION=1.2.3", "COMMIT=0123456789abcdef", "SOURCE_DATE_EPOCH=1700000000")
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	made := make(map[string][]byte)
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if made[e.Name()], err = os.ReadFile(filepath.Join(out, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

// copyOfTree copies what git knows of the repository into another folder.
func copyOfTree(t *testing.T) string {
	t.Helper()
	tree := filepath.Join(t.TempDir(), "elsewhere")
	command := exec.CommandContext(t.Context(), "sh", "-c", `mkdir "$0" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"`, tree)
	command.Dir = root
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return tree
}

func untar(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for archive := tar.NewReader(zipped); ; {
		head, err := archive.Next()
		if err == io.EOF {
			return files
		}
		if err != nil || head.ModTime.Unix() != 1_700_000_000 || head.Uid != 0 {
			t.Fatalf("%+v: %v", head, err)
		}
		if files[head.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func demandProgram(t *testing.T, program []byte) {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC }) {
		t.Error("the program is not static")
	}
	if len(program) >= largest {
		t.Errorf("the program has %d bytes. When it grew by a third at once, something calls methods by name, which keeps all methods "+
			"of all types. What does: go build -o /dev/null -ldflags=-dumpdep ./cmd/pushbatch 2>&1 | grep -a ReflectMethod", len(program))
	}
	path := filepath.Join(t.TempDir(), "pushbatch")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "version").Output()
	want := "pushbatch 1.2.3 (commit 0123456789ab, 2023-11-14T22:13:20Z) " + runtime.Version() + " linux/amd64\n"
	if err != nil || string(out) != want {
		t.Errorf("version: %q, want %q; %v", out, want, err)
	}
	if absolute, err := filepath.Abs(root); err != nil || bytes.Contains(program, []byte(absolute)) {
		t.Errorf("the path of this machine is in the program (%v)", err)
	}
}

// There is no container engine here: the Containerfile is read. Its last stage
// holds files of the first only and does not run as root; what it compiles with
// is the script that TestReleaseIsReproducible runs.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	text := releaseFile(t, "Containerfile")
	stages := regexp.MustCompile(`(?m)^FROM (\S+)(?: AS (\w+))?$`).FindAllStringSubmatch(text, -1)
	if len(stages) != 2 || stages[0][2] != "build" || stages[1][1] != "scratch" {
		t.Fatalf("stages %q", stages)
	}
	_, last, _ := strings.Cut(text, "FROM scratch")
	for line := range strings.Lines(last) {
		if strings.HasPrefix(line, "RUN ") || strings.HasPrefix(line, "COPY ") && !strings.Contains(line, "--from=build ") {
			t.Errorf("scratch has nothing to run with or to copy from: %s", line)
		}
	}
	for _, want := range []string{"\nUSER 65532:65532\n", "/etc/ssl/certs/ca-certificates.crt", "\nENTRYPOINT [\"/usr/local/bin/pushbatch\"]\n"} {
		if !strings.Contains(last, want) {
			t.Errorf("%q is not in the last stage", want)
		}
	}
	if stages[0][1] != "${BASE}" || !strings.Contains(text, `case "$BASE" in *@sha256:*)`) {
		t.Error("the image that compiles is not demanded by its digest")
	}
	if !strings.Contains(text, "RUN .release/compile /out/pushbatch\n") {
		t.Error("it is not compiled by .release/compile")
	}
}

// goreleaser makes the same builds as the script.
func TestGoreleaser(t *testing.T) {
	t.Parallel()
	var config struct {
		Version int
		Builds  []struct{ Env, Flags, Ldflags, Goos, Goarch []string }
	}
	if err := yaml.Unmarshal([]byte(releaseFile(t, "goreleaser.yaml")), &config); err != nil || config.Version != 2 || len(config.Builds) != 1 {
		t.Fatalf("%+v: %v", config, err)
	}
	build := config.Builds[0]
	compile, script := releaseFile(t, "compile"), releaseFile(t, "build")
	for _, flag := range slices.Concat(build.Env, build.Flags) {
		if !strings.Contains(compile, flag) {
			t.Errorf("%s is not in .release/compile", flag)
		}
	}
	flags := strings.NewReplacer("{{ .Version }}", "$VERSION", "{{ .FullCommit }}", "$COMMIT", "{{ .CommitDate }}", "$DATE").Replace(build.Ldflags[0])
	if !strings.Contains(compile, flags) {
		t.Errorf("flags of the linker: %s", flags)
	}
	var targets []string
	for _, system := range build.Goos {
		for _, architecture := range build.Goarch {
			targets = append(targets, system+"/"+architecture)
		}
	}
	want := strings.Fields(regexp.MustCompile(`targets=\((l[^)]*)\)`).FindStringSubmatch(script)[1])
	if diff := cmp.Diff(want, targets); diff != "" {
		t.Error(diff)
	}
}

func releaseFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, ".release", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Man pages show every line of the help as it is.
func TestManPages(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man")
	p := &process{args: []string{"man", folder}, stdout: io.Discard, stderr: os.Stderr, getenv: os.LookupEnv}
	if code := run(t.Context(), *p); code != 0 {
		t.Fatal(code)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.[17]"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		data, err := os.ReadFile(page)
		title := strings.ToUpper(strings.TrimSuffix(filepath.Base(page), filepath.Ext(page)))
		if err != nil || !bytes.Contains(data, []byte(".TH "+strconv.Quote(title))) {
			t.Errorf("%s: %v", page, err)
		}
		if filepath.Ext(page) == ".1" && !bytes.Contains(data, []byte("\n.SH OPTIONS\n.EX\n  -h, --help ")) && !bytes.Contains(data, []byte("\n.SH OPTIONS\n.EX\n      --")) {
			t.Errorf("%s has no flags:\n%s", page, data)
		}
	}
	data, err := os.ReadFile(filepath.Join(folder, "pushbatch-mapping.7"))
	if want := "\n    ignore: [comment]                           # columns to pass over\n"; err != nil || !bytes.Contains(data, []byte(want)) {
		t.Errorf("%v: not as it stands in the help: %s", err, data)
	}
	if got := inMan.Replace("a\n.b\n'c\\N"); got != "a\n\\&.b\n\\&'c\\eN" { // else man would take them for its own
		t.Errorf("%q", got)
	}
}

// What others wrote is installed as its lock file says and runs nothing, and a check
// of vulnerabilities that could not run is said to, loudly and at the end.
func TestSupplyChain(t *testing.T) {
	t.Parallel()
	run, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	installs := regexp.MustCompile(`(?m)^[^#\n]*\bnpm (ci|i|install)\b.*`).FindAllString(string(run), -1)
	for _, line := range installs {
		if !strings.Contains(line, "npm ci ") || !strings.Contains(line, "--ignore-scripts") {
			t.Errorf("%s: scripts of packages run, or versions are free", line)
		}
	}
	folders := regexp.MustCompile(`(?m)^ *need_npm (\S+) `).FindAllStringSubmatch(string(run), -1)
	if len(installs) == 0 || len(folders) == 0 {
		t.Error("no packages of node are installed")
	}
	for _, folder := range folders {
		if _, err := os.Stat("../../" + folder[1] + "/package-lock.json"); err != nil {
			t.Error(err)
		}
	}
	check := regexp.MustCompile(`(?s)\nvulnerabilities\(\) \{.*?\n\}`).Find(run)
	for says, want := range map[string]string{
		"exit 1 dial tcp: no such host":  "true noted",
		"exit 3 Vulnerability #1: GO-1":  "false",
		"exit 1 cannot load the package": "false",
		"exit 0 No vulnerabilities":      "true",
	} {
		code, text, _ := strings.Cut(strings.TrimPrefix(says, "exit "), " ")
		script := "govulncheck() { echo '" + text + "'; return " + code + "; }\ntimeout() { shift; \"$@\"; }\nnotes=$(mktemp)\n" + string(check) +
			"\nif vulnerabilities >\"$notes.out\"; then echo -n true; else echo -n false; fi\n" +
			"grep -q '^!!! NOT CHECKED' \"$notes.out\" && grep -q . \"$notes\" && echo -n ' noted'\nrm -f \"$notes\" \"$notes.out\""
		if got, err := exec.Command("bash", "-c", script).Output(); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", says, got, err, want)
		}
	}
}

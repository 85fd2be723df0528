package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// What release builds set by the linker (.release/compile): the release, the
// commit it was made of, and that commit's time.
var stamped, stampedCommit, stampedDate string

// build is where a program comes from.
type build struct {
	version string // the release, or devel
	commit  string // empty when it is not known
	date    string // of the commit, RFC 3339; empty when it is not known
}

// thisBuild is what the linker was told, else what Go noted of the checkout.
func thisBuild() build {
	if stamped != "" {
		return build{stamped, stampedCommit, stampedDate}
	}
	b := build{version: "devel"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.time":
			b.date = s.Value
		}
	}
	return b
}

// version is the release, or the commit a development build was made of.
func version() string { return thisBuild().version }

// String is the line that pushbatch version prints.
func (b build) String() string {
	var origin []string
	if b.commit != "" {
		origin = append(origin, "commit "+b.commit[:min(12, len(b.commit))])
	}
	if b.date != "" {
		origin = append(origin, b.date)
	}
	line := "pushbatch " + b.version
	if len(origin) > 0 {
		line += " (" + strings.Join(origin, ", ") + ")"
	}
	return fmt.Sprintf("%s %s %s/%s", line, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, date and Go version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), thisBuild())
			return nil
		},
	}
}

// Checks what the documentation says to engines with the engines' own rules:
//
//	go -C .ci/manifests run . ../../README.md ../../cmd/pushbatch/help/*.md
//
// Manifests of Kubernetes are decoded strictly, given their defaults and validated as the
// API server does it when they are created; job definitions and submit-job commands of AWS
// Batch are decoded strictly and pass the SDK's own validation. It fails when one of the
// four kinds is not found.
//
// A module of its own: nothing of these is linked into the program or its tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// found is a block of a documentation that an engine reads.
type found struct{ file, language, text string }

func main() {
	log.SetFlags(0)
	seen := make(map[string]int)
	failed := false
	for _, path := range os.Args[1:] {
		blocks, err := blocksOf(path)
		if err != nil {
			log.Fatal(err)
		}
		for _, b := range blocks {
			kind, err := check(context.Background(), b)
			if kind == "" {
				continue
			}
			if seen[kind]++; err != nil {
				failed = true
				log.Printf("%s: %s: %v", b.file, kind, err)
			} else {
				log.Printf("%s: %s: ok", b.file, kind)
			}
		}
	}
	for _, kind := range []string{"CronJob", "Job", "job definition", "submit-job"} {
		if seen[kind] == 0 {
			failed = true
			log.Printf("no %s was found", kind)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(ctx context.Context, b found) (kind string, err error) {
	switch {
	case b.language == "yaml" && strings.Contains(b.text, "apiVersion:"):
		return checkManifest(b.text)
	case b.language == "json" && strings.Contains(b.text, "jobDefinitionName"):
		return "job definition", checkDefinition(ctx, b.text)
	case b.language == "sh" && strings.Contains(b.text, "aws batch submit-job"):
		return "submit-job", checkSubmit(ctx, b.text)
	}
	return "", nil
}

// blocksOf returns the fenced blocks of a Markdown file.
func blocksOf(path string) (blocks []found, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var open *found
	for line := range strings.Lines(string(data)) {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case open == nil && isFence:
			open = &found{file: filepath.Base(path), language: fence}
		case open != nil && isFence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.text += line
		}
	}
	if open != nil {
		return nil, errors.New(path + ": a block is not closed")
	}
	return blocks, nil
}

func joined(errs []string) error {
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("\n  %s", strings.Join(errs, "\n  "))
}

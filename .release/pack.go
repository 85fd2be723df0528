//go:build ignore

// Pack writes an archive, .tar.gz or .zip, whose bytes depend on nothing but the
// files' names and contents and SOURCE_DATE_EPOCH.
//
//	go run .release/pack.go -o OUT.tar.gz -under FOLDER FILE-OR-FOLDER…
//	go run .release/pack.go -date
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("o", "", "archive to write, .tar.gz or .zip")
	under := flag.String("under", "", "folder that holds everything in the archive")
	date := flag.Bool("date", false, "print SOURCE_DATE_EPOCH as a date")
	flag.Parse()
	if err := run(*out, *under, *date, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(out, under string, date bool, sources []string) error {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	when := time.Unix(seconds, 0).UTC()
	if date {
		fmt.Println(when.Format(time.RFC3339))
		return nil
	}
	entries, err := collect(under, sources)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	write := writeTar
	if strings.HasSuffix(out, ".zip") {
		write = writeZip
	}
	return errors.Join(write(f, entries, when), f.Close())
}

// entry is one file of the archive.
type entry struct {
	name string // in the archive
	data []byte
	mode fs.FileMode
}

// collect reads files, and all files below folders, in the order of their names.
func collect(under string, sources []string) ([]entry, error) {
	var entries []entry
	for _, source := range sources {
		err := filepath.WalkDir(source, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			inside, err := filepath.Rel(filepath.Dir(source), file)
			if err != nil {
				return err
			}
			data, err := os.ReadFile(file)
			mode := fs.FileMode(0o644) // whatever the umask of the machine made of it
			if program := filepath.Base(file); program == "pushbatch" || program == "pushbatch.exe" {
				mode = 0o755
			}
			entries = append(entries, entry{path.Join(under, filepath.ToSlash(inside)), data, mode})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

func writeTar(w io.Writer, entries []entry, when time.Time) error {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		head := &tar.Header{Name: e.name, Size: int64(len(e.data)), Mode: int64(e.mode), ModTime: when, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(head); err != nil {
			return err
		}
		if _, err := archive.Write(e.data); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

func writeZip(w io.Writer, entries []entry, when time.Time) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, e := range entries {
		head := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: when}
		head.SetMode(e.mode)
		f, err := archive.CreateHeader(head)
		if err != nil {
			return err
		}
		if _, err := f.Write(e.data); err != nil {
			return err
		}
	}
	return archive.Close()
}

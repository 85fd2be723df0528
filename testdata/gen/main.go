// Gen writes rows of invented devices, as many as asked for, for benchmarks and
// for tests with large inputs. The same flags give the same bytes, and the rows
// are the same in all formats. A shorter file holds the first rows of a longer
// one, but for Parquet's own framing.
//
//	go run ./testdata/gen -rows 1000000 -format csv > big.csv
//	go run ./testdata/gen -rows 1000000 -format parquet > big.parquet
//
// Registration ids and identity values are distinct unless -devices says how
// many devices the rows go around: then row n names device n modulo that, and
// the person it belongs to.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	rows := flag.Int64("rows", 1000, "rows to write")
	seed := flag.Uint64("seed", 1, "seed of everything random")
	format := flag.String("format", "csv", "csv, ndjson or parquet")
	devices := flag.Int64("devices", 0, "number of distinct devices (0: every row is another one)")
	group := flag.Int64("row-group", 100_000, "rows in a row group of Parquet")
	flag.Parse()

	encoders := map[string]func(io.Writer) encoder{
		"csv":     newCSV,
		"ndjson":  newNDJSON,
		"parquet": func(w io.Writer) encoder { return newParquet(w, *group) },
	}
	open, ok := encoders[*format]
	if !ok || *rows < 0 || *devices < 0 || *group < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	if err := write(open(out), *seed, *rows, cmp.Or(*devices, *rows)); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

// encoder writes devices in one format.
type encoder interface {
	encode(*device) error
	close() error
}

func write(to encoder, seed uint64, rows, devices int64) error {
	var d device
	for n := range rows {
		d.fill(seed, uint64(n), uint64(n%devices))
		if err := to.encode(&d); err != nil {
			return err
		}
	}
	return to.close()
}

// csvEncoder writes cells that never need quotes.
type csvEncoder struct{ w io.Writer }

func newCSV(w io.Writer) encoder {
	columns := slices.Clone(columns[:])
	columns[len(columns)-1] += ":number"
	fmt.Fprintln(w, strings.Join(columns, ","))
	return csvEncoder{w}
}

func (e csvEncoder) encode(d *device) error {
	_, err := fmt.Fprintf(e.w, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%d\n",
		d.RegistrationID, d.ExternalID, d.PhoneNumber, d.Email, d.FirstName, d.LastName,
		d.Birthday, d.Gender, strings.Join(d.Tags, "|"), d.Tier, d.Score)
	return err
}

func (csvEncoder) close() error { return nil }

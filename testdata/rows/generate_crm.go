//go:build ignore

// Generate_crm makes crm-export.csv beside it: 600 rows as a CRM exports them,
// with all that is usually wrong in them. It is Windows-1250, with semicolons,
// decimal commas, N/A, national phone numbers of two countries, devices that
// stand twice, separators too many, and a few rows of garbage. All people in it
// are invented. After a change here, from the module's root:
//
//	go run testdata/rows/generate_crm.go
package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

const rows = 600

var (
	first = []string{"Đurđica", "Željka", "Šime", "Krešimir", "Jürgen", "Käthe", "Łukasz", "Jiří", "Győző", "Răzvan", "Ágnes", "Małgorzata"}
	last  = []string{"Kovačević", "Žižić", "Šarić", "Müller", "Groß", "Wiśniewska", "Dvořák", "Őrsi", "von der Höh", "Čačić-Babić"}
	tags  = []string{"vip", "newsletter", "akcija", "stari kupac"}
)

func main() {
	log.SetFlags(0)
	dice := rand.New(rand.NewPCG(20261125, 1))
	lines := []string{"Šifra kupca;Ime;Prezime;E-pošta;Mobitel;Država;Datum rođenja;Spol;Bodovi;Oznake;Uređaj;Napomena"}
	for i := range rows {
		lines = append(lines, row(dice, i))
	}
	text, err := charmap.Windows1250.NewEncoder().String(strings.Join(lines, "\r\n") + "\r\n")
	if err == nil {
		err = os.WriteFile(filepath.Join("testdata", "rows", "crm-export.csv"), []byte(text), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func row(dice *rand.Rand, i int) string {
	pick := func(list ...string) string { return list[dice.IntN(len(list))] }
	device, person := i, i
	switch {
	case i%97 == 96: // the same once more
		device, person = i-1, i-1
	}
	cells := []string{
		fmt.Sprintf("K-%05d", person), first[person%len(first)], last[person%len(last)], fmt.Sprintf("kupac%d@example.com", person),
		fmt.Sprintf("091 %03d %04d", 100+person%900, person*7%10000), "HR",
		fmt.Sprintf("%02d.%02d.%d", 1+person%28, 1+person%12, 1950+person%50), pick("M", "Ž"),
		pick(fmt.Sprintf("%d", person%100), fmt.Sprintf("%d,5", person%1000), fmt.Sprintf("1.%03d,25", person%1000), "N/A"),
		pick("", tags[0], tags[0]+"|"+tags[1], tags[2]+"|"+tags[3]+"|"), fmt.Sprintf("uredaj-%05d", device), pick("", "zvati poslije 17h", "?"),
	}
	if person%2 == 1 {
		cells[4], cells[5] = fmt.Sprintf("0171/%07d", 1000000+person*13), "DE"
	}
	if person%5 == 0 {
		cells[6] = "N/A"
	}
	switch i { // what only a person can fix
	case 100:
		cells[3] = "nema mail"
	case 200:
		cells[4] = "zvati na posao"
	case 300:
		cells[1] = "#REF!"
	case 400:
		cells = cells[:7]
	}
	return strings.Join(cells, ";")
}

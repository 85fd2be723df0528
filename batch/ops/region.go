package ops

import (
	"strings"

	"golang.org/x/text/language"

	"pushbatch/batch"
)

// regionColumn is the column that says the region of each row's phone number.
type regionColumn struct {
	name   string
	index  int
	region string // of the row that was read last; empty: none
	failed bool   // its cell names no region
}

// read takes the region of a row: an ISO 3166 code of two or three letters.
func (c *regionColumn) read(row *batch.Row) {
	if c == nil {
		return
	}
	code := strings.ToUpper(trimSpace(cellOf(row, c.index).Text))
	c.region, c.failed = "", code != ""
	if region, err := language.ParseRegion(code); err == nil && isRegion(region.String()) {
		c.region, c.failed = region.String(), false
	}
}

// phoneRegion is the region of the row's phone number.
func (f *field) phoneRegion() string {
	if f.country != nil && f.country.region != "" {
		return f.country.region
	}
	return f.region
}

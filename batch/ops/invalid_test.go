package ops_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// What a mapping says about cells that are not as their target wants them.
func TestCellRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		column, cell string // column: its options
		body, code   string
		warnings     string
	}{
		"decimal comma":              {column: `{to: customAttributes.x, type: number, decimal: ","}`, cell: "1.234,5", body: `{"x":1234.5}`},
		"decimal comma, large":       {column: `{to: customAttributes.x, decimal: ","}`, cell: "-12.345.678", body: `{"x":-12345678}`},
		"decimal comma, spaces":      {column: `{to: customAttributes.x, decimal: ","}`, cell: "1\u00A0234,50", body: `{"x":1234.50}`},
		"decimal comma, Swiss":       {column: `{to: customAttributes.x, decimal: "."}`, cell: "1'234.5", body: `{"x":1234.5}`},
		"decimal point":              {column: `{to: customAttributes.x, decimal: "."}`, cell: "1,234.5", body: `{"x":1234.5}`},
		"decimal comma, a point":     {column: `{to: customAttributes.x, decimal: ","}`, cell: "1.5", code: "number_invalid"},
		"decimal comma, two":         {column: `{to: customAttributes.x, decimal: ","}`, cell: "1,5,6", code: "number_invalid"},
		"decimal comma, mixed":       {column: `{to: customAttributes.x, decimal: ","}`, cell: "1.234 567,5", code: "number_invalid"},
		"decimal comma, long group":  {column: `{to: customAttributes.x, decimal: ","}`, cell: "1234.567,5", code: "number_invalid"},
		"decimal comma, none before": {column: `{to: customAttributes.x, decimal: ","}`, cell: ",5", code: "number_invalid"},
		"omit":                       {column: `{to: customAttributes.x, type: number, invalid: omit}`, cell: "N/A", body: "", warnings: "cell_omitted:x"},
		"omit what is fine":          {column: `{to: customAttributes.x, type: number, invalid: omit}`, cell: "5", body: `{"x":5}`},
		"null":                       {column: `{to: customAttributes.x, type: number, invalid: "null"}`, cell: "N/A", body: `{"x":null}`, warnings: "cell_nulled:x"},
		"null as YAML has it":        {column: `{to: customAttributes.x, type: number, invalid: null}`, cell: "N/A", body: `{"x":null}`, warnings: "cell_nulled:x"},
		"reject":                     {column: `{to: customAttributes.x, type: number, invalid: reject}`, cell: "N/A", code: "number_invalid"},
		"omit an unlisted value":     {column: `{to: customAttributes.x, values: {G: gold}, invalid: omit}`, cell: "S", warnings: "cell_omitted:x"},
		"other values":               {column: `{to: customAttributes.x, values: {G: gold, "*": none}}`, cell: "Q", body: `{"x":"none"}`},
		"other values, listed":       {column: `{to: customAttributes.x, values: {G: gold, "*": none}}`, cell: "G", body: `{"x":"gold"}`},
		"other values, empty":        {column: `{to: customAttributes.x, values: {G: gold, "*": none}}`, cell: ""},
		"empty values":               {column: `{to: customAttributes.x, type: date, empty_values: [N/A, "-", null]}`, cell: "-"},
		"empty values, null":         {column: `{to: customAttributes.x, type: date, empty_values: [N/A, "-", null]}`, cell: "null"},
		"empty values become null":   {column: `{to: customAttributes.x, empty_values: [N/A], empty: "null"}`, cell: "N/A", body: `{"x":null}`},
		"empty values, default":      {column: `{to: customAttributes.x, empty_values: N/A, default: none}`, cell: "N/A", body: `{"x":"none"}`},
		"layouts, the first":         {column: `{to: customAttributes.x, layout: [DD.MM.YYYY, YYYY-MM-DD]}`, cell: "31.01.2020", body: `{"x":"2020-01-31"}`},
		"layouts, the second":        {column: `{to: customAttributes.x, layout: [DD.MM.YYYY, YYYY-MM-DD]}`, cell: "2020-01-31", body: `{"x":"2020-01-31"}`},
		"layouts, the first counts":  {column: `{to: customAttributes.x, layout: [DD/MM/YYYY, MM/DD/YYYY]}`, cell: "02/03/2020", body: `{"x":"2020-03-02"}`},
		"layouts, only the second":   {column: `{to: customAttributes.x, layout: [DD/MM/YYYY, MM/DD/YYYY]}`, cell: "01/31/2020", body: `{"x":"2020-01-31"}`},
		"layouts, none":              {column: `{to: customAttributes.x, layout: [DD.MM.YYYY, YYYY-MM-DD]}`, cell: "1/2/2020", code: "date_invalid"},
		"omit within an object":      {column: `{to: customAttributes, invalid: omit}`, cell: `{"a":"#REF!","b":"2"}`, body: `{"b":"2"}`, warnings: "cell_omitted:x"},
	} {
		m := mapping(t, "columns:\n  x: "+tt.column+"\n")
		b := dryBinding(t, "personalize", header("registrationId", "externalId", "x"), ops.Options{Mapping: m})
		_, out := b.Map(row("device-1", "ann", tt.cell))
		if tt.code != "" {
			if out.Code != tt.code || out.ErrorColumns != "x" || out.Warnings != "" {
				t.Errorf("%s: got %+v", name, out)
			}
			continue
		}
		want := `{"identity":{"externalId":"ann"}}`
		if tt.body != "" {
			want = `{"identity":{"externalId":"ann"},"attributes":{"customAttributes":` + tt.body + `}}`
		}
		if diff := cmp.Diff(want, body(t, out)); diff != "" || out.Warnings != tt.warnings {
			t.Errorf("%s: warnings %q %s", name, out.Warnings, diff)
		}
	}
}

// What counts as empty does so in a column of numbers, too.
func TestEmptyValuesOfNumbers(t *testing.T) {
	t.Parallel()
	m := mapping(t, "columns:\n  x: {to: customAttributes.x, empty_values: [NaN, \"-1\"]}\n")
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "x"), ops.Options{Mapping: m})
	for _, number := range []string{"NaN", "-1"} {
		r := row("device-1", "ann", "")
		r.Values[2] = batch.Value{Kind: batch.Number, Text: number}
		_, out := b.Map(r)
		if got := body(t, out); got != `{"identity":{"externalId":"ann"}}` {
			t.Errorf("%s: %s", number, got)
		}
	}
}

// What was left out of a row leaves nothing behind, and a cell that could not be
// decoded is one of them.
func TestOmittedLeavesNothing(t *testing.T) {
	t.Parallel()
	m := mapping(t, "columns:\n  name: {to: firstName, invalid: omit}\n  labels: {to: tags, invalid: omit}\n")
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "name", "labels"), ops.Options{Mapping: m})
	_, out := b.Map(row("device-1", "ann", "a\x00b", "ok|a\x00b"))
	if got := body(t, out); got != `{"identity":{"externalId":"ann"}}` || out.Warnings != "cell_omitted:name;cell_omitted:labels" {
		t.Errorf("%s %s", got, out.Warnings)
	}
	faulty := row("device-1", "ann", "hex", "ok")
	faulty.Faults = []batch.Problem{{Code: "encoding_invalid", Column: "name", Message: "bad"}}
	faulty.Err = &faulty.Faults[0]
	if _, out = b.Map(faulty); body(t, out) != `{"identity":{"externalId":"ann"},"attributes":{"tags":["ok"]}}` || out.Warnings != "cell_omitted:name" {
		t.Errorf("%s %s", out.Payload, out.Warnings)
	}
	if _, out = b.Map(row("", "ann", "a\x00b", "")); out.Status != batch.Rejected || out.Warnings != "" {
		t.Errorf("a rejected row has warnings: %+v", out)
	}
}

// Each row's phone number is one of the row's own country.
func TestRegionFrom(t *testing.T) {
	t.Parallel()
	m := mapping(t, "columns:\n  phone: {to: phoneNumber, region_from: Country, region: AT}\n")
	b := dryBinding(t, "personalize", header("registrationId", "phone", "Country"), ops.Options{Mapping: m})
	for _, tt := range []struct{ phone, country, want, says string }{
		{"091 234 5678", "HR", "385912345678", ""},
		{"091 234 5678", "hrv", "385912345678", ""},
		{"0664 1234567", "", "436641234567", ""},
		{"0171 1234567", "DE", "491711234567", ""},
		{"+385912345678", "DE", "385912345678", ""},
		{"+385 91 234 5678", "Atlantis", "385912345678", ""},
		{"1", "Atlantis", "", "the column Country holds no ISO 3166 code"},
		{"0664 1234567", "Atlantis", "", "the column Country holds no ISO 3166 code"},
		{"07911 123456", "uk", "447911123456", ""},
		{"3851234567", "US", "", "could be national or international: write + in front"},
	} {
		_, out := b.Map(row("device-1", tt.phone, tt.country))
		if tt.says != "" {
			if !strings.Contains(out.Message, tt.says) {
				t.Errorf("%+v: %+v", tt, out)
			}
			continue
		}
		if out.Status != batch.Skipped {
			t.Errorf("%+v: %s", tt, out.Message)
		} else if got := body(t, out); got != `{"identity":{"phoneNumber":"`+tt.want+`"}}` {
			t.Errorf("%+v: %s", tt, got)
		}
	}
	for _, c := range b.Columns {
		if c.Column == "Country" && c.Use != ops.Region {
			t.Errorf("the country is %s", c.Use)
		}
	}
}

// An option that makes no sense is refused with its line.
func TestCellRulesRefused(t *testing.T) {
	t.Parallel()
	for option, says := range map[string]string{
		"{to: email, invalid: omit}":                              "only reject is possible",
		"{to: registrationId, invalid: omit}":                     "only reject is possible",
		"{to: externalId, invalid: null}":                         "only reject is possible",
		"{to: appCode, invalid: omit}":                            "only reject is possible",
		"{to: isPrimary, invalid: null}":                          "cannot clear isPrimary",
		"{to: customAttributes, invalid: null}":                   "cannot clear customAttributes",
		"{to: firstName, invalid: leave}":                         "expected reject, omit or null",
		"{to: firstName, decimal: \",\"}":                         "firstName is not a number",
		"{to: customAttributes.a, type: date, decimal: \",\"}":    "customAttributes.a is not a number",
		"{to: customAttributes.a, decimal: \",\", type: boolean}": "customAttributes.a is not a number",
		"{to: customAttributes.a, decimal: x}":                    `expected "," or "."`,
		"{to: firstName, layout: [DD.MM.YYYY]}":                   "firstName is not a date",
		"{to: birthday, layout: []}":                              "the list is empty",
		"{to: birthday, layout: [DD.MM.YYYY, MM]}":                "needs one each",
		"{to: birthday, empty_values: []}":                        "the list is empty",
		"{to: birthday, empty_values: [\"\"]}":                    "expected texts",
		"{to: email, region_from: Country}":                       "email is not a phone number",
		"{to: phoneNumber, region_from: [a]}":                     "expected the name of the column",
		"{to: phoneNumber, region_from: Nowhere}":                 "",
	} {
		m, err := ops.ParseMapping("map.yaml", []byte("columns:\n  registrationId: registrationId\n  x: "+option+"\n"))
		if says == "" && err == nil {
			_, err = ops.Named("personalize").Bind(header("registrationId", "x"), ops.Options{HasAppCode: true, Mapping: m})
			says = `no column "Nowhere"`
		}
		if err == nil || !strings.HasPrefix(err.Error(), "map.yaml:3: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", option, err, says)
		}
	}
}

// A decimal comma is told as a person would.
func TestNumberMessages(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "customAttributes.x:number"), ops.Options{})
	for cell, says := range map[string]string{
		"1.234,5":  `a decimal comma? say decimal: ","`,
		"12,5":     `a decimal comma? say decimal: ","`,
		"1,234.5":  `say decimal: "."`,
		"N/A":      "a word that stands for no value (say empty_values:",
		"five (5)": `8 characters: letters, spaces, "(", digits and other characters`,
	} {
		if _, out := b.Map(row("device-1", "ann", cell)); !strings.Contains(out.Message, says) || strings.Contains(out.Message, cell) {
			t.Errorf("%s: %s", cell, out.Message)
		}
	}
}

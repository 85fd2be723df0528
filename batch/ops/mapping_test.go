package ops_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

func TestMappingErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ yaml, want string }{
		"not a mapping": {"- a\n", "mapping_invalid: map.yaml:1: expected the keys columns, constants and ignore"},
		"unknown key": {
			"columns: {}\ncolums:\n  a: email\n",
			"mapping_invalid: map.yaml:2: unknown key \"colums\" (did you mean columns?): a mapping has the keys columns, constants and ignore",
		},
		"unknown target":  {"columns:\n  a: email\n  b: extrenalId\n", `target_unknown: map.yaml:3: unknown target "extrenalId" (did you mean externalId?)`},
		"no target":       {"columns:\n  a:\n", "mapping_invalid: map.yaml:2: expected the name of a target, such as registrationId"},
		"options only":    {"columns:\n  a: {trim: true}\n", `mapping_invalid: map.yaml:2: column "a" has no to: TARGET`},
		"unknown option":  {"columns:\n  a:\n    to: tags\n    separatr: x\n", "mapping_invalid: map.yaml:4: unknown option \"separatr\" (did you mean separator?): the options are to, type, layout, decimal, region, region_from, separator, empty, empty_values, invalid, trim, default, values"},
		"unknown type":    {"columns:\n  a: {to: customAttributes.a, type: int}\n", `mapping_invalid: map.yaml:2: option type: unknown type "int": one of number, boolean, date, string`},
		"two types":       {"columns:\n  a: {to: \"customAttributes.a:date\", type: number}\n", "mapping_invalid: map.yaml:2: option type: the target says date already"},
		"type of a name":  {"columns:\n  a: {to: firstName, type: number}\n", "mapping_invalid: map.yaml:2: option type: firstName cannot be declared as number"},
		"layout":          {"columns:\n  a: {to: birthday, layout: dd.mm.yyyy}\n", `mapping_invalid: map.yaml:2: option layout: layout "dd.mm.yyyy": needs one each of YYYY, MM or M, DD or D, as in DD.MM.YYYY`},
		"layout of names": {"columns:\n  a: {to: firstName, layout: YYYY-MM-DD}\n", "mapping_invalid: map.yaml:2: option layout: firstName is not a date"},
		"layout of two digits": {
			"columns:\n  a: {to: birthday, layout: DD.MM.YY}\n",
			`mapping_invalid: map.yaml:2: option layout: layout "DD.MM.YY": needs one each of YYYY, MM or M, DD or D, as in DD.MM.YYYY`,
		},
		"layout without separators": {
			"columns:\n  a: {to: birthday, layout: DMYYYY}\n",
			`mapping_invalid: map.yaml:2: option layout: layout "DMYYYY": M and D take one or two digits, so a separator must follow`,
		},
		"region":             {"columns:\n  a: {to: phoneNumber, region: XX}\n", `mapping_invalid: map.yaml:2: option region: "XX" is not one of the two-letter region codes such as HR`},
		"region of an email": {"columns:\n  a: {to: email, region: HR}\n", "mapping_invalid: map.yaml:2: option region: email is not a phone number"},
		"layout of numbers":  {"columns:\n  a: {to: customAttributes.a, type: number, layout: DD.MM.YYYY}\n", "mapping_invalid: map.yaml:2: option layout: the type is number already"},
		"all are one":        {"columns:\n  a: {to: email, values: {x: a@example.com, \"*\": b@example.com}}\n", `mapping_invalid: map.yaml:2: option values: "*" would make all other cells one and the same email: list them`},
		"separator of names": {"columns:\n  a: {to: firstName, separator: x}\n", "mapping_invalid: map.yaml:2: option separator: firstName is not a list"},
		"separator empty":    {"columns:\n  a: {to: tags, separator: \"\"}\n", "mapping_invalid: map.yaml:2: option separator: the separator is empty"},
		"empty":              {"columns:\n  a: {to: tags, empty: nul}\n", "mapping_invalid: map.yaml:2: option empty: expected omit, null or reject (did you mean null?)"},
		"empty null of ids":  {"columns:\n  a: {to: email, empty: null}\n", "mapping_invalid: map.yaml:2: option empty: the platform cannot clear email"},
		"trim":               {"columns:\n  a: {to: email, trim: yes}\n", "mapping_invalid: map.yaml:2: option trim: expected true or false"},
		"default and empty":  {"columns:\n  a: {to: gender, default: MALE, empty: reject}\n", `mapping_invalid: map.yaml:2: column "a" has both default and empty: an empty cell can mean only one thing`},
		"default of nothing": {"columns:\n  a: {to: gender, default: }\n", "mapping_invalid: map.yaml:2: option default: expected one value that is not empty"},
		"values of a list":   {"columns:\n  a: {to: gender, values: [M]}\n", "mapping_invalid: map.yaml:2: expected values as CELL: VALUE\nmapping_invalid: map.yaml:2: option values: expected values as CELL: VALUE"},
		"values of lists":    {"columns:\n  a: {to: gender, values: {M: [MALE], F: FEMALE}}\n", `mapping_invalid: map.yaml:2: expected one value for "M"`},
		"values of objects":  {"columns:\n  a: {to: customAttributes, values: {M: x}}\n", "mapping_invalid: map.yaml:2: option values: customAttributes is an object: give its attributes columns of their own"},
		"constant unknown":   {"constants:\n  emial: a@example.com\n", `target_unknown: map.yaml:2: unknown target "emial" (did you mean email?)`},
		"constant empty":     {"constants:\n  email: \"\"\n", "mapping_invalid: map.yaml:2: constant email: expected one value that is not empty"},
		"constant type":      {"constants:\n  customAttributes.a:int: 5\n", `target_unknown: map.yaml:2: constant customAttributes.a:int: unknown type "int": one of number, boolean, date, string`},
		"ignore":             {"ignore: comment\n", "mapping_invalid: map.yaml:1: expected a list of columns, as in ignore: [comment]"},
		"ignore of lists":    {"ignore:\n  - a\n  - [b]\n", "mapping_invalid: map.yaml:3: expected the name of a column"},
		"aliases":            {"columns:\n  a: &x email\n  b: *x\n", "mapping_invalid: map.yaml:2: expected the name of a target, such as registrationId\nmapping_invalid: map.yaml:3: expected the name of a target, such as registrationId"},
		"two documents":      {"columns: {}\n---\ncolumns: {}\n", "mapping_invalid: map.yaml:3: a mapping is one YAML document, a second one begins here"},
		"sent and ignored":   {"columns:\n  a: email\n  b: tags\nignore: [c, b]\n", "mapping_invalid: map.yaml:4: column \"b\" stands under columns: too: it is sent or passed over, not both"},
		"all at once":        {"columns:\n  a: emial\n  b: {to: tags, x: 1}\nignore: 5\n", "target_unknown: map.yaml:2: unknown target \"emial\" (did you mean email?)\nmapping_invalid: map.yaml:3: unknown option \"x\": the options are to, type, layout, decimal, region, region_from, separator, empty, empty_values, invalid, trim, default, values\nmapping_invalid: map.yaml:4: expected a list of columns, as in ignore: [comment]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ops.ParseMapping("map.yaml", []byte(c.yaml))
			if diff := cmp.Diff(c.want, problems(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMappingErrorShowsNoOtherLine(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"secret: SECRET\ncolumns: {a: [\n", "secret: SECRET\nsecret: b\n", "secret: SECRET\n\tcolumns: x\n"} {
		_, err := ops.ParseMapping("map.yaml", []byte(text))
		if err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "\n>") {
			t.Errorf("ParseMapping(%q) = %v", text, err)
		}
	}
}

func TestMappingOfAnotherInput(t *testing.T) {
	t.Parallel()
	m := mapping(t, `columns:
  devise_id: registrationId
  vip: {to: "customAttributes.vip:boolean", values: {Y: sometimes}}
  sex: {to: gender, default: X}
ignore:
  - coment
  - only in another input of the run
`)
	_, err := ops.Named("personalize").Bind(header("device_id", "vip", "sex", "email", "comment"), ops.Options{HasAppCode: true, Mapping: m})
	want := `column_unknown: map.yaml:2: the input has no column "devise_id" (did you mean device_id?)
boolean_invalid: map.yaml:3: a value the mapping gives: expected true or false (1/0, yes/no, y/n, t/f), found 9 characters: letters; a mapping can translate with values:
gender_invalid: map.yaml:4: a value the mapping gives: expected MALE or FEMALE, found 1 character: letters; a mapping can translate with values:
column_unknown: map.yaml:6: the input has no column "coment" (did you mean comment?)
column_unknown: unknown column "device_id": map it with --map, or pass it over with --ignore-unmapped
column_unknown: unknown column "comment": map it with --map, or pass it over with --ignore-unmapped`
	if diff := cmp.Diff(want, problems(err)); diff != "" {
		t.Error(diff)
	}
}

// Of inputs that differ, each may lack what another one has.
func TestIgnoredColumnOfAnotherInput(t *testing.T) {
	t.Parallel()
	m := mapping(t, "columns:\n  id: registrationId\n  mail1: email\nignore: [mail2, note]\n")
	one, other := header("id", "mail1"), header("id", "mail1", "mail2", "note")
	for _, h := range []batch.Header{one, other} {
		if _, err := ops.Named("personalize").Bind(h, ops.Options{HasAppCode: true, Mapping: m}); err != nil {
			t.Error(err)
		}
	}
	if err := m.CheckIgnored([]batch.Header{one, other}); err != nil {
		t.Error(err)
	}
	err := m.CheckIgnored([]batch.Header{one})
	if want := `map.yaml:4: the input has no column "mail2"`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestMappedValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule string
		cell string
		code string
		sent string
	}{
		"target alone":           {"customAttributes.a", "x", "", `"customAttributes":{"a":"x"}`},
		"type":                   {"{to: customAttributes.a, type: boolean}", "TRUE", "", `{"a":true}`},
		"layout":                 {"{to: customAttributes.a, type: date, layout: DD.MM.YYYY}", "31.01.1990", "", `{"a":"1990-01-31"}`},
		"layout alone is a date": {"{to: customAttributes.a, layout: D/M/YYYY}", "1/12/1990", "", `{"a":"1990-12-01"}`},
		"layout of a birthday":   {"{to: birthday, layout: YYYYMMDD}", "19900131", "", `"birthday":"1990-01-31T00:00:00Z"`},
		"layout not met":         {"{to: birthday, layout: DD.MM.YYYY}", "1990-01-31", "date_invalid", ""},
		"layout too short":       {"{to: birthday, layout: DD.MM.YYYY}", "31.01.19", "date_invalid", ""},
		"layout too long":        {"{to: birthday, layout: DD.MM.YYYY}", "31.01.19900", "date_invalid", ""},
		"layout of letters":      {"{to: birthday, layout: DD.MM.YYYY}", "aa.01.1990", "date_invalid", ""},
		"layout no day":          {"{to: birthday, layout: DD.MM.YYYY}", "30.02.1990", "date_invalid", ""},
		"region":                 {"{to: phoneNumber, region: hr}", "091 123 4567", "", `"phoneNumber":"385911234567"`},
		"separator":              {`{to: tags, separator: "::"}`, "a,b:: c", "", `"tags":["a,b","c"]`},
		"empty omitted":          {"{to: firstName, empty: omit}", "", "", `{"identity":{"email":"ana@example.com"}}`},
		"empty null":             {"{to: firstName, empty: null}", "", "", `"firstName":null`},
		"empty null of tags":     {`{to: tags, empty: "null"}`, "", "", `"tags":null`},
		"empty null of a birth":  {"{to: birthday, empty: null}", "", "", `"birthday":null`},
		"empty null of a gender": {"{to: gender, empty: null}", "", "", `"gender":null`},
		"empty rejected":         {"{to: lastName, empty: reject}", "", "cell_empty", ""},
		"empty null last name":   {"{to: lastName, empty: null}", "", "", `"lastName":null`},
		"empty null middle name": {"{to: middleName, empty: null}", "", "", `"middleName":null`},
		"null literal":           {"customAttributes.a", "NIL", "", `{"a":null}`},
		"null literal of ids":    {"externalId", "NIL", "null_not_allowed", ""},
		"null of an object":      {"customAttributes", "NIL", "null_not_allowed", ""},
		"not trimmed":            {"externalId", "x ", "space_around", ""},
		"trimmed":                {"{to: externalId, trim: true}", "\u00A0 x\t", "", `"externalId":"x"`},
		"trimmed to nothing":     {"{to: externalId, trim: true}", "\u200B ", "", `{"identity":{"email":"ana@example.com"}}`},
		"trimmed null literal":   {"{to: firstName, trim: true}", " NIL ", "", `"firstName":null`},
		"default":                {"{to: gender, default: FEMALE}", "", "", `"gender":"FEMALE"`},
		"default not needed":     {"{to: gender, default: FEMALE}", "MALE", "", `"gender":"MALE"`},
		"values to booleans":     {"{to: customAttributes.a, values: {Y: true, N: false}}", "N", "", `{"a":false}`},
		"values keep text":       {"{to: customAttributes.a, values: {1: Y, 007: no}}", "007", "", `{"a":"no"}`},
		"values to numbers":      {"{to: customAttributes.a, values: {high: 9007199254740993}}", "high", "", `{"a":9007199254740993}`},
		"values to null":         {"{to: customAttributes.a, values: {unknown: null}}", "unknown", "", `{"a":null}`},
		"values to a gender":     {"{to: gender, values: {M: MALE, Ž: FEMALE}}", "Ž", "", `"gender":"FEMALE"`},
		"values not listed":      {"{to: gender, values: {M: MALE, Ž: FEMALE}}", "MALE", "value_unlisted", ""},
		"members cleared":        {"{to: customAttributes, empty: null}", `{"a":"","b":"NIL","c":1}`, "", `{"a":null,"b":null,"c":1}`},
		"members rejected":       {"{to: customAttributes, empty: reject}", `{"a":""}`, "cell_empty", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mapping(t, "columns:\n  cell: "+c.rule+"\n")
			b := dryBinding(t, "personalize", header("registrationId", "email", "cell"), ops.Options{Mapping: m, NullLiteral: "NIL"})
			_, out := b.Map(row(deviceID, "ana@example.com", c.cell))
			checkRule(t, out, c.code, c.sent, "cell", "")
		})
	}
}

// TestContractMapping reads the mapping of the documentation.
func TestContractMapping(t *testing.T) {
	t.Parallel()
	m := mapping(t, `columns:
  device_id: registrationId
  msisdn: {to: phoneNumber, region: HR}
  vip: {to: customAttributes.vip, type: boolean}
  since: {to: customAttributes.since, type: date, layout: DD.MM.YYYY}
  labels: {to: tags, separator: "|"}
constants:
  customAttributes.source: migration
ignore: [comment]
`)
	b := dryBinding(t, "personalize", header("device_id", "msisdn", "vip", "since", "labels", "comment"), ops.Options{Mapping: m})
	_, out := b.Map(row(deviceID, "091 123 4567", "true", "29.02.2024", "a|b,c", "…"))
	want := `{"identity":{"phoneNumber":"385911234567"},"attributes":{"tags":["a","b,c"],"customAttributes":{"vip":true,"since":"2024-02-29","source":"migration"}}}`
	if got := body(t, out); got != want {
		t.Errorf("body %s\nwant %s", got, want)
	}
}

func TestEmptyMappings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "columns:\nconstants:\nignore:\n", "---\n"} {
		m := mapping(t, text)
		b := dryBinding(t, "depersonalize", header("registrationId"), ops.Options{Mapping: m})
		if _, out := b.Map(row(deviceID)); out.Status != batch.Skipped {
			t.Errorf("mapping %q: row was %s", text, out.Status)
		}
	}
}

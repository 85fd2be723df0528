package ops_test

import (
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

const deviceID = "29f375b1-5b9f-4014-ac6a-87fe70b100e9"

// rules has a row for every rule of validation: a value of one column and the
// code it is rejected with, or no code and what is sent.
var rules = []struct {
	name   string
	column string
	cell   string
	code   string
	sent   string // part of the body
}{
	{"plain", "registrationId", deviceID, "", `{"identity":{"email":"ana@example.com"}}`},
	{"no registration id", "registrationId", "", "registration_id_missing", ""},
	{"registration id with a space", "registrationId", "29f3 75b1", "registration_id_invalid", ""},
	{"registration id is the column's name in another spelling", "registrationId", "REGISTRATION ID", "header_repeated", ""},
	{"registration id is another name of the column", "registrationId", "pushRegId", "header_repeated", ""},
	{"registration id with a slash", "registrationId", "29f3/75%b1", "", `"email":"ana@example.com"`},
	{"registration id of dots", "registrationId", "..", "registration_id_invalid", ""},
	{"registration id too long", "registrationId", strings.Repeat("a", 1025), "registration_id_invalid", ""},
	{"registration id of spaces", "registrationId", "   ", "space_around", ""},
	{"registration id behind a space", "registrationId", " 29f375b1", "space_around", ""},
	{"registration id behind a non-breaking space", "registrationId", "\u00A029f375b1", "invisible_character", ""},
	{"registration id before a zero-width space", "registrationId", "29f375b1\u200B", "invisible_character", ""},
	{"registration id in scientific notation", "registrationId", "7.30012E+15", "spreadsheet_scientific", ""},
	{"registration id with a decimal zero", "registrationId", "730012345678.0", "spreadsheet_decimal", ""},
	{"registration id is an error", "registrationId", "#REF!", "spreadsheet_error_cell", ""},
	{"registration id with a control", "registrationId", "29f3\x0775b1", "control_character", ""},
	{"registration id with a C1 control", "registrationId", "29f3\u008575b1", "control_character", ""},
	{"registration id is not UTF-8", "registrationId", "29f3\xff75b1", "encoding_invalid", ""},

	{"external id", "externalId", "crm-1", "", `"externalId":"crm-1"`},
	{"external id of digits keeps its zeros", "externalId", "007", "", `"externalId":"007"`},
	{"external id like hex", "externalId", "12E4", "", `"externalId":"12E4"`},
	{"external id of 256 characters", "externalId", strings.Repeat("é", 256), "", `"externalId":"é`},
	{"external id of 257 characters", "externalId", strings.Repeat("é", 257), "external_id_too_long", ""},
	{"external id null", "externalId", "null", "null_word", ""},
	{"external id Null", "externalId", "Null", "null_word", ""},
	{"external id NULL", "externalId", "NULL", "null_word", ""},
	{"external id in scientific notation", "externalId", "1.00045E+11", "spreadsheet_scientific", ""},
	{"external id in scientific notation with a comma", "externalId", "1,00045e+11", "spreadsheet_scientific", ""},
	{"external id with a decimal zero", "externalId", "100045.0", "spreadsheet_decimal", ""},
	{"external id with a decimal comma zero", "externalId", "100045,00", "spreadsheet_decimal", ""},
	{"external id is an error", "externalId", "#REF!", "spreadsheet_error_cell", ""},
	{"external id of a narrow column", "externalId", "#####", "spreadsheet_error_cell", ""},
	{"external id of a hash tag", "externalId", "#ana", "", `"externalId":"#ana"`},
	{"external id behind an apostrophe", "externalId", "'0045", "spreadsheet_text_mark", ""},
	{"external id in a formula", "externalId", `="0045"`, "spreadsheet_text_mark", ""},
	{"external id with a non-breaking space", "externalId", "crm\u00A077", "invisible_character", ""},
	{"external id behind a byte order mark", "externalId", "\uFEFFcrm-78", "invisible_character", ""},
	{"external id before a space", "externalId", "crm-78 ", "space_around", ""},
	{"external id with a space inside", "externalId", "crm 78", "", `"externalId":"crm 78"`},
	{"external id with a tab", "externalId", "crm\t78", "control_character", ""},

	{"phone", "phoneNumber", "385911234567", "", `"phoneNumber":"385911234567"`},
	{"phone of a range that the library does not know", "phoneNumber", "385931234567", "", `"phoneNumber":"385931234567"`},
	{"phone of an area code that the library does not know", "phoneNumber", "+1 555 010 0123", "", `"phoneNumber":"15550100123"`},
	{"phone with plus", "phoneNumber", "+385911234567", "", `"phoneNumber":"385911234567"`},
	{"phone formatted", "phoneNumber", " +385 91 123-4567 ", "", `"phoneNumber":"385911234567"`},
	{"phone with its trunk zero in brackets", "phoneNumber", "+44 (0)20 7946 0958", "", `"phoneNumber":"442079460958"`},
	{"phone with an Italian zero", "phoneNumber", "390612345678", "", `"phoneNumber":"390612345678"`},
	{"phone national", "phoneNumber", "0911234567", "phone_invalid", ""},
	{"phone of letters", "phoneNumber", "not a phone", "phone_invalid", ""},
	{"phone of a vanity number", "phoneNumber", "+1800FLOWERS", "phone_invalid", ""},
	{"phone too short", "phoneNumber", "38591", "phone_invalid", ""},
	{"phone too long", "phoneNumber", "385911234567890123", "phone_invalid", ""},
	{"phone of no country", "phoneNumber", "+999123456789", "phone_invalid", ""},
	{"phone whose zeros would be dropped", "phoneNumber", "+385000000000", "phone_invalid", ""},
	{"phone one digit short", "phoneNumber", "+1555010012", "phone_invalid", ""},
	{"phone with an extension", "phoneNumber", "+385911234567 ext 5", "phone_invalid", ""},
	{"phone with a semicolon extension", "phoneNumber", "+385911234567;ext=5", "phone_invalid", ""},
	{"two phones", "phoneNumber", "385911234567/385911234568", "phone_invalid", ""},
	{"phone in other digits", "phoneNumber", "+٣٨٥٩١١٢٣٤٥٦٧", "phone_invalid", ""},
	{"phone in scientific notation", "phoneNumber", "3.85911E+11", "spreadsheet_scientific", ""},
	{"phone with a decimal zero", "phoneNumber", "385911234567.0", "spreadsheet_decimal", ""},
	{"phone behind an apostrophe", "phoneNumber", "'385911234567", "spreadsheet_text_mark", ""},
	{"phone is an error", "phoneNumber", "#VALUE!", "spreadsheet_error_cell", ""},
	{"phone with a non-breaking space", "phoneNumber", "385\u00A0911234567", "invisible_character", ""},
	{"phone with a control", "phoneNumber", "3859112345\x0067", "control_character", ""},

	{"email", "email", "ana.h+1@example.co.uk", "", `"email":"ana.h+1@example.co.uk"`},
	{"email with an international domain", "email", "ana@bücher.example", "", `"email":"ana@bücher.example"`},
	{"email with an atom's other characters", "email", "o'neill&co@example.com", "", `"email":"o'neill&co@example.com"`},
	{"email without @", "email", "ana.example.com", "email_invalid", ""},
	{"email with two @", "email", "ana@horvat@example.com", "email_invalid", ""},
	{"email with a name", "email", "Ana <ana@example.com>", "email_invalid", ""},
	{"email with a comment", "email", "ana@example.com (Ana)", "email_invalid", ""},
	{"email at localhost", "email", "ana@localhost", "email_invalid", ""},
	{"email with a space", "email", "ana horvat@example.com", "email_invalid", ""},
	{"email with an empty label", "email", "ana@example..com", "email_invalid", ""},
	{"email with a hyphen at a label's end", "email", "ana@example-.com", "email_invalid", ""},
	{"email with nothing behind @", "email", "ana@", "email_invalid", ""},
	{"email with a local part of 64", "email", strings.Repeat("a", 64) + "@example.com", "", "@example.com"},
	{"email with a local part of 65", "email", strings.Repeat("a", 65) + "@example.com", "email_invalid", ""},
	{"email of 255", "email", "a@" + strings.Repeat("example.", 31) + "comms", "email_invalid", ""},
	{"email with a label of 64", "email", "a@" + strings.Repeat("b", 64) + ".com", "email_invalid", ""},
	{"email is an error", "email", "#NAME?", "spreadsheet_error_cell", ""},
	{"email before a space", "email", "ana@example.com ", "space_around", ""},
	{"email with a zero-width space", "email", "ana\u200B@example.com", "invisible_character", ""},

	{"first name", "firstName", "Žižić", "", `"firstName":"Žižić"`},
	{"first name with spaces around is sent as it is", "firstName", " Ana ", "", `"firstName":" Ana "`},
	{"first name of 255", "firstName", strings.Repeat("Ж", 255), "", "ЖЖ"},
	{"first name of 256", "firstName", strings.Repeat("Ж", 256), "text_too_long", ""},
	{"last name of 256", "lastName", strings.Repeat("x", 256), "text_too_long", ""},
	{"middle name of 50", "middleName", strings.Repeat("x", 50), "", `"middleName":"xx`},
	{"middle name of 51", "middleName", strings.Repeat("x", 51), "text_too_long", ""},
	{"first name with a line break", "firstName", "Ana\nIva", "control_character", ""},
	{"first name is an error", "firstName", "#DIV/0!", "spreadsheet_error_cell", ""},
	{"first name is not UTF-8", "firstName", "An\xe1", "encoding_invalid", ""},

	{"birthday", "birthday", "1990-01-31", "", `"birthday":"1990-01-31T00:00:00Z"`},
	{"birthday at midnight", "birthday", "1990-01-31T00:00:00.000Z", "", `"birthday":"1990-01-31T00:00:00Z"`},
	{"birthday on a leap day", "birthday", "2000-02-29", "", `"birthday":"2000-02-29T00:00:00Z"`},
	{"birthday at noon", "birthday", "1990-01-31T12:00:00Z", "date_invalid", ""},
	{"birthday at midnight elsewhere", "birthday", "1990-01-31T00:00:00+02:00", "date_invalid", ""},
	{"birthday in another layout", "birthday", "31.01.1990", "date_invalid", ""},
	{"birthday that no calendar has", "birthday", "1900-02-29", "date_invalid", ""},
	{"birthday of April 31", "birthday", "1990-04-31", "date_invalid", ""},
	{"birthday in the year zero", "birthday", "0000-01-01", "date_invalid", ""},
	{"birthday as a day number", "birthday", "32904", "date_invalid", ""},
	{"birthday with a space", "birthday", "1990-01-31 ", "space_around", ""},
	{"birthday is an error", "birthday", "#NUM!", "spreadsheet_error_cell", ""},

	{"gender", "gender", "FEMALE", "", `"gender":"FEMALE"`},
	{"gender in small letters", "gender", "male", "", `"gender":"MALE"`},
	{"gender unknown", "gender", "X", "gender_invalid", ""},
	{"gender with a space", "gender", "MALE ", "space_around", ""},

	{"tags", "tags", "news|sport", "", `"tags":["news","sport"]`},
	{"tags with commas, spaces and repeats", "tags", "news, sport,news", "", `"tags":["news","sport"]`},
	{"tags as JSON", "tags", `["a,b","c"]`, "", `"tags":["a,b","c"]`},
	{"tags with a separator too many", "tags", "news||sport|", "", `"tags":["news","sport"]`},
	{"tags in quotes", "tags", `"vip","new"`, "", `"tags":["vip","new"]`},
	{"tags as a database's list", "tags", `{vip,"new one"}`, "", `"tags":["vip","new one"]`},
	{"tags with a quote inside", "tags", `19" tyres,new`, "", `"tags":["19\" tyres","new"]`},
	{"tags in quotes with a comma inside", "tags", `"vip, gold","new"`, "tags_invalid", ""},
	{"tags as an object", "tags", `{"a":"1"}`, "tags_invalid", ""},
	{"tags as broken JSON", "tags", `["a",`, "tags_invalid", ""},
	{"tags as JSON of numbers", "tags", `[1]`, "tags_invalid", ""},
	{"tags with a control", "tags", "ne\x01ws", "control_character", ""},

	{"attribute", "customAttributes.tier", "gold", "", `"customAttributes":{"tier":"gold"}`},
	{"attribute of digits stays text", "customAttributes.tier", "12", "", `"customAttributes":{"tier":"12"}`},
	{"attribute of lines", "customAttributes.note", "a\nb\tc", "", `{"note":"a\nb\tc"}`},
	{"attribute with a control", "customAttributes.note", "a\x00b", "control_character", ""},
	{"attribute is an error", "customAttributes.note", "#SPILL!", "spreadsheet_error_cell", ""},
	{"number", "customAttributes.points:number", "-12.50", "", `{"points":-12.50}`},
	{"number with all its digits", "customAttributes.points:number", "9223372036854775807", "", `{"points":9223372036854775807}`},
	{"number with an exponent", "customAttributes.points:number", "1.5e3", "", `{"points":1.5e3}`},
	{"number of text", "customAttributes.points:number", "many", "number_invalid", ""},
	{"number with a decimal comma", "customAttributes.points:number", "12,5", "number_invalid", ""},
	{"number with a leading zero", "customAttributes.points:number", "012", "number_invalid", ""},
	{"number with a plus", "customAttributes.points:number", "+12", "number_invalid", ""},
	{"number without a whole part", "customAttributes.points:number", ".5", "number_invalid", ""},
	{"number without decimals", "customAttributes.points:number", "5.", "number_invalid", ""},
	{"number without an exponent", "customAttributes.points:number", "5e", "number_invalid", ""},
	{"number NaN", "customAttributes.points:number", "NaN", "number_invalid", ""},
	{"number with a space", "customAttributes.points:number", " 12", "space_around", ""},
	{"number above the limit", "customAttributes.points:number", "9223372036854775808", "number_too_large", ""},
	{"number just above the limit", "customAttributes.points:number", "9223372036854775807.1", "number_too_large", ""},
	{"number below the limit", "customAttributes.points:number", "-9223372036854775808", "number_too_large", ""},
	{"number of a million digits", "customAttributes.points:number", strings.Repeat("9", 1_000_000), "number_too_large", ""},
	{"number that a million digits set above the limit", "customAttributes.points:number", "9223372036854775807." + strings.Repeat("0", 1_000_000) + "1", "number_too_large", ""},
	{"number that an exponent sets below the limit", "customAttributes.points:number", "92233720368547758079999e-4", "number_too_large", ""},
	{"number of an exponent at the limit", "customAttributes.points:number", "92233720368547758070000e-4", "", `{"points":92233720368547758070000e-4}`},
	{"number with a huge exponent", "customAttributes.points:number", "1e99999999999", "number_too_large", ""},
	{"number with a huge negative exponent", "customAttributes.points:number", "1e-99999999999", "", `1e-99999999999`},
	{"number of zeros with a huge exponent", "customAttributes.points:number", "0.00e99", "", `0.00e99`},
	{"number of the limit as an exponent", "customAttributes.points:number", "9.223372036854775807e18", "", `9.223372036854775807e18`},
	{"number above the limit as an exponent", "customAttributes.points:number", "9.3e18", "number_too_large", ""},
	{"boolean", "customAttributes.vip:boolean", "TRUE", "", `{"vip":true}`},
	{"boolean of text", "customAttributes.vip:boolean", "perhaps", "boolean_invalid", ""},
	{"boolean of a number", "customAttributes.vip:boolean", "1", "", `{"vip":true}`},
	{"date", "customAttributes.since:date", "2024-02-29", "", `{"since":"2024-02-29"}`},
	{"date that no calendar has", "customAttributes.since:date", "2025-02-29", "date_invalid", ""},
	{"object", "customAttributes", `{"tier":"gold","points":9007199254740993,"vip":true,"none":null}`, "", `"customAttributes":{"tier":"gold","points":9007199254740993,"vip":true}`},
	{"object that is none", "customAttributes", "gold", "object_invalid", ""},
	{"object with a list", "customAttributes", `{"a":[1]}`, "object_invalid", ""},
	{"object cut off", "customAttributes", `{"a":1`, "object_invalid", ""},
	{"object with something behind", "customAttributes", `{"a":1} x`, "object_invalid", ""},
	{"object with a repeated name", "customAttributes", `{"a":1,"a":2}`, "attribute_repeated", ""},
	{"object with an empty name", "customAttributes", `{"":1}`, "attribute_name_invalid", ""},
	{"object with a long name", "customAttributes", `{"` + strings.Repeat("n", 257) + `":1}`, "attribute_name_invalid", ""},

	{"application code", "appCode", "a b", "app_code_invalid", ""},
	{"application code not ASCII", "appCode", "kôd", "app_code_invalid", ""},
	{"application code too long", "appCode", strings.Repeat("c", 257), "app_code_invalid", ""},
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			h, cells := header("registrationId", "email"), row(deviceID, "ana@example.com")
			switch r.column {
			case "registrationId":
				cells.Values[0].Text = r.cell
			case "email":
				cells.Values[1].Text = r.cell
			default:
				h = append(h, batch.Column{Name: r.column, Kind: batch.Text})
				cells.Values = append(cells.Values, batch.TextValue(r.cell))
			}
			_, out := dryBinding(t, "personalize", h, ops.Options{}).Map(cells)
			checkRule(t, out, r.code, r.sent, r.column, r.cell)
		})
	}
}

func checkRule(t *testing.T, out *batch.Outcome, code, sent, column, cell string) {
	t.Helper()
	if code == "" {
		if got := body(t, out); !strings.Contains(got, sent) {
			t.Errorf("body %s has no %s", got, sent)
		}
		return
	}
	if out.Status != batch.Rejected || out.Code != code {
		t.Fatalf("got %s %q (%s), want rejected %q", out.Status, out.Code, out.Message, code)
	}
	if len(cell) > 4 && strings.Contains(out.Message, cell) {
		t.Errorf("the message shows the value: %s", out.Message)
	}
	if cell != "" && !strings.Contains(out.Message, column) {
		t.Errorf("the message does not name the column %s: %s", column, out.Message)
	}
}

func TestRowThatBreaksSeveralRulesNamesThemAll(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "personalize", header("registrationId", "phoneNumber", "email", "birthday", "gender"), ops.Options{})
	_, out := b.Map(row("", "12", "ana@", "yesterday", "F?"))
	if want := "phone_invalid;email_invalid;date_invalid;gender_invalid;registration_id_missing"; out.Code != want {
		t.Errorf("codes %s, want %s", out.Code, want)
	}
	if n := strings.Count(out.Message, "; "); n < 4 {
		t.Errorf("the message has no part for each rule: %s", out.Message)
	}
}

func TestRowWithoutIdentity(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "personalize", header("registrationId", "externalId", "phoneNumber", "email"), ops.Options{NullLiteral: "-"})
	//nolint:paralleltest // a mapper is for one goroutine at a time
	for name, c := range map[string]struct{ cells, code string }{
		"empty":       {"", "identity_missing"},
		"null":        {"-", "null_not_allowed"},
		"not a phone": {"12", "phone_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, out := b.Map(row(deviceID, "", c.cells, "")); out.Code != c.code {
				t.Errorf("code %q, want %q", out.Code, c.code)
			}
		})
	}
}

func TestRowWithoutApplicationCode(t *testing.T) {
	t.Parallel()
	b, err := ops.Named("depersonalize").Bind(header("registrationId", "appCode"), ops.Options{DryRun: ops.Validate})
	if err != nil {
		t.Fatal(err)
	}
	if _, out := b.Map(row(deviceID, "")); out.Code != "app_code_missing" {
		t.Errorf("code %q, want app_code_missing", out.Code)
	}
	if _, out := b.Map(row(deviceID, "ABC")); out.Status != batch.Skipped || out.RegistrationID != deviceID {
		t.Errorf("a row with its own code was %s %s", out.Status, out.Code)
	}
}

func TestRowThatCouldNotBeDecoded(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "depersonalize", header("registrationId"), ops.Options{})
	r := row(deviceID)
	r.Err = &batch.Problem{Code: "csv_field_count", Message: "the row has 1 cell, the header 2"}
	_, out := b.Map(r)
	if out.Status != batch.Rejected || out.Code != "csv_field_count" || out.RegistrationID != deviceID || out.Message != r.Err.Message {
		t.Errorf("got %+v", out)
	}
	r.Values = nil
	if _, out = b.Map(r); out.RegistrationID != "" {
		t.Errorf("registration id %q of a row without cells", out.RegistrationID)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	h := header("registrationId", "isPrimary", "systemData.registrationEnabled", "additionalData.score:number", "additionalData.note")
	b := dryBinding(t, "update", h, ops.Options{NullLiteral: `\N`})
	//nolint:paralleltest // a mapper is for one goroutine at a time
	for name, c := range map[string]struct {
		cells []string
		code  string
		body  string
	}{
		"everything": {
			[]string{"true", "False", "9223372036854775807", `\N`},
			"",
			`{"isPrimary":true,"systemData":{"registrationEnabled":false},"additionalData":{"score":9223372036854775807,"note":null}}`,
		},
		"only one":        {[]string{"", "", "", "x"}, "", `{"additionalData":{"note":"x"}}`},
		"nothing":         {[]string{"", "", "", ""}, "nothing_to_update", ""},
		"null boolean":    {[]string{`\N`, "", "", ""}, "null_not_allowed", ""},
		"text of 4096":    {[]string{"", "", "", strings.Repeat("ж", 4096)}, "", `{"additionalData":{"note":"` + strings.Repeat("ж", 4096) + `"}}`},
		"text of 4097":    {[]string{"", "", "", strings.Repeat("ж", 4097)}, "text_too_long", ""},
		"boolean as text": {[]string{"perhaps", "", "", ""}, "boolean_invalid", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, out := b.Map(row(append([]string{deviceID}, c.cells...)...))
			if out.Code != c.code {
				t.Fatalf("code %q (%s), want %q", out.Code, out.Message, c.code)
			}
			if c.code == "" {
				if got := body(t, out); got != c.body {
					t.Errorf("body %s\nwant %s", got, c.body)
				}
			}
		})
	}
	if _, out := b.Map(row(deviceID, "", "", "", "")); out.Status != batch.Skipped || out.RegistrationID != deviceID {
		t.Errorf("a row that changes nothing was %s of %q", out.Status, out.RegistrationID)
	}
}

func TestEveryRejectionHasARow(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{ // rows of the other tests, and of the readers'
		"app_code_missing": true, "identity_missing": true, "null_not_allowed": true, "cell_empty": true, "value_unlisted": true,
		"type_mismatch": true, "member_unknown": true, "csv_field_count": true, "csv_quote": true, "header_repeated": true, "nul_character": true,
		"record_too_large": true, "json_invalid": true, "json_duplicate_key": true, "ndjson_unknown_field": true, "value_out_of_range": true,
		"row_unmended": true, "attributes_too_many": true, "cannot_restore": true, "plan_invalid": true, "tag_empty": true,
	}
	for _, r := range rules {
		shown[r.code] = true
	}
	for _, e := range ops.Catalogue() {
		if e.Effect == ops.Rejects && !shown[e.Code] {
			t.Errorf("no row of the tests is rejected with %s", e.Code)
		}
	}
}

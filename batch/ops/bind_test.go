package ops_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

func TestColumnsAreRecognised(t *testing.T) {
	t.Parallel()
	for operation, columns := range map[string]map[string]string{
		"personalize": {
			"registrationId": "registrationId", "Push Registration-ID": "registrationId", "push_reg_id": "registrationId", "APPCODE": "appCode",
			"external_id": "externalId", "identity.externalId": "externalId", "Phone Number": "phoneNumber", "identity.phone_number": "phoneNumber",
			"E-Mail": "email", "Identity.Email": "email", "first-name": "firstName", "attributes.firstName": "firstName",
			"LASTNAME": "lastName", "attributes.lastName": "lastName", "Middle name": "middleName", "attributes.middleName": "middleName",
			"birthday": "birthday", "attributes.birthday": "birthday", "Gender": "gender", "attributes.gender": "gender", "tags": "tags",
			"attributes.tags": "tags", "customAttributes": "customAttributes", "custom_attributes.Shoe size": "customAttributes.Shoe size",
			"attributes.customAttributes.vip:boolean": "customAttributes.vip", "customAttributes.a.b": "customAttributes.a.b",
			"customAttributes.at 10:30:string": "customAttributes.at 10:30", "externalId:string": "externalId", "birthday:DATE": "birthday",
		},
		"update": {
			"is_primary": "isPrimary", "isPrimary:boolean": "isPrimary", "registrationEnabled": "registrationEnabled",
			"systemData.registrationEnabled": "registrationEnabled", "additionalData": "additionalData", "additional_data.score:number": "additionalData.score",
		},
	} {
		for column, target := range columns {
			t.Run(operation+" "+column, func(t *testing.T) {
				t.Parallel()
				h := header("registrationId", "email", column)
				switch target {
				case "registrationId":
					h = h[1:]
				case "email":
					h = append(h[:1:1], h[2:]...)
				}
				b := dryBinding(t, operation, h, ops.Options{})
				use := b.Columns[len(b.Columns)-1]
				if use.Use != ops.Sent || use.Target != target || use.Found != ops.ByName {
					t.Errorf("got %+v, want target %s", use, target)
				}
			})
		}
	}
}

func TestUsesOfColumns(t *testing.T) {
	t.Parallel()
	m := mapping(t, "columns: {device: registrationId}\nconstants: {additionalData.source: migration, email: a@example.com}\nignore: [comment]\n")
	h := header("device", "comment", "_status", "email", "os_version", "additionalData.score:number", "status", "person_id")
	b := dryBinding(t, "update", h, ops.Options{Mapping: m})
	want := []ops.ColumnUse{
		{Column: "device", Index: 0, Use: ops.Sent, Target: "registrationId", Type: "id", Found: ops.ByMapping},
		{Column: "comment", Index: 1, Use: ops.Ignored},
		{Column: "_status", Index: 2, Use: ops.Result},
		{Column: "email", Index: 3, Use: ops.NotTaken, Target: "email", Found: ops.ByName},
		{Column: "os_version", Index: 4, Use: ops.ReadOnly},
		{Column: "additionalData.score:number", Index: 5, Use: ops.Sent, Target: "additionalData.score", Type: "number", Found: ops.ByName},
		{Column: "status", Index: 6, Use: ops.ReadOnly},
		{Column: "person_id", Index: 7, Use: ops.ReadOnly},
		{Column: "additionalData.source", Index: -1, Use: ops.Sent, Target: "additionalData.source", Type: "as in the file", Found: ops.ByConstant},
		{Column: "email", Index: -1, Use: ops.NotTaken, Target: "email", Found: ops.ByConstant},
	}
	if diff := cmp.Diff(want, b.Columns); diff != "" {
		t.Error(diff)
	}
}

func TestBindErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		columns   string
		options   ops.Options
		want      string // code and message, line by line
	}{
		"misspelled": {
			"personalize", "registrationId,extrenalId",
			ops.Options{HasAppCode: true},
			`column_unknown: unknown column "extrenalId" (did you mean externalId?)`,
		},
		"all unknown at once": {
			"personalize", "registratonId,mail,custom_atributes.vip:boolean,zzzzzz",
			ops.Options{HasAppCode: true},
			`column_unknown: unknown column "registratonId" (did you mean registrationId?)
column_unknown: unknown column "mail" (did you mean email?)
column_unknown: unknown column "custom_atributes.vip:boolean" (did you mean customAttributes.vip?)
column_unknown: unknown column "zzzzzz": map it with --map, or pass it over with --ignore-unmapped`,
		},
		"read-only in personalize": {
			"personalize", "registrationId,email,exported_at",
			ops.Options{HasAppCode: true},
			`column_unknown: unknown column "exported_at": nobody can write it; list it under ignore: in the mapping or pass it over with --ignore-unmapped`,
		},
		"twice": {
			"personalize", "registrationId,email,E-Mail",
			ops.Options{HasAppCode: true},
			`column_repeated: email is given twice: by column "email" and by column "E-Mail"`,
		},
		"by a constant too": {
			"personalize", "registrationId,email",
			ops.Options{HasAppCode: true, Constants: []ops.Constant{{Target: "email", Value: batch.TextValue("a@example.com")}}},
			`column_repeated: email is given twice: by column "email" and by a constant`,
		},
		"nothing that is needed": {
			"personalize", "firstName,lastName",
			ops.Options{},
			`column_missing: personalize needs a column registrationId; the columns are firstName, lastName
column_missing: personalize needs at least one column of externalId, phoneNumber, email; the columns are firstName, lastName
app_code_missing: no application code: give --app-code, INFOBIP_APP_CODE or a column appCode`,
		},
		"nothing to update": {
			"update", "registrationId,appCode",
			ops.Options{},
			`column_missing: update needs at least one column of isPrimary, registrationEnabled, additionalData; the columns are registrationId, appCode`,
		},
		"unknown type": {
			"update", "registrationId,additionalData.a:int",
			ops.Options{HasAppCode: true},
			`column_invalid: column "additionalData.a:int": unknown type "int": one of number, boolean, date, string`,
		},
		"type of a plain column": {
			"personalize", "registrationId,email:number",
			ops.Options{HasAppCode: true},
			`column_invalid: column "email:number": email cannot be declared as number`,
		},
		"type that is none": {
			"personalize", "registrationId,email,birthday:int",
			ops.Options{HasAppCode: true},
			`column_invalid: column "birthday:int": unknown type "int": one of number, boolean, date, string`,
		},
		"type of a whole object": {
			"update", "registrationId,additionalData:number",
			ops.Options{HasAppCode: true},
			`column_invalid: column "additionalData:number": additionalData cannot be declared as number`,
		},
		"long name": {
			"update", "registrationId,additionalData." + strings.Repeat("n", 257),
			ops.Options{HasAppCode: true},
			`column_invalid: column "additionalData.` + strings.Repeat("n", 257) + `": the name after additionalData. has 257 characters, the platform takes 256`,
		},
		"first line that is a row": {
			"personalize", "9927a129-abed-4903-96d0-078c4a605356,Ana,ana@example.com",
			ops.Options{HasAppCode: true, IgnoreUnmapped: true},
			`header_missing: the first line looks like a row, not like the names of columns (see its column 1): put a line of names in front, such as registrationId,externalId,phoneNumber`,
		},
		"first line of an e-mail address": {
			"personalize", "device-one,ana@example.com",
			ops.Options{HasAppCode: true},
			`header_missing: the first line looks like a row, not like the names of columns (see its column 2): put a line of names in front, such as registrationId,externalId,phoneNumber`,
		},
		"names that are no values": {
			"personalize", "device@home,Q4-2026,device-id-of-the-app-of-2019-to-2026",
			ops.Options{HasAppCode: true},
			"column_unknown: unknown column \"device@home\": map it with --map, or pass it over with --ignore-unmapped\n" +
				"column_unknown: unknown column \"Q4-2026\": map it with --map, or pass it over with --ignore-unmapped\n" +
				"column_unknown: unknown column \"device-id-of-the-app-of-2019-to-2026\": map it with --map, or pass it over with --ignore-unmapped",
		},
		"region": {
			"depersonalize", "registrationId",
			ops.Options{HasAppCode: true, PhoneRegion: "XX"},
			`option_invalid: phone region "XX" is not one of the two-letter region codes such as HR`,
		},
		"constant of no target": {
			"update", "registrationId",
			ops.Options{HasAppCode: true, Constants: []ops.Constant{{Target: "aditionalData.x", Value: batch.TextValue("1")}}},
			`target_unknown: constant aditionalData.x: there is no such target (did you mean additionalData.x?)`,
		},
		"constant that no row could send": {
			"update", "registrationId",
			ops.Options{HasAppCode: true, Constants: []ops.Constant{{Target: "additionalData.x:number", Value: batch.TextValue("one")}}},
			`number_invalid: constant additionalData.x:number: expected a number such as 12 or -0.5, found 3 characters: letters`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ops.Named(c.operation).Bind(header(strings.Split(c.columns, ",")...), c.options)
			if diff := cmp.Diff(c.want, problems(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// problems lists the codes and messages of a BindError.
func problems(err error) string {
	refused, ok := errors.AsType[*ops.BindError](err)
	if !ok {
		return ""
	}
	var lines []string
	for _, p := range refused.Problems {
		lines = append(lines, p.Code+": "+p.Message)
	}
	return strings.Join(lines, "\n")
}

func TestIgnoreUnmapped(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "depersonalize", header("registrationId", "comment"), ops.Options{IgnoreUnmapped: true})
	if use := b.Columns[1]; use.Use != ops.Unmapped {
		t.Errorf("got %+v", use)
	}
}

func TestConstants(t *testing.T) {
	t.Parallel()
	var constants []ops.Constant
	for _, text := range []string{"customAttributes.source=a=b", "customAttributes.score:number=5", "Phone-Number=+385 91 123 4567"} {
		c, err := ops.ParseConstant(text)
		if err != nil {
			t.Fatal(err)
		}
		constants = append(constants, c)
	}
	m := mapping(t, "constants: {phoneNumber: 1, customAttributes.vip: true, customAttributes.level: 007}\n")
	b := dryBinding(t, "personalize", header("registrationId"), ops.Options{Constants: constants, Mapping: m})
	_, out := b.Map(row(deviceID))
	want := `{"identity":{"phoneNumber":"385911234567"},"attributes":{"customAttributes":{"vip":true,"level":"007","source":"a=b","score":5}}}`
	if got := body(t, out); got != want {
		t.Errorf("body %s\nwant %s", got, want)
	}
	for _, text := range []string{"email", "=x", "email="} {
		if _, err := ops.ParseConstant(text); err == nil {
			t.Errorf("ParseConstant(%q) took it", text)
		}
	}
}

func TestPhoneRegion(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "personalize", header("registrationId", "phoneNumber"), ops.Options{PhoneRegion: "hr"})
	for _, written := range []string{"0911234567", "091 123 4567", "385911234567", "+385911234567", "00385911234567", "911234567"} {
		_, out := b.Map(row(deviceID, written))
		if got := body(t, out); got != `{"identity":{"phoneNumber":"385911234567"}}` {
			t.Errorf("%s: body %s", written, got)
		}
	}
	_, out := b.Map(row(deviceID, "+442079460958"))
	if got := body(t, out); got != `{"identity":{"phoneNumber":"442079460958"}}` {
		t.Errorf("body %s", got)
	}
}

// TestInventoryIsInputOfUpdate is the round trip of an export.
func TestInventoryIsInputOfUpdate(t *testing.T) {
	t.Parallel()
	columns := "registration_id,application_id,is_primary,cloud_type,registration_enabled,notifications_enabled,geofencing_sdk,sdk_version," +
		"app_version,os,os_version,device_manufacturer,device_model,device_secure,os_language,device_timezone_offset,device_name," +
		"additional_data,exported_at,status,extra,person_id,external_id,phone,email,created_at,modified_at"
	for _, operation := range []string{"update", "depersonalize", "export"} {
		b := dryBinding(t, operation, header(strings.Split(columns, ",")...), ops.Options{})
		for _, use := range b.Columns {
			if use.Use == ops.Unmapped {
				t.Errorf("%s: %+v", operation, use)
			}
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	if ops.Named("nothing") != nil {
		t.Error("there is an operation called nothing")
	}
	for _, o := range ops.Operations() {
		if ops.Named(o.Name) == nil || o.Title == "" || len(o.Columns()) != len(o.Required)+len(o.OneOf)+len(o.Optional) {
			t.Errorf("operation %s is not whole", o.Name)
		}
		for _, column := range o.Columns() {
			if _, err := o.Bind(header(append(o.Columns(), "nosuchcolumn")...), ops.Options{HasAppCode: true}); strings.Contains(err.Error(), column+`"`) {
				t.Errorf("%s does not know its own column %s: %v", o.Name, column, err)
			}
		}
	}
}

// TestUndecodedColumnsAreRefused: what is sent must be the value, not what it is
// stored as; where the column is not used, it does no harm.
func TestUndecodedColumnsAreRefused(t *testing.T) {
	t.Parallel()
	h := header("registrationId", "additionalData.place")
	h[1].Undecoded = "its annotation GEOMETRY is not decoded"
	operation := ops.Named("update")
	_, err := operation.Bind(h, ops.Options{HasAppCode: true})
	if err == nil || !strings.Contains(err.Error(), `column "additionalData.place" cannot be sent: its annotation GEOMETRY`) {
		t.Errorf("got %v", err)
	}
	h[1].Name = "place"
	if _, err := operation.Bind(h, ops.Options{HasAppCode: true, IgnoreUnmapped: true, Constants: []ops.Constant{{Target: "isPrimary", Value: batch.BoolValue(true)}}}); err != nil {
		t.Errorf("not used: %v", err)
	}
}

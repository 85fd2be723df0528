package ops_test

import (
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

func value(kind batch.Kind, text string) batch.Value { return batch.Value{Kind: kind, Text: text} }

func list(values ...batch.Value) batch.Value {
	return batch.Value{Kind: batch.List, Nested: &batch.Nested{Values: values}}
}

func object(names string, values ...batch.Value) batch.Value {
	return batch.Value{Kind: batch.Object, Nested: &batch.Nested{Names: strings.Split(names, ","), Values: values}}
}

// TestTypedValues are the values of Parquet and NDJSON, which keep their types.
func TestTypedValues(t *testing.T) {
	t.Parallel()
	text := batch.TextValue
	for name, c := range map[string]struct {
		column string
		value  batch.Value
		code   string
		sent   string
	}{
		"null":                         {"firstName", batch.Value{}, "", `{"identity":{"email":"ana@example.com"}}`},
		"integer as external id":       {"externalId", batch.IntValue(9007199254740993), "", `"externalId":"9007199254740993"`},
		"integer as phone":             {"phoneNumber", batch.IntValue(385911234567), "", `"phoneNumber":"385911234567"`},
		"float as external id":         {"externalId", value(batch.Number, "1.5"), "type_mismatch", ""},
		"NaN as external id":           {"externalId", value(batch.Number, "NaN"), "null_word", ""},
		"NaN as phone":                 {"phoneNumber", value(batch.Number, "NaN"), "null_word", ""},
		"float as phone":               {"phoneNumber", value(batch.Number, "3.85e11"), "type_mismatch", ""},
		"float as email":               {"email2", value(batch.Number, "3.5"), "", ""},
		"boolean as name":              {"firstName", batch.BoolValue(true), "type_mismatch", ""},
		"boolean as gender":            {"gender", batch.BoolValue(true), "type_mismatch", ""},
		"boolean as application code":  {"appCode", batch.BoolValue(true), "type_mismatch", ""},
		"boolean as declared string":   {"firstName:string", batch.BoolValue(true), "", `"firstName":"true"`},
		"date as birthday":             {"birthday", value(batch.Date, "1990-01-31"), "", `"birthday":"1990-01-31T00:00:00Z"`},
		"timestamp as birthday":        {"birthday", value(batch.Timestamp, "1990-01-31T00:00:00"), "", `"birthday":"1990-01-31T00:00:00Z"`},
		"late timestamp as birthday":   {"birthday", value(batch.Timestamp, "1990-01-31T10:00:00Z"), "date_invalid", ""},
		"date beyond the calendar":     {"birthday", value(batch.Date, "12345-01-31"), "date_invalid", ""},
		"number as birthday":           {"birthday", batch.IntValue(32904), "date_invalid", ""},
		"number attribute":             {"customAttributes.a", value(batch.Number, "12.50"), "", `{"a":12.50}`},
		"number attribute too large":   {"customAttributes.a", value(batch.Number, "18446744073709551615"), "number_too_large", ""},
		"NaN attribute":                {"customAttributes.a", value(batch.Number, "NaN"), "number_invalid", ""},
		"boolean attribute":            {"customAttributes.a", batch.BoolValue(false), "", `{"a":false}`},
		"date attribute":               {"customAttributes.a", value(batch.Date, "2024-02-29"), "", `{"a":"2024-02-29"}`},
		"timestamp attribute":          {"customAttributes.a", value(batch.Timestamp, "2024-02-29T00:00:00Z"), "type_mismatch", ""},
		"timestamp declared as date":   {"customAttributes.a:date", value(batch.Timestamp, "2024-02-29T00:00:00Z"), "", `{"a":"2024-02-29"}`},
		"timestamp declared as string": {"customAttributes.a:string", value(batch.Timestamp, "2024-02-29T01:00:00Z"), "", `{"a":"2024-02-29T01:00:00Z"}`},
		"number declared as string":    {"customAttributes.a:string", value(batch.Number, "1.50"), "", `{"a":"1.50"}`},
		"number declared as boolean":   {"customAttributes.a:boolean", batch.IntValue(2), "boolean_invalid", ""},
		"boolean declared as number":   {"customAttributes.a:number", batch.BoolValue(true), "number_invalid", ""},
		"list as attribute":            {"customAttributes.a", list(text("x")), "type_mismatch", ""},
		"list as external id":          {"externalId", list(text("x")), "type_mismatch", ""},
		"list of tags":                 {"tags", list(text("a,b"), text("c"), text("c"), batch.IntValue(7)), "", `"tags":["a,b","c","7"]`},
		"empty list of tags":           {"tags", list(), "", `{"identity":{"email":"ana@example.com"}}`},
		"list of tags with a null":     {"tags", list(text("a"), batch.Value{}), "tag_empty", ""},
		"list of booleans as tags":     {"tags", list(batch.BoolValue(true)), "type_mismatch", ""},
		"boolean as tags":              {"tags", batch.BoolValue(true), "type_mismatch", ""},
		"object of attributes":         {"customAttributes", object("a,b,c,d", text("x"), batch.IntValue(1), batch.Value{}, value(batch.Date, "2024-02-29")), "", `"customAttributes":{"a":"x","b":1,"d":"2024-02-29"}`},
		"object of a list":             {"customAttributes", object("a", list(text("x"))), "type_mismatch", ""},
		"object of a bad name":         {"customAttributes", object("a\x01", text("x")), "control_character", ""},
		"object with bad bytes":        {"customAttributes", object("a\xff", text("x")), "encoding_invalid", ""},
		"number for an object":         {"customAttributes", batch.IntValue(1), "type_mismatch", ""},
		"identity":                     {"identity", object("externalId,phone_number,email", text("x"), batch.IntValue(385911234567), batch.Value{}), "", `{"externalId":"x","phoneNumber":"385911234567","email":"ana@example.com"}`},
		"identity given twice":         {"identity", object("email", text("other@example.com")), "attribute_repeated", ""},
		"identity of a bad phone":      {"identity", object("phoneNumber", text("12")), "phone_invalid", ""},
		"identity of a wrong name":     {"identity", object("extrenalId", text("x")), "member_unknown", ""},
		"identity as JSON":             {"identity", text(`{"externalId":"x"}`), "", `"externalId":"x"`},
		"identity as text":             {"identity", text("x"), "type_mismatch", ""},
		"attributes":                   {"attributes", object("firstName,tags,customAttributes", text("Ana"), list(text("a,b")), object("vip", batch.BoolValue(true))), "", `{"firstName":"Ana","tags":["a,b"],"customAttributes":{"vip":true}}`},
		"attributes of a wrong name":   {"attributes", object("fistName", text("Ana")), "member_unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := append(header("registrationId", "email"), batch.Column{Name: c.column, Kind: c.value.Kind})
			o := ops.Options{IgnoreUnmapped: true}
			_, out := dryBinding(t, "personalize", h, o).Map(&batch.Row{Values: []batch.Value{text(deviceID), text("ana@example.com"), c.value}})
			checkRule(t, out, c.code, c.sent, c.column, "")
		})
	}
}

func TestSystemDataOfAnInventory(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "update", header("registrationId", "systemData"), ops.Options{})
	data := object("registrationEnabled,os,osVersion", batch.BoolValue(true), batch.TextValue("iOS"), batch.TextValue("17"))
	_, out := b.Map(&batch.Row{Values: []batch.Value{batch.TextValue(deviceID), data}})
	if got := body(t, out); got != `{"systemData":{"registrationEnabled":true}}` {
		t.Errorf("body %s", got)
	}
	b = dryBinding(t, "depersonalize", header("registrationId", "systemData", "identity"), ops.Options{})
	if b.Columns[1].Use != ops.NotTaken || b.Columns[2].Use != ops.NotTaken {
		t.Errorf("got %+v", b.Columns)
	}
}

func TestAttributesFromColumnsAndObjectsMerge(t *testing.T) {
	t.Parallel()
	b := dryBinding(t, "update", header("registrationId", "additionalData", "additionalData.b"), ops.Options{})
	_, out := b.Map(row(deviceID, `{"a":1}`, "x"))
	if got := body(t, out); got != `{"additionalData":{"a":1,"b":"x"}}` {
		t.Errorf("body %s", got)
	}
	_, out = b.Map(row(deviceID, `{"b":1}`, "x"))
	if out.Code != "attribute_repeated" {
		t.Errorf("code %q", out.Code)
	}
	_, out = b.Map(row(deviceID, `{"b":1}`, ""))
	if got := body(t, out); got != `{"additionalData":{"b":1}}` {
		t.Errorf("body %s", got)
	}
}

package ops_test

import (
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// What a rejected row says leads to what is wrong with it.
func TestMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, column, layout, cell, says string }{
		{"day that no year has", "birthday", "", "2020-02-31", "the calendar has no such day"},
		{"leap day of a common year", "birthday", "", "1900-02-29", "the calendar has no such day"},
		{"day that no year has, in a layout", "birthday", "DD.MM.YYYY", "31.02.2020", "the calendar has no such day"},
		{"month that no year has, in a layout", "birthday", "D/M/YYYY", "1/13/2020", "the calendar has no such day"},
		{"other layout", "birthday", "", "31.02.2020", "expected a day as YYYY-MM-DD, found 10 characters: digits and \".\""},
		{"layout of a spreadsheet", "birthday", "", "31.1.2020", "a mapping can name another layout, such as layout: D.M.YYYY"},
		{"day or month first", "birthday", "", "1/2/1990", "such as layout: D/M/YYYY or M/D/YYYY"},
		{"day number of a spreadsheet", "birthday", "", "32904", "the day number of a spreadsheet?"},
		{"day in digits", "birthday", "", "19900131", "such as layout: YYYYMMDD"},
		{"short year", "birthday", "", "31.12.90", "export it with four"},
		{"word for no day", "birthday", "", "N/A", "(say empty_values: in the mapping)"},
		{"two phone numbers", "phoneNumber", "", "+385912345678 / +385912345679", "are there two in the cell?"},
		{"two phone numbers with a comma", "phoneNumber", "", "+385912345678, +385912345679", "a second number are not accepted"},
		{"digits of another script", "phoneNumber", "", "٠٠٣٨٥٩١٢٣٤٥٦٧٨", "digits that are not 0 to 9"},
		{"tags in quotes that hold a separator", "tags", "", `"vip, gold","new"`, `export the tags as ["one","two"]`},
		{"tags as an object", "tags", "", `{"a":"1"}`, `export the tags as ["one","two"]`},
		{"decimal comma", "customAttributes.x:number", "", "1.234,5", `a decimal comma? say decimal: ","`},
		{"decimal comma or thousands", "customAttributes.x:number", "", "1,234", `a decimal comma (decimal: ",") or separators of thousands (decimal: ".")`},
		{"digits that are no number", "customAttributes.zip:number", "", "00123", "declare the column as string to keep the digits as they are"},
		{"national number like an international one", "phoneNumber", "", "912345678", "national numbers need a region"},
		{"other layout than the mapping's", "birthday", "DD.MM.YYYY", "2020-02-29", "expected a day as DD.MM.YYYY"},
		{"no day at all", "birthday", "", "yesterday", "9 characters: letters"},
		{"00 in front of a phone number", "phoneNumber", "", "00385912345678", "write + or nothing in place of the 00 in front"},
		{"national phone number", "phoneNumber", "", "0912345678", "national numbers need a region"},
		{"line break in a name", "firstName", "", "Ana\nIva", "there is a line break at position 4"},
		{"carriage return in a name", "lastName", "", "Ana\rIva", "there is a line break at position 4"},
		{"tab in a name", "firstName", "", "Ana\tIva", "there is a tab at position 4"},
		{"bell in a name", "firstName", "", "Ana\aIva", "there is a control character at position 4"},
		{"text in another encoding", "firstName", "", "An\xe1", "name the encoding of the file with --encoding"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			options := ops.Options{HasAppCode: true}
			if tt.layout != "" {
				var err error
				if options.Mapping, err = ops.ParseMapping("map.yaml", []byte("columns:\n  x: {to: "+tt.column+", layout: "+tt.layout+"}\n")); err != nil {
					t.Fatal(err)
				}
				tt.column = "x"
			}
			header := batch.Header{{Name: "registrationId"}, {Name: "externalId"}, {Name: tt.column}}
			binding, err := ops.Named("personalize").Bind(header, options)
			if err != nil {
				t.Fatal(err)
			}
			_, out := binding.Map(&batch.Row{Values: []batch.Value{batch.TextValue("device-1"), batch.TextValue("ann"), batch.TextValue(tt.cell)}})
			if out == nil || out.Status != batch.Rejected || !strings.Contains(out.Message, tt.says) {
				t.Fatalf("got %+v, want a rejection that says %q", out, tt.says)
			}
			if strings.Contains(out.Message, tt.cell) {
				t.Errorf("the message tells the value: %s", out.Message)
			}
		})
	}
}

package ops_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/testdata/peak"
)

// FuzzPersonalize maps one cell into every kind of target: no input makes the
// mapping panic, and what is sent is valid JSON within the platform's rules.
func FuzzPersonalize(f *testing.F) {
	for _, r := range rules {
		f.Add(r.cell)
	}
	columns := []string{
		"registrationId", "externalId", "phoneNumber", "email", "firstName", "middleName", "birthday", "gender", "tags",
		"customAttributes", "customAttributes.text:string", "customAttributes.number:number", "customAttributes.flag:boolean", "customAttributes.day:date",
	}
	bindings := make([]*ops.Binding, len(columns))
	for i, c := range columns {
		h := header("registrationId", "identity.externalId", c)
		if i < 2 {
			h = header("registrationId", "externalId")
		}
		bindings[i] = dryBinding(f, "personalize", h, ops.Options{NullLiteral: `\N`})
	}
	f.Fuzz(func(t *testing.T, cell string) {
		for i := range columns {
			cells := row("d", "x", cell)
			if i < 2 {
				cells = row("d", "x")
				cells.Values[i].Text = cell
			}
			_, out := bindings[i].Map(cells)
			if out.Status == batch.Rejected {
				checkRejection(t, out)
				continue
			}
			checkBody(t, body(t, out))
		}
	})
}

func checkRejection(t *testing.T, out *batch.Outcome) {
	t.Helper()
	for _, code := range out.Codes() {
		if _, known := ops.Explain(code); !known {
			t.Errorf("code %q is not explained", code)
		}
	}
	if out.Message == "" {
		t.Error("a rejection says nothing")
	}
}

// checkBody holds a personalize body to the platform's rules, read anew from
// its JSON.
func checkBody(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		t.Fatalf("body is not JSON: %q", text)
	}
	var p struct {
		Identity   struct{ ExternalID, PhoneNumber, Email string }
		Attributes struct {
			FirstName, LastName, MiddleName, Birthday, Gender *string
			Tags                                              []string
			CustomAttributes                                  map[string]any
		}
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("body %s: %v", text, err)
	}
	id := p.Identity
	if id.ExternalID == "" && id.PhoneNumber == "" && id.Email == "" {
		t.Errorf("no identity in %s", text)
	}
	if utf8.RuneCountInString(id.ExternalID) > 256 || strings.EqualFold(id.ExternalID, "null") && id.ExternalID != "nULL" && strings.ToUpper(id.ExternalID[:1])+strings.ToLower(id.ExternalID[1:]) == id.ExternalID {
		t.Errorf("external id in %s", text)
	}
	if strings.ContainsFunc(id.ExternalID+id.PhoneNumber+id.Email, unicode.IsControl) || strings.Trim(id.PhoneNumber, "0123456789") != "" {
		t.Errorf("identity in %s", text)
	}
	if n := p.Attributes.FirstName; n != nil && utf8.RuneCountInString(*n) > 255 {
		t.Errorf("first name in %s", text)
	}
	if g := p.Attributes.Gender; g != nil && *g != "MALE" && *g != "FEMALE" {
		t.Errorf("gender in %s", text)
	}
	for name := range p.Attributes.CustomAttributes {
		if name == "" || utf8.RuneCountInString(name) > 256 {
			t.Errorf("name of an attribute in %s", text)
		}
	}
}

// FuzzMapping: no mapping file makes the parser or a binding panic, and a
// refusal says where.
func FuzzMapping(f *testing.F) {
	f.Add("columns:\n  a: registrationId\n  b: {to: phoneNumber, region: HR}\nconstants:\n  customAttributes.x: 1\nignore: [c]\n")
	f.Add("columns:\n  a: {to: birthday, layout: D.M.YYYY, default: 1.2.2000}\n  b: {to: gender, values: {M: MALE}, trim: true}\n")
	f.Add("columns: {a: {to: tags, separator: '|', empty: null}}")
	f.Add("columns:\n  ? a\n  : email\n")
	f.Add("a: &a [*a]\n<<: *a\n")
	f.Add("columns:\n  !!str a: !!str email\n")
	f.Add("columns: {a: >\n x}\n--- \n...\n")
	f.Add(strings.Repeat("[", 200_000))
	f.Add("columns: " + strings.Repeat("{a: ", 5_000))
	f.Add("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ncolumns: {a: *f}\n")
	f.Add("columns:\n  a: {to: gender, values: {" + strings.Repeat("x: &x y, ", 20_000) + "}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		peak.AtMost(t, 256<<20)
		m, err := ops.ParseMapping("map.yaml", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "map.yaml:") {
				t.Errorf("the refusal does not say where: %v", err)
			}
			return
		}
		b, err := ops.Named("personalize").Bind(header("a", "b", "c"), ops.Options{Mapping: m, HasAppCode: true, DryRun: ops.Validate})
		if err == nil {
			_, _ = b.Map(row("x", "385911234567", "y"))
		}
	})
}

func ExampleOperation_Bind() {
	h := batch.Header{{Name: "device_id"}, {Name: "Phone Number"}, {Name: "customAttributes.points:number"}}
	m, err := ops.ParseMapping("map.yaml", []byte("columns: {device_id: registrationId}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	binding, err := ops.Named("personalize").Bind(h, ops.Options{
		Mapping: m, HasAppCode: true, DryRun: ops.ShowRequests,
		Personalize: apiclient.PersonalizeOptions{KeepAsLead: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cells := range [][]string{{"d1", "+385 91 123 4567", "12.50"}, {"d2", "3.85911E+11", "many"}} {
		r := batch.Row{}
		for _, cell := range cells {
			r.Values = append(r.Values, batch.TextValue(cell))
		}
		_, out := binding.Map(&r)
		fmt.Println(out.Status, out.Code, string(out.Payload))
	}
	// Output:
	// skipped  {"method":"POST","path":"/people/2/contactInformation/push/d1/personalize","query":"keepAsLead=true","body":{"identity":{"phoneNumber":"385911234567"},"attributes":{"customAttributes":{"points":12.50}}}}
	// rejected spreadsheet_scientific;number_invalid
}

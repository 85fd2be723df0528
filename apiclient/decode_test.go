package apiclient

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func TestDecodeRegistration(t *testing.T) {
	t.Parallel()
	const body = `{"registrationId":"r1","applicationId":"a1","isPrimary":true,"newField":{"x":1.50},
		"systemData":{"cloudType":"GCM","registrationEnabled":"true","notificationsEnabled":false,"deviceSecure":null,
		"sdkVersion":12.10,"os":"Android","future":"y"},
		"additionalData":{"big":9223372036854775807,"dec":1.50,"s":"t","b":true,"n":null}}`
	var got Registration
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := Registration{
		RegistrationID: "r1", ApplicationID: ptr(Text("a1")), IsPrimary: ptr(Flag(true)),
		SystemData: SystemData{
			CloudType: ptr(Text("GCM")), RegistrationEnabled: ptr(Flag(true)), NotificationsEnabled: ptr(Flag(false)),
			SDKVersion: ptr(Text("12.10")), OS: ptr(Text("Android")), Extra: Fields{"future": json.RawMessage(`"y"`)},
		},
		AdditionalData: Values{"big": json.Number("9223372036854775807"), "dec": json.Number("1.50"), "s": "t", "b": true, "n": nil},
		Extra:          Fields{"newField": json.RawMessage(`{"x":1.50}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodePersons(t *testing.T) {
	t.Parallel()
	const person = `{"id":123456789012345678,"externalId":"e","firstName":null,"tags":["a","b"],"score":3,
		"customAttributes":{"n":10000000000000000001},
		"contactInformation":{"phone":[{"number":"385911"}],"email":[{"address":"a@example.com","valid":true}],"web":[],
		"push":[{"registrationId":"r","systemData":{"notificationsEnabled":"false"}}]}}`
	want := Person{
		ID: ptr(Text("123456789012345678")), ExternalID: ptr(Text("e")), Tags: []Text{"a", "b"},
		CustomAttributes: Values{"n": json.Number("10000000000000000001")},
		ContactInformation: ContactInformation{
			Phones: []Phone{{Number: "385911"}},
			Emails: []Email{{Address: "a@example.com", Extra: Fields{"valid": json.RawMessage("true")}}},
			Push:   []Registration{{RegistrationID: "r", SystemData: SystemData{NotificationsEnabled: ptr(Flag(false))}}},
			Extra:  Fields{"web": json.RawMessage("[]")},
		},
		Extra: Fields{"score": json.RawMessage("3")},
	}
	tests := []struct {
		name, body string
		want       PersonPage
	}{
		{"page", `{"persons":[` + person + `],"limit":1000,"page":1,"orderBy":"createdAt:asc","totalCount":7,"next":"x"}`, PersonPage{
			Persons: []Person{want}, Limit: "1000", Page: "1", OrderBy: "createdAt:asc", TotalCount: "7",
			Extra: Fields{"next": json.RawMessage(`"x"`)},
		}},
		{"one person", person, PersonPage{Persons: []Person{want}}},
		{"nobody", `{"persons":[],"limit":20,"page":9}`, PersonPage{Persons: []Person{}, Limit: "20", Page: "9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, &platform{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, tt.body), nil }}, nil)
			got, err := c.ListPersons(t.Context(), ListPersonsOptions{Identifier: "e", Type: "EXTERNAL_ID", Sender: "s"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswersOfAnotherForm(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"isPrimary":"maybe"}`, `{"registrationId":{}}`, `[]`, `{"systemData":7}`, `{"persons":{}}`, `{"additionalData":3,"customAttributes":3}`} {
		c := newClient(t, &platform{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, body), nil }}, func(cfg *Config) { cfg.Rate = Unlimited; cfg.ListRate = Unlimited })
		_, err := c.GetRegistration(t.Context(), "1")
		if body == `{"persons":{}}` {
			_, err = c.ListPersons(t.Context(), ListPersonsOptions{})
		}
		if e := asError(err); e == nil || e.Code != CodeAnswerInvalid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestEmptyAnswerIsEmptyRegistration(t *testing.T) {
	t.Parallel()
	c := newClient(t, &platform{answer: func(int, *http.Request) (*http.Response, error) { return reply(204, ""), nil }}, nil)
	if r, err := c.UpdateRegistration(t.Context(), "1", &Update{}); err != nil || r.RegistrationID != "" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestIDsThatNameSomethingElse(t *testing.T) {
	t.Parallel()
	p := &platform{answer: succeed}
	c := newClient(t, p, nil)
	for _, id := range []string{"", ".", ".."} {
		if _, err := c.GetRegistration(t.Context(), id); err == nil {
			t.Errorf("get %q was sent", id)
		}
		if err := c.Depersonalize(t.Context(), id); err == nil {
			t.Errorf("depersonalize %q was sent", id)
		}
	}
	if _, err := c.Do(t.Context(), Call{Op: opCount}); err == nil {
		t.Error("an operation that does not exist was sent")
	}
	if _, err := c.Do(t.Context(), Call{AppCode: "a\nb"}); asError(err) == nil {
		t.Error("an application code with a line end was sent")
	}
	if len(p.arrivals) > 0 {
		t.Errorf("%d requests", len(p.arrivals))
	}
}

func FuzzDecodePersonPage(f *testing.F) {
	f.Add([]byte(`{"persons":[{"id":1,"contactInformation":{"push":[{"registrationId":"r","systemData":{"deviceSecure":"true"}}]}}]}`))
	f.Add([]byte(`{"contactInformation":{"phones":[{"number":1}]}}`))
	f.Add([]byte(`{"persons":null,"limit":"20"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := decodePersonPage(data)
		if err == nil && page == nil {
			t.Error("neither a page nor an error")
		}
	})
}

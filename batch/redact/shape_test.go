package redact

import "testing"

// Names, their order and what is no value stay; texts, numbers and the device go.
func TestRequest(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"method":"POST","path":"/people/2/contactInformation/push/a1%20b/personalize","query":"keepAsLead=true","body":{"identity":{"email":"a@b.hr"}}}`:               `{"method":"POST","path":"/people/2/contactInformation/push/<1×letter 1×digit % 2×digit 1×letter>/personalize","query":"keepAsLead=true","body":{"identity":{"email":"<1×letter @ 1×letter . 2×letter>"}}}`,
		`{"method":"PATCH","path":"/people/2/contactInformation/push/12","query":"","body":{"additionalData":{"n:":-1.5e3,"a\":\"b":"x\":1,\"y","t":["ab",true,null]}}}`: `{"method":"PATCH","path":"/people/2/contactInformation/push/<2×digit>","query":"","body":{"additionalData":{"n:":"<- 1×digit . 1×digit 1×letter 1×digit>","a\":\"b":"<1×letter \" : 1×digit , \" … 7 characters>","t":["<2×letter>",true,null]}}}`,
		`{"method":"POST","path":"/people/2/contactInformation/push/x/depersonalize","query":"","body":null}`:                                                            `{"method":"POST","path":"/people/2/contactInformation/push/<1×letter>/depersonalize","query":"","body":null}`,
	} {
		if got := string(Request([]byte(in))); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
	}
}

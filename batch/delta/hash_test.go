package delta

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRequestHashCountsWhatIsSent(t *testing.T) {
	t.Parallel()
	base := Request{
		AppCode: "app", Method: "POST", Path: "/push/r1/personalize", Query: "a=true&b=true",
		Body: []byte(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":5,"t":"5"}}}`),
	}
	with := func(change func(*Request)) Request { r := base; change(&r); return r }
	body := func(text string) Request { return with(func(r *Request) { r.Body = []byte(text) }) }
	tests := map[string]struct {
		request Request
		same    bool
	}{
		"query order":         {with(func(r *Request) { r.Query = "b=true&a=true" }), true},
		"escaped path":        {with(func(r *Request) { r.Path = "/push/%72%31/personalize" }), true},
		"member order":        {body(`{"attributes":{"customAttributes":{"t":"5","n":5},"tags":["a","b"]},"identity":{"externalId":"é"}}`), true},
		"tag order":           {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["b","a"],"customAttributes":{"n":5,"t":"5"}}}`), true},
		"number":              {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":50.0e-1,"t":"5"}}}`), true},
		"escaped character":   {body(`{"identity":{"externalId":"\u00e9"},"attributes":{"tags":["a","b"],"customAttributes":{"n":5,"t":"5"}}}`), true},
		"spaces":              {body(`{ "identity" : {"externalId":"é"}, "attributes":{"tags":["a", "b"],"customAttributes":{"n":5 ,"t":"5"}} }`), true},
		"application code":    {with(func(r *Request) { r.AppCode = "other" }), false},
		"method":              {with(func(r *Request) { r.Method = "PATCH" }), false},
		"path":                {with(func(r *Request) { r.Path = "/push/r2/personalize" }), false},
		"query":               {with(func(r *Request) { r.Query = "a=true" }), false},
		"no body":             {with(func(r *Request) { r.Body = nil }), false},
		"value":               {body(`{"identity":{"externalId":"e"},"attributes":{"tags":["a","b"],"customAttributes":{"n":5,"t":"5"}}}`), false},
		"number for text":     {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":5,"t":5}}}`), false},
		"negative":            {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":-5,"t":"5"}}}`), false},
		"ten times as much":   {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":50,"t":"5"}}}`), false},
		"tags joined":         {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a,b"],"customAttributes":{"n":5,"t":"5"}}}`), false},
		"member moved":        {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":5},"t":"5"}}`), false},
		"null for a value":    {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":null,"t":"5"}}}`), false},
		"names and texts mix": {body(`{"identity":{"externalId":"é"},"attributes":{"tags":["a","b"],"customAttributes":{"n":5,"t\":\"5":""}}}`), false},
	}
	want := base.Hash()
	for name, test := range tests {
		if same := test.request.Hash() == want; same != test.same {
			t.Errorf("%s: same hash: %t, want %t", name, same, test.same)
		}
	}
}

// Two spellings of a document have one hash, two documents have two.
func TestCanonicalFormFollowsMeaning(t *testing.T) {
	t.Parallel()
	hash := func(t *rapid.T, doc map[string]any, shuffle bool) Hash {
		names := slices.Sorted(maps.Keys(doc))
		if shuffle {
			names = rapid.Permutation(names).Draw(t, "order")
		}
		var parts []string
		for _, name := range names {
			key, _ := json.Marshal(name)
			value, _ := json.Marshal(doc[name])
			parts = append(parts, string(key)+":"+string(value))
		}
		return (&Request{Body: []byte("{" + strings.Join(parts, ",") + "}")}).Hash()
	}
	values := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }), rapid.Map(rapid.Int(), func(n int) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Just[any](nil))
	rapid.Check(t, func(t *rapid.T) {
		doc := rapid.MapOfN(rapid.StringN(0, 8, -1), values, 0, 6).Draw(t, "document")
		other := rapid.MapOfN(rapid.StringN(0, 8, -1), values, 0, 6).Draw(t, "other")
		if hash(t, doc, false) != hash(t, doc, true) {
			t.Fatal("the order of members counts")
		}
		if hash(t, doc, false) == hash(t, other, false) != equalJSON(doc, other) {
			t.Fatal("hashes and documents do not agree")
		}
	})
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

func TestSequenceOfOneIsTheRequest(t *testing.T) {
	t.Parallel()
	a, b := DeviceHash("a"), DeviceHash("b")
	if sequence([]Hash{a}) != a || sequence([]Hash{a, b}) == sequence([]Hash{b, a}) || sequence([]Hash{a, a}) == a {
		t.Fatal("a sequence must count order and length")
	}
}

func BenchmarkRequestHash(b *testing.B) {
	r := Request{
		AppCode: "app", Method: "POST", Path: "/people/2/contactInformation/push/0123456789abcdef/personalize",
		Body: []byte(`{"identity":{"externalId":"customer-1234567","phoneNumber":"385911234567","email":"ana@example.com"},"attributes":{"firstName":"Ana","lastName":"Horvat","birthday":"1990-01-31T00:00:00Z","gender":"FEMALE","tags":["vip","zagreb"],"customAttributes":{"tier":"gold","points":1234,"since":"2020-01-31"}}}`),
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Hash()
	}
}

package ops

import (
	"strings"
	"testing"
)

// An answer that does not repeat what was sent is told, field by field.
func TestAnswerDiffers(t *testing.T) {
	t.Parallel()
	const person = `{"identity":{"externalId":"u1","phoneNumber":"385911234567","email":"Ana@example.com"},"attributes":{"firstName":"Ana","lastName":null,
		"birthday":"1990-01-31T00:00:00Z","gender":"FEMALE","tags":["a","b"],"customAttributes":{"points":1234.50,"since":"2020-01-31","vip":true,"gone":null}}}`
	const all = `"externalId":"u1","firstName":"Ana","birthday":"1990-01-31","gender":"FEMALE","tags":["b","a","c"],
		"contactInformation":{"phones":[{"number":"385900000000"},{"number":"+385911234567"}],"emails":[{"address":"ana@example.com"}]}`
	for name, tt := range map[string]struct{ sent, answer, want string }{
		"the same":         {person, `{` + all + `,"customAttributes":{"points":1234.5,"since":"2020-01-31T00:00:00","vip":"true"}}`, ""},
		"nothing":          {person, ``, ""},
		"an empty object":  {person, `{}`, ""},
		"no object":        {person, `[]`, ""},
		"an attribute":     {person, `{` + all + `,"customAttributes":{"points":1235,"vip":true}}`, "customAttributes.points customAttributes.since"},
		"no attributes":    {person, `{` + all + `}`, "customAttributes.points customAttributes.since customAttributes.vip"},
		"another person":   {`{"identity":{"externalId":"u1","phoneNumber":"1","email":"a@b.c"}}`, `{"externalId":"u2","contactInformation":{"phone":[],"emails":[{"address":"x@b.c"}]}}`, "externalId phoneNumber email"},
		"no contacts":      {`{"identity":{"phoneNumber":"1"}}`, `{"externalId":"u2"}`, ""},
		"not cleared":      {`{"identity":{"externalId":"u1"},"attributes":{"lastName":null}}`, `{"externalId":"u1","lastName":"Horvat"}`, "lastName"},
		"a tag":            {`{"identity":{"externalId":"u1"},"attributes":{"tags":["a","b"]}}`, `{"externalId":"u1","tags":["a"]}`, "tags"},
		"an update":        {`{"isPrimary":true,"systemData":{"registrationEnabled":false},"additionalData":{"score":9223372036854775807}}`, `{"isPrimary":true,"systemData":{"registrationEnabled":"false"},"additionalData":{"score":9223372036854775807}}`, ""},
		"an update undone": {`{"isPrimary":true,"systemData":{"registrationEnabled":false},"additionalData":{"score":9223372036854775807}}`, `{"isPrimary":false,"systemData":{"registrationEnabled":true},"additionalData":{"score":9223372036854775806}}`, "additionalData.score isPrimary registrationEnabled"},
	} {
		if got := strings.Join(answerDiffers([]byte(tt.sent), []byte(tt.answer)), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

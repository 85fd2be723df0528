package ops

import (
	"pushbatch/apiclient"
	"pushbatch/batch"
)

func personalize() *Operation {
	return &Operation{
		Name:     "personalize",
		Title:    "tie each row's device to a person",
		Required: []string{"registrationId"},
		OneOf:    []string{"externalId", "phoneNumber", "email"},
		Optional: []string{
			"appCode", "firstName", "lastName", "middleName", "birthday", "gender", "tags", "customAttributes",
		},
		call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
			p := apiclient.Personalize{Identity: a.identity, Attributes: a.attributes}
			return apiclient.PersonalizeCall(a.id, p.AppendJSON(make([]byte, 0, usualBody)), a.options.Personalize), nil
		},
	}
}

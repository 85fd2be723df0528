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
		call: func(a *assembly) (apiclient.Call, *batch.Outcome) {
			p := apiclient.Personalize{Identity: a.identity, Attributes: a.attributes}
			return apiclient.PersonalizeCall(a.id, a.body(p.AppendJSON(a.scratch[:0])), a.options.Personalize), nil
		},
	}
}

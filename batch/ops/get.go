package ops

import (
	"pushbatch/apiclient"
	"pushbatch/batch"
)

func get() *Operation {
	return &Operation{
		Name:     "get",
		Title:    "fetch each row's device",
		Required: []string{"registrationId"},
		Optional: []string{"appCode"},
		exported: true,
		answered: true,
		call: func(a *assembly) (apiclient.Call, *batch.Outcome) {
			return apiclient.GetCall(a.id), nil
		},
	}
}

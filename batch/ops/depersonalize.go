package ops

import (
	"pushbatch/apiclient"
	"pushbatch/batch"
)

func depersonalize() *Operation {
	return &Operation{
		Name:     "depersonalize",
		Title:    "untie each row's device from its person",
		Required: []string{"registrationId"},
		Optional: []string{"appCode"},
		exported: true,
		call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
			return apiclient.DepersonalizeCall(a.id), nil
		},
	}
}

package ops

import (
	"pushbatch/apiclient"
	"pushbatch/batch"
)

func get() *Operation {
	return &Operation{
		Name:     "export",
		Title:    "write what the platform knows of each device into a table",
		Required: []string{"registrationId"},
		Optional: []string{"appCode"},
		exported: true,
		answered: true,
		call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
			return apiclient.GetCall(a.id), nil
		},
	}
}

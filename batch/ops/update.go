package ops

import (
	"pushbatch/apiclient"
	"pushbatch/batch"
)

func update() *Operation {
	return &Operation{
		Name:     "update",
		Title:    "change what can be written of each row's device",
		Required: []string{"registrationId"},
		Optional: []string{"appCode", "isPrimary", "registrationEnabled", "additionalData"},
		exported: true,
		call: func(a *requestBuilder) (apiclient.Call, *batch.Outcome) {
			if a.update.IsEmpty() {
				return apiclient.Call{}, &batch.Outcome{
					Status: batch.Skipped, Code: codeNothingToUpdate, Message: "the row changes nothing: all its values are empty",
				}
			}
			return apiclient.UpdateCall(a.id, a.update.AppendJSON(make([]byte, 0, usualBody))), nil
		},
	}
}

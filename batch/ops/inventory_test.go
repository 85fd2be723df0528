package ops_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// filled names the cells that have a value.
func filled(header []batch.Column, cells []batch.Value) map[string]string {
	named := map[string]string{}
	for i, v := range cells {
		if v.Kind != batch.Null {
			named[header[i].Name] = v.Text
		}
	}
	return named
}

// What a get answers becomes columns; nothing of it is lost.
func TestInventoryCells(t *testing.T) {
	t.Parallel()
	inv := ops.NewInventory(false)
	finished := time.Date(2024, 2, 29, 12, 0, 0, 5e6, time.UTC)
	const at = "2024-02-29T12:00:00.005Z"
	for name, tt := range map[string]struct {
		payload, code string
		status        batch.Status
		want          map[string]string
	}{
		"plain": {
			payload: `{"registrationId":"device-1","isPrimary":true,"applicationId":"APP","systemData":{"os":"Android","deviceSecure":false},"additionalData":{ "a" : 1.0 }}`,
			want:    map[string]string{"registration_id": "device-1", "is_primary": "true", "application_id": "APP", "os": "Android", "device_secure": "false", "additional_data": `{"a":1.0}`},
		},
		"booleans as text": {payload: `{"isPrimary":"TRUE","systemData":{"deviceSecure":"false"}}`, want: map[string]string{"is_primary": "true", "device_secure": "false"}},
		"no values":        {payload: `{"isPrimary":null,"applicationId":"","additionalData":{},"systemData":null}`, want: map[string]string{"extra": `{"systemData":null}`}},
		"numbers as text":  {payload: `{"systemData":{"osVersion":14,"appVersion":1.10}}`, want: map[string]string{"os_version": "14", "app_version": "1.10"}},
		"escapes":          {payload: `{"systemData":{"deviceName":"Ana\u0027s \"phone\" \u017d"}}`, want: map[string]string{"device_name": `Ana's "phone" Ž`}},
		"more than there are columns": {
			payload: `{"new":[1,{"a":"}"}],"systemData":{"newer":"x","os":"iOS"}}`,
			want:    map[string]string{"os": "iOS", "extra": `{"new":[1,{"a":"}"}],"systemData":{"newer":"x"}}`},
		},
		"values of another kind": {
			payload: `{"isPrimary":"maybe","applicationId":{"a":1},"additionalData":"text"}`,
			want:    map[string]string{"extra": `{"isPrimary":"maybe","applicationId":{"a":1},"additionalData":"text"}`},
		},
		"not JSON":       {payload: `{"isPrimary":`, want: map[string]string{}},
		"unknown device": {status: batch.Failed, code: "48013", want: map[string]string{"status": "unknown"}},
		"failed device":  {status: batch.Failed, code: "timeout", want: map[string]string{"status": "failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &batch.Result{Outcome: batch.Outcome{
				Status: max(tt.status, batch.Succeeded), Code: tt.code, RegistrationID: "device-1", Payload: []byte(tt.payload), Finished: finished, Attempts: 1,
			}}
			cells, ok := inv.Cells(r)
			if !ok {
				t.Fatal("the row has no line")
			}
			want := map[string]string{"registration_id": "device-1", "status": r.Status.String(), "exported_at": at}
			for k, v := range tt.want {
				want[k] = v
			}
			if diff := cmp.Diff(want, filled(inv.Columns(), cells)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
	for _, status := range []batch.Status{batch.Rejected, batch.Skipped} {
		if _, ok := inv.Cells(&batch.Result{Outcome: batch.Outcome{Status: status}}); ok {
			t.Errorf("a row that was %s has a line", status)
		}
	}
}

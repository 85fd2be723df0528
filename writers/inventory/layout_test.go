package inventory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/writers/inventory"
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
	inv := inventory.NewLayout(false, false)
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
			want:    map[string]string{"extra": `{"additionalData":"text","applicationId":{"a":1},"isPrimary":"maybe"}`},
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
			if r.Status == batch.Succeeded {
				want["channel"] = "push"
			}
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

// A person's devices stand in two lists; of several phones and addresses the
// first valid one is in the column, and all are in extra.
func TestDevicesOfAPerson(t *testing.T) {
	t.Parallel()
	layout := inventory.NewLayout(true, true)
	layout.Codes = map[string]string{"a1": "CODE"}
	const person = `{"id":7,"externalId":"x","firstName":"Ana","tags":["a","b<c"],"customAttributes":{"vip":true},"modifiedAt":"2026-01-02T03:04:05",
		"contactInformation":{"phone":[{"number":"12"},{"number":"385911"},{"number":"385922"}],"email":[{"address":"no"}],
		"push":[{"registrationId":"p1","applicationId":"a1","isPrimary":true,"systemData":{"os":"iOS","newer":1}}],
		"webpush":[{"registrationId":"w1","applicationId":"a2","systemData":{"cloudType":"WEB"}}]}}`
	want := []map[string]string{
		{
			"registration_id": "p1", "application_id": "a1", "app_code": "CODE", "channel": "push", "is_primary": "true", "os": "iOS",
			"extra": `{"emails":["no"],"phones":["12","385911","385922"],"systemData":{"newer":1}}`,
		},
		{"registration_id": "w1", "application_id": "a2", "channel": "webpush", "cloud_type": "WEB", "extra": `{"emails":["no"],"phones":["12","385911","385922"]}`},
	}
	at := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	rows := layout.Devices([]byte(person), at)
	if len(rows) != len(want) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, values := range rows {
		r := &batch.Result{Row: batch.Row{Values: values}, Outcome: batch.Outcome{Status: batch.Succeeded}}
		cells, _ := layout.Cells(r)
		for k, v := range map[string]string{
			"person_id": "7", "external_id": "x", "phone": "385911", "first_name": "Ana", "tags": `["a","b<c"]`, "custom_attributes": `{"vip":true}`,
			"modified_at": "2026-01-02T03:04:05.000Z", "exported_at": "2026-01-03T00:00:00.000Z", "status": "succeeded",
		} {
			want[i][k] = v
		}
		if diff := cmp.Diff(want[i], filled(layout.Columns(), cells)); diff != "" {
			t.Errorf("device %d (-want +got):\n%s", i, diff)
		}
	}
}

package ops_test

import (
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// tenColumns is a plain row of ten columns, as a large load has them.
func tenColumns() (batch.Header, *batch.Row) {
	return header("registrationId", "externalId", "phoneNumber", "email", "firstName", "lastName", "birthday", "gender",
			"customAttributes.tier", "customAttributes.points:number"),
		row("29f375b1-5b9f-4014-ac6a-87fe70b100e9", "crm-000002", "385912345678", "person0002@example.org", "Käthe", "Müller",
			"2003-04-12", "FEMALE", "gold", "-37")
}

func BenchmarkMap(b *testing.B) {
	for _, dry := range []struct {
		name string
		kind ops.DryRun
	}{{"validate", ops.Validate}, {"show", ops.ShowRequests}, {"send", ops.Send}} {
		b.Run(dry.name, func(b *testing.B) {
			h, r := tenColumns()
			binding, err := ops.Named("personalize").Bind(h, ops.Options{HasAppCode: true, DryRun: dry.kind})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if request, out := binding.Map(r); request == nil && out.Status != batch.Skipped {
					b.Fatal(out.Message)
				}
			}
		})
	}
}

// Package watch is how other programs follow a run: metrics for Prometheus, in a
// file or over HTTP, and a notification at its end.
//
//	m, err := watch.OpenMetrics(ctx, "run.prom", ":9464", []string{"team=crm"}, log)
//	…
//	m.Start(figures)
//	defer m.End()
package watch

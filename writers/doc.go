// Package writers writes the reports of a run (see runstore for its folder) while it goes on,
// their publication at its end, and the files that let it be resumed.
//
//	folder, err := runstore.Create(ctx, "runs/2026-11-23-personalize", runstore.Options{})
//	sink, err := writers.OpenReports(folder, writers.ReportOptions{Operation: "personalize"}, nil)
//	// … batch.Job writes results …
//	err = folder.WriteJSON("summary.json", summary)
//
// A report grows under the name with ".part" after it and gets its own name
// when the run ends or is stopped, so that a report that is there is whole. All
// files are readable by their owner only (mode 0600).
package writers

// Package console is what people see of a run while it goes on: standard output
// and standard error without foreign control characters, the log, and where the
// run stands as a bar, as plain lines or as JSON.
//
//	stderr := console.NewStream(os.Stderr)
//	screen := console.TerminalOf(stderr, os.LookupEnv)
//	printer, every, err := console.NewPrinter(screen, console.Auto, console.Text)
//	…
//	printer.Show(console.Snapshot{Operation: "update", Done: 19012, Total: 50000, Rate: 49.8})
//	printer.End(last)
package console

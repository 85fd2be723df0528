// Package people reads the platform's people listing as a source of rows: one
// for every push device of every person.
//
//	source, err := people.New(people.Options{Sender: client}, layout, func() string { return "people.ndjson" })
//	for row, err := range source.Rows(ctx, batch.Position{}) {
//
// The listing changes while it is read. Whoever is in it all the time is listed
// exactly once; see pagination. Each page is kept in a file before its first row
// is given out, so that a resumed run goes on with the rows it began with.
package people

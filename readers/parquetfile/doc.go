// Package parquetfile reads Parquet files as rows.
//
//	source, err := parquetfile.Open(ctx, parquetfile.Input{Name: "devices.parquet", Open: open})
//	for row, err := range source.Rows(ctx, batch.Position{}) {
//
// Files: footer.go and metadata.go (thrift.go below them) read what the file says
// of itself, schema.go and types.go make a tree of values of it, pages.go and
// decompress.go find and unpack pages, encodings.go (runs.go, delta.go) decodes
// them, cursor.go walks one stored column, assembly.go puts rows together.
//
// Memory follows what is stored and read, never what the file claims. The bounds:
// a footer of 64 MiB, 100,000 elements of a schema, a page of 128 MiB, 256 MiB for
// the pages that are open at once, a value of 16 MiB, 262,144 values of a column in
// one row. What is beyond one is refused with an error that names it.
package parquetfile

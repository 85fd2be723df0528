// Package readers turns the bytes of an input into rows: compression,
// encoding, dialect, types, and positions from which reading can go on.
//
//	inputs, err := blob.Expand(ctx, args)
//	for _, in := range inputs {
//		source, err := readers.Open(ctx, in, readers.Options{})
//		if err != nil {
//			return err // a *inputerror.Error: nothing was read
//		}
//		defer source.Close()
//		fmt.Println(source.Name(), readers.Detected(source)) // CSV, semicolon, UTF-16LE with BOM, gzip
//		for row, err := range source.Rows(ctx, batch.Position{}) {
//			if err != nil {
//				return err // a *batch.Abort around a *inputerror.Error: every row before was yielded
//			}
//			if row.Err != nil {
//				continue // this row only
//			}
//			...
//		}
//	}
//
// What an input is follows from its content: gzip and zstd from their first
// bytes, UTF-16 from its byte order mark or the pattern of zero bytes, Parquet
// and NDJSON from how they begin, the delimiter of a CSV file from its first
// records. Options fix each of these. Files that only look like tables
// (workbooks, web pages, PDF) are refused by name.
//
// Nothing is repaired silently. Text that is not valid in its encoding, a row
// with too few or too many cells, a record above Options.MaxRecord is a
// problem of that row (batch.Row.Err); a cut or damaged stream, an input that
// changes while it is read, a quote that is never closed end the reading with
// an error that names file, line and row.
//
// # Positions
//
// The offset of a batch.Position counts decompressed bytes as they are stored,
// before decoding, so that going on in an uncompressed file is a seek. (Of the
// multi-byte encodings of East Asia it counts decoded bytes, and going on
// reads from the start, as it does in compressed input.) Standard input and
// pipes can be read once, from the start.
package readers

// Package textfile is what the text formats have in common: everything but how
// text becomes rows.
//
//	s := &source{Source: textfile.NewSource(in)}
//	s.Read = func(ctx context.Context, from batch.Position) (textfile.Reading, error) {
//		return s.newReading(ctx, from)
//	}
package textfile

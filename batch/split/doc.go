// Package split divides the rows of a run into parts that can be worked on at the
// same time: rows that share a device or a person are in one part.
//
//	g, err := split.New(os.TempDir())
//	for … {
//		err = g.Add(request.Keys()) // every row, in input order
//	}
//	part, rows, err := g.Parts(8) // part[i] is the part of row i
//
// The same rows and the same number of parts always give the same parts.
package split

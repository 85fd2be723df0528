// Package blob finds and reads named bytes: what a user calls an input.
//
//	inputs, err := blob.Expand(ctx, []string{"devices.csv", "data/*.parquet", "unload/", "-"})
//	for _, in := range inputs {
//		r, err := blob.Open(ctx, in, 0) // from byte 0; checked against in while it reads
//		...
//		r.Close()
//	}
//
// A location is a path, s3://bucket/key, or - for standard input. Where it lies
// is decided in one place, storeFor; a store added there serves every function
// here. How S3 is reached is a matter of the context, see WithS3.
//
// Bytes that change under a reader are an error (ErrChanged), never a short
// read: a sequential read of an input whose size is known ends with io.EOF
// only after exactly that many bytes.
package blob

// Package s3test starts a real S3 server for tests (versitygw, which checks
// signatures and conditions) and puts faults in front of it.
//
//	server := s3test.Start(t)
//	location := server.Put(t, "data/a.csv", []byte("…"))
//	ctx := server.Context(t.Context(), blob.S3Options{})
//	broken := server.Through(t, s3test.Wire{CutAfter: func() int64 { return 100_000 }})
//
// Credentials come from the environment: TestMain calls Setenv.
package s3test

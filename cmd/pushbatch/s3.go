package main

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/batch/blob"
)

// s3Flags say how S3 is reached; what they leave open the AWS SDK finds as
// always.
type s3Flags struct {
	s3 blob.S3Options
	// saveEvery and lease are of run folders in S3.
	saveEvery time.Duration
	lease     time.Duration
}

func (f *s3Flags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.s3.EndpointURL, "s3-endpoint-url", "", "`URL` of another service that speaks S3 (also AWS_ENDPOINT_URL_S3)")
	fs.BoolVar(&f.s3.PathStyle, "s3-path-style", false, "name the bucket in the path, not in the host name")
	fs.StringVar(&f.s3.Region, "s3-region", "", "`REGION` of the buckets (default: the SDK's, then each bucket's own)")
	fs.BoolVar(&f.s3.NoSignRequest, "s3-no-sign-request", false, "read public buckets without credentials")
	fs.BoolVar(&f.s3.RequesterPays, "s3-requester-pays", false, "pay for requests to buckets that ask for it")
	fs.StringVar(&f.s3.SSEKMSKeyID, "s3-sse-kms-key-id", "", "`ID` of the KMS key that written objects are encrypted with")
	fs.DurationVar(&f.saveEvery, "s3-checkpoint-every", time.Second, "`DURATION` between checkpoints of a run in S3, a PUT each; after a crash what finished within it is sent again")
	fs.DurationVar(&f.lease, "s3-lease", 30*time.Second, "`DURATION` after which a run in S3 whose process shows no life may be taken over")
}

// with returns a context in which locations in S3 are reached as the flags say.
func (f *s3Flags) with(ctx context.Context) context.Context { return blob.WithS3(ctx, f.s3) }

func (f *s3Flags) check() error {
	if f.saveEvery < 100*time.Millisecond || f.saveEvery > time.Hour {
		return usageError("--s3-checkpoint-every %s: a duration from 100ms to 1h was expected", f.saveEvery)
	}
	if f.lease < time.Second || f.lease > time.Hour {
		return usageError("--s3-lease %s: a duration from 1s to 1h was expected", f.lease)
	}
	return nil
}

// resolveS3 fills the flags that S3 is reached with from the environment: a run
// in S3 must be reached before what it was started with can be read.
func resolveS3(fs *pflag.FlagSet, getenv func(string) (string, bool)) error {
	names := pflag.NewFlagSet("s3", pflag.ContinueOnError)
	new(s3Flags).add(names)
	var failed error
	names.VisitAll(func(f *pflag.Flag) {
		if own := fs.Lookup(f.Name); own != nil && failed == nil {
			_, failed = resolveFlag(fs, own, getenv)
		}
	})
	return failed
}

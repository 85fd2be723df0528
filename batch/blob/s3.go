package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"pushbatch/batch"
)

// s3Scheme begins every location in S3.
const s3Scheme = "s3://"

const (
	// defaultRegion is where buckets are asked for their region when no setting names one.
	defaultRegion = "us-east-1"
	// s3Attempts are the tries of one request: with the waits between them
	// about half a minute.
	s3Attempts = 10
	// s3FirstAttempts are the tries at an address that never answered.
	s3FirstAttempts = 3
	// s3LongestWait is the longest wait between two of them.
	s3LongestWait = 5 * time.Second
	// s3HeaderTimeout is how long an answer may take to begin.
	s3HeaderTimeout = time.Minute
	// s3DialTimeout is how long a connection may take to come about.
	s3DialTimeout = 10 * time.Second
)

// S3Options say how S3 is reached, besides what the AWS SDK finds itself:
// environment, profiles, SSO, web identity, roles of instances and containers.
type S3Options struct {
	EndpointURL   string // of another service that speaks S3; empty: AWS, or AWS_ENDPOINT_URL_S3
	PathStyle     bool   // bucket in the path instead of the host name
	Region        string // empty: the SDK's, then what the bucket says
	NoSignRequest bool   // anonymous
	RequesterPays bool
	SSEKMSKeyID   string // key that written objects are encrypted with

	// Warn is told, once each, of an endpoint that is not encrypted and of requests
	// that do not succeed at the third try. It may be called by several goroutines
	// at a time. May be nil.
	Warn func(message string)
}

type s3ContextKey struct{}

// WithS3 returns a context in which the functions of this package reach
// S3 as the options say. An Info keeps to the options it was made under. In a
// context without, the zero S3Options count.
func WithS3(ctx context.Context, options S3Options) context.Context {
	return context.WithValue(ctx, s3ContextKey{}, newS3Store(options))
}

// s3Of is the store of a context.
func s3Of(ctx context.Context) *s3Store {
	if s, ok := ctx.Value(s3ContextKey{}).(*s3Store); ok {
		return s
	}
	return newS3Store(S3Options{})
}

// s3Store is the store of s3:// locations. It loads nothing before the first of
// them is used.
type s3Store struct {
	options S3Options
	http    *s3HTTP

	mu      sync.Mutex
	config  *aws.Config
	buckets map[string]*s3.Client

	warned, waited sync.Once // of an endpoint that is not encrypted; of tries that fail
}

func newS3Store(options S3Options) *s3Store {
	return &s3Store{options: options, http: new(s3HTTP), buckets: make(map[string]*s3.Client)}
}

// bucket returns the client of a bucket's region. key is what it is wanted for:
// an error names it.
func (s *s3Store) bucket(ctx context.Context, name, key string) (*s3.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.buckets[name]; c != nil {
		return c, nil
	}
	cfg, err := s.load(ctx)
	if err != nil {
		return nil, orCause(ctx, s3NoCredentials(name, key, err))
	}
	client := s.client(cfg, cfg.Region)
	if err := s.checkEndpoint(aws.ToString(client.Options().BaseEndpoint)); err != nil {
		return nil, fmt.Errorf("open %s%s/%s: %w", s3Scheme, name, key, err)
	}
	if s.options.Region == "" {
		region, err := bucketRegion(ctx, &s3Target{s, client, name, key})
		if err != nil {
			return nil, err
		}
		if region != "" && region != cfg.Region {
			client = s.client(cfg, region)
		}
	}
	s.buckets[name] = client
	return client, nil
}

// load asks the SDK for its settings and, once, for credentials: that there
// are none is said here, before anything was tried.
func (s *s3Store) load(ctx context.Context) (*aws.Config, error) {
	if s.config != nil {
		return s.config, nil
	}
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = s3HeaderTimeout
			t.DialContext = (&net.Dialer{Timeout: s3DialTimeout}).DialContext
		})),
		config.WithRetryer(s.retryer),
		config.WithLogger(logging.Nop{}), // it would write to the terminal past our own
	}
	if s.options.NoSignRequest {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if s.options.Region != "" {
		load = append(load, config.WithRegion(s.options.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, err
	}
	cfg.Region = cmp.Or(cfg.Region, defaultRegion)
	if !s.options.NoSignRequest {
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return nil, err
		}
	}
	s.http.wrap(cfg.HTTPClient)
	cfg.HTTPClient = s.http
	s.config = &cfg
	return s.config, nil
}

// retryer repeats a request. Until the service has answered once, an address that
// nobody listens at is a mistake rather than an outage, and is soon said.
func (s *s3Store) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = s3Attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
			if attempt >= s3FirstAttempts && !s.http.reached.Load() && s3Code(err) == codeUnreachable {
				return 0, err
			}
			if attempt == s3FirstAttempts {
				s.waited.Do(func() { s.warn("S3: " + (&S3Error{Code: s3Code(err), Err: err}).meaning() + ": trying again") })
			}
			return s3Wait(attempt), nil
		})
	})
}

func (s *s3Store) client(cfg *aws.Config, region string) *s3.Client {
	return s3.NewFromConfig(*cfg, func(o *s3.Options) {
		o.Region = region
		o.UsePathStyle = s.options.PathStyle
		o.DisableLogOutputChecksumValidationSkipped = true
		if s.options.RequesterPays {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("X-Amz-Request-Payer", "requester"))
		}
		if s.options.EndpointURL != "" {
			o.BaseEndpoint = aws.String(s.options.EndpointURL)
		}
	})
}

// bucketRegion asks for a bucket's region. The answer names it even where the
// question is not allowed; only that there is no such bucket is an error.
func bucketRegion(ctx context.Context, t *s3Target) (string, error) {
	out, err := t.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &t.bucket})
	if err == nil {
		return aws.ToString(out.BucketRegion), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	switch s3Status(err) {
	case 0:
		return "", t.failed("open", "HeadBucket", err)
	case http.StatusNotFound:
		return "", t.coded("open", "HeadBucket", err, "NoSuchBucket")
	}
	return s3Region(err), nil
}

// s3Region is the region of its bucket that a refusal names, or nothing.
func s3Region(err error) string {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return ""
	}
	return response.Response.Header.Get("X-Amz-Bucket-Region")
}

// Check says what is wrong with the options, as far as they tell themselves.
func (o *S3Options) Check() error {
	_, err := parseEndpoint(o.EndpointURL)
	return err
}

// parseEndpoint refuses what is no address of a service. It is nil for none.
func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, nil
	}
	const from = "(--s3-endpoint-url, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL)"
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the S3 endpoint is no URL: https://HOST was expected " + from)
	case u.User != nil:
		return nil, errors.New("the S3 endpoint holds credentials: leave them out " + from + ": the keys of S3 come from the AWS SDK's own settings")
	}
	return u, nil
}

// checkEndpoint warns, once, of an endpoint that is not encrypted: somebody has given
// it in so many words, for an object store within a cluster.
func (s *s3Store) checkEndpoint(endpoint string) error {
	u, err := parseEndpoint(endpoint)
	if err != nil || u == nil {
		return err
	}
	if u.Scheme == "http" {
		s.warned.Do(func() {
			s.warn("the S3 endpoint is plain http: rows and session tokens go there unencrypted, host " + u.Host)
		})
	}
	return nil
}

func (s *s3Store) warn(message string) {
	if s.options.Warn != nil {
		s.options.Warn(message)
	}
}

// s3HTTP sends the SDK's requests. Redirects are followed to the same host only, as a
// request carries rows and may carry a session token, and only to read: a write that
// became a GET would succeed at any page.
type s3HTTP struct {
	client  http.Client
	reached atomic.Bool // something has answered
}

// wrap takes the transport that the SDK has set up (AWS_CA_BUNDLE).
func (c *s3HTTP) wrap(client aws.HTTPClient) {
	c.client.CheckRedirect = sameHost
	if sdk, ok := client.(*awshttp.BuildableClient); ok {
		c.client.Transport = sdk.GetTransport()
	}
}

// sameHost is a http.Client.CheckRedirect that stops at the door.
func sameHost(r *http.Request, via []*http.Request) error {
	from, status := via[0], r.Response.StatusCode
	reads := from.Method == http.MethodGet || from.Method == http.MethodHead
	kept := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
	if !reads || !kept || r.URL.Host != from.URL.Host || r.URL.Scheme != from.URL.Scheme || len(via) >= s3Attempts {
		return http.ErrUseLastResponse
	}
	return nil
}

// Do implements the SDK's HTTPClient. The SDK calls it from goroutines of its own.
func (c *s3HTTP) Do(r *http.Request) (resp *http.Response, err error) {
	err = batch.Guard(func() (err error) { resp, err = c.client.Do(r); return err }) //nolint:bodyclose // the SDK closes it
	if err == nil {
		c.reached.Store(true)
	}
	return resp, err
}

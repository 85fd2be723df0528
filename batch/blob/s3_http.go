package blob

import (
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"pushbatch/batch"
)

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

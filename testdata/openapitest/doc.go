// Package openapitest holds traffic against our description of the platform's
// API, testdata/api/openapi.json. Client and simulator share no code; what both
// misread would still pass, were there no third party to check them.
//
//	server := httptest.NewServer(openapitest.Wrap(t, sim))            // over sockets
//	client := &http.Client{Transport: openapitest.Transport(t, sim.RoundTripper())} // in memory, in virtual time too
//
// A request or answer that breaks the description fails the test with the
// violation. Answers that never came from the platform are let through: broken
// connections, cut bodies, pages of a proxy and empty errors. With Refusals a
// request that breaks the description is not a failure of its own, but its
// answer must then be a refusal (4xx).
//
// It is test support and must not be imported by the product.
package openapitest

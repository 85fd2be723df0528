// Package apiclient speaks to the Infobip platform: calls on push registrations
// and people, paced to the account's limit and repeated until they are answered.
//
//	client, err := apiclient.New(apiclient.Config{
//		BaseURL: "https://<id>.api.infobip.com",
//		AppCode: "<application code>",
//		Auth:    apiclient.AppKey(key),
//	})
//	body := apiclient.Personalize{Identity: apiclient.Identity{ExternalID: "42"}}
//	answer, err := client.Do(ctx, apiclient.PersonalizeCall(id, body.AppendJSON(nil), apiclient.PersonalizeOptions{}))
//
// One Client serves any number of goroutines; share it, because the limit is
// the account's. Do returns when its request was answered for good, when its
// attempts are used up, or when the context ends. Errors of the platform and of
// the way to it are an *Error.
//
// # Limit
//
// Every operation has a limit of its own. At most Rate requests enter any
// second, sliding or by the clock, retries included: a permit comes back one
// second after its last request can have reached the platform (permits.go).
// Permits are spaced evenly and given in the order of the calls, nothing is made
// up for after an idle time. Retry-After holds back every caller of the
// operation. After a 429 the rate falls to what was let through, and climbs back
// by itself (adaptive_rate.go); refusals that do not depend on the rate lower it
// no more. With Config.Shares several processes share the limit (shares.go).
//
// # Retries
//
// 408, 425, 429, 5xx (not 501 and 505), timeouts, broken connections and answers
// cut short are repeated with jittered exponential backoff; a 429 uses up no attempt. Every
// operation of this package can be repeated safely as long as no other change
// of the same device comes between.
//
// # Outages
//
// When nothing is answered any more, all callers wait while single requests
// probe at growing intervals; failures of an outage use up no attempts. Which
// failures count depends on what failed. A broken or refused connection, a
// timeout, a 502, 503 or 504 says that the platform is out of reach: ten of
// them in a row, of whatever calls, are an outage. Any other failure (a 500, an
// answer cut short) comes from a platform that is there, and may be the fault
// of a single row: it takes ten different calls in a row. So the last few rows
// of a run that always get a 500 use up their attempts and fail, while a
// platform that answers 500 to everything is waited for. Whatever failed and
// however few calls are made: when nothing was answered for MaxOutage it is an
// outage that was too long, but for calls that failed before while others were
// answered. Where fewer than ten calls would make an outage, the applications are
// asked for first: a platform that answers that is there, and those calls use up
// their attempts, else a few rows that always time out would keep a run from its end.
//
// A platform that answers every request with a 429 for longer than MaxOutage is
// given up as well. What waiting cannot heal is an error at once: a proxy that
// refuses, a port without TLS, a certificate that is not trusted.
//
// # Redirects
//
// None is followed, not even to the same host: credentials and bodies go where
// the configuration says. A redirect is an error with the code redirected.
package apiclient

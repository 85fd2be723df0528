// Package simulator is the platform's stand-in: an HTTP handler that keeps push
// registrations and people and answers by the platform's rules, with its limits,
// its errors and the faults that are declared.
//
//	sim := simulator.New(simulator.Config{Window: simulator.Both, CallLog: os.Stdout})
//	client := &http.Client{Transport: sim.RoundTripper()} // or: http.ListenAndServe("127.0.0.1:8099", sim)
//	…
//	fmt.Println(sim.Stats().Requests, sim.Stats().Overlaps)
//
// # Rules
//
// The operations are get, update, personalize and depersonalize of a push
// registration, the people listing and the OAuth2 token. Devices personalized
// with the same phone number, e-mail (letter case does not count) or external
// id are collected under one person; a device belongs to one person; a person
// has one primary device at most. Everything that is not known is refused:
// paths, methods, query parameters, fields, types, lengths.
//
// A request is checked in this order: authorization, limit, declared faults,
// application code, path and method, body and content type, query, fields,
// registration, rule. Two envelopes answer what is wrong:
//
//   - push, HTTP 400: 48001 (no AppCode header), 48012 (unknown application),
//     48013 (unknown registration, or another application's);
//   - older platform: 401 UNAUTHORIZED, 404 NOT_FOUND, 405, 415, 429
//     TOO_MANY_REQUESTS, 5xx of faults, and 400 with BAD_REQUEST and
//     validationErrors by field, or one of REQUEST_FORMAT_INVALID,
//     USER_IDENTITY_INVALID, EMAIL_INVALID, PHONE_INVALID,
//     PERSONALIZATION_IMPOSSIBLE (the device is another person's),
//     AMBIGUOUS_PERSONALIZE_CANDIDATES (the identity's values belong to several
//     people), USER_MERGE_INTERRUPTED (the person has another external id).
//
// Where the platform's reference is silent the choices are ours: which message
// id goes with which fault of a request, that a person keeps one external id,
// that JSON null clears an attribute, a tag set or one entry of a map.
//
// # What it does not simulate
//
// Registrations by the mobile SDK, their expiry and the lead that each unknown
// device gets; merging and deleting people; channels other than push; sending
// messages; XML; scopes and roles of credentials (403 only as a declared fault);
// definitions and types of custom attributes beyond their names; throttling of
// the whole account; TLS; HTTP/2. Listing pages are cut by offset from the
// state of the moment, as on the platform: people added or removed during a
// walk shift what follows.
package simulator

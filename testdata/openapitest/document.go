package openapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const documentPath = "testdata/api/openapi.json"

// find looks for the document in the working directory and above: tests run in
// their package's directory.
func find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, filepath.FromSlash(documentPath))
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find %s: not in the working directory or above it", documentPath)
		}
		dir = parent
	}
}

// document is the description, ready to check against.
type document struct {
	router routers.Router
	mu     sync.Mutex // the validator compiles patterns when it first meets them
}

// loaded is the document, read once a test binary: that takes 30 ms.
var loaded = sync.OnceValues(load)

func load() (*document, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", documentPath, err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("check %s: %w", documentPath, err)
	}
	doc.Servers = nil // any host
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route %s: %w", documentPath, err)
	}
	return &document{router: router}, nil
}

func options() *openapi3filter.Options {
	return &openapi3filter.Options{
		AuthenticationFunc:                hasCredential,
		IncludeResponseStatus:             true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
		MultiError:                        true,
	}
}

func hasCredential(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.RequestValidationInput.Request.Header.Get("Authorization") == "" {
		return errors.New("no Authorization header")
	}
	return nil
}

// request checks a request. input is nil when no operation fits.
func (d *document) request(r *http.Request, body []byte) (input *openapi3filter.RequestValidationInput, err error) {
	copied := r.Clone(context.Background())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	copied.ContentLength = int64(len(body))
	if len(body) == 0 {
		copied.Body = nil
	}
	// Of this address only the path counts, and the router needs it whole.
	if copied.URL.Host == "" {
		copied.URL.Scheme, copied.URL.Host = "http", "platform"
	}
	if r.Method == http.MethodGet && copied.URL.Path == "/push/1/applications" {
		return nil, nil // documented elsewhere, not in this document
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	route, params, err := d.router.FindRoute(copied)
	if err != nil {
		return nil, fmt.Errorf("no such operation: %w", err)
	}
	input = &openapi3filter.RequestValidationInput{Request: copied, PathParams: params, Route: route, Options: options()}
	if err := unknownQuery(route, copied.URL); err != nil {
		return input, err
	}
	if err := longName(body); err != nil {
		return input, err
	}
	return input, openapi3filter.ValidateRequest(context.Background(), input)
}

const maxName = 256

// longName refuses names of free-form maps that are empty or too long: version
// 3.0 of OpenAPI, whose validator is ten times faster, cannot say that. The other
// objects are closed, so every name may be looked at.
func longName(body []byte) error {
	var root any
	_ = json.Unmarshal(body, &root) // a form, or the validator complains
	return walkNames(root)
}

func walkNames(v any) error {
	object, _ := v.(map[string]any)
	for name, inner := range object {
		if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
			return fmt.Errorf("a name has %d characters, 1 to %d are allowed", n, maxName)
		}
		if err := walkNames(inner); err != nil {
			return err
		}
	}
	return nil
}

// unknownQuery refuses parameters that the operation does not have; the
// validator passes them over.
func unknownQuery(route *routers.Route, u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	for name, values := range query {
		known := slices.ContainsFunc(route.Operation.Parameters, func(p *openapi3.ParameterRef) bool {
			return p.Value.In == openapi3.ParameterInQuery && p.Value.Name == name
		})
		if !known || len(values) > 1 {
			return fmt.Errorf("query parameter %s: unknown or repeated", name)
		}
	}
	return nil
}

// answer checks a whole answer.
func (d *document) answer(in *openapi3filter.RequestValidationInput, status int, header http.Header, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), Options: options(),
	})
}

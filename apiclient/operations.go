package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// GetRegistration returns a device as the platform knows it. An unknown id is
// an *Error with the code 48013.
func (c *Client) GetRegistration(ctx context.Context, registrationID string) (*Registration, error) {
	return one[Registration](ctx, c, registrationID, GetCall(registrationID))
}

// UpdateRegistration changes a device and returns it.
func (c *Client) UpdateRegistration(ctx context.Context, registrationID string, u *Update) (*Registration, error) {
	return one[Registration](ctx, c, registrationID, UpdateCall(registrationID, u.AppendJSON(nil)))
}

// Personalize ties a device to a person and returns the person.
func (c *Client) Personalize(ctx context.Context, registrationID string, p *Personalize, o PersonalizeOptions) (*Person, error) {
	return one[Person](ctx, c, registrationID, PersonalizeCall(registrationID, p.AppendJSON(nil), o))
}

// Depersonalize unties a device from its person.
func (c *Client) Depersonalize(ctx context.Context, registrationID string) error {
	if err := checkID(registrationID); err != nil {
		return err
	}
	_, err := c.Do(ctx, DepersonalizeCall(registrationID))
	return err
}

func one[T any](ctx context.Context, c *Client, registrationID string, call Call) (*T, error) {
	if err := checkID(registrationID); err != nil {
		return nil, err
	}
	resp, err := c.Do(ctx, call)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if len(resp.Body) == 0 { // 204
		return v, nil
	}
	if err := json.Unmarshal(resp.Body, v); err != nil {
		return nil, invalidAnswer(call.Op, resp.Status)
	}
	return v, nil
}

// invalidAnswer says that an answer does not have the documented form. What it
// holds is personal and not shown.
func invalidAnswer(op Op, status int) *Error {
	return &Error{Op: op, Status: status, Code: CodeAnswerInvalid, Message: "the answer does not have the documented form"}
}

// checkID refuses ids that would name another resource.
func checkID(registrationID string) error {
	switch registrationID {
	case "":
		return errors.New("registration id is empty")
	case ".", "..":
		return errors.New("registration id is a dot segment of a path")
	}
	return nil
}

// MaxPageLimit is the most people that a page of the listing can hold.
const MaxPageLimit = 1000

// ListPersonsOptions are the query parameters of the people listing. Zero
// values are not sent.
type ListPersonsOptions struct {
	Limit        int    // people a page, at most MaxPageLimit; the platform's default is 20
	Page         int    // from 1
	OrderBy      string // for example createdAt:asc
	Filter       string // the platform's JSON query
	IncludeTotal bool   // fill PersonPage.TotalCount

	// Identifier asks for one person instead, of the given type (ID,
	// EXTERNAL_ID, PHONE, EMAIL, PUSH; the last with the application as Sender).
	Identifier string
	Type       string
	Sender     string
}

// ListPersonsCall asks for one page of people.
func ListPersonsCall(o ListPersonsOptions) Call {
	q := make(url.Values)
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	if o.Limit > 0 {
		set("limit", strconv.Itoa(o.Limit))
	}
	if o.Page > 0 {
		set("page", strconv.Itoa(o.Page))
	}
	if o.IncludeTotal {
		set("includeTotalCount", "true")
	}
	set("orderBy", o.OrderBy)
	set("filter", o.Filter)
	set("identifier", o.Identifier)
	set("type", o.Type)
	set("sender", o.Sender)
	return Call{Op: OpListPersons, Method: http.MethodGet, Path: "/people/2/persons", Query: q.Encode()}
}

// ListPersons returns one page of people. A query by Identifier returns a page
// with one person, or an *Error with status 404.
func (c *Client) ListPersons(ctx context.Context, o ListPersonsOptions) (*PersonPage, error) {
	resp, err := c.Do(ctx, ListPersonsCall(o))
	if err != nil {
		return nil, err
	}
	page, err := decodePersonPage(resp.Body)
	if err != nil {
		return nil, invalidAnswer(OpListPersons, resp.Status)
	}
	return page, nil
}

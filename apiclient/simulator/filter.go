package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition tells whether a person passes the filter of a listing.
type condition func(*person) bool

// parseFilter reads the platform's query language: {"firstName":"Ana"},
// {"#gt":{"modifiedAt":"…"}}, {"#and":[…]}, {"#or":[…]}. Members of one object
// must all hold.
func parseFilter(text string) (condition, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return conditionOf(root)
}

func conditionOf(v any) (condition, error) { return all(v, "filter", memberCondition) }

// all is the condition that holds where those of all members of an object do.
func all(v any, name string, member func(name string, v any) (condition, error)) (condition, error) {
	members, _ := v.(object)
	if len(members) == 0 {
		return nil, fmt.Errorf("filter: %s must be an object with members, is %s", name, kindOf(v))
	}
	var list []condition
	for name, v := range byName(members) {
		c, err := member(name, v)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return every(list), nil
}

func memberCondition(name string, v any) (condition, error) {
	switch {
	case name == "#and" || name == "#or":
		return joined(name, v)
	case strings.HasPrefix(name, "#"):
		return all(v, name, func(field string, v any) (condition, error) { return comparison(name, field, v) })
	}
	return comparison("#eq", name, v)
}

func joined(name string, v any) (condition, error) {
	items, _ := v.([]any)
	if len(items) == 0 {
		return nil, fmt.Errorf("filter: %s wants an array of conditions", name)
	}
	var list []condition
	for _, item := range items {
		c, err := conditionOf(item)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if name == "#and" {
		return every(list), nil
	}
	return func(p *person) bool {
		return slices.ContainsFunc(list, func(c condition) bool { return c(p) })
	}, nil
}

func every(list []condition) condition {
	return func(p *person) bool {
		return !slices.ContainsFunc(list, func(c condition) bool { return !c(p) })
	}
}

func comparison(op, name string, v any) (condition, error) {
	test := filterTests[strings.Replace(strings.Replace(op, "#ne", "#eq", 1), "#notContain", "#contains", 1)]
	negated := op == "#ne" || op == "#notContain" // holds only when no value matches
	if test == nil {
		return nil, fmt.Errorf("filter: unknown operator %s", op)
	}
	field := fieldOf(name)
	if field == nil {
		return nil, fmt.Errorf("filter: unknown field")
	}
	want := ""
	switch v := v.(type) {
	case nil:
	case []any, object:
		return nil, fmt.Errorf("filter: %s wants a scalar, got %s", op, kindOf(v))
	default:
		want = fmt.Sprint(v)
	}
	if name == orderCreated || name == orderModified {
		var err error
		if want, err = filterTime(want); err != nil {
			return nil, err
		}
	}
	return func(p *person) bool {
		return slices.ContainsFunc(field(p), func(have string) bool { return test(have, want) }) != negated
	}, nil
}

func filterTime(s string) (string, error) {
	for _, layout := range [...]string{listingTime, time.RFC3339, "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(listingTime), nil
		}
	}
	return "", fmt.Errorf("filter: a time has the form %s", listingTime)
}

// filterTests is how operators compare a person's value with the wanted one.
var filterTests = map[string]func(have, want string) bool{
	"#eq":         func(h, w string) bool { return h == w },
	"#contains":   strings.Contains,
	"#startsWith": strings.HasPrefix,
	"#endsWith":   strings.HasSuffix,
	"#gt":         func(h, w string) bool { return h != "" && compare(h, w) > 0 },
	"#lt":         func(h, w string) bool { return h != "" && compare(h, w) < 0 },
	"#gte":        func(h, w string) bool { return h != "" && compare(h, w) >= 0 },
	"#lte":        func(h, w string) bool { return h != "" && compare(h, w) <= 0 },
}

// compare compares numbers by value and other text by its bytes.
func compare(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

func listingText(unix int64) string { return time.Unix(unix, 0).UTC().Format(listingTime) }

// fieldOf returns how a field is read, nil for one that is not known; a missing value
// reads as "".
func fieldOf(name string) func(*person) []string {
	if attribute, ok := strings.CutPrefix(name, "customAttributes."); ok {
		return func(p *person) []string { return []string{scalarText(p.custom, attribute)} }
	}
	return map[string]func(*person) []string{
		"id":                                     func(p *person) []string { return []string{strconv.FormatUint(uint64(p.id), 10)} },
		orderCreated:                             func(p *person) []string { return []string{listingText(p.created)} },
		orderModified:                            func(p *person) []string { return []string{listingText(p.modified)} },
		"externalId":                             func(p *person) []string { return []string{p.ExternalID} },
		"firstName":                              func(p *person) []string { return []string{p.FirstName} },
		"lastName":                               func(p *person) []string { return []string{p.LastName} },
		"middleName":                             func(p *person) []string { return []string{p.MiddleName} },
		"gender":                                 func(p *person) []string { return []string{p.Gender} },
		"birthDate":                              func(p *person) []string { return []string{p.birthDate()} },
		"type":                                   func(p *person) []string { return []string{p.kind()} },
		"tags":                                   func(p *person) []string { return p.tags },
		"contactInformation.phone.number":        func(p *person) []string { return p.phones },
		"contactInformation.email.address":       func(p *person) []string { return p.emails },
		"contactInformation.push.registrationId": func(p *person) []string { return p.devices },
		"contactInformation.webpush.registrationId": func(p *person) []string { return p.devices },
	}[name]
}

func scalarText(list []entry, name string) string {
	for _, e := range list {
		if e.name == name {
			if v, err := parseJSON(e.json); err == nil && v != nil {
				return fmt.Sprint(v)
			}
		}
	}
	return ""
}

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
type condition func(st *store, id personID) bool

// parseFilter reads the platform's query language: {"firstName":"Ana"},
// {"#gt":{"modifiedAt":"…"}}, {"#and":[…]}, {"#or":[…]}. Members of one object
// must all hold.
func parseFilter(text string) (condition, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return conditionOf(&root)
}

func conditionOf(v *value) (condition, error) {
	if v.kind != kindObject || len(v.members) == 0 {
		return nil, fmt.Errorf("filter: must be an object with members, is %s", v.kind)
	}
	all := make([]condition, 0, len(v.members))
	for i := range v.members {
		c, err := memberCondition(&v.members[i])
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return every(all), nil
}

func memberCondition(m *member) (condition, error) {
	switch {
	case m.name == "#and" || m.name == "#or":
		return joined(m)
	case strings.HasPrefix(m.name, "#"):
		return operator(m)
	default:
		return comparison("#eq", m)
	}
}

func joined(m *member) (condition, error) {
	if m.value.kind != kindArray || len(m.value.items) == 0 {
		return nil, fmt.Errorf("filter: %s wants an array of conditions", m.name)
	}
	list := make([]condition, 0, len(m.value.items))
	for i := range m.value.items {
		c, err := conditionOf(&m.value.items[i])
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if m.name == "#and" {
		return every(list), nil
	}
	return func(st *store, id personID) bool {
		return slices.ContainsFunc(list, func(c condition) bool { return c(st, id) })
	}, nil
}

func every(list []condition) condition {
	return func(st *store, id personID) bool {
		return !slices.ContainsFunc(list, func(c condition) bool { return !c(st, id) })
	}
}

func operator(m *member) (condition, error) {
	if m.value.kind != kindObject || len(m.value.members) == 0 {
		return nil, fmt.Errorf("filter: %s wants an object with a field", m.name)
	}
	all := make([]condition, 0, len(m.value.members))
	for i := range m.value.members {
		c, err := comparison(m.name, &m.value.members[i])
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return every(all), nil
}

func comparison(op string, m *member) (condition, error) {
	test, negated, err := testOf(op)
	if err != nil {
		return nil, err
	}
	field, err := fieldOf(m.name)
	if err != nil {
		return nil, err
	}
	if m.value.kind > kindString {
		return nil, fmt.Errorf("filter: %s wants a scalar, got %s", op, m.value.kind)
	}
	want := m.value.text
	if m.value.kind == kindNull {
		want = ""
	}
	if m.name == orderCreated || m.name == orderModified {
		if want, err = filterTime(want); err != nil {
			return nil, err
		}
	}
	return func(st *store, id personID) bool {
		return slices.ContainsFunc(field(st, id), func(have string) bool { return test(have, want) }) != negated
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

// testOf returns how an operator compares; negated turns the result over, so
// that #ne and #notContain hold only when no value matches.
func testOf(op string) (test func(have, want string) bool, negated bool, err error) {
	switch op {
	case "#eq":
		return func(h, w string) bool { return h == w }, false, nil
	case "#ne":
		return func(h, w string) bool { return h == w }, true, nil
	case "#contains":
		return strings.Contains, false, nil
	case "#notContain":
		return strings.Contains, true, nil
	case "#startsWith":
		return strings.HasPrefix, false, nil
	case "#endsWith":
		return strings.HasSuffix, false, nil
	case "#gt":
		return func(h, w string) bool { return h != "" && compare(h, w) > 0 }, false, nil
	case "#lt":
		return func(h, w string) bool { return h != "" && compare(h, w) < 0 }, false, nil
	case "#gte":
		return func(h, w string) bool { return h != "" && compare(h, w) >= 0 }, false, nil
	case "#lte":
		return func(h, w string) bool { return h != "" && compare(h, w) <= 0 }, false, nil
	default:
		return nil, false, fmt.Errorf("filter: unknown operator %s", op)
	}
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

// fieldOf returns how a field is read; a missing value reads as "".
func fieldOf(name string) (func(*store, personID) []string, error) {
	switch name {
	case "id":
		return func(_ *store, id personID) []string { return []string{strconv.FormatUint(uint64(id), 10)} }, nil
	case orderCreated:
		return func(st *store, id personID) []string { return []string{listingText(st.created(id))} }, nil
	case orderModified:
		return func(st *store, id personID) []string { return []string{listingText(st.modified(id))} }, nil
	}
	if read := personField(name); read != nil {
		return func(st *store, id personID) []string { return read(st.person(id)) }, nil
	}
	return nil, fmt.Errorf("filter: unknown field")
}

func listingText(unix int64) string { return time.Unix(unix, 0).UTC().Format(listingTime) }

func personField(name string) func(*person) []string {
	one := func(read func(*person) string) func(*person) []string {
		return func(p *person) []string { return []string{read(p)} }
	}
	switch name {
	case "externalId":
		return one(func(p *person) string { return p.externalID })
	case "firstName":
		return one(func(p *person) string { return p.first })
	case "lastName":
		return one(func(p *person) string { return p.last })
	case "middleName":
		return one(func(p *person) string { return p.middle })
	case "gender":
		return one(func(p *person) string { return p.gender })
	case "birthDate":
		return one((*person).birthDate)
	case "type":
		return one((*person).kind)
	case "tags":
		return func(p *person) []string { return p.tags }
	case "contactInformation.phone.number":
		return func(p *person) []string { return p.phones }
	case "contactInformation.email.address":
		return func(p *person) []string { return p.emails }
	case "contactInformation.push.registrationId", "contactInformation.webpush.registrationId":
		return func(p *person) []string { return p.devices }
	}
	if attribute, ok := strings.CutPrefix(name, "customAttributes."); ok {
		return one(func(p *person) string { return scalarText(p.custom, attribute) })
	}
	return nil
}

func scalarText(list []entry, name string) string {
	for _, e := range list {
		if e.name == name {
			v, err := parseJSON(e.json)
			if err != nil {
				return ""
			}
			return v.text
		}
	}
	return ""
}
